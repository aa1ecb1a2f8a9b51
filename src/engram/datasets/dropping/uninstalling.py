"""Remove a whole dataset from this machine, once nothing is lost by that.

The order, so that the same command goes on after a crash: contents are dropped, each with its proof; the work tree
goes; ``.git`` gets another name, by which what is left is known for a dataset that was being removed; it goes, too.

Source: datalad-drop(1); records of DataLad 1.7.1.
"""

import os
import time
from collections.abc import Callable, Iterator
from shlex import quote

from engram import durable
from engram.datasets.annexed import positions_below
from engram.datasets.dataset import Dataset
from engram.datasets.dropping.drop_records import DropReporter
from engram.datasets.dropping.dropping import Dropper, DropRequest
from engram.datasets.dropping.revisions import kept_inside, other_work_trees, siblings_that_know, unpushed
from engram.datasets.dropping.wiping import wipe
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import holds_repository
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.nesting import superdataset
from engram.datasets.permission import check_may_write
from engram.durable import Steps
from engram.model.errors import NotDropped
from engram.model.outcome import Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.model.progress import Progress, Silent
from engram.model.records import record

_GIT = ".git"
#: What ``.git`` is called while it is removed.
DROPPED = ".git.engram-dropped"


@record(eq=False)
class UninstallRequest:
    """How much is looked at before a dataset is removed."""

    #: Do not look for changes that were not saved.
    ignores_changes: bool = False
    #: Do not ask for copies of contents and revisions elsewhere.
    ignores_copies: bool = False
    #: Do not ask whether siblings count on its annex.
    ignores_siblings: bool = False
    #: Look at nothing at all.
    kill: bool = False
    #: How many contents git-annex drops at once; 0: one per processor.
    jobs: int = 1
    #: The dataset that the whole command is about, where this is one of its subdatasets.
    refds: str = ""


