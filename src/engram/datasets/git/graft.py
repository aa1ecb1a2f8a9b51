"""A tree with some paths changed, from the tree as it was: only the folders on the way are read."""

from collections.abc import Mapping
from typing import Protocol

from engram.datasets.git.index import Entry
from engram.datasets.git.objects import TREE, TREE_MODE, decode_tree, encode_tree, object_id


class Reader(Protocol):
    """Where objects are read from."""

    def read(self, oid: bytes) -> tuple[bytes, bytes]:
        """Kind and bytes of an object."""
        ...


def graft(
    objects: Reader, tree: bytes, changes: Mapping[bytes, Entry | None]
) -> tuple[bytes, list[tuple[bytes, bytes, bytes]]]:
    """The root of *tree* with *changes*, and the trees (id, kind, bytes) that it needs beside those of *tree*."""
    new: dict[bytes, bytes] = {}
    root = _graft(objects, tree, changes, new)
    if root is None:
        data = encode_tree(())
        root = object_id(TREE, data)
        new[root] = data
    return root, [(oid, TREE, data) for oid, data in new.items()]


def _graft(
    objects: Reader, tree: bytes | None, changes: Mapping[bytes, Entry | None], new: dict[bytes, bytes]
) -> bytes | None:
    """The new tree's id; ``None`` when nothing is left in it."""
    old = decode_tree(objects.read(tree)[1]) if tree is not None else []
    entries = {name: (mode, oid) for mode, name, oid in old}
    below: dict[bytes, dict[bytes, Entry | None]] = {}
    for path, entry in changes.items():
        name, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(name, {})[rest] = entry
        else:
            _put(entries, name, entry)
    for name, inner in below.items():
        mode, oid = entries.get(name, (0, b""))
        if mode in (0, TREE_MODE) or any(inner.values()):
            grafted = _graft(objects, oid if mode == TREE_MODE else None, inner, new)
            entries.pop(name, None)
            if grafted is not None:
                entries[name] = (TREE_MODE, grafted)
    if not entries:
        return None
    data = encode_tree((mode, name, oid) for name, (mode, oid) in entries.items())
    root = object_id(TREE, data)
    if root != tree:
        new[root] = data
    return root


def _put(entries: dict[bytes, tuple[int, bytes]], name: bytes, entry: Entry | None) -> None:
    """Take over a file of this very folder; one that goes may have become a folder already."""
    if entry is not None:
        entries[name] = (entry.mode, entry.oid)
    elif entries.get(name, (TREE_MODE, b""))[0] != TREE_MODE:
        del entries[name]
