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
    NAME_MASK,
    Entry,
    GitIndex,
)

#: What becomes of a path: a new entry in place of all its stages, or ``None``: it goes.
Changes: TypeAlias = Mapping[bytes, Entry | None]

_PADDING = [bytes(8 - length % 8) for length in range(8)]
_SIZE_AT = 36
#: From so many on, copying them together once more costs less than hashing each.
_MANY_PARTS = 1000
#: From here on flags need version 3.
_FIRST_EXTENDED = 1 << 16


def complete_changes(old: GitIndex, changes: Changes) -> dict[bytes, Entry | None]:
    """*changes*, and what they imply: a file takes the place of a folder's entries, a folder that of a file.

    Raises:
        ValueError: when *changes* themselves make one path both a file and a folder.
    """
    complete = dict(changes)
    added = [path for path, entry in changes.items() if entry is not None]
    for folder in _folders_of(added):
        if complete.get(folder) is not None:
            raise ValueError(folder)
        if old.find(folder) is not None:
            complete[folder] = None
    paths = old.paths
    for path in added if paths else ():
        prefix = path + b"/"
        i = bisect_left(paths, prefix)
        while i < len(paths) and paths[i].startswith(prefix):
            complete.setdefault(paths[i], None)
            i += 1
    return complete


def _folders_of(paths: list[bytes]) -> set[bytes]:
    """Every folder above these paths but the root."""
    folders = {path.rpartition(b"/")[0] for path in paths}
    level = folders
    while level:
        level = {folder.rpartition(b"/")[0] for folder in level} - folders
        folders |= level
    folders.discard(b"")
    return folders


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
    parts = [HEADER.pack(b"DIRC", version, writer.count), *writer.parts]
    if cache_tree is not None:
        tree = encode_cache_tree(cache_tree)
        parts += [b"TREE", len(tree).to_bytes(4, "big"), tree]
    if len(parts) > _MANY_PARTS:
        parts = [b"".join(parts)]
    digest = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return b"".join([*parts, digest.digest()])


class _Writer:
    def __init__(self, old: GitIndex, changes: Changes, checked: Collection[bytes]) -> None:
        self.old = old
        self.changes: dict[bytes, Entry | None] = dict(changes)
        self.parts: list[bytes | memoryview] = []
        self.data = memoryview(old.data)
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
            if position < total:
                i = bisect_left(paths, path, position)
                if i > position:
                    self._copy(position, i)
                position = i
                while position < total and paths[position] == path:
                    position += 1
                    self.moved = True
            entry = self.changes[path]
            if entry is not None:
                self._encode(entry)
        if position < total:
            self._copy(position, total)

    def _copy(self, start: int, end: int) -> None:
        """Entries *start* to *end* as they are; there is at least one."""
        old = self.old
        if old.version == 4 and self.moved:  # it says how it differs from an entry that is no longer before it
            self._encode(old.entry(start))
            start += 1
        self.moved = False
        self.parts.append(self.data[old.offsets[start] : old.offsets[end]])
        self.count += end - start
        self.last = old.paths[end - 1]

    def _encode_v2(self, entry: Entry) -> None:
        path, oid, block, flags = entry
        self.count += 1
        length = len(path)
        if length < NAME_MASK and flags < _FIRST_EXTENDED:
            short = (flags | length).to_bytes(2, "big")
            self.parts += (block, oid, short, path, _PADDING[length + 6 & 7])
        else:
            long = self._flags(length, flags)
            self.parts += (block, oid, long, path, _PADDING[length + len(long) + 4 & 7])

    def _encode_v4(self, entry: Entry) -> None:
        path, oid, block, flags = entry
        last, self.last = self.last, path
        self.count += 1
        self.moved = True
        common = _common(path, last)
        strip = _varint(len(last) - common)
        self.parts += (block, oid, self._flags(len(path), flags), strip, path[common:], b"\0")

    def _flags(self, length: int, flags: int) -> bytes:
        flags |= min(length, NAME_MASK)
        if flags < _FIRST_EXTENDED:
            return flags.to_bytes(2, "big")
        self.extended = True
        return (flags & 0xFFFF | EXTENDED).to_bytes(2, "big") + (flags >> 16).to_bytes(2, "big")


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