class Uninstaller:
    """One removal of one dataset, whose subdatasets are gone before."""

    def __init__(
        self,
        dataset: Dataset,
        request: UninstallRequest,
        *,
        clock: Callable[[], float] = time.time,
        progress: Progress | None = None,
    ) -> None:
        self._dataset = dataset
        self._request = request
        self._report = DropReporter(dataset, refds=request.refds, keys=True)
        drop = DropRequest(
            all_keys=True,
            goes=True,
            ignores_changes=request.ignores_changes,
            ignores_copies=request.ignores_copies,
            jobs=request.jobs,
            refds=request.refds,
        )
        self._dropper = Dropper(dataset, drop, clock=clock, progress=progress or Silent())
        self._progress = progress or Silent()

    def plan(self, *, gone: frozenset[str] = frozenset()) -> Plan:
        """What would be done. Changes nothing.

        Args:
            gone: subdatasets that would be removed before.
        """
        item = self._report.of_dataset("uninstall", Status.OK).item
        refused = [PlannedStep(action="uninstall", item=item, why=one.what) for one in self._refusals(gone)]
        drops = Plan() if self._request.kill or refused else self._dropper.plan()
        refused += drops.refused
        ground, why = self._dataset.head_commit(), "the dataset's folder is removed from this machine"
        wiped = PlannedStep(action="uninstall", item=item, why=why, ground=ground)
        return Plan(steps=(*drops.steps, wiped) if not refused else (), refused=tuple(refused))

    def carry_out(self) -> Iterator[Outcome]:
        """Do it.

        Raises:
            NotTrusted, ExtraMissing, UsageError: before anything is written.
        """
        dataset = self._dataset
        check_may_write(dataset)
        with only_engram(dataset.steps, dataset.git_dir, waiting=self._say_waiting):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
            refusals = list(self._refusals(frozenset()))
            for refusal in refusals:
                yield self._report.of_dataset("uninstall", Status.ERROR, error=refusal)
            if refusals:
                return
            failed = False
            for outcome in () if self._request.kill else self._dropper.within_lock():
                failed = failed or outcome.failed
                yield outcome
            late = [] if failed or self._request.kill else list(self._dropper.unsaved())
            yield from late  # written while contents were dropped
            if not failed and not late:
                yield self._wipe()

    def _say_waiting(self, holder: str) -> None:
        self._progress.start(f"waiting for {holder}", None, "")

    def _refusals(self, gone: frozenset[str]) -> Iterator[NotDropped]:
        """Everything that would be lost with it, or be wrong elsewhere. As DataLad, the first kind only."""
        if self._request.kill:
            return
        try:
            for check in (self._subdatasets, self._work_trees, self._revisions, self._kept_inside, self._siblings):
                if refusal := check(gone):
                    yield refusal
                    return
        except NotUnderstood as problem:
            where = self._dataset.work_tree
            yield NotDropped(where, f"engram cannot read {where} itself ({problem.reason})", "Or: --reckless kill -r")

    def _subdatasets(self, gone: frozenset[str]) -> NotDropped | None:
        there = [place for place in present_subdatasets(self._dataset, (b"",)) if place not in gone]
        return subdatasets_present(self._dataset.work_tree, there)

    def _work_trees(self, _: frozenset[str]) -> NotDropped | None:
        places = other_work_trees(self._dataset)
        if not places:
            return None
        return NotDropped(
            self._dataset.work_tree,
            f"work trees elsewhere are checked out from it: {', '.join(places)}",
            f"Save what is in them, then: git worktree remove {quote(places[0])}",
        )

    def _kept_inside(self, _: frozenset[str]) -> NotDropped | None:
        names = [] if self._request.ignores_copies else kept_inside(self._dataset)
        if not names:
            return None
        return NotDropped(
            self._dataset.work_tree,
            f"its .git keeps repositories of subdatasets that hold what nobody else has: {', '.join(names)}",
            "Check them out and drop them first: git submodule update --init; or --reckless availability",
        )

    def _revisions(self, _: frozenset[str]) -> NotDropped | None:
        names = [] if self._request.ignores_copies else unpushed(self._dataset)
        if not names:
            return None
        return NotDropped(
            self._dataset.work_tree,
            f"to-be-dropped dataset has revisions that are not available at any known sibling: {', '.join(names)}",
            "Push them: git push SIBLING BRANCH (or fetch, if they are there); or --reckless availability",
        )

    def _siblings(self, _: frozenset[str]) -> NotDropped | None:
        names = [] if self._request.ignores_siblings else siblings_that_know(self._dataset)
        if not names:
            return None
        return NotDropped(
            self._dataset.work_tree,
            f"to-be-deleted local annex not declared 'dead' at the following siblings: {', '.join(names)}",
            "Announce it: git annex dead here && git push SIBLING git-annex; or --reckless undead",
        )

    def _wipe(self) -> Outcome:
        dataset = self._dataset
        above = superdataset(dataset)
        wipe(dataset.steps, dataset.work_tree, spared=_GIT)
        own = os.path.join(dataset.work_tree, _GIT)
        if os.path.isdir(own) and not os.path.islink(own):
            durable.sync_folder(dataset.steps, dataset.work_tree)
            durable.rename(dataset.steps, own, os.path.join(dataset.work_tree, DROPPED))
        finish_wiping(dataset.steps, dataset.work_tree, keep_folder=above is not None)
        return self._report.of_dataset("uninstall", Status.OK)


def finish_wiping(steps: Steps, place: str, *, keep_folder: bool) -> None:
    """Remove what is left of a dataset.

    Args:
        keep_folder: leave an empty folder where it was, as git likes it for a recorded subdataset.
    """
    wipe(steps, place)
    if keep_folder:
        durable.make_folder(steps, place)
    durable.sync_folder(steps, os.path.dirname(place))


def is_half_wiped(place: str) -> bool:
    """Whether a removal was interrupted at *place*, so that it holds no dataset any more but what is left of one."""
    return os.path.isdir(os.path.join(place, DROPPED)) and not holds_repository(os.fsencode(place))


def present_subdatasets(dataset: Dataset, scopes: tuple[bytes, ...]) -> list[str]:
    """The places of the subdatasets directly in a dataset, below *scopes*, that are installed."""
    return [place for place in recorded_subdatasets(dataset, scopes) if holds_repository(os.fsencode(place))]


def recorded_subdatasets(dataset: Dataset, scopes: tuple[bytes, ...]) -> list[str]:
    """The places of the subdatasets that a dataset records directly, below *scopes*."""
    index = dataset.read_index()
    return [
        os.path.join(dataset.work_tree, os.fsdecode(index.paths[position]))
        for position in positions_below(index, scopes)
        if index.mode(position) == SUBMODULE_MODE
    ]


def subdatasets_present(place: str, subdatasets: list[str]) -> NotDropped | None:
    """The refusal to remove what still holds subdatasets; ``None`` where it holds none."""
    if not subdatasets:
        return None
    named = ", ".join(subdatasets)
    return NotDropped(
        place,
        f"cannot drop dataset, subdataset(s) still present (forgot --recursive?): {named}",
        "Drop them, too: add -r",
    )
