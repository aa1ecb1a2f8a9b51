"""Save: record the state of a work tree, as DataLad's ``save`` does.

Source: datalad-save(1); the order of the records, and what each holds, from runs of DataLad 1.7.1.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

from engram.datasets.annex.backends import is_native
from engram.datasets.annex.store import ContentStore
from engram.datasets.comparison import Comparison
from engram.datasets.contents import Contents, Recorded
from engram.datasets.dataset import Dataset
from engram.datasets.decisions import Decisions, FileToSave, Rules, as_plan, decide
from engram.datasets.git.index import GitIndex, entry_from_stat
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.datasets.handover import hand_over
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.people import clean_message
from engram.datasets.recording import Changes, CommitWish, Made, Recorder, commits_by_git
from engram.datasets.records import Reporter
from engram.datasets.subdatasets import Registration, record_subdatasets
from engram.datasets.traps import reason_to_hand_over
from engram.datasets.worktree import Differences, Found, Untracked, walk
from engram.model.errors import EngramError, ItemFailed, UnsupportedFile
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.model.progress import Progress, Silent

#: DataLad's own message for a commit nobody described.
DEFAULT_MESSAGE = "[DATALAD] Recorded changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRequest:
    """What is to be saved, and how."""

    #: Paths relative to the top; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    message: str = ""
    #: Only what is recorded already.
    updated: bool = False
    tag: str = ""
    to_git: bool = False
    amend: bool = False
    #: Threads for large files; 0: one per processor.
    jobs: int = 0
    #: Key backend where no attribute names one.
    backend: str = ""
    #: The dataset that the whole command is about, where this is one of its subdatasets.
    refds: str = ""

    @property
    def partial(self) -> bool:
        """Whether only some paths are meant."""
        return self.scopes != (b"",)


@dataclass(slots=True)
class _Survey:
    """What there is to do, and why somebody else has to do it."""

    index: GitIndex
    decisions: Decisions
    reason: str = ""


class Saver:
    """One save in one dataset."""

    def __init__(self, dataset: Dataset, request: SaveRequest, *, clock: Callable[[], float] = time.time, progress: Progress | None = None) -> None:
        self._dataset = dataset
        self._request = request
        self._clock = clock
        self._progress = progress or Silent()
        self._report = Reporter(dataset, refds=request.refds)
        self._top = os.fsencode(dataset.work_tree)

    def plan(self) -> Plan:
        """What would be done. Changes nothing."""
        survey = self._survey()
        plan = as_plan(survey.decisions, survey.index)
        if not survey.reason:
            return plan
        first = PlannedStep(action="hand-over", item=".", why=f"handed to git-annex: {survey.reason}")
        return replace(plan, steps=(first, *plan.steps))

    def carry_out(self) -> Iterator[Outcome]:
        """Do it, and say so once it is durable.

        Raises:
            NotTrusted, NoIdentity, ExtraMissing, BadExpression: before anything is written.
        """
        dataset = self._dataset
        dataset.check_may_write()
        now_s = self._clock()
        author, committer = dataset.identity("author", now_s=now_s), dataset.identity("committer", now_s=now_s)
        with only_engram(dataset.steps, dataset.git_dir, waiting=self._say_waiting):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
            survey = self._survey()
            if survey.reason:
                yield from hand_over(dataset, self._request, survey.reason, self._message())
                return
            wish = CommitWish(
                message=self._message(),
                author=author,
                committer=committer,
                amend=self._request.amend,
                partial=self._request.partial,
                by_git=commits_by_git(dataset),
                now_s=int(now_s),
            )
            yield from self._carry_out(survey, wish)

    def _say_waiting(self, holder: str) -> None:
        self._progress.start(f"waiting for {holder}", None, "")

    def _message(self) -> bytes:
        given = clean_message(self._request.message)
        if given or self._request.amend:
            return given
        return clean_message(DEFAULT_MESSAGE)

    # --- look

    def _survey(self) -> _Survey:
        dataset, request = self._dataset, self._request
        try:
            index = dataset.read_index()
            differences = walk(
                self._top,
                index,
                dataset.ignore,
                scopes=request.scopes,
                untracked=Untracked.NO if request.updated else Untracked.ALL,
                rules=dataset.stat_rules,
            )
            comparison = Comparison(self._top, index, dataset.objects, dataset.attributes.of)
            decisions = decide(differences, index, comparison, self._rules(), self._top)
            reason = decisions.hand_over or self._cannot(decisions)
        except NotUnderstood as problem:
            return _Survey(GitIndex.from_nothing(), Decisions(), problem.reason)
        except MissingObject as missing:
            return _Survey(index, Decisions(), f"object {missing.oid.hex()} is not here")
        return _Survey(index, decisions, reason)

    def _cannot(self, decisions: Decisions) -> str:
        if decisions.nothing and not decisions.subdatasets and not self._request.amend:
            return ""
        for file in decisions.files:
            if file.backend and not is_native(file.backend):
                return f"key backend {file.backend}"
        return reason_to_hand_over(self._dataset)

    def _rules(self) -> Rules:
        dataset = self._dataset
        return Rules(
            attributes=dataset.attributes.of,
            largefiles=dataset.setting("annex.largefiles"),
            fallback=dataset.branch_setting("annex.largefiles"),
            backend=dataset.setting("annex.backend") or self._request.backend or "SHA256E",
            has_annex=dataset.has_annex,
            to_git=self._request.to_git,
            converts_line_ends=(dataset.setting("core.autocrlf") or "false").lower() not in ("false", "no", "0", "off"),
        )

    # --- do

    def _carry_out(self, survey: _Survey, wish: CommitWish) -> Iterator[Outcome]:
        dataset, decisions = self._dataset, survey.decisions
        changes = Changes()
        recorder = Recorder(dataset, dataset.objects)
        store, contents = self._tools(recorder)
        store.clear_what_a_crash_left()
        self._progress.start("save", sum(file.status.st_size for file in decisions.files), "B")
        with closing(contents.take_in(decisions.files, self._progress.advance)) as taking:
            taken = list(taking)
        taken += [contents.link(found) for found in decisions.links]
        self._progress.finish()
        registration = record_subdatasets(dataset, survey.index, decisions)
        for recorded in (*taken, *registration.recorded):
            changes.add(recorded)
        for position in decisions.removed:
            changes.entries.setdefault(survey.index.paths[position], None)
        self._refresh(survey, changes)
        try:
            made = recorder.record(survey.index, changes, wish, store.to_sync)
        except NotUnderstood as problem:
            yield from hand_over(dataset, self._request, problem.reason, wish.message)
            return
        finally:
            recorder.abandon()
        problems = [*decisions.problems, *contents.problems, *registration.problems]
        yield from self._tell(survey, taken, registration, problems)
        yield from self._finish(made)

    def _tools(self, recorder: Recorder) -> tuple[ContentStore, Contents]:
        dataset = self._dataset
        store = ContentStore(dataset.steps, git_dir=os.fsencode(dataset.git_dir), work_tree=self._top)
        jobs = self._request.jobs or os.cpu_count() or 1
        return store, Contents(dataset.steps, store, self._top, jobs, recorder.stream_blob)

    def _refresh(self, survey: _Survey, changes: Changes) -> None:
        """Note that files whose stat data was in doubt are unchanged, so that nobody has to read them again."""
        index = survey.index
        for position, status in survey.decisions.refreshed:
            path = index.paths[position]
            changes.checked.add(path)
            if not index.stat_matches(position, status):
                old = index.entry(position)
                changes.entries.setdefault(path, entry_from_stat(path, status, old.mode, old.oid, old.flags))

    # --- tell

    def _tell(self, survey: _Survey, taken: list[Recorded], registration: Registration, problems: list[EngramError]) -> Iterator[Outcome]:
        report, index, decisions = self._report, survey.index, survey.decisions
        for position in decisions.removed:
            if position not in decisions.covered:
                yield report.deleted(index.paths[position], index.mode(position))
        yield from registration.outcomes
        new = [recorded for recorded in taken if index.find(recorded.path) is None]
        known = [recorded for recorded in taken if index.find(recorded.path) is not None]
        for recorded in (*sorted(new, key=_path), *sorted(known, key=_path)):
            yield report.added(recorded)
        for found in decisions.special:
            yield report.passed_over(found.path)
        for problem in problems:
            yield report.failed("add", problem)

    def _finish(self, made: Made) -> Iterator[Outcome]:
        changed = made.before != made.after
        tag = self._request.tag
        if tag and (problem := self._tag(tag)):
            if changed:
                yield self._report.saved(made)
            yield self._report.dataset("save", Status.ERROR, message=f"cannot tag this version: {problem}", error="PeerFailed", remedy="Choose another name: git tag --list")
            return
        yield self._report.saved(made, tag=tag)

    def _tag(self, tag: str) -> str:
        status, _, said = self._dataset.programs.git_status_of(self._dataset.work_tree, "tag", "--no-sign", "--", tag)
        return said if status else ""


def _path(recorded: Recorded) -> bytes:
    return recorded.path


