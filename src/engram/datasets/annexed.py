"""Which files of a dataset are annexed, and by which keys."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import GitIndex
from engram.datasets.git.objects import BLOB, SUBMODULE_MODE, SYMLINK_MODE, object_id


class AnnexedFile(NamedTuple):
    """One annexed file, as the index has it."""

    #: Relative to the top of the work tree.
    path: bytes
    key: bytes
    #: Recorded as a symbolic link; otherwise as a pointer file (*unlocked*).
    locked: bool
    #: Of its entry in the index.
    position: int


def annexed_files(dataset: Dataset, index: GitIndex, scopes: Sequence[bytes]) -> Iterator[AnnexedFile]:
    """The annexed files below *scopes*, in the order of the index, each once.

    Cost: a link that still lies in the work tree is read there, and its id compared with the index's; only others
    need git's objects. What is neither a link nor small is not read.

    Raises `MissingObject` for a damaged repository.
    """
    return (file for file, _ in files_and_links(dataset, index, scopes))


def files_and_links(dataset: Dataset, index: GitIndex, scopes: Sequence[bytes]) -> Iterator[tuple[AnnexedFile, bytes]]:
    """As `annexed_files`, each with the target of the link that lies in its place, b"" where none does."""
    top = os.fsencode(dataset.work_tree) + b"/"
    last = b""
    new = tuple.__new__  # `AnnexedFile(...)` takes twice as long, for each of many files
    for position, path, mode, oid in index.contents(positions_below(index, scopes)):
        if mode == SUBMODULE_MODE or path == last:  # one in conflict stands there several times
            continue
        last = path
        if mode == SYMLINK_MODE:
            try:
                target = os.readlink(top + path)
            except OSError:  # it is gone, or something else lies there
                target = b""
            key = key_in(target if object_id(BLOB, target) == oid else dataset.objects.read(oid)[1])
        else:
            target, key = b"", _pointer_key(dataset, oid)
        if key is not None:
            yield new(AnnexedFile, (path, key, mode == SYMLINK_MODE, position)), target


def positions_below(index: GitIndex, scopes: Sequence[bytes]) -> Sequence[int]:
    """Where in the index the entries below *scopes* stand, in its order, each once."""
    if b"" in scopes:
        return range(len(index))
    positions: set[int] = set()
    for scope in scopes:
        positions.update(range(*index.below(scope)))
        itself = index.find(scope)
        while itself is not None and itself < len(index) and index.paths[itself] == scope:
            positions.add(itself)
            itself += 1
    return sorted(positions)


def _pointer_key(dataset: Dataset, oid: bytes) -> bytes | None:
    if dataset.objects.size(oid) > MAX_POINTER_BYTES:
        return None
    return key_in(dataset.objects.read(oid)[1])
