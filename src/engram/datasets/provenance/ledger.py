"""Which run records and procedures this user may have run without being asked: his own, and those that he allowed.

A record is a command line, and whoever can push to a dataset can write one. Two things are kept in the user's state
folder, never in a dataset: the *ledger*, one small file per record that this user's own ``run`` or ``rerun`` wrote; and
one list per dataset of what came from elsewhere and he allowed (`engram trust`). Both know things by their digests.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from engram import durable
from engram.datasets.dataset import Dataset
from engram.datasets.provenance.run_records import RunRecord
from engram.durable import Steps


@dataclass(eq=False)
class Ledger:
    """The records that one user knows."""

    #: Absolute: one file per record of his own.
    folder: str
    #: Absolute: where it is noted what he allowed.
    trust_folder: str
    steps: Steps

    @classmethod
    def beside(cls, trust_folder: str, steps: Steps) -> Self:
        """The ledger that lies beside a user's trust folder."""
        return cls(os.path.join(os.path.dirname(trust_folder), "ledger"), trust_folder, steps)

    def note(self, dataset: Dataset, record: RunRecord) -> None:
        """Keep, durably, that this user ran this command himself: before its results are saved."""
        durable.make_folders(self.steps, self.folder)
        path = os.path.join(self.folder, record.digest)
        if not os.path.exists(path):
            text = f"{dataset.work_tree}\n{record.text}\n"
            durable.replace(self.steps, path, text.encode("utf-8", "surrogateescape"), mode=0o600)

    def is_own(self, record: RunRecord) -> bool:
        """Whether this user ran this very command, and it left this very record."""
        return os.path.exists(os.path.join(self.folder, record.digest))

    def is_allowed(self, dataset: Dataset, record: RunRecord) -> bool:
        """Whether it may be run again here without a question."""
        return self.is_own(record) or self.has(dataset, record.digest)

    def has(self, dataset: Dataset, digest: str) -> bool:
        """Whether this user allowed what has this digest in this dataset."""
        return digest in self._allowed_in(dataset)

    def allow(self, dataset: Dataset, digests: Iterable[str]) -> None:
        """Keep, durably, that what has these digests may be run in this dataset."""
        allowed = self._allowed_in(dataset) | set(digests)
        durable.make_folders(self.steps, self.trust_folder)
        text = "\n".join([dataset.work_tree, *sorted(allowed), ""])
        path = self._list_of(dataset)
        durable.replace(self.steps, path, text.encode("utf-8", "surrogateescape"), mode=0o600)
        self._lists.pop(path, None)

    @cached_property
    def _lists(self) -> dict[str, frozenset[str]]:
        return {}

    def _allowed_in(self, dataset: Dataset) -> frozenset[str]:
        path = self._list_of(dataset)
        if path not in self._lists:
            try:
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    self._lists[path] = frozenset(file.read().split("\n")[1:]) - {""}
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                self._lists[path] = frozenset()
        return self._lists[path]

    def _list_of(self, dataset: Dataset) -> str:
        place = hashlib.sha256(os.fsencode(os.path.realpath(dataset.work_tree))).hexdigest()
        return os.path.join(self.trust_folder, f"records-{place}")
