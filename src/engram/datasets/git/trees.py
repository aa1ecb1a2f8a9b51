"""Tree objects from an index and changes; folders that the index knows unchanged are not even looked at."""

import os
import re
from bisect import bisect_left
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from engram.datasets.git.cache_tree import CacheTree
from engram.datasets.git.index import FLAGS_AT, INTENT_TO_ADD, STAGE_MASK, GitIndex
from engram.datasets.git.index_write import Changes
from engram.datasets.git.objects import SYMLINK_MODE, TREE, object_id
from engram.datasets.git.problems import NotUnderstood
from engram.model.errors import UnsupportedFile

_MODES = {mode.to_bytes(4, "big"): b"%o " % mode for mode in (0o100644, 0o100755, 0o120000, 0o160000)}
_TREE_PREFIX = b"40000 "
_UNKNOWN = CacheTree(-1, b"")
_EMPTY = CacheTree(0, b"")
#: A folder's node, and the id of its tree; no id when nothing in it goes into a tree.
_Built: TypeAlias = tuple[CacheTree, bytes]
_Range: TypeAlias = tuple[int, int]
_NOTHING: _Built = (_EMPTY, b"")

#: Names that git refuses in a tree: on some file system they would reach outside, or into the repository. Between
#: backslashes as between slashes, with what NTFS ignores at the end. Source: git's verify_path and is_ntfs_dotgit.
_REFUSED = re.compile(rb"\.{1,2}|(.*\\)?(\.git|git~1)[ .]*([:\\].*)?", re.IGNORECASE | re.DOTALL)
#: The same for symbolic links.
_REFUSED_LINK = re.compile(rb"(\.gitmodules|gitmod~[1-4]|gi7eba~[1-9])[ .]*(:.*)?", re.IGNORECASE | re.DOTALL)
#: What at least one of them has in it, in lower case and with slashes around.
_SUSPECT = (
    b"//",
    b"/./",
    b"/../",
    b"/.git/",
    b"/.git ",
    b"/.git.",
    b"/.git:",
    b"\\",
    b"git~1",
    b"gitmod",
    b"gi7eba",
    b"\0",
)


class BuiltTrees(NamedTuple):
    """The trees of an index."""

    #: The root's object id, 20 raw bytes.
    root: bytes
    #: New or rebuilt trees with their bytes, each folder after those in it. Some may be in the repository already.
    objects: list[tuple[bytes, bytes]]
    #: The TREE extension for the new index.
    cache_tree: CacheTree


def is_refused(path: bytes, mode: int) -> bool:
    """Tell whether git takes nothing of this name and mode.

    >>> is_refused(b"a/.git/b", 0o100644), is_refused(b"a//b", 0o100644), is_refused(b"a/.gitx", 0o100644)
    (True, True, False)
    """
    if mode == SYMLINK_MODE and _REFUSED_LINK.fullmatch(path.rpartition(b"/")[2]):
        return True
    return b"\0" in path or any(not name or _REFUSED.fullmatch(name) for name in path.split(b"/"))


def build_trees(old: GitIndex, changes: Changes) -> BuiltTrees:
    """The trees of the index that *old* becomes by *changes* (see `complete_changes`).

    Entries with intent-to-add are left out, as `git write-tree` does. Costs time for the changed folders alone, when
    *old* knows the others.

    Raises:
        UnsupportedFile: for a changed path that git refuses.
        NotUnderstood: when a conflict is unresolved outside of *changes*.
    """
    changed = sorted(changes)
    _refuse(changed, changes)
    builder = _Builder(old, changes, changed)
    root, oid = builder.build(_Folder(b"", (0, len(old)), (0, len(changed)), old.cache_tree or _UNKNOWN))
    return BuiltTrees(oid, builder.objects, root)


def _refuse(changed: list[bytes], changes: Changes) -> None:
    """Raise for a path that git refuses. One look at all of them together tells that none is suspect, as a rule."""
    together = b"/%b/" % b"/".join(changed).lower()
    if not changed or not any(sign in together for sign in _SUSPECT):
        return
    for path in changed:
        entry = changes[path]
        if entry is not None and is_refused(path, entry.mode):
            raise UnsupportedFile(os.fsdecode(path), "git refuses such a name")


class _Folder(NamedTuple):
    """A folder to be encoded: its entries in the old index, the changes below it, what was known of it."""

    prefix: bytes
    #: From where to where it is in the sorted paths of the index, and in the sorted changes.
    old: _Range
    changed: _Range
    known: CacheTree

    @property
    def is_known(self) -> bool:
        """The old tree still stands for it."""
        unchanged = self.changed[0] == self.changed[1]
        return unchanged and self.known.is_valid and self.known.count == self.old[1] - self.old[0]


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class _Lines:
    """A tree while it is put together."""

    #: Sort key to line.
    lines: dict[bytes, bytes] = field(default_factory=dict)
    folders: dict[bytes, CacheTree] = field(default_factory=dict)
    count: int = 0
    #: Something in it is left out of the tree, so that the tree does not stand for these index entries.
    partial: bool = False

    def add_file(self, name: bytes, line: bytes | None) -> None:
        """Add one line; ``None`` says that the entry has none."""
        if line is None:
            self.partial = True
        else:
            self.lines[name] = line
            self.count += 1

    def add_folder(self, name: bytes, node: CacheTree, oid: bytes) -> None:
        """Add a folder, if it has a tree."""
        if oid:
            self.folders[name] = node
            self.lines[name + b"/"] = b"%b%b\0%b" % (_TREE_PREFIX, name, oid)
            self.count += node.count
        self.partial = self.partial or not node.is_valid


