"""How a dataset is before and after a command: which commits are checked out, and whether anything is not saved."""

import os
from collections.abc import Mapping, Sequence

from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.status import StatusReader, StatusRequest
from engram.datasets.worktree import Untracked
from engram.model.records import record

#: Commits that others may make while a command runs.
_MOST_COMMITS = 1000
_SUBMODULE_MODE = SUBMODULE_MODE.to_bytes(4, "big")


@record(eq=False, kw_only=False)
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

    def without_others(self, now: "Heads", dataset: Dataset, places: Sequence[str]) -> "Heads":
        """Those of them between which and *now* nobody but the command itself can have committed.

        Another ``run`` in the same dataset, at the same time, commits too: such commits hold a record, and none of the
        absolute *places* that this command writes.
        """
        mine = {
            place: commit
            for place, commit in self.commits.items()
            if now.commits.get(place, "") == commit
            or not _is_of_others(open_dataset(place, dataset.around), commit, now.commits.get(place, ""), places)
        }
        return Heads(mine, self.branch)

    def moved_to(self, now: "Heads") -> frozenset[str]:
        """Where somebody committed since, of what was there before."""
        return frozenset(place for place, commit in self.commits.items() if now.commits.get(place, "") != commit)


def is_changed(dataset: Dataset) -> bool:
    """Whether a dataset, or one below it, holds anything that is not saved."""
    request = StatusRequest(untracked=Untracked.NORMAL, report_clean=False)
    return any(True for _ in StatusReader(dataset, request).read())


def _is_of_others(dataset: Dataset, before: str, now: str, places: Sequence[str]) -> bool:
    from engram.datasets.git.ancestry import read_commit  # late: most commands commit nothing
    from engram.datasets.git.tree_diff import differences
    from engram.datasets.provenance.run_records import is_run

    top = dataset.work_tree + "/"
    mine = [os.fsencode(place.removeprefix(top)) for place in places if place.startswith(top)]
    for _ in range(_MOST_COMMITS):
        if now == before:
            return True
        commit = read_commit(dataset.objects, bytes.fromhex(now)) if now else None
        if commit is None or not commit.parents or not is_run(commit.message):
            return False
        tree = read_commit(dataset.objects, commit.parents[0]).tree
        changed = [one.path for one in differences(dataset.objects, tree, commit.tree)]
        if any(path == one or path.startswith(one + b"/") for path in changed for one in mine):
            return False
        now = commit.parents[0].hex()
    return False


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
