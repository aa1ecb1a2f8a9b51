"""Which subdatasets a dataset has here, and which commit is checked out in each."""

import os
from collections.abc import Iterator

from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import holds_repository
from engram.model.errors import NoDataset


def installed(dataset: Dataset, *, limit: int | None = None) -> list[Dataset]:
    """Every installed subdataset, by path from the last to the first: what holds others comes after them.

    Args:
        limit: levels down; ``None`` for all.
    """
    return sorted(_below(dataset, limit), key=lambda one: os.fsencode(one.work_tree), reverse=True)


def _below(dataset: Dataset, limit: int | None) -> Iterator[Dataset]:
    if limit is not None and limit <= 0:
        return
    index = dataset.read_index()
    for position, path in enumerate(index.paths):
        if index.mode(position) != SUBMODULE_MODE:
            continue
        place = os.path.join(dataset.work_tree, os.fsdecode(path))
        if holds_repository(os.fsencode(place)) and not _beyond_a_link(dataset, path):
            inner = open_dataset(place, dataset.around)
            yield from _below(inner, None if limit is None else limit - 1)
            yield inner


def _beyond_a_link(dataset: Dataset, path: bytes) -> bool:
    """Whether a link in the work tree leads to what lies at *path*: it is somebody else's then."""
    top = os.fsencode(dataset.work_tree)
    names = path.split(b"/")
    return any(os.path.islink(os.path.join(top, *names[: depth + 1])) for depth in range(len(names)))


def topmost(dataset: Dataset) -> Dataset:
    """The dataset that holds *dataset* as a subdataset, at any depth, and is none itself; *dataset* where none does."""
    while (above := superdataset(dataset)) is not None:
        dataset = above
    return dataset


def superdataset(dataset: Dataset) -> Dataset | None:
    """The dataset in which *dataset* is recorded as a subdataset; ``None`` when there is none."""
    try:
        above = open_dataset(os.path.dirname(dataset.work_tree), dataset.around)
        position = above.read_index().find(above.relative(dataset.work_tree))
    except (NoDataset, NotUnderstood):
        return None
    recorded = position is not None and above.read_index().mode(position) == SUBMODULE_MODE
    return above if recorded else None


def holding(dataset: Dataset, place: str) -> Dataset:
    """The dataset that holds the absolute path *place*: *dataset* itself or, at any depth, an installed subdataset.

    The top of a subdataset belongs to that subdataset. A repository that is not recorded counts, too: what lies in it
    is not its superdataset's.
    """
    folder = place
    while len(folder) > len(dataset.work_tree):
        if holds_repository(os.fsencode(folder)):
            return open_dataset(folder, dataset.around)
        folder = os.path.dirname(folder)
    return dataset


def checked_out(dataset: Dataset, path: bytes) -> str:
    """The commit that is checked out in a subdataset, hex; '' when it has none or is not installed."""
    place = os.path.join(dataset.work_tree, os.fsdecode(path))
    if not holds_repository(os.fsencode(place)):
        return ""
    try:
        return open_dataset(place, dataset.around).head_commit()
    except (NoDataset, NotUnderstood):
        status, out, _ = dataset.programs.git_status_of(place, "rev-parse", "HEAD")
        return "" if status else out.decode().strip()
