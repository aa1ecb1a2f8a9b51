"""Copies of datasets: made, registered in their superdataset, and the siblings that a dataset knows."""

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from engram.datasets.copying.addresses import Address, read_address, without_secrets
from engram.datasets.copying.clone_limits import is_reckless
from engram.datasets.copying.cloning import Cloner, CloneRequest
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.refs import holds_repository
from engram.datasets.gitmodules import is_safe_path
from engram.datasets.permission import check_may_write, identity_is_known
from engram.durable import Steps
from engram.model.errors import OutsideDataset, TargetExists, UsageError
from engram.model.outcome import DatasetOutcome, Leaf, Outcome, Status
from engram.workspace.context import Context
from engram.workspace.opening import Opening, refusals_told, told

if TYPE_CHECKING:
    from engram.datasets.provenance.procedures import Procedure
    from engram.model.plan import Plan

#: DataLad's message for the commit that records a clone in its superdataset.
ADDED_SUBDATASET = "[DATALAD] Added subdataset"


class CloneWish(NamedTuple):
    """A clone as the user asks for it; paths as he typed them."""

    source: str
    path: str | None = None
    dataset: str | None = None
    description: str = ""
    reckless: str = ""
    message: str = ""
    procedures: tuple[str, ...] = ()
    git_options: tuple[str, ...] = ()


