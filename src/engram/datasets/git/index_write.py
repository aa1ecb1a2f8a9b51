"""A new index from an old one and changes; unchanged runs of entries are copied as they are.

Source: gitformat-index(5)
"""

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Mapping
from typing import TypeAlias

from engram.datasets.git.cache_tree import CacheTree, encode_cache_tree
from engram.datasets.git.index import (
    EXTENDED,
    HEADER,
    INTENT_TO_ADD,
    NAME_MASK,
    SKIP_WORKTREE,
    Entry,
    GitIndex,
)

#: What becomes of a path: a new entry in place of all its stages, or ``None``: it goes.
Changes: TypeAlias = Mapping[bytes, Entry | None]

_PADDING = [bytes(8 - length % 8) for length in range(8)]
_SIZE_AT = 36
_FIXED_BYTES = 62


def complete_changes(old: GitIndex, changes: Changes) -> dict[bytes, Entry | None]:
    """*changes*, and what they imply: a file takes the place of a folder's entries, a folder that of a file.

    Raises:
        ValueError: when *changes* themselves make one path both a file and a folder.
    """
    complete = dict(changes)
    added = [path for path, entry in changes.items() if entry is not None]
    folders: set[bytes] = set()
    for path in added:
        folder = path.rpartition(b"/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition(b"/")[0]
    for folder in folders:
        if complete.get(folder) is not None:
            raise ValueError(folder)
        if old.find(folder) is not None:
            complete[folder] = None
    for path in added:
        for i in range(*old.below(path)):
            complete.setdefault(old.paths[i], None)
    return complete


def write_index(
    old: GitIndex,
    changes: Changes,
    cache_tree: CacheTree | None,
    *,
    checked: Collection[bytes] = (),
) -> bytes:
    """The bytes of the index that *old* becomes by *changes*.

    The new file is younger than entries that were as old as the old one (`GitIndex.is_racy`), so their stat data would
    no longer warn git; it is spoiled (size 0), and git looks at those files again.

    Args:
        old: the index as it is.
        changes: by path; call it with what `complete_changes` gives.
        cache_tree: the trees that the new index is known to equal, ``None`` to say nothing.
        checked: racy paths whose content was compared since: their stat data stays good.
    """
    writer = _Writer(old, changes, checked)
    writer.write_entries()
    version = max(old.version, 3) if writer.extended else old.version
    body = b"".join(writer.parts)
    extension = b""
    if cache_tree is not None:
        tree = encode_cache_tree(cache_tree)
        extension = b"TREE" + len(tree).to_bytes(4, "big") + tree
    content = HEADER.pack(b"DIRC", version, writer.count) + body + extension
    return content + hashlib.sha1(content, usedforsecurity=False).digest()


class _Writer:
    def __init__(self, old: GitIndex, changes: Changes, checked: Collection[bytes]) -> None:
        self.old = old
        self.changes: dict[bytes, Entry | None] = dict(changes)
        self.parts: list[bytes] = []
        self.count = 0
        #: An entry was written that version 2 cannot express.
        self.extended = False
        #: The path of the last entry, which version 4 refers to.
        self.last = b""
        #: The last entry is not the one that precedes the next old one.
        self.moved = False
        self._encode = self._encode_v4 if old.version == 4 else self._encode_v2
        for i in old.racy_entries():
            if old.paths[i] not in checked and not old.flags(i) & 0x3000:
                self.changes.setdefault(old.paths[i], _spoiled(old.entry(i)))

    def write_entries(self) -> None:
        paths, total = self.old.paths, len(self.old.paths)
        position = 0
        for path in sorted(self.changes):
            i = bisect_left(paths, path, position) if position < total else total
            self._copy(position, i)
            position = i
            while position < total and paths[position] == path:
                position += 1
            self.moved = self.moved or position > i
            entry = self.changes[path]
            if entry is not None:
                self._encode(entry)
                self.count += 1
                self.last = path
                self.moved = True
        self._copy(position, total)

    def _copy(self, start: int, end: int) -> None:
        """Entries *start* to *end* as they are."""
        if start >= end:
            return
        old = self.old
        if old.version == 4 and self.moved:  # it says how it differs from an entry that is no longer before it
            self._encode(old.entry(start))
            start += 1
            self.count += 1
        self.moved = False
        self.parts.append(old.data[old.offsets[start] : old.offsets[end]])
        self.count += end - start
        self.last = old.paths[end - 1]

    def _encode_v2(self, entry: Entry) -> None:
        path = entry.path
        flags = self._flags(entry)
        length = len(flags) + len(path) + 4  # 60 bytes before the flags, modulo 8
        self.parts += (entry.stat_block, entry.oid, flags, path, _PADDING[length & 7])

    def _encode_v4(self, entry: Entry) -> None:
        path, last = entry.path, self.last
        common = _common(path, last)
        self.parts += (
            entry.stat_block,
            entry.oid,
            self._flags(entry),
            _varint(len(last) - common),
            path[common:],
            b"\0",
        )

    def _flags(self, entry: Entry) -> bytes:
        length = len(entry.path)
        flags = entry.flags | min(length, NAME_MASK)
        if flags & (SKIP_WORKTREE | INTENT_TO_ADD):
            self.extended = True
            return (flags & 0xFFFF | EXTENDED).to_bytes(2, "big") + (flags >> 16).to_bytes(2, "big")
        return flags.to_bytes(2, "big")


def _spoiled(entry: Entry) -> Entry:
    return entry._replace(stat_block=entry.stat_block[:_SIZE_AT] + bytes(4))


def _common(one: bytes, other: bytes) -> int:
    """How many bytes both start with."""
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:
        return shorter
    low, high = 0, shorter
    while low + 1 < high:  # the first `low` bytes agree, the first `high` do not
        middle = (low + high) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle
    return low


def _varint(number: int) -> bytes:
    """The number in git's "offset encoding", seven bits a byte, the highest first."""
    encoded = [number & 0x7F]
    while number := number >> 7:
        number -= 1
        encoded.append(0x80 | number & 0x7F)
    return bytes(reversed(encoded))
