"""Rerun: carry recorded commands out again, in the order and on the commits that their history has.

Commits without a command are skipped where they are there already, else picked; merges are made again of what became
of their parents. Source: datalad-rerun(1); what DataLad 1.7.1 leaves.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from shlex import quote
from typing import Any, TypeAlias

from engram import durable
from engram.datasets.datalad_settings import DataladSettings
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.ancestry import is_ancestor, moment, read_commit
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.permission import check_may_write
from engram.datasets.provenance.commands import Repeat, RunRequest, as_line, as_seen
from engram.datasets.provenance.rerun_range import (
    Range,
    RerunRequest,
    Revision,
    branch_of,
    changed_files,
    read_range,
    resolve,
)
from engram.datasets.provenance.run_outcomes import RunOutcome, RunReporter
from engram.datasets.provenance.run_records import RunRecord
from engram.datasets.provenance.run_state import is_changed
from engram.datasets.provenance.running import Helpers, Runner
from engram.model.errors import BadRecord, ItemFailed, NotTrusted, PeerFailed, StorageFailed, UnsavedChanges, UsageError
from engram.model.outcome import Outcome, Status

#: Shows records that nobody allowed yet; gives whether the user does.
Ask: TypeAlias = Callable[[Sequence[RunRecord]], bool]
#: What to do about changes, most of all those of a rerun that was ended half-way.
_OTHERWISE = "or, if they are what a rerun wrote that did not finish, repeat it: engram rerun --explicit"
_NAMED = 3
_SHOWN_LETTERS = 60


class Rerunner:
    """One rerun in one dataset."""

    def __init__(self, dataset: Dataset, request: RerunRequest, helpers: Helpers, ask: Ask) -> None:
        self._dataset = dataset
        self._request = request
        self._helpers = helpers
        self._ask = ask
        self._report = RunReporter(dataset)
        self._steps = _Steps(dataset)
        self._settings = DataladSettings(dataset)

    def report(self) -> Iterator[RunOutcome]:
        """What would be done with each commit. Changes nothing, runs nothing."""
        found = read_range(self._dataset, self._request)
        if self._request.branch or found.onto:
            start = found.onto or self._dataset.head_commit()
            begin: dict[str, Any] = {"commit": start, "branch": self._request.branch, "rerun_action": "checkout"}
            yield self._report.outcome(Status.OK, begin, note=f"checkout {start[:7]}")
        for revision in found.revisions:
            details = self._details(revision) | {"rerun_action": revision.action}
            shown = self._steps.note(revision, revision.action)
            if revision.action == "run" and revision.record is not None:
                details["diff"] = list(changed_files(self._dataset, revision.commit))
                seen = as_seen(revision.record, self._settings)
                known = self._helpers.ledger.is_allowed(self._dataset, seen)
                details |= {"trusted": known, "rerun_message": self._request.message or None}
                shown += f"; runs: {as_line(seen.cmd)}" + ("" if known else " (recorded by somebody else)")
            status = Status.NOT_NEEDED if revision.record is not None and revision.reason else Status.OK
            yield self._report.outcome(status, details, note=shown)

    def carry_out(self) -> Iterator[Outcome]:
        """Do it.

        Raises:
            NotTrusted: for records from elsewhere that the user does not allow, before anything is run.
            UsageError, BadRecord: when there is nothing to be run, before anything is done.
        """
        dataset, request = self._dataset, self._request
        check_may_write(dataset)
        dataset.identity("author", now_s=self._helpers.clock())
        with only_engram(dataset.steps, dataset.git_dir):  # before a refusal that asks for a command of git's
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
        if not request.explicit and is_changed(dataset):
            yield self._report.failed(UnsavedChanges(dataset.work_tree, _OTHERWISE), {}, status=Status.IMPOSSIBLE)
            return
        found = read_range(dataset, request)
        self._check_branch()
        self._settings.substitutions()  # raises where they cannot be used
        self._check_trust(found)
        branch = self._steps.begin(found, request.branch)
        for revision in found.revisions:
            failed = False
            for outcome in self._repeat(revision):
                failed = failed or outcome.failed
                yield outcome
            if failed and not request.goes_on:
                return
            self._steps.finish(revision)
        if problem := self._steps.end(branch, is_new=bool(request.branch)):
            yield self._report.failed(problem, {})
        if not any(revision.action == "run" for revision in found.revisions):
            nothing = ItemFailed(dataset.work_tree, "none of these commands was recorded in this dataset")
            yield self._report.failed(nothing, {}, status=Status.IMPOSSIBLE)

    def _check_branch(self) -> None:
        request, dataset = self._request, self._dataset
        if (request.onto is not None or request.branch) and dataset.head_name().startswith("refs/heads/adjusted/"):
            option = "--branch" if request.onto is None else "--onto"
            raise UsageError(f"{option} is incompatible with an adjusted branch.", "Check out the branch itself first.")
        if request.branch and resolve(dataset, f"refs/heads/{request.branch}"):
            raise UsageError(
                f"There is a branch {request.branch} already.",
                "Choose another name. If a rerun made it that did not finish: check out the branch that you were on,"
                f" and remove it: git branch -D {quote(request.branch)}",
            )

    def _check_trust(self, found: Range) -> None:
        records = [one.record for one in found.revisions if one.action == "run" and one.record is not None]
        seen = [as_seen(record, self._settings) for record in records]
        foreign = [record for record in seen if not self._helpers.ledger.is_allowed(self._dataset, record)]
        if foreign and not self._ask(foreign):
            raise NotTrusted(self._dataset.work_tree, _named(foreign))

    def _details(self, revision: Revision) -> dict[str, Any]:
        details: dict[str, Any] = {"commit": revision.commit, "parents": list(revision.parents)}
        if revision.record is not None:
            author = read_commit(self._dataset.objects, bytes.fromhex(revision.commit)).author
            details |= {"run_info": revision.record.fields, "run_message": revision.subject}
            details["author"] = author.rpartition(b" <")[0].decode("utf-8", "replace")
            details["date"] = moment(author)
        return details

    def _repeat(self, revision: Revision) -> Iterator[Outcome]:
        """Do with one commit what is to be done with it."""
        done = self._steps.take(revision)
        if done != "run" or revision.record is None:
            details = self._details(revision) | {"rerun_action": done}
            status = Status.NOT_NEEDED if revision.record is not None else Status.OK
            yield self._report.outcome(status, details, note=self._steps.note(revision, done))
            return
        dataset = open_dataset(self._dataset.work_tree, self._dataset.around)
        yield from Runner(dataset, self._run_request(dataset, revision, revision.record), self._helpers).carry_out()

    def _run_request(self, dataset: Dataset, revision: Revision, record: RunRecord) -> RunRequest:
        request, folder = self._request, _folder_of(dataset, revision, record)
        written = [str(change["path"]) for change in changed_files(dataset, revision.commit)]
        return RunRequest(
            command=record.cmd,
            folder=folder,
            inputs=record.inputs,
            extra_inputs=record.extra_inputs,
            outputs=record.outputs,
            assume_ready=request.assume_ready,
            explicit=request.explicit,
            message=request.message or revision.subject,
            on_command_failure=request.on_command_failure,
            goes_on=request.goes_on,
            jobs=request.jobs,
            repeats=Repeat(
                chain=(*record.chain, revision.commit),
                exit=record.exit or 0,
                substitutions=self._settings.substitutions(),
                wrote=tuple(path for path in written if os.path.relpath(path, folder) not in record.outputs),
            ),
        )


class _Steps:
    """Moves HEAD from commit to commit, as the history has them."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        #: What became of a commit: old id → new id.
        self._became: dict[str, str] = {}
        self._head = ""
        self._onto = ""

    def begin(self, found: Range, branch: str) -> str:
        """Go where the first command is to be run; the branch that is to hold the results, '' for none."""
        start = found.onto or self._now()
        if branch:
            self._git("checkout", "-q", "-b", branch, start)
        elif found.onto:
            self._git("checkout", "-q", "--detach", start)
        self._head = self._onto = self._now()
        return branch or ("" if found.onto else branch_of(self._dataset))

    def end(self, branch: str, *, is_new: bool) -> UsageError | None:
        """Let the branch have the results, if HEAD had to leave it; why it cannot, if so.

        A branch that was there before never loses what it had.
        """
        now, problem = self._now(), None
        if branch and not self._dataset.head_name():
            before = self._dataset.resolve(f"refs/heads/{branch}")
            if is_new or self._leads_to(before, now):
                self._git("update-ref", "-m", "rerun", f"refs/heads/{branch}", now, before)
                self._git("checkout", "-q", branch)
            else:
                problem = UsageError(
                    f"The results are in commit {now[:7]}, which does not have all that {branch} has; that one stays.",
                    f"Keep them: git branch NAME {now[:7]}. Compare: git diff {branch}. Go back: git checkout {branch}",
                )
        self._dataset.sync_refs()
        return problem

    def take(self, revision: Revision) -> str:
        """Go where a commit is to be done again, and do it unless it is a command: what was done, or ``run``."""
        if not revision.parents:
            return "skip"
        if revision.action == "merge":
            self._merge(revision)
            return "merge"
        before = self._go_to_base(revision)
        if before is None:
            return "skip"
        if revision.action == "run":
            return "run"
        if self._leads_to(revision.commit, self._head):
            if before != self._head:
                self._check_out(before)
            return "skip"
        self._pick(revision)
        return "pick"

    def _go_to_base(self, revision: Revision) -> str | None:
        """Check out what became of the first parent. Where HEAD was; ``None`` when there is nothing to do there."""
        parent, was = revision.parents[0], self._head
        if revision.is_own_merge:
            self._check_out(self._became.get(parent, parent))
        elif parent in self._became:
            self._check_out(self._became[parent])
        elif parent != self._head and self._leads_to(self._onto, parent):
            if revision.action != "run":
                return None
            self._check_out(parent)
            return self._head
        elif parent != self._head:
            self._became[parent] = self._head
        return was

    def finish(self, revision: Revision) -> None:
        """Note what became of a commit."""
        now = self._now()
        if now not in (self._head, revision.commit):
            self._became[revision.commit] = now
        self._head = now

    def _merge(self, revision: Revision) -> None:
        """Make a merge again, of what became of its parents."""
        old = list(revision.parents)
        new = [self._became.get(parent, parent) for parent in old]
        if old == new:
            if not self._leads_to(revision.commit, self._head):
                self._check_out(revision.commit)
        elif revision.commit != self._head:
            if self._leads_to(revision.commit, self._onto):
                new = [parent for parent in new if not self._leads_to(parent, self._onto)]
            if new:
                self._check_out(new[0])
                if len(new) > 1:
                    message = read_commit(self._dataset.objects, bytes.fromhex(revision.commit)).message
                    self._git(
                        "merge", "-q", "--no-ff", "--allow-unrelated-histories", "-F", "-", *new[1:], stdin=message
                    )
                self._head = self._became[revision.commit] = self._now()

    def _pick(self, revision: Revision) -> None:
        try:
            self._git("cherry-pick", "--allow-empty", revision.commit)
        except (PeerFailed, StorageFailed):
            self._dataset.programs.git_status_of(self._dataset.work_tree, "cherry-pick", "--abort")
            raise

    def _check_out(self, commit: str) -> None:
        if commit != self._head:
            self._git("checkout", "-q", "--detach", commit)
            self._head = commit

    def _leads_to(self, old: str, new: str) -> bool:
        return is_ancestor(self._dataset.objects, bytes.fromhex(old), bytes.fromhex(new))

    def _now(self) -> str:
        return self._dataset.head_commit()

    def _git(self, *words: str, stdin: bytes = b"") -> None:
        self._dataset.programs.git(self._dataset.work_tree, *words, stdin=stdin, hooks=True)
        durable.sync_file_system(self._dataset.steps, self._dataset.git_dir)  # git syncs files, and no folder

    def note(self, revision: Revision, done: str) -> str:
        """One line about a commit."""
        return f"{done} {revision.commit[:7]}" + (f": {revision.reason}" if revision.reason else "")


def _folder_of(dataset: Dataset, revision: Revision, record: RunRecord) -> str:
    """Where a command is to run again. git keeps no empty folder, so that one may have to be made."""
    folder = os.path.normpath(os.path.join(dataset.work_tree, record.pwd))
    top, real = os.path.realpath(dataset.work_tree), os.path.realpath(folder)
    if real != top and not real.startswith(top + "/"):
        raise BadRecord(revision.commit[:7], "its folder (pwd) leads out of the dataset")
    if not os.path.lexists(folder):
        durable.make_folders(dataset.steps, folder)
    return folder


def _named(records: Sequence[RunRecord]) -> str:
    shown = [as_line(record.cmd)[:_SHOWN_LETTERS] for record in records[:_NAMED]]
    more = f", and {len(records) - _NAMED} more" if len(records) > _NAMED else ""
    return "recorded: " + "; ".join(shown) + more
