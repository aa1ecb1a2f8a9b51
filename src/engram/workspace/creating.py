"""Making a dataset, its procedures, and its place in a superdataset, one after the other."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engram.datasets.arguments import scope_at
from engram.datasets.create import NEW_SUBDATASET, CreateRequest, Creator
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.nesting import superdataset
from engram.datasets.permission import check_may_write, identity_is_known
from engram.datasets.programs import find_git_annex, git_annex_is_on_path
from engram.datasets.saving.choosing import is_known
from engram.datasets.saving.save import Saver
from engram.datasets.saving.survey import SaveRequest
from engram.model.errors import OutsideDataset, TargetExists, UsageError
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.workspace.opening import Opening

if TYPE_CHECKING:
    from engram.datasets.provenance.procedures import Procedure


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
        #: The dataset that the new one is recorded in, and those above it up to the one that the user named.
        self._above = () if wish.superdataset is None else self._parents(opening.dataset(wish.superdataset))
        self._procedures: list[Procedure] = []
        self._creator = Creator(
            CreateRequest(
                path=self._path,
                force=wish.force,
                annex=wish.annex,
                message="" if self._above else wish.message,
                description=wish.description,
                backend=self._backend(),
                init_options=wish.init_options,
            ),
            self._around,
        )

    def _parents(self, named: Dataset) -> tuple[Dataset, ...]:
        """From the dataset around the new one, which need not be the *named* one, up to that."""
        _scope_in(named, self._path)
        found = [open_dataset(os.path.dirname(self._path), self._around)]
        while os.path.realpath(found[-1].work_tree) != os.path.realpath(named.work_tree):
            parent = superdataset(found[-1])
            if parent is None:
                raise OutsideDataset(self._path, f"{named.work_tree} itself, but in {found[-1].work_tree}")
            found.append(parent)
        return tuple(found)

    def _backend(self) -> str:
        """The key backend: as asked for, else the parent's, else the user's own default."""
        if self._wish.backend:
            return self._wish.backend
        if self._above:
            parent = self._above[0]
            inherited = parent.attributes.of(parent.relative(self._path), (b"annex.backend",))
            if isinstance(value := inherited.get(b"annex.backend"), bytes) and is_known(os.fsdecode(value)):
                return os.fsdecode(value)
        return self._context.settings.datasets_backend

    def check(self) -> None:
        """Refuse what cannot be done, before anything is written."""
        if self._wish.annex and not is_known(backend := self._backend()):
            raise UsageError(
                f"There is no key backend {backend}.", "SHA256E and MD5E are the common ones; all: git annex version"
            )
        self._creator.check()
        for folder in (self._path, *(dataset.work_tree for dataset in self._above)):
            identity_is_known(self._around, folder)
        for dataset in self._above:
            check_may_write(dataset)
        if self._above:
            self._check_is_new_to(self._above[0])
        if self._wish.procedures:
            from engram.datasets.provenance.procedures import find_procedure

            self._procedures = [
                find_procedure(name, environment=self._around.environment, configuration=self._around.configuration)
                for name in self._wish.procedures
            ]

    def is_unfinished(self) -> bool:
        """Whether one was interrupted: carried out again, it is brought to its end."""
        return self._creator.is_unfinished()

    def _check_is_new_to(self, parent: Dataset) -> None:
        scope = _scope_in(parent, self._path)
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
        if self._above:
            steps.append(
                PlannedStep(action="add", item=self._path, why=f"as a subdataset of {self._above[0].work_tree}")
            )
        return Plan(steps=tuple(steps))

    def carry_out(self) -> Iterator[Outcome]:
        """Do it; the outcome of the dataset itself comes last, when all of it is durable."""
        dataset = self._creator.create()
        for procedure in self._procedures:
            from engram.datasets.provenance.procedures import run_procedure

            yield from run_procedure(procedure, dataset, self._around)
        self._creator.settle()
        yield from self._register()
        self._creator.finish()
        yield DatasetOutcome(
            action="create",
            item=self._path,
            status=Status.OK,
            path=self._path,
            type="dataset",
            refds=self._above[-1].work_tree if self._above else "",
            note=self._note(),
        )

    def _register(self) -> Iterator[Outcome]:
        """Record it in the dataset around it, that in the next one, and so on."""
        new = self._path
        for parent in self._above:
            request = SaveRequest(
                scopes=(parent.relative(new), b".gitmodules"),  # an interrupted create may have staged either
                message=self._wish.message or NEW_SUBDATASET,
                refds=self._above[-1].work_tree,
            )
            for outcome in Saver(parent, request).carry_out():
                yield _of(parent, outcome) if outcome.action == "add" else outcome
            new = parent.work_tree

    def _note(self) -> str:
        if not open_dataset(self._path, self._around).annex_uuid:  # without one from the start, or by a procedure
            return ""
        notes = [f"key backend {self._backend()}"]
        if not git_annex_is_on_path(self._around.environment):
            found = find_git_annex(self._around.environment)
            if found is not None:
                notes.append(f'git itself needs git-annex on your PATH: export PATH="{found.folder}:$PATH"')
        return "; ".join(notes)


def _of(parent: Dataset, outcome: Outcome) -> Outcome:
    """What was added, told of the dataset that it was added to: so does ``datalad create``, unlike ``save``."""
    assert isinstance(outcome, DatasetOutcome)
    return replace(outcome, refds=parent.work_tree, item=os.path.relpath(outcome.path, parent.work_tree))


def _scope_in(parent: Dataset, path: str) -> bytes:
    """What *path* is called in a dataset that can record it. Raises `OutsideDataset`."""
    scope = scope_at(parent, path, path)
    if not scope:
        raise OutsideDataset(path, parent.work_tree)
    return scope
