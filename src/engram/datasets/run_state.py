"""How a dataset is before and after a command: which commits are checked out, and whether anything is not saved."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from engram.datasets.dataset import Dataset
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.status import StatusReader, StatusRequest
from engram.datasets.worktree import Untracked

_SUBMODULE_MODE = SUBMODULE_MODE.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Heads:
    """Which commits were checked out in a dataset and below it."""

    #: By the absolute path of the dataset; '' before a first commit.
    commits: Mapping[str, str]
    #: The branch of the dataset itself, '' when HEAD is detached.
    branch: str

    @classmethod
    def of(cls, dataset: Dataset) -> "Heads":
        """Look."""
        every = [*_below(dataset), dataset]
        return cls({one.work_tree: one.head_commit() for one in every}, dataset.head_name())

    def moved(self, now: "Heads") -> bool:
        """Whether somebody committed since, anywhere that was there before."""
        return any(now.commits.get(place, "") != commit for place, commit in self.commits.items())


def is_changed(dataset: Dataset) -> bool:
    """Whether a dataset, or one below it, holds anything that is not saved."""
    request = StatusRequest(untracked=Untracked.NORMAL, report_clean=False)
    return any(True for _ in StatusReader(dataset, request).read())


def _below(dataset: Dataset) -> list[Dataset]:
    """The installed subdatasets. An index without the bytes of a subdataset's mode need not even be parsed."""
    try:
        with open(os.path.join(dataset.git_dir, "index"), "rb") as file:
            if _SUBMODULE_MODE not in file.read():
                return []
    except FileNotFoundError:
        return []
    from engram.datasets.nesting import installed

    return installed(dataset)