class Copies:
    """Making copies of datasets, and looking at them."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._opening = Opening(context, steps=steps)

    def clone(
        self,
        source: str,
        path: str | None = None,
        *,
        dataset: str | None = None,
        description: str | None = None,
        reckless: str | None = None,
        message: str | None = None,
        procedures: Sequence[str] = (),
        git_options: Sequence[str] = (),
    ) -> Iterator[Outcome]:
        """Obtain a dataset. Outcomes come once they are durable.

        Raises:
            ExtraMissing, NoDataset, NoIdentity, NoSource, NotTrusted, OutsideDataset, TargetExists, UsageError: before
                anything is written.
            SourceUnavailable: nothing is left behind.
        """
        wish = CloneWish(
            source=source,
            path=path,
            dataset=dataset,
            description=description or "",
            reckless=reckless or "",
            message=message or "",
            procedures=tuple(procedures),
            git_options=tuple(git_options),
        )
        with refusals_told():
            cloning = _Cloning(self._opening, wish)
            cloning.check()
        return told(cloning.carry_out())

    def plan_clone(
        self,
        source: str,
        path: str | None = None,
        *,
        dataset: str | None = None,
        description: str | None = None,
        reckless: str | None = None,
        message: str | None = None,
        procedures: Sequence[str] = (),
        git_options: Sequence[str] = (),
    ) -> "Plan":
        """What `clone` would do. Raises as it does, as far as no network is asked."""
        wish = CloneWish(
            source=source,
            path=path,
            dataset=dataset,
            description=description or "",
            reckless=reckless or "",
            message=message or "",
            procedures=tuple(procedures),
            git_options=tuple(git_options),
        )
        with refusals_told():
            cloning = _Cloning(self._opening, wish)
            cloning.check()
        from engram.workspace.asked import asked_for

        return asked_for(cloning.plan(), self.plan_clone, self._opening.context, locals())

    def siblings(
        self,
        *,
        dataset: str | None = None,
        name: str | None = None,
        annex_info: bool = True,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> Iterator[Outcome]:
        """The dataset and its siblings, with all that is known of each here. Starts no program.

        Raises:
            NoDataset, UsageError: at once.
        """
        from engram.datasets.nesting import installed
        from engram.datasets.sibling_records import SiblingQuery

        with refusals_told():
            opened = self._opening.dataset(dataset)
            below = sorted(installed(opened, limit=recursion_limit), key=_place) if recursive else []
            queries = [SiblingQuery(one, refds=opened.work_tree, annex_info=annex_info) for one in (opened, *below)]
            found = [query.records(name) for query in queries]
        return told(chain.from_iterable(found))


def _place(dataset: Dataset) -> str:
    return dataset.work_tree


class _Cloning:
    """One clone, from the look before to the last record."""

    def __init__(self, opening: Opening, wish: CloneWish) -> None:
        self._around = opening.around
        self._progress = opening.context.progress
        self._wish = wish
        folder = opening.context.folder
        self._source = read_address(wish.source, folder, home=self._around.environment.get("HOME", ""))
        self._super = None if wish.dataset is None else opening.dataset(wish.dataset)
        self._path = _target(self._source, wish.path, folder)
        self._procedures: list[Procedure] = []
        inherited = self._super.setting("datalad.clone.reckless") if self._super and not wish.reckless else None
        inherited = inherited if inherited and is_reckless(inherited) else None
        self._cloner = Cloner(
            CloneRequest(
                source=self._source,
                path=self._path,
                description=wish.description,
                reckless=wish.reckless or inherited or "",
                git_options=wish.git_options,
            ),
            self._around,
        )

    def check(self) -> None:
        """Refuse what cannot be done, before anything is written."""
        if self._super is not None:
            self._check_super(self._super)
        self._cloner.check()
        identity_is_known(self._around, self._super.work_tree if self._super else self._path)
        if self._wish.procedures:
            from engram.datasets.provenance.procedures import find_procedure

            around = self._around
            self._procedures = [
                find_procedure(name, environment=around.environment, configuration=around.configuration)
                for name in self._wish.procedures
            ]

    def _check_super(self, parent: Dataset) -> None:
        from engram.datasets.arguments import scope_at  # late: only a clone in a dataset needs it

        scope = scope_at(parent, self._path, self._path)
        if not scope or os.path.islink(self._path):
            raise OutsideDataset(self._path, parent.work_tree)
        if not is_safe_path(scope):
            raise UsageError(
                f"{self._path!r} cannot be recorded as a subdataset.",
                "Choose another name: without control characters, not like .git, not with a dash at its beginning.",
            )
        place = os.path.dirname(self._path)
        while len(place) > len(parent.work_tree):
            if holds_repository(os.fsencode(place)):
                raise UsageError(
                    f"{self._path} lies in the subdataset {place}.", f"Register it there: engram clone -d {place} …"
                )
            place = os.path.dirname(place)
        check_may_write(parent)
        if self._is_recorded(parent) and not self._cloner.is_there():
            raise TargetExists(
                self._path,
                f"is recorded in {parent.work_tree} already",
                f"To have it here: engram get -n {self._path}",
            )

    def _is_recorded(self, parent: Dataset) -> bool:
        scope, index = parent.relative(self._path), parent.read_index()
        first, last = index.below(scope)
        return first < last or index.find(scope) is not None

    def plan(self) -> "Plan":
        """What would be done."""
        from engram.model.plan import Plan, PlannedStep

        if self._cloner.is_there() and not self._cloner.is_unfinished():
            return Plan()
        source = without_secrets(self._source.given)
        steps = [PlannedStep(action="install", item=self._path, why=f"clone of {source}")]
        steps += [PlannedStep(action="run", item=name, why="procedure") for name in self._wish.procedures]
        if self._super is not None:
            steps.append(PlannedStep(action="add", item=self._path, why=f"as a subdataset of {self._super.work_tree}"))
        return Plan(steps=tuple(steps))

    def carry_out(self) -> Iterator[Outcome]:
        """Do it; each outcome comes when what it tells is durable."""
        was_there = self._cloner.is_there() and not self._cloner.is_unfinished()
        if was_there:
            yield self._installed(Status.NOT_NEEDED, f"was cloned from {without_secrets(self._source.given)} already")
        else:
            self._progress.start(f"cloning {without_secrets(self._source.given)}", None, "")
            dataset = self._cloner.clone()
            self._progress.finish()
            for procedure in self._procedures:
                from engram.datasets.provenance.procedures import run_procedure

                yield from run_procedure(procedure, dataset, self._around)
            yield self._installed(Status.OK, "; ".join(self._cloner.notes))
        if self._super is not None and not (was_there and self._is_recorded(self._super)):
            yield from self._register(self._super)
        self._cloner.finish()

    def _register(self, parent: Dataset) -> Iterator[Outcome]:
        from engram.datasets.saving.save import Saver  # late: a clone by itself needs no more than half of all this
        from engram.datasets.saving.survey import SaveRequest

        scopes = (parent.relative(self._path), b".gitmodules")  # an interrupted clone may have staged either
        request = SaveRequest(scopes=scopes, message=self._wish.message or ADDED_SUBDATASET)
        yield from Saver(open_dataset(parent.work_tree, self._around), request).carry_out()

    def _installed(self, status: Status, note: str) -> Outcome:
        given = without_secrets(self._source.given)
        source: dict[str, Leaf] = {
            "default_destpath": self._source.name,
            "giturl": given if self._source.is_relative else without_secrets(self._cloner.used),
            "source": given,
            "type": "giturl",
            "version": None,
        }
        return DatasetOutcome(
            action="install",
            item=self._path,
            status=status,
            note=note,
            path=self._path,
            type="dataset",
            refds=self._super.work_tree if self._super else "",
            extra=(("source", source), ("source_url", given)),
        )


def _target(source: Address, path: str | None, folder: str) -> str:
    """Where the clone goes: as the user says, else beside him, under the source's own name."""
    if path is None and not source.name:
        raise UsageError(f"{without_secrets(source.given)} has no name of its own.", "Say where it is to go: PATH")
    return os.path.normpath(os.path.join(folder, source.name if path is None else path))
