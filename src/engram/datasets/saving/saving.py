"""The doing of a save: contents, subdatasets, the record, and the outcome of each item."""

import os
from collections.abc import Iterator
from contextlib import closing

from engram.datasets.annex.store import ContentStore
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import entry_from_stat
from engram.datasets.git.objects import BLOB
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.recorded import Recorded
from engram.datasets.records import Made, Reporter
from engram.datasets.saving.contents import Contents
from engram.datasets.saving.handover import HandOver
from engram.datasets.saving.recording import Changes, CommitWish, Recorder, commits_by_git
from engram.datasets.saving.subdatasets import Registration, record_subdatasets
from engram.datasets.saving.survey import SaveRequest, Survey
from engram.datasets.saving.unlocked import fill_unlocked
from engram.datasets.syncing import ToSync
from engram.model.outcome import Outcome
from engram.model.progress import Progress

__all__ = ["CommitWish", "Saving", "commits_by_git"]


class Saving:
    """Carries out what a survey found. Needs `only_engram`."""

    def __init__(
        self, dataset: Dataset, request: SaveRequest, survey: Survey, wish: CommitWish, progress: Progress
    ) -> None:
        self._dataset = dataset
        self._request = request
        self._survey = survey
        self._wish = wish
        self._progress = progress
        self._report = Reporter(dataset, refds=request.refds)
        self._recorder = Recorder(dataset, dataset.objects)
        git_dir = os.fsencode(dataset.git_dir)
        self._to_sync = ToSync(git_dir, os.fsencode(dataset.work_tree))
        self._store = ContentStore(dataset.steps, git_dir=git_dir, to_sync=self._to_sync)
        self._contents = Contents(
            dataset.steps,
            self._store,
            os.fsencode(dataset.work_tree),
            request.jobs or os.cpu_count() or 1,
            self._recorder.new.stream_blob,
        )
        #: What came of it, once `carry_out` is through.
        self.made = Made(dataset.head_commit(), dataset.head_commit())

    def carry_out(self) -> Iterator[Outcome]:
        """Do it; one outcome per item, once all of it is durable."""
        if self._survey.reason:
            yield from self._hand_over(self._survey.reason)
            return
        try:
            taken = self._take_in()
            filled = list(fill_unlocked(self._dataset, self._survey.index, self._store, taken))
            registration = record_subdatasets(self._dataset, self._survey.index, self._survey.decisions)
            mended = map(self._put, self._contents.links(self._survey.decisions.mended))
            changes = self._changes([*taken, *filled, *mended], registration)
            self.made = self._recorder.record(self._survey.index, changes, self._wish, self._to_sync)
        except NotUnderstood as problem:
            yield from self._hand_over(problem.reason)
            return
        finally:
            self._recorder.new.abandon()
        yield from self._tell(taken, registration)

    def _hand_over(self, reason: str) -> Iterator[Outcome]:
        helper = HandOver(self._dataset, self._request, reason)
        yield from helper.carry_out(self._wish.message)
        self.made = helper.made

    def _take_in(self) -> list[Recorded]:
        decisions = self._survey.decisions
        self._store.clear_what_a_crash_left()
        self._progress.start("save", sum(file.size_bytes for file in decisions.files), "B")
        try:
            with closing(self._contents.take_in(decisions.files, self._progress.advance)) as taking:
                taken = [self._put(recorded) for recorded in taking]
            return [*taken, *map(self._put, self._contents.links(decisions.links))]
        finally:
            self._progress.finish()

    def _put(self, recorded: Recorded) -> Recorded:
        """Hand a path's blob on, so that it need not be held."""
        if recorded.blob is not None:
            self._recorder.new.put(BLOB, recorded.blob, recorded.entry.oid)
            recorded.blob = None
        return recorded

    def _changes(self, taken: list[Recorded], registration: Registration) -> Changes:
        index, decisions = self._survey.index, self._survey.decisions
        changes = Changes()
        for recorded in (*taken, *map(self._put, registration.recorded)):
            changes.add(recorded)
        for position in decisions.removed:
            changes.entries.setdefault(index.paths[position], None)
        for position, status in decisions.refreshed:  # nobody has to read these again
            path = index.paths[position]
            changes.checked.add(path)
            if not index.stat_matches(position, status):
                old = index.entry(position)
                changes.entries.setdefault(path, entry_from_stat(path, status, old.mode, old.oid, old.flags))
        return changes

    def _tell(self, taken: list[Recorded], registration: Registration) -> Iterator[Outcome]:
        report, index, decisions = self._report, self._survey.index, self._survey.decisions
        for position in decisions.removed:
            if position not in decisions.covered:
                yield report.deleted(index.paths[position], index.mode(position))
        for path, mode in decisions.gone:
            yield report.deleted(path, mode)
        for outcome in registration.outcomes:  # told by the dataset that the whole command is about
            yield report.taken(self._dataset.relative(outcome.path), outcome.type)
        new = [recorded for recorded in taken if index.find(recorded.path) is None]
        known = [recorded for recorded in taken if index.find(recorded.path) is not None]
        for recorded in (*sorted(new, key=_path), *sorted(known, key=_path)):
            yield report.added(recorded)
        for problem in (*self._contents.problems, *registration.problems):
            yield report.failed("add", problem)


def _path(recorded: Recorded) -> bytes:
    return recorded.path
