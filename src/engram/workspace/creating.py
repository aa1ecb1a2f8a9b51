"""Making a dataset, its procedures, and its place in a superdataset, one after the other."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram.datasets.create import NEW_SUBDATASET, CreateRequest, Creator, identity_is_known
from engram.datasets.dataset import Dataset
from engram.datasets.permission import check_may_write
from engram.datasets.programs import find_git_annex, git_annex_is_on_path
from engram.datasets.save import Saver
from engram.datasets.survey import SaveRequest
from engram.model.errors import OutsideDataset, TargetExists
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.workspace.opening import Opening

if TYPE_CHECKING:
    from engram.datasets.procedures import Procedure


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWish:
    """A dataset as the user asks for it; paths as he typed them."""

    path: str
    superdataset: str | None = None
    procedures: tuple[str, ...] = ()
    force: bool = False
    annex: bool = True
    message: str = ""
    description: str = ""
    backend: str = ""
    init_options: tuple[str, ...] = ()


class Creation:
    """One create, from the look before to the last record."""

    def __init__(self, opening: Opening, wish: CreateWish) -> None:
        self._context = opening.context
        self._around = opening.around
        self._wish = wish
        self._path = opening.place(wish.path)
        self._super = None if wish.superdataset is None else opening.dataset(wish.superdataset)
        self._procedures: list[Procedure] = []
        self._creator = Creator(
            CreateRequest(
                path=self._path,
                force=wish.force,
                annex=wish.annex,
                message="" if self._super else wish.message,
                description=wish.description,
                backend=self._backend(),
                init_options=wish.init_options,
            ),
            self._around,
        )

    def _backend(self) -> str:
        """The key backend: as asked for, else the parent's, else the user's own default."""
        if self._wish.backend:
            return self._wish.backend
        if self._super is not None:
            inherited = self._super.attributes.of(self._super.relative(self._path), (b"annex.backend",))
            if isinstance(value := inherited.get(b"annex.backend"), bytes):
                return os.fsdecode(value)
        return self._context.settings.datasets_backend

    def check(self) -> None:
        """Refuse what cannot be done, before anything is written."""
        self._creator.check()
        identity_is_known(self._around, self._super.work_tree if self._super else self._context.folder)
        if self._super is not None:
            self._check_super(self._super)
        if self._wish.procedures:
            from engram.datasets.procedures import find_procedure

            self._procedures = [
                find_procedure(name, environment=self._around.environment) for name in self._wish.procedures
            ]

    def _check_super(self, parent: Dataset) -> None:
        scope = parent.relative(self._path)
        if not scope:
            raise OutsideDataset(self._path, parent.work_tree)
        check_may_write(parent)
        index = parent.read_index()
        first, last = index.below(scope)
        if (first < last or index.find(scope) is not None) and not self._creator.is_unfinished():
            raise TargetExists(
                self._path,
                f"is recorded in {parent.work_tree} already",
                "Choose another name, or remove it there first.",
            )

    def plan(self) -> Plan:
        """What would be done."""
        steps = [PlannedStep(action="create", item=self._path, why=f"new dataset, key backend {self._backend()}")]
        steps += [PlannedStep(action="run", item=name, why="procedure") for name in self._wish.procedures]
        if self._super is not None:
            steps.append(PlannedStep(action="add", item=self._path, why=f"as a subdataset of {self._super.work_tree}"))
        return Plan(steps=tuple(steps))

    def carry_out(self) -> Iterator[Outcome]:
        """Do it; the outcome of the dataset itself comes last, when all of it is durable."""
        dataset = self._creator.create()
        for procedure in self._procedures:
            from engram.datasets.procedures import run_procedure

            yield from run_procedure(procedure, dataset, self._around)
        self._creator.settle()
        if self._super is not None:
            yield from self._register(self._super)
        self._creator.finish()
        yield DatasetOutcome(
            action="create",
            item=self._path,
            status=Status.OK,
            path=self._path,
            type="dataset",
            refds=self._super.work_tree if self._super else "",
            note=self._note(),
        )

    def _register(self, parent: Dataset) -> Iterator[Outcome]:
        scopes = (parent.relative(self._path), b".gitmodules")  # an interrupted create may have staged either
        request = SaveRequest(scopes=scopes, message=self._wish.message or NEW_SUBDATASET)
        yield from Saver(parent, request).carry_out()

    def _note(self) -> str:
        backend = self._backend()
        notes = [f"key backend {backend}"] if self._wish.annex else []
        if self._wish.annex and not git_annex_is_on_path(self._around.environment):
            found = find_git_annex(self._around.environment)
            if found is not None:
                notes.append(f'git itself needs git-annex on your PATH: export PATH="{found.folder}:$PATH"')
        return "; ".join(notes)
