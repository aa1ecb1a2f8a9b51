"""Outcomes of ``run`` and ``rerun``: DataLad's fields about a command beside those of every dataset verb."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from engram.datasets.dataset import Dataset
from engram.model.errors import EngramError
from engram.model.outcome import DatasetOutcome, Status
from engram.model.records import record


@record
class RunOutcome(DatasetOutcome):
    """What became of a command."""

    #: DataLad's fields of it: ``run_info``, ``exit_code``, ``msg_path``, ``rerun_action``, ``commit``, ….
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """The command's own exit code, as a shell counts; 0 where none was run."""
        return int(self.details.get("exit_code") or 0)

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json``."""
        return DatasetOutcome.as_json(self) | dict(self.details)


class RunReporter:
    """Makes outcomes about commands in one dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self._top = dataset.work_tree

    def outcome(self, status: Status, details: Mapping[str, Any], *, action: str = "run", note: str = "") -> RunOutcome:
        """One that is no failure."""
        return RunOutcome(
            action=action,
            item=".",
            status=status,
            path=self._top,
            type="dataset",
            refds=self._top,
            note=note,
            details=details,
        )

    def failed(
        self, error: EngramError, details: Mapping[str, Any], *, status: Status = Status.ERROR, note: str = ""
    ) -> RunOutcome:
        """One that is."""
        return RunOutcome(
            action="run",
            item=".",
            status=status,
            path=self._top,
            type="dataset",
            refds=self._top,
            message=error.what,
            error=type(error).__name__,
            remedy=error.next_step,
            note=note,
            details=details,
        )
