"""Drop on a full disk: that something is gone is written down first, and that takes a little room."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote
from typing import Final

from engram.datasets.dataset import Dataset
from engram.datasets.git.objects import TREE
from engram.model.errors import NoRoomToDrop, PeerFailed, StorageFailed

#: What an entry in the log of a few contents takes where a block has 4 KiB, seen in runs on full disks, and some more;
#: beside the list of all folders of the log, which each entry writes anew.
_ENOUGH_BYTES: Final = 48 << 10
#: Of one content more, at most.
_EACH_BYTES: Final = 4 << 10
_A_FEW: Final = 16
_FULL: Final = {os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT)}
_BLOCK_BYTES: Final = 512


@contextmanager
def little_room(dataset: Dataset) -> Iterator[None]:
    """Tell who drops on a full disk how to come by the little room that it takes. Raises `NoRoomToDrop`."""
    try:
        yield
    except StorageFailed as error:
        if error.reason not in _FULL or isinstance(error, NoRoomToDrop):
            raise
        raise NoRoomToDrop(error.path, error.reason, _advice(dataset)) from error
    except PeerFailed as error:
        if _room_bytes(dataset) >= _enough_bytes(dataset):
            raise
        raise NoRoomToDrop(dataset.git_dir, os.strerror(errno.ENOSPC), _advice(dataset)) from error


def most_at_once(dataset: Dataset) -> int:
    """Of how many contents there is room to write down that they go, before any of them makes more."""
    return max(_A_FEW, _room_bytes(dataset) // _EACH_BYTES)


def _room_bytes(dataset: Dataset) -> int:
    room = os.statvfs(dataset.git_dir)
    return room.f_bavail * room.f_frsize


def _enough_bytes(dataset: Dataset) -> int:
    tree = dataset.branch.tree
    return _ENOUGH_BYTES + (len(dataset.objects.read_kind(tree, TREE)) if tree else 0)


def _advice(dataset: Dataset) -> str:
    """What can be removed without a loss: git's examples, which are in each repository, as far as they are enough."""
    enough_bytes = _enough_bytes(dataset)
    hooks = os.path.join(dataset.common_dir, "hooks")
    examples = [
        entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
        for entry in (os.scandir(hooks) if os.path.isdir(hooks) else ())
        if entry.name.endswith(".sample")
    ]
    how = f"{enough_bytes >> 10} KiB are enough. "
    if sum(examples) >= enough_bytes:
        return how + f"Remove git's examples: rm {quote(hooks)}/*.sample"
    return how + "Make that room on this disk, by removing something outside of the dataset"
