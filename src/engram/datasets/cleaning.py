"""Temporary files that git-annex, DataLad and interrupted operations left behind in a dataset.

What a transfer began and did not finish (``annex/tmp``) is what the next ``get`` goes on from: it is removed only
here, and never while a transfer is under way. Source: datalad-clean(1)
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from typing import NamedTuple

from engram import durable
from engram.datasets.dataset import Dataset
from engram.datasets.locks import only_engram
from engram.datasets.permission import check_may_write
from engram.model.errors import DatasetBusy
from engram.model.outcome import DatasetOutcome, Status
from engram.model.plan import Plan, PlannedStep


class Leftover(NamedTuple):
    """A place where temporary files lie."""

    #: DataLad's word for it.
    what: str
    #: Relative to the dataset.
    path: str
    #: What lies there, for people.
    called: str


_TRANSFERS = ".git/annex/transfer"
#: Source: DataLad 1.7.1, ``clean --what``
PLACES = (
    Leftover("cached-archives", ".git/datalad/tmp/archives", "extracted archive"),
    Leftover("annex-tmp", ".git/annex/tmp", "temporary annex file"),
    Leftover("annex-transfer", _TRANSFERS, "annex temporary transfer file"),
    Leftover("search-index", ".git/datalad/search_index", "metadata search index file"),
)


def leftovers(dataset: Dataset, what: tuple[str, ...]) -> list[tuple[Leftover, list[str]]]:
    """The places that hold something, and the names there; *what*: only these, all if empty."""
    found = []
    for place in PLACES:
        folder = os.path.join(dataset.work_tree, place.path)
        if (not what or place.what in what) and _is_own_folder(dataset, place.path) and (names := os.listdir(folder)):
            found.append((place, sorted(names)))
    return found


def _is_own_folder(dataset: Dataset, path: str) -> bool:
    """Whether it is a folder, with no link on the way: what lies behind one is another dataset's."""
    place = dataset.work_tree
    for part in path.split("/"):
        place = os.path.join(place, part)
        if os.path.islink(place) or not os.path.isdir(place):
            return False
    return True


def plan_clean(dataset: Dataset, what: tuple[str, ...], *, refds: str) -> Plan:
    """What would be removed."""
    return Plan(
        steps=tuple(
            PlannedStep(
                action="clean",
                item=_item(dataset, place.path, refds),
                why=_counted(place, names),
                ground=", ".join(names),
            )
            for place, names in leftovers(dataset, what)
        )
    )


def clean(
    dataset: Dataset, what: tuple[str, ...], *, refds: str, only: Collection[str] | None = None
) -> Iterator[DatasetOutcome]:
    """Remove them; one outcome for each place. *only*: those that `plan_clean` calls so.

    Raises:
        NotTrusted, ExtraMissing: before anything is removed.
        DatasetBusy: when another engram, or a transfer, is at work here.
    """
    check_may_write(dataset)
    with only_engram(dataset.steps, dataset.git_dir):
        _check_nothing_is_under_way(dataset)
        found = dict(leftovers(dataset, what))
        for place in PLACES:
            if (what and place.what not in what) or (
                only is not None and _item(dataset, place.path, refds) not in only
            ):
                continue
            if place in found:
                durable.remove_tree(dataset.steps, os.path.join(dataset.work_tree, place.path))
            status = Status.OK if place in found else Status.NOT_NEEDED
            note = f"removed {_counted(place, found[place])}" if place in found else ""
            yield _outcome(dataset, place.path, status, note, refds)


def _check_nothing_is_under_way(dataset: Dataset) -> None:
    """Raises `DatasetBusy` while somebody holds the lock of a transfer.

    Source: git-annex locks ``annex/transfer/DIRECTION/UUID/lck.KEY`` (fcntl) for as long as a transfer takes.
    """
    for folder, _, names in os.walk(os.path.join(dataset.work_tree, _TRANSFERS)):
        for name in names:
            place = os.path.join(folder, name)
            if name.startswith("lck.") and _is_locked(place):
                raise DatasetBusy(place, "a transfer of git-annex")


def _is_locked(place: str) -> bool:
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    finally:
        os.close(descriptor)
    return False


def _item(dataset: Dataset, path: str, refds: str) -> str:
    return os.path.relpath(os.path.join(dataset.work_tree, path), refds)


def _counted(place: Leftover, names: list[str]) -> str:
    plural = "ies" if place.called.endswith("y") else "s"
    shown = f"{place.called}{plural if len(names) != 1 else ''}"
    return f"{len(names)} {shown}: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"


def _outcome(dataset: Dataset, path: str, status: Status, note: str, refds: str) -> DatasetOutcome:
    place = os.path.join(dataset.work_tree, path)
    return DatasetOutcome(
        action="clean",
        item=_item(dataset, path, refds),
        status=status,
        path=place,
        type="directory",
        refds=refds,
        note=note,
    )
