"""Fsck: find what is wrong with the contents of a dataset, mend what can be mended, tell the rest.

Source: git-annex-fsck(1); what is an error and what is not, from runs of git-annex 10.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from engram import durable
from engram.datasets.annex.facts import key_size
from engram.datasets.annex.logs import values_by_uuid, with_value
from engram.datasets.auditing.examined import Examined, Sound
from engram.datasets.auditing.examining import Examiner
from engram.datasets.auditing.fsck_records import FsckReporter
from engram.datasets.auditing.unused import check_annex_is_own
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import GitIndex
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.datasets.locks import clear_what_a_crash_left, only_engram, private_folder
from engram.datasets.logbook import change_branch
from engram.datasets.mended import ASIDE
from engram.datasets.permission import check_may_write
from engram.datasets.traps import reason_to_hand_over
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import UsageError
from engram.model.outcome import Outcome
from engram.model.plan import Plan, PlannedStep
from engram.model.progress import Progress, Silent
from engram.model.records import record

if TYPE_CHECKING:
    from engram.datasets.auditing.fsck_troubles import TroubleReporter
    from engram.datasets.auditing.mending import Mender

_REQUIRED = b"required-content.log"
#: Where git-annex notes when which repository was checked, for ``git annex expire``.
_ACTIVITY = b"activity.log"
_DONE = b"Fsck"
#: How much trouble is gathered before it is mended, and how long: a run that is stopped has mended what came before.
_GATHERED = 1000
_GATHERED_S = 60.0


@record(eq=False)
class FsckRequest:
    """What is to be checked."""

    #: Paths relative to the top; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    #: These keys instead of files.
    keys: tuple[bytes, ...] = ()
    #: Every key that anybody ever had instead of files.
    all_keys: bool = False
    #: Hold every byte against its key.
    full: bool = False
    #: How many large contents are read at once; 0 for as many as there are processors.
    jobs: int = 0
    #: The dataset that the whole command is about, where this is one of its subdatasets.
    refds: str = ""
    #: Called for each file that is sound, of which there is no outcome then: a tenth of the time goes into those.
    count_sound: Callable[[], None] | None = None


class Fsck:
    """One check of one dataset."""

    def __init__(
        self,
        dataset: Dataset,
        request: FsckRequest,
        *,
        clock: Callable[[], float] = time.time,
        progress: Progress | None = None,
    ) -> None:
        self._dataset = dataset
        self._request = request
        self._clock = clock
        self._progress = progress or Silent()
        self._mender: Mender | None = None

    def plan(self) -> Plan:
        """What would be mended, and what would be told. Changes nothing, but reads as much as the check itself."""
        self._check()
        if reason := self._reason():
            step = PlannedStep(action="fsck", item=".", why=f"git-annex would have to do it: {reason}")
            return Plan(refused=(step,))
        report = self._troubles
        steps: list[PlannedStep] = []
        refused: list[PlannedStep] = []
        for one in self._examined(self._dataset.read_index()):
            if not (isinstance(one, Sound) or one.is_well):
                will, will_not = report.planned(one)
                steps += will
                refused += will_not
        return Plan(steps=tuple(steps), refused=tuple(refused))

    def carry_out(self) -> Iterator[Outcome]:
        """Check, mend, tell; an outcome says what is durable.

        Raises:
            NotTrusted, NoIdentity, ExtraMissing, UsageError: before anything is written.
        """
        dataset = self._dataset
        self._check()
        check_may_write(dataset)
        dataset.identity("committer", now_s=self._clock())
        with only_engram(dataset.steps, dataset.git_dir, waiting=self._say_waiting):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
            for name in ASIDE:
                if os.path.lexists(left := os.path.join(private_folder(dataset.git_dir), "tmp", name)):
                    durable.remove(dataset.steps, left)
            reason = self._reason()
            try:
                yield from self._by_annex(reason) if reason else self._natively()
            finally:
                self._progress.finish()

    def _say_waiting(self, holder: str) -> None:
        self._progress.start(f"waiting for {holder}", None, "")

    def _check(self) -> None:
        if not (self._dataset.has_annex or self._dataset.wants_annex):
            raise UsageError(
                f"{self._dataset.work_tree} has no annex: there is no content to check.", "git's own check is: git fsck"
            )
        check_annex_is_own(self._dataset)

    def _reason(self) -> str:
        """Why git-annex has to do all of it, '' when engram can."""
        if reason := reason_to_hand_over(self._dataset):
            return reason
        required = values_by_uuid(self._whereabouts.log(_REQUIRED))
        return "some repository requires content" if any(value.strip() for value in required.values()) else ""

    def _by_annex(self, reason: str) -> Iterator[Outcome]:
        from engram.datasets.auditing.fsck_by_annex import AnnexFsck  # late: few datasets need it

        request = self._request
        self._progress.start("fsck", None, "")
        yield from AnnexFsck(self._dataset, full=request.full, jobs=request.jobs, refds=request.refds).check(
            request.scopes, keys=request.keys, all_keys=request.all_keys, reason=reason
        )

    # --- natively

    def _natively(self) -> Iterator[Outcome]:
        index = self._dataset.read_index()
        troubled: list[Examined] = []
        for_annex: list[Examined] = []
        since_s = time.monotonic()
        try:
            for one in self._told(index):
                if isinstance(one, Outcome):
                    yield one
                    continue
                troubled.append(one)
                if one.condition.for_annex:
                    for_annex.append(one)
                if len(troubled) >= _GATHERED or time.monotonic() - since_s > _GATHERED_S:
                    batch, troubled, since_s = troubled, [], time.monotonic()
                    yield from self._mended(index, batch)
            if troubled:
                batch, troubled = troubled, []
                yield from self._mended(index, batch)
        except (NotUnderstood, MissingObject) as problem:
            reason = problem.reason if isinstance(problem, NotUnderstood) else "an object is missing that git may fetch"
            yield from self._by_annex(reason)
            return
        with suppress(NotUnderstood):  # git-annex notes it itself when it checks what only it fully knows
            self._note_activity()
        if for_annex:
            from engram.datasets.auditing.fsck_by_annex import AnnexFsck  # late: few datasets need it

            annex = AnnexFsck(self._dataset, full=True, jobs=self._request.jobs, refds=self._request.refds)
            yield from annex.check_files(for_annex)

    def _told(self, index: GitIndex) -> Iterator[Outcome | Examined]:
        """An outcome for each file that is well (unless it is only to be counted), and every other as it was found."""
        report = FsckReporter(self._dataset, refds=self._request.refds)
        count_sound = self._request.count_sound
        for one in self._examined(index):
            if isinstance(one, Sound):
                if count_sound is None:
                    yield report.sound(*one)
                else:
                    count_sound()
            elif one.is_well:
                yield report.well(one)
            else:
                yield one

    def _mended(self, index: GitIndex, troubled: list[Examined]) -> Iterator[Outcome]:
        if self._mender is None:
            from engram.datasets.auditing.mending import Mender  # late: most datasets are well

            self._mender = Mender(self._dataset, self._whereabouts, index, self._clock)
        mended = self._mender.mend(troubled)
        for one in troubled:
            if not one.condition.for_annex:
                yield self._troubles.troubled(one, mended)

    @cached_property
    def _whereabouts(self) -> Whereabouts:
        return Whereabouts(self._dataset)

    @cached_property
    def _troubles(self) -> "TroubleReporter":
        from engram.datasets.auditing.fsck_troubles import TroubleReporter  # late, too

        return TroubleReporter(self._dataset, self._whereabouts, refds=self._request.refds)

    def _note_activity(self) -> None:
        """Note that this repository was checked, as git-annex does."""
        uuid, now_s = self._dataset.annex_uuid.encode(), self._clock()
        change_branch(
            self._dataset,
            lambda read: {_ACTIVITY: with_value(read(_ACTIVITY), uuid, _DONE, int(now_s))},
            now_s=now_s,
        )

    def _examined(self, index: GitIndex) -> Iterator[Examined | Sound]:
        request = self._request
        examiner = Examiner(
            self._dataset,
            self._whereabouts,
            full=request.full,
            advance=self._progress.advance,
            jobs=request.jobs or os.cpu_count() or 1,
        )
        if request.keys or request.all_keys:
            everything = self._whereabouts.known_keys() if request.all_keys else ()
            keys = list(dict.fromkeys((*request.keys, *everything)))
            self._start(keys)
            return examiner.keys(keys)
        return examiner.files(index, request.scopes, begin=self._start)

    def _start(self, keys: list[bytes]) -> None:
        if self._request.full:
            total = None if isinstance(self._progress, Silent) else sum(key_size(key) or 0 for key in set(keys))
            self._progress.start("fsck", total, "B")
        else:
            self._progress.start("fsck", len(keys), "")
