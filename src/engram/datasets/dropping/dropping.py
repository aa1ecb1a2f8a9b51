"""Drop: stop holding contents, once enough others are proven to hold them. The dataset itself stays.

Source: datalad-drop(1), git-annex-drop(1); records of DataLad 1.7.1.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from engram.datasets.dataset import Dataset
from engram.datasets.dropping.drop_by_annex import AnnexDrop
from engram.datasets.dropping.drop_records import DropReporter, too_few
from engram.datasets.dropping.droppable import Content, all_contents, contents_of
from engram.datasets.dropping.little_room import little_room
from engram.datasets.dropping.removal import Fate, Remover
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.permission import check_may_write
from engram.datasets.status import StatusReader, StatusRequest
from engram.datasets.traps import reason_to_hand_over
from engram.datasets.whereabouts import Whereabouts
from engram.datasets.worktree import Untracked
from engram.model.errors import NotDropped
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.model.progress import Progress, Silent
from engram.model.records import record

#: Expressions by which nothing is required here.
_NOTHING = (b"", b"nothing")
_NOT_ENOUGH = "what engram can look at itself is not enough"
#: The one version of a repository whose locks are taken here.
_VERSION = "10"


@record(eq=False)
class DropRequest:
    """What is to be dropped."""

    #: Paths relative to the top; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    #: All versions of all files, not only those of the work tree.
    all_keys: bool = False
    #: The dataset itself is to go: a subdataset at another commit than is recorded counts as a change.
    goes: bool = False
    #: Do not look for changes that were not saved.
    ignores_changes: bool = False
    #: Do not ask for copies elsewhere.
    ignores_copies: bool = False
    #: How many contents git-annex drops at once; 0: one per processor.
    jobs: int = 1
    #: Only the contents that `Dropper.plan` calls so; ``None``: all.
    only: Collection[str] | None = None
    #: The dataset that the whole command is about, where this is one of its subdatasets.
    refds: str = ""


@dataclass(slots=True)
class _Choice:
    """What there is to do."""

    contents: list[Content] = field(default_factory=list)
    #: Why git-annex drops all of it, '' when engram can.
    reason: str = ""
    whereabouts: Whereabouts | None = None


class Dropper:
    """One drop of contents from one dataset."""

    def __init__(
        self,
        dataset: Dataset,
        request: DropRequest,
        *,
        clock: Callable[[], float] = time.time,
        progress: Progress | None = None,
    ) -> None:
        self._dataset = dataset
        self._request = request
        self._clock = clock
        self._progress = progress or Silent()
        self._report = DropReporter(dataset, refds=request.refds, keys=request.all_keys)

    def plan(self) -> Plan:
        """What would be done. Changes nothing."""
        stops = self._shared_annex()
        refused = [PlannedStep(action="drop", item=one.item, why=one.message) for one in self.unsaved()]
        if stops is not None and not self._request.goes:
            refused.append(PlannedStep(action="drop", item=".", why=stops.what))
        if refused or stops is not None or not self._dataset.has_annex:
            return Plan(refused=tuple(refused))
        choice = self._choose()
        native = None if choice.reason or choice.whereabouts is None else self._remover(choice.whereabouts)
        steps: list[PlannedStep] = []
        for content in choice.contents:
            will, why = _foresee(content, native) if native else (True, f"if git-annex finds it safe ({choice.reason})")
            step = PlannedStep(
                action="drop",
                item=self._report.item(content),
                bytes=content.size_bytes,
                why=why,
                ground=os.fsdecode(content.key),
            )
            (steps if will else refused).append(step)
        return Plan(steps=tuple(steps), refused=tuple(refused))

    def carry_out(self) -> Iterator[Outcome]:
        """Do it; an outcome says what is durable.

        Raises:
            NotTrusted, ExtraMissing, UsageError: before anything is written.
            NoRoomToDrop: on a full disk.
        """
        dataset = self._dataset
        check_may_write(dataset)
        dataset.identity("committer", now_s=self._clock())  # before anything is locked
        with little_room(dataset), only_engram(dataset.steps, dataset.git_dir, waiting=self._say_waiting):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
            yield from self.within_lock()

    def within_lock(self) -> Iterator[Outcome]:
        """The same for who holds `only_engram`, and may write."""
        stops = self._shared_annex()
        if stops is not None and not self._request.goes:
            yield self._report.of_dataset("drop", Status.ERROR, error=stops)
            return
        unsaved = list(self.unsaved())
        yield from unsaved
        if not unsaved and stops is None:  # a clone that goes leaves alone what is another's
            with little_room(self._dataset):
                yield from self._drop()

    def _say_waiting(self, holder: str) -> None:
        self._progress.start(f"waiting for {holder}", None, "")

    def _shared_annex(self) -> NotDropped | None:
        """Why nothing is dropped from a clone whose annex is another dataset's: it would be dropped there."""
        dataset = self._dataset
        annex = os.path.join(dataset.git_dir, "annex")
        for place in (annex, os.path.join(annex, "objects")):
            if os.path.islink(place) and dataset.git_dir == dataset.common_dir:
                return NotDropped(
                    dataset.work_tree,
                    f"its contents are those of another dataset ({os.path.realpath(place)}), which would lose them",
                    "Drop them in that dataset, if that is what you want.",
                )
        return None

    def unsaved(self) -> Iterator[DatasetOutcome]:
        """What is untracked or modified: like DataLad, drop wants it saved first."""
        if self._request.ignores_changes:
            return
        request = StatusRequest(
            scopes=self._request.scopes,
            untracked=Untracked.NORMAL,
            evaluate_subdatasets="commit" if self._request.goes else "no",
            report_clean=False,
        )
        try:
            for found in StatusReader(self._dataset, request, refds=self._request.refds).read():
                if found.state in ("modified", "untracked") or found.failed:
                    yield self._report.unsaved(found)
        except NotUnderstood as problem:
            yield self._report.unreadable(problem.reason)

    def _choose(self) -> _Choice:
        dataset, request = self._dataset, self._request
        index = dataset.read_index()
        found = all_contents(dataset, index) if request.all_keys else contents_of(dataset, index, request.scopes)
        only = request.only
        choice = _Choice([one for one in found.values() if only is None or self._report.item(one) in only])
        if choice.contents:
            choice.whereabouts = Whereabouts(dataset)
            choice.reason = self._reason(choice.whereabouts)
            if not request.ignores_copies and not choice.reason:
                choice.whereabouts.prefetch(found)
        return choice

    def _reason(self, whereabouts: Whereabouts) -> str:
        """Why git-annex has to drop all of it, '' when engram can."""
        dataset = self._dataset
        if reason := reason_to_hand_over(dataset):
            return reason
        if (version := dataset.setting("annex.version")) != _VERSION:
            return f"annex.version is {version}"
        required = whereabouts.required(dataset.annex_uuid.encode())
        if required.strip() not in _NOTHING and not self._request.ignores_copies:
            return f"content is required here ({os.fsdecode(required)})"
        return ""

    def _remover(self, whereabouts: Whereabouts) -> Remover:
        return Remover(self._dataset, whereabouts, asks=not self._request.ignores_copies, clock=self._clock)

    def _drop(self) -> Iterator[Outcome]:
        choice = _Choice()
        try:
            if self._dataset.has_annex:
                choice = self._choose()
        except NotUnderstood as problem:
            yield self._report.unreadable(problem.reason)
            return
        self._progress.start("drop", len(choice.contents), "contents")
        try:
            if choice.reason or choice.whereabouts is None:
                yield from self._by_annex(choice.contents, choice.reason, frozenset())
            else:
                yield from self._natively(choice.contents, choice.whereabouts)
        finally:
            self._progress.finish()
        if not self._request.all_keys:
            yield from self._report.rest(self._request.scopes)

    def _natively(self, contents: list[Content], whereabouts: Whereabouts) -> Iterator[Outcome]:
        remover = self._remover(whereabouts)
        impostors = remover.witnesses.impostors
        #: By the siblings that git-annex must not believe.
        for_annex: dict[frozenset[str], list[Fate]] = {}
        for fate in remover.remove(contents):
            distrusted = frozenset({*fate.proof.refuted, *impostors})
            if fate.for_annex and not any("=" in name for name in distrusted):  # else git-annex cannot be told
                for_annex.setdefault(distrusted, []).append(fate)
                continue
            self._progress.advance()
            yield from self._report.told(fate, impostors)
        for distrusted, fates in for_annex.items():
            yield from self._by_annex([fate.content for fate in fates], _NOT_ENOUGH, distrusted)

    def _by_annex(self, contents: list[Content], reason: str, distrusted: frozenset[str]) -> Iterator[Outcome]:
        if not contents:
            return
        force, jobs = self._request.ignores_copies, self._request.jobs
        annex = AnnexDrop(self._dataset, distrusted=distrusted, force=force, jobs=jobs)
        for content, problem in annex.drop(contents, by_key=self._request.all_keys):
            self._progress.advance()
            note = f"handed to git-annex: {reason}"
            if problem is None:
                yield from self._report.dropped(content, note=note)
            else:
                yield from self._report.kept(content, problem, note=note)


def _foresee(content: Content, remover: Remover) -> tuple[bool, str]:
    """Whether a content would be dropped, and why, or why not."""
    fate = remover.foresee(content)
    if fate.for_annex:
        return True, f"if git-annex finds it safe ({_NOT_ENOUGH})"
    if fate.gone:
        return True, "also in " + ", ".join(fate.proof.siblings) if fate.proof.siblings else "whoever else has it"
    return False, too_few(fate, remover.witnesses.impostors).what
