"""Run: carry out a user's command in a dataset, and record what it changed together with how that came about.

The command is the user's, in his environment, on his terminal. The dataset is held only while results are saved, so
that several commands may run in it at once. Source: datalad-run(1); records, messages and commits of DataLad 1.7.1.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Any

from engram import durable
from engram.datasets.attached import Ended
from engram.datasets.dataset import Dataset
from engram.datasets.permission import check_may_write
from engram.datasets.provenance.commands import PlannedCommand, RunRequest, as_seen
from engram.datasets.provenance.ledger import Ledger
from engram.datasets.provenance.run_outcomes import RunOutcome, RunReporter
from engram.datasets.provenance.run_records import RunMessage, RunRecord, subject_for
from engram.datasets.provenance.run_state import Heads, is_changed
from engram.datasets.records import Made, Reporter
from engram.model.errors import CommandFailed, ItemFailed, StorageFailed, UnsavedChanges, UsageError
from engram.model.outcome import Outcome, Status
from engram.model.progress import Progress, Silent
from engram.model.records import record

if TYPE_CHECKING:
    from engram.datasets.provenance.preparing import Get

_RUNINFO = ".datalad/runinfo"


def _nothing(_: str) -> None:
    """What is done before a command starts when nobody wants to know."""


@record(eq=False)
class Helpers:
    """What a run is handed from outside."""

    ledger: Ledger
    #: Brings inputs here.
    get: "Get"
    clock: Callable[[], float] = time.time
    progress: Progress = field(default_factory=Silent)
    #: Called with the line just before it is given to the shell.
    starting: Callable[[str], object] = _nothing
    #: Key backend for new content where no attribute names one.
    backend: str = ""


class Runner:
    """One command in one dataset."""

    def __init__(self, dataset: Dataset, request: RunRequest, helpers: Helpers) -> None:
        self._dataset = dataset
        self._request = request
        self._helpers = helpers
        self._report = RunReporter(dataset)
        self._planned = PlannedCommand(dataset, request)

    def plan(self) -> RunOutcome:
        """What would be run, with all placeholders filled in. Makes nothing but, for ``{tmpdir}``, an empty folder."""
        planned = self._planned
        return self._report.outcome(
            Status.OK,
            {
                "run_info": _without_exit(planned.record(None)),
                "dry_run_info": {
                    "cmd_expanded": planned.line,
                    "pwd_full": self._request.folder,
                    "inputs": planned.inputs.expanded(),
                    "outputs": planned.outputs.expanded(),
                },
            },
            action="run [dry-run]",
            note="Dry run",
        )

    def carry_out(self) -> Iterator[Outcome]:
        """Do it. The outcome of the command comes before those of saving its results.

        Raises:
            NotTrusted, NoIdentity, ExtraMissing, UsageError: before anything is done.
        """
        dataset, request = self._dataset, self._request
        check_may_write(dataset)
        dataset.identity("author", now_s=self._helpers.clock())  # hours of work are not to fail for want of a name
        if not request.explicit and not request.repeats and is_changed(dataset):
            yield self._report.failed(UnsavedChanges(dataset.work_tree), {}, status=Status.IMPOSSIBLE)
            return
        for outcome in self._prepare():
            yield outcome
            if outcome.failed and not request.goes_on:
                return
        self._planned.inputs.look_again()
        self._planned.outputs.look_again()
        yield from self._run(self._planned.line)

    def _prepare(self) -> Iterator[Outcome]:
        """Make inputs and outputs ready."""
        planned = self._planned
        if planned.inputs or planned.extra_inputs or planned.outputs or self._request.repeats:
            from engram.datasets.provenance.preparing import Preparation  # late: many commands name neither

            yield from Preparation(self._dataset, self._request, planned, self._helpers.get).carry_out()

    def _run(self, line: str) -> Iterator[Outcome]:
        before = Heads.of(self._dataset)
        there = self._planned.outputs.existing() if self._request.explicit else []
        self._helpers.starting(line)
        ended = self._dataset.programs.attached(self._request.folder, line)
        if ended.problem:
            yield self._report.failed(ItemFailed(self._request.folder, ended.problem), {})
            return
        results = _Results(self._dataset, self._request, self._helpers, self._planned, before)
        yield from results.carry_out(ended, there)


class _Results:
    """What is to be done once a command has ended."""

    def __init__(
        self, before: Dataset, request: RunRequest, helpers: Helpers, planned: PlannedCommand, heads: Heads
    ) -> None:
        self._dataset = before.reopened()  # the command may have changed anything
        self._request = request
        self._helpers = helpers
        self._planned = planned
        self._before = heads
        self._now = Heads.of(self._dataset)
        self._report = RunReporter(self._dataset)
        self._unnoted = ""

    def carry_out(self, ended: Ended, there: list[str]) -> Iterator[Outcome]:
        """Do it. *there*: the outputs that were there before, where only outputs count."""
        request, planned = self._request, self._planned
        if request.explicit or planned.is_expanded("outputs"):
            planned.outputs.look_again()
        record = planned.record(ended.status)
        places = self._places(there)
        subject = subject_for(planned.line) if request.message is None else request.message
        failed = self._has_failed(ended)
        details: dict[str, Any] = {"run_info": record.fields, "exit_code": ended.exit_code}
        if problem := self._refusal(record, subject, places):
            yield self._report.failed(problem, details)
            return
        if not self._is_something(places):
            yield self._told(failed, ended, details, "", what="it changed nothing")
            yield from self._nothing_saved() if not failed and places is None else ()
            return
        self._unnoted = self._note(record)
        message, sidecar = self._message(record, subject)
        saves = not failed or request.goes_on or request.on_command_failure in ("save", "all")
        if not saves:
            yield self._told(failed, ended, details, "" if request.repeats else self._keep_message(message))
            return
        if not places and self._before.moved_to(self._now):
            places = None  # the outputs are in the command's own commits
        if places is not None and sidecar:
            places.append(sidecar)
        saving = self._save(message, places)
        if failed:  # whatever its outcome makes of the call, the results are kept
            yield from saving
        yield self._told(
            failed and request.on_command_failure != "save", ended, details, "", what="its results were saved"
        )
        yield from saving

    def _note(self, record: RunRecord) -> str:
        """Put the record into the ledger; why it is not in it, '' when it is. Hours of work do not depend on that."""
        try:
            self._helpers.ledger.note(self._dataset, as_seen(record, self._planned.settings))
        except (OSError, StorageFailed) as error:
            return f"; not noted as yours, so that rerun will ask ({getattr(error, 'reason', '') or error})"
        return ""

    def _has_failed(self, ended: Ended) -> bool:
        """Whether the command failed, and not in the way that is on record for it."""
        repeats = self._request.repeats
        return ended.exit_code != 0 and not (repeats is not None and repeats.exit == ended.status)

    def _nothing_saved(self) -> Iterator[Outcome]:
        head = self._dataset.head_commit()
        yield Reporter(self._dataset).saved(Made(head, head))

    def _save(self, message: str, places: list[str] | None) -> Iterator[Outcome]:
        from engram.datasets.provenance.run_saving import (  # late: not every command changes something
            RunSaving,
            SaveWish,
        )

        wish = SaveWish(
            message=message,
            before=self._before,
            moved=self._before.moved_to(self._now),
            places=places,
            jobs=self._request.jobs,
            backend=self._helpers.backend,
        )
        return RunSaving(self._dataset, wish, clock=self._helpers.clock, progress=self._helpers.progress).carry_out()

    def _told(
        self,
        failed: bool,
        ended: Ended,
        details: dict[str, Any],
        message_file: str,
        *,
        what: str = "nothing was saved",
    ) -> RunOutcome:
        shown = subject_for(self._planned.line)
        details = details | {"msg_path": message_file or None}
        if not failed:
            return self._report.outcome(Status.OK, details, note=shown + self._unnoted)
        advice = "Mend the cause, then run it again. What it changed, if anything: engram status"
        if message_file:
            file = os.path.relpath(message_file, self._request.folder)
            advice = f"If that was to be expected, save what it left with its record: engram save -r -F {file}"
        return self._report.failed(CommandFailed(ended.exit_code, what, advice), details, note=shown + self._unnoted)

    # --- what there is to save

    def _places(self, there: list[str]) -> list[str] | None:
        """The outputs that are there now, and those that the command deleted; absolute; ``None`` if all counts.

        Where only they count, others may have committed meanwhile, which is nothing to do with this command.
        """
        if not self._request.explicit:
            return None
        now = self._planned.outputs.existing()
        gone = [name for name in there if not os.path.lexists(self._absolute(name))]
        places = [self._absolute(name) for name in dict.fromkeys([*now, *gone])]
        self._before = self._before.without_others(self._now, self._dataset, places)
        return places

    def _absolute(self, name: str) -> str:
        return os.path.normpath(os.path.join(self._request.folder, name))

    def _is_something(self, places: list[str] | None) -> bool:
        """Whether there may be something to save."""
        if self._before.moved_to(self._now):
            return places is None or bool(self._planned.outputs)
        return is_changed(self._dataset) if places is None else bool(places)

    def _refusal(self, record: RunRecord, subject: str, places: list[str] | None) -> UsageError | None:
        """Why the results of a command that made commits itself cannot be recorded; ``None`` if they can."""
        if not self._before.moved_to(self._now):
            return None
        top, branch = self._dataset.work_tree, self._before.branch
        if branch and branch != self._now.branch:
            file = self._keep_message(self._message(record, subject)[0])
            return UsageError(
                f"The command switched from {branch} to {self._now.branch or 'no branch'}: it cannot be recorded.",
                f"Its record stands in {file}. Look at both: git log --all --graph",
            )
        if places is None or not self._planned.outputs or not self._before.commits.get(top):
            return None
        undeclared = self._committed() - {os.fsencode(os.path.relpath(place, top)) for place in places}
        if undeclared and self._planned.settings.get("datalad.run.dirty-committed") != "ignore":
            names = ", ".join(sorted(map(os.fsdecode, undeclared))[:4])
            return UsageError(
                f"The command committed files that are no declared outputs: {names}.",
                "Declare them with -o, or allow it: git config datalad.run.dirty-committed ignore",
            )
        return None

    def _committed(self) -> set[bytes]:
        """The paths that the command's own commits changed."""
        top = self._dataset.work_tree
        before, now = self._before.commits.get(top, ""), self._now.commits.get(top, "")
        if not now or before == now:
            return set()
        from engram.datasets.git.tree_diff import differences  # late: few commands commit

        trees = [self._dataset.tree_of(commit) for commit in (before, now)]
        return {one.path for one in differences(self._dataset.objects, *trees)}

    # --- the record

    def _message(self, record: RunRecord, subject: str) -> tuple[str, str]:
        """The message of the commit, and the absolute path of the file that the record was written to, '' for none."""
        sidecar = self._request.sidecar
        if sidecar is None:
            sidecar = self._planned.settings.is_true("datalad.run.record-sidecar")
        if not sidecar:
            return str(RunMessage(subject=subject, record=record)), ""
        folder = sidecar_folder(self._dataset, self._planned)
        path = os.path.join(folder, record.sidecar_name)
        if not os.path.lexists(path):
            durable.make_folders(self._dataset.steps, folder)
            durable.replace(self._dataset.steps, path, record.sidecar, aside=_aside(self._dataset))
        return str(RunMessage(subject=subject, record=record.sidecar_name)), path

    def _keep_message(self, message: str) -> str:
        """Put the message where git keeps one that was not used; the file's absolute path."""
        path = os.path.join(self._dataset.git_dir, "COMMIT_EDITMSG")
        durable.replace(self._dataset.steps, path, message.encode("utf-8", "surrogateescape"))
        return path


def sidecar_folder(dataset: Dataset, planned: PlannedCommand) -> str:
    """Where files with records lie. Raises `UsageError` for a place outside of the dataset, or beyond a link."""
    named = planned.settings.get("datalad.run.record-directory") or _RUNINFO
    place = dataset.work_tree
    parts = os.path.normpath(named).split("/")
    for part in parts:
        place = os.path.join(place, part)
        if part in ("..", "", ".git") or os.path.islink(place):
            raise UsageError(
                f"Run records cannot be kept in {named} (datalad.run.record-directory): it leads elsewhere.",
                f"Name a folder in the dataset: git config datalad.run.record-directory {_RUNINFO}",
            )
    return place


def _aside(dataset: Dataset) -> str:
    folder = os.path.join(dataset.git_dir, "engram", "tmp")
    durable.make_folders(dataset.steps, folder)
    return folder


def _without_exit(record: RunRecord) -> dict[str, Any]:
    return {name: value for name, value in record.fields.items() if name != "exit"}
