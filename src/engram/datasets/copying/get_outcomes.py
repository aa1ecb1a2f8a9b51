"""What is said of a get, in DataLad's words.

Source: records of DataLad 1.7.1.
"""

import os

from engram.datasets.dataset import Dataset
from engram.model.errors import ChecksumMismatch, EngramError, NoRoom, PathNotFound
from engram.model.outcome import DatasetOutcome, Leaf, Status

ACTION = "get"


class GetReporter:
    """Makes outcomes about the contents of one dataset."""

    def __init__(self, dataset: Dataset, *, refds: str = "", note: str = "") -> None:
        self._top = dataset.work_tree
        self._refds = refds or dataset.work_tree
        self._note = note
        before = os.path.relpath(self._top, self._refds)
        self._before = "" if before == "." else f"{before}/"

    def got(self, path: bytes, key: bytes, *, source: str, moved_bytes: int, problems: list[str]) -> DatasetOutcome:
        """A file that has its content now; *problems* are those of sources that were asked before."""
        words = [f"from {source}..." if source else "", *problems, self._note]
        return self._outcome(
            path, Status.OK, key=key, note="; ".join(filter(None, words)), moved_bytes=moved_bytes, annexed=True
        )

    def failed(self, path: bytes, key: bytes, problems: list[EngramError]) -> DatasetOutcome:
        """A file whose content nobody could give."""
        worst = next((one for one in problems if isinstance(one, (ChecksumMismatch, NoRoom))), problems[0])
        return self._outcome(
            path,
            Status.ERROR,
            key=key,
            note=self._note,
            message=" ".join(dict.fromkeys(one.what for one in problems)),
            error=type(worst).__name__,
            remedy=worst.next_step,
            annexed=True,
        )

    def present(self, path: bytes) -> DatasetOutcome:
        """A file that was named, and has its content."""
        return self._outcome(path, Status.NOT_NEEDED, note="already present")

    def unwanted(self, path: bytes) -> DatasetOutcome:
        """A file that was named, and that this repository does not want to have."""
        note = "this repository does not want it; to get it all the same: git annex get"
        return self._outcome(path, Status.NOT_NEEDED, note=note)

    def untracked(self, path: bytes) -> DatasetOutcome:
        """Something that was named and belongs to no version of the dataset."""
        return self._outcome(
            path,
            Status.IMPOSSIBLE,
            message="untracked: the dataset knows nothing of it",
            error=PathNotFound.__name__,
            remedy="Only what was saved can be got: engram status shows what was not.",
        )

    def no_annex(self, path: bytes) -> DatasetOutcome:
        """Something in a dataset that has no annex."""
        type = "file" if path else "dataset"
        return self._outcome(path, Status.NOT_NEEDED, type=type, note="no dataset annex, content already present")

    def folder(self, path: bytes, *, got: int, failed: int) -> DatasetOutcome:
        """A folder that was named, when its files are through."""
        type = "directory" if path else "dataset"
        place = os.path.join(self._top, os.fsdecode(path)) if path else self._top
        if failed:
            return self._outcome(
                path,
                Status.IMPOSSIBLE,
                type=type,
                message=f"could not get some content in {place}",
                error="Unavailable",
                remedy="Each file that failed says why; then run the same command again.",
            )
        if got:
            return self._outcome(path, Status.OK, type=type)
        return self._outcome(path, Status.NOT_NEEDED, type=type, note=f"nothing to get from {place}")

    def _outcome(
        self,
        path: bytes,
        status: Status,
        *,
        type: str = "file",
        key: bytes = b"",
        note: str = "",
        message: str = "",
        error: str = "",
        remedy: str = "",
        moved_bytes: int = 0,
        annexed: bool = False,
    ) -> DatasetOutcome:
        name = os.fsdecode(path)
        place = f"{self._top}/{name}" if path else self._top
        extra: tuple[tuple[str, Leaf], ...] = (("annexkey", os.fsdecode(key)),) if annexed else ()
        return DatasetOutcome(
            action=ACTION,
            item=f"{self._before}{name}" if path else self._before.rstrip("/") or ".",
            status=status,
            path=place,
            type=type,
            refds=self._refds,
            key=os.fsdecode(key),
            note=note,
            message=message,
            error=error,
            remedy=remedy,
            moved_bytes=moved_bytes,
            extra=extra,
        )
