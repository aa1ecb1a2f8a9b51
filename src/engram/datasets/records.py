"""Outcomes of dataset verbs, with DataLad's own fields.

Source: records of DataLad 1.7.1; https://docs.datalad.org/en/stable/design/result_records.html
"""

import os
from typing import TYPE_CHECKING, NamedTuple

from engram.datasets.dataset import Dataset
from engram.datasets.git.objects import SUBMODULE_MODE, SYMLINK_MODE
from engram.model.errors import EngramError, NothingToRecord, Unreadable
from engram.model.outcome import DatasetOutcome, Leaf, Status

if TYPE_CHECKING:
    from engram.datasets.recorded import Recorded


class Made(NamedTuple):
    """What came of a save: commit ids as hex, '' for none, equal when nothing had to be committed."""

    before: str
    after: str


def type_of(mode: int) -> str:
    """DataLad's word for an index entry's mode."""
    if mode == SYMLINK_MODE:
        return "symlink"
    return "dataset" if mode == SUBMODULE_MODE else "file"


class Reporter:
    """Makes outcomes about one dataset and what lies in it."""

    def __init__(self, dataset: Dataset, *, refds: str = "", note: str = "") -> None:
        self._top = dataset.work_tree
        self._refds = refds or dataset.work_tree
        self._note = note

    def deleted(self, path: bytes, mode: int) -> DatasetOutcome:
        """A path that is recorded as gone."""
        return self._item("delete", path, type_of(mode))

    def added(self, recorded: "Recorded") -> DatasetOutcome:
        """A path whose content was recorded."""
        return self._item("add", recorded.path, "file", key=os.fsdecode(recorded.key), note=recorded.note)

    def taken(self, path: bytes, type: str, *, key: str = "") -> DatasetOutcome:
        """A path that somebody else recorded for us."""
        return self._item("add", path, type, key=key)

    def passed_over(self, path: bytes) -> DatasetOutcome:
        """A FIFO, socket or device."""
        return self._item(
            "add", path, "file", status=Status.NOT_NEEDED, note="no regular file: a dataset cannot keep it"
        )

    def failed(self, action: str, error: EngramError, *, status: Status = Status.ERROR) -> DatasetOutcome:
        """One item that could not be done."""
        path = str(getattr(error, "path", "")) or self._top
        place = path if os.path.isabs(path) else os.path.join(self._top, path)
        return DatasetOutcome(
            action=action,
            item=os.path.relpath(place, self._refds),
            status=status,
            path=place,
            type=_type_of(error, place),
            refds=self._refds,
            message=error.what,
            error=type(error).__name__,
            remedy=error.next_step,
        )

    def saved(self, made: Made, *, tag: str = "") -> DatasetOutcome:
        """The dataset itself: a new commit, or none needed."""
        changed = made.before != made.after
        extra: tuple[tuple[str, Leaf], ...] = (("version_tag", tag),) if tag else ()
        return self.dataset(
            "save",
            Status.OK if changed or tag else Status.NOT_NEEDED,
            prev_gitshasum=made.before,
            gitshasum=made.after,
            extra=extra,
        )

    def dataset(
        self,
        action: str,
        status: Status,
        *,
        message: str = "",
        error: str = "",
        remedy: str = "",
        note: str = "",
        prev_gitshasum: str = "",
        gitshasum: str = "",
        extra: tuple[tuple[str, Leaf], ...] = (),
    ) -> DatasetOutcome:
        """An outcome about the dataset as a whole."""
        return DatasetOutcome(
            action=action,
            item=os.path.relpath(self._top, self._refds),
            status=status,
            path=self._top,
            type="dataset",
            refds=self._refds,
            message=message,
            error=error,
            remedy=remedy,
            note=note or self._note,
            prev_gitshasum=prev_gitshasum,
            gitshasum=gitshasum,
            extra=extra,
        )

    def _item(
        self, action: str, path: bytes, type: str, *, status: Status = Status.OK, key: str = "", note: str = ""
    ) -> DatasetOutcome:
        name = os.fsdecode(path)
        place = f"{self._top}/{name}"
        return DatasetOutcome(
            action=action,
            item=name if self._refds == self._top else os.path.relpath(place, self._refds),
            status=status,
            path=place,
            type=type,
            refds=self._refds,
            key=key,
            note=note or self._note,
        )


def _type_of(error: EngramError, place: str) -> str:
    """What kind of thing could not be done."""
    if isinstance(error, NothingToRecord):
        return "dataset"
    return "directory" if isinstance(error, Unreadable) and os.path.isdir(place) else "file"
