"""What differs between two trees; folders that are the same in both are not looked into."""

from collections.abc import Iterator
from typing import NamedTuple

from engram.datasets.git.objects import EMPTY_TREE, TREE_MODE
from engram.datasets.git.odb import ObjectStore


class Side(NamedTuple):
    """What one tree has at a path."""

    mode: int
    oid: bytes


class Difference(NamedTuple):
    """A path at which two trees differ; ``None`` on the side that has nothing there."""

    path: bytes
    before: Side | None
    after: Side | None


def differences(objects: ObjectStore, before: bytes, after: bytes, prefix: bytes = b"") -> Iterator[Difference]:
    """Every file, link or subdataset that differs between two trees (20 raw bytes each), folder by folder.

    Cost: the trees that differ, and nothing else.
    """
    if before == after:
        return
    waiting = [(prefix, before, after)]
    while waiting:
        prefix, one, other = waiting.pop()
        olds, news = _entries(objects, one), _entries(objects, other)
        for name in sorted(olds.keys() | news.keys()):
            old, new = olds.get(name), news.get(name)
            if old == new:
                continue
            path = prefix + name
            if _is_tree(old) or _is_tree(new):
                waiting.append((path + b"/", _tree(old), _tree(new)))
            if (old and not _is_tree(old)) or (new and not _is_tree(new)):
                yield Difference(path, None if _is_tree(old) else old, None if _is_tree(new) else new)


def _entries(objects: ObjectStore, tree: bytes) -> dict[bytes, Side]:
    if tree == EMPTY_TREE:
        return {}
    return {name: Side(mode, oid) for mode, name, oid in objects.read_tree(tree)}


def _is_tree(side: Side | None) -> bool:
    return side is not None and side.mode == TREE_MODE


def _tree(side: Side | None) -> bytes:
    return side.oid if side is not None and side.mode == TREE_MODE else EMPTY_TREE
