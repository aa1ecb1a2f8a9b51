"""What lies at one path of many trees, as a history is walked: equal folders are read once."""

from engram.datasets.git.objects import TREE_MODE
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.tree_diff import Side

_REMEMBERED = 100_000


class TreeLookup:
    """Looks up paths in trees.

    Cost: a tree object per folder above the path, of those that were not met before.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._known: dict[tuple[bytes, bytes], Side | None] = {}

    def at(self, tree: bytes, path: bytes) -> Side | None:
        """What the tree has at *path*: a file, link, subdataset or folder; ``None`` for nothing."""
        side: Side | None = Side(TREE_MODE, tree)
        for name in path.split(b"/"):
            if side is None or side.mode != TREE_MODE:
                return None
            side = self._entry(side.oid, name)
        return side

    def _entry(self, tree: bytes, name: bytes) -> Side | None:
        try:
            return self._known[tree, name]
        except KeyError:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
        found = next((Side(mode, oid) for mode, entry, oid in self._objects.read_tree(tree) if entry == name), None)
        self._known[tree, name] = found
        return found
