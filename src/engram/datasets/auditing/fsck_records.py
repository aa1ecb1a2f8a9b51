"""Outcomes of a check about what is well: nearly all of them."""

import os

from engram.datasets.annex.facts import key_size
from engram.datasets.annexed import AnnexedFile
from engram.datasets.auditing.examined import Examined
from engram.datasets.dataset import Dataset
from engram.model.outcome import DatasetOutcome, Status

ACTION = "fsck"
HERE = (("has_content", True),)
NOT_HERE = (("has_content", False),)


class FsckReporter:
    """Makes the outcomes of one check in one dataset: those of what is well."""

    def __init__(self, dataset: Dataset, *, refds: str = "") -> None:
        self._top = dataset.work_tree
        self._below = os.path.join(dataset.work_tree, "")
        self._refds = refds or dataset.work_tree
        self._beside = "" if self._refds == self._top else os.path.relpath(self._top, self._refds) + "/"

    def sound(self, file: AnnexedFile, size_bytes: int) -> DatasetOutcome:
        """All is well with a file, and its content is here."""
        name = os.fsdecode(file.path)
        return DatasetOutcome(
            action=ACTION,
            item=self._beside + name,
            status=Status.OK,
            path=self._below + name,
            type="file",
            refds=self._refds,
            key=os.fsdecode(file.key),
            bytesize=size_bytes,
            extra=HERE,
        )

    def well(self, one: Examined) -> DatasetOutcome:
        """Nothing is wrong."""
        item, path, kind = self.named(one)
        condition = one.condition
        return DatasetOutcome(
            action=ACTION,
            item=item,
            status=Status.OK,
            path=path,
            type=kind,
            refds=self._refds,
            key=os.fsdecode(one.key),
            bytesize=condition.size_bytes if condition.place else key_size(one.key),
            extra=HERE if condition.place else NOT_HERE,
        )

    def named(self, one: Examined) -> tuple[str, str, str]:
        """Item, path and type."""
        if one.file is None:
            return os.fsdecode(one.key), self._top, "key"
        name = os.fsdecode(one.file.path)
        return self._beside + name, self._below + name, "file"