class _Builder:
    def __init__(self, old: GitIndex, changes: Changes, changed: list[bytes]) -> None:
        self.old = old
        self.changes = changes
        self.changed = changed
        self.objects: list[tuple[bytes, bytes]] = []

    def build(self, root: _Folder) -> _Built:
        """The root's node and tree. Folders wait on a stack of our own: paths may be deeper than Python's."""
        if root.is_known:
            return root.known, root.known.oid
        stack = [self._assemble(root)]
        built: _Built | None = None
        while True:
            try:
                folder = stack[-1].send(built)
            except StopIteration as finished:
                stack.pop()
                built = finished.value
                if not stack:
                    return built
            else:
                stack.append(self._assemble(folder))
                built = None

    def _assemble(self, folder: _Folder) -> Generator[_Folder, _Built | None, _Built]:
        """Ask for each folder in *folder*, then give its own node and tree. Only the root may have an empty tree."""
        tree = _Lines()
        changed = self._add_changes(folder, tree)
        inner = self._add_old(folder, tree, changed)
        for name, span in changed.items():
            inner.append((name, _Folder(folder.prefix + name + b"/", (0, 0), span, _UNKNOWN)))
        for name, wanted in inner:
            node, oid = (wanted.known, wanted.known.oid) if wanted.is_known else (yield wanted) or _NOTHING
            tree.add_folder(name, node, oid)
        if not tree.lines and folder.prefix:
            return (_UNKNOWN if tree.partial else _EMPTY), b""
        data = b"".join([tree.lines[key] for key in sorted(tree.lines)])
        oid = object_id(TREE, data)
        self.objects.append((oid, data))
        if tree.partial:
            return CacheTree(-1, b"", tree.folders), oid
        return CacheTree(tree.count, oid, tree.folders), oid

    def _add_changes(self, folder: _Folder, tree: _Lines) -> dict[bytes, _Range]:
        """Take over changed files of the folder itself; the other changes, by the folder in it they belong to."""
        paths, skip = self.changed, len(folder.prefix)
        i, end = folder.changed
        spans: dict[bytes, _Range] = {}
        while i < end:
            path = paths[i]
            slash = path.find(b"/", skip)
            if slash >= 0:
                start, i = i, _end_of(path[: slash + 1], paths, i, end)
                spans[path[skip:slash]] = start, i
                continue
            i += 1
            entry = self.changes[path]
            if entry is not None:
                name = path[skip:]
                tree.add_file(
                    name, None if entry.flags & INTENT_TO_ADD else _line(name, entry.stat_block[24:28], entry.oid)
                )
        return spans

    def _add_old(self, folder: _Folder, tree: _Lines, changed: dict[bytes, _Range]) -> list[tuple[bytes, _Folder]]:
        """Take over unchanged files; the folders in it that the old index has, with their changes out of *changed*."""
        paths, skip = self.old.paths, len(folder.prefix)
        i, end = folder.old
        folders: list[tuple[bytes, _Folder]] = []
        while i < end:
            path = paths[i]
            slash = path.find(b"/", skip)
            if slash < 0:
                if path not in self.changes:
                    tree.add_file(path[skip:], self._old_line(i, path[skip:]))
                i += 1
                continue
            name, prefix = path[skip:slash], path[: slash + 1]
            known = folder.known.children.get(name, _UNKNOWN)
            start, i = i, self._end_of_known(prefix, i, end, known)
            folders.append((name, _Folder(prefix, (start, i), changed.pop(name, (0, 0)), known)))
        return folders

    def _end_of_known(self, prefix: bytes, start: int, end: int, known: CacheTree) -> int:
        """Where the old entries end that begin with *prefix*; *known* tells it at once if it is right."""
        paths = self.old.paths
        there = start + known.count
        fits = start < there <= end and paths[there - 1].startswith(prefix)
        if fits and (there == end or not paths[there].startswith(prefix)):
            return there
        return _end_of(prefix, paths, start, end)

    def _old_line(self, i: int, name: bytes) -> bytes | None:
        """The tree line of an unchanged old entry; ``None`` when it has none."""
        data, start = self.old.data, self.old.offsets[i]
        if data[start + FLAGS_AT] & 0x70:  # stage or extended
            flags = self.old.flags(i)
            if flags & STAGE_MASK:
                raise NotUnderstood("an unresolved conflict in the index")
            if flags & INTENT_TO_ADD:
                return None
        return _line(name, data[start + 24 : start + 28], data[start + 40 : start + 60])


def _line(name: bytes, mode: bytes, oid: bytes) -> bytes:
    prefix = _MODES.get(mode) or b"%o " % int.from_bytes(mode, "big")
    return b"%b%b\0%b" % (prefix, name, oid)


def _end_of(prefix: bytes, paths: list[bytes], start: int, end: int) -> int:
    """Where the paths end, from *start* on, that begin with *prefix*, a folder with its slash."""
    if start + 1 == end or not paths[start + 1].startswith(prefix):
        return start + 1
    return bisect_left(paths, prefix[:-1] + b"0", start, end)
