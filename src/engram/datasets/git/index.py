"""git's index, versions 2 to 4: which path has which content, and what `lstat` said when that was known.

Reading keeps the file's bytes and notes where entries are; writing copies unchanged runs of entries as they are.

Source: gitformat-index(5)
"""

import hashlib
import os
import re
import stat
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from operator import ge, gt
from struct import Struct
from typing import Final, NamedTuple, Self

from engram.datasets.git.cache_tree import CacheTree, decode_cache_tree
from engram.datasets.git.objects import EMPTY_BLOB, SUBMODULE_MODE, SYMLINK_MODE
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.small_files import without_waiting
from engram.model.errors import DamagedRepository

#: Entry flags, extended ones shifted left by 16.
ASSUME_VALID: Final = 0x8000
EXTENDED: Final = 0x4000
STAGE_MASK: Final = 0x3000
NAME_MASK: Final = 0x0FFF
SKIP_WORKTREE: Final = 0x4000_0000
INTENT_TO_ADD: Final = 0x2000_0000
_KNOWN_EXTENDED: Final = SKIP_WORKTREE | INTENT_TO_ADD

HEADER: Final = Struct(">4sII")
HEADER_BYTES: Final = 12
TRAILER_BYTES: Final = 20
#: ctime s, ns; mtime s, ns; device; inode; mode; user; group; size: each the low 32 bits.
STAT_BLOCK: Final = Struct(">10I")
STAT_BYTES: Final = 40
#: From an entry's start to its flags, and to its path when it has no extended flags.
FLAGS_AT: Final = 60
PATH_AT: Final = 62

#: See `GitIndex.marks`.
OLDER: Final = 2
_NOT_OLDER = re.compile(b"[^\2]+")

_NS = 1_000_000_000
_U32 = 0xFFFF_FFFF
_EXTENSION = Struct(">4sI")
#: From the mode of an entry on: it, then the owner and the size, then the object id.
_MODE_AND_OID = Struct(">I12x20s")
_FORGOTTEN = frozenset({b"REUC", b"UNTR", b"FSMN", b"EOIE", b"IEOT"})


class Entry(NamedTuple):
    """One path of the index."""

    path: bytes
    #: The content's object id, 20 raw bytes.
    oid: bytes
    #: 40 bytes, see `STAT_BLOCK`; the mode of the entry is in it.
    stat_block: bytes
    #: `ASSUME_VALID`, stage, `SKIP_WORKTREE`, `INTENT_TO_ADD`; no name length.
    flags: int = 0

    @property
    def mode(self) -> int:
        """As in a tree: 0o100644, 0o100755, 0o120000, 0o160000."""
        return int.from_bytes(self.stat_block[24:28], "big")

    @property
    def stage(self) -> int:
        """0, or 1 to 3 while a conflict is unresolved."""
        return (self.flags & STAGE_MASK) >> 12


def entry_from_stat(path: bytes, status: os.stat_result, mode: int, oid: bytes, flags: int = 0) -> Entry:
    """An entry with the stat data that lets git trust the file without reading it."""
    ctime_s, ctime_ns = divmod(status.st_ctime_ns, _NS)
    mtime_s, mtime_ns = divmod(status.st_mtime_ns, _NS)
    block = STAT_BLOCK.pack(
        ctime_s & _U32,
        ctime_ns,
        mtime_s & _U32,
        mtime_ns,
        status.st_dev & _U32,
        status.st_ino & _U32,
        mode,
        status.st_uid & _U32,
        status.st_gid & _U32,
        status.st_size & _U32,
    )
    return Entry(path, oid, block, flags)


def entry_without_stat(path: bytes, mode: int, oid: bytes, flags: int = 0) -> Entry:
    """An entry that git has to look at before it trusts the file."""
    return Entry(path, oid, STAT_BLOCK.pack(0, 0, 0, 0, 0, 0, mode, 0, 0, 0), flags)


class StatRules(NamedTuple):
    """What of `lstat` counts: git's core.trustctime, core.checkStat=default, core.fileMode, core.symlinks."""

    trust_ctime: bool = True
    check_all: bool = True
    file_mode: bool = True
    symlinks: bool = True


ALL_RULES: Final = StatRules()


@dataclass(eq=False)
class GitIndex:
    """An index as read. Entries are decoded one by one when they are asked for."""

    #: The file it was read from; for errors.
    name: str
    version: int
    #: The whole file; empty when there was none.
    data: bytes
    #: Every path in git's order. A path in conflict stands here once per stage.
    paths: list[bytes]
    #: Where each entry starts in *data*, and, last, where the entries end.
    offsets: "array[int]"
    #: When the file was last written; 0 when there was none.
    mtime_ns: int = 0
    #: Extensions by signature.
    extensions: dict[bytes, bytes] = field(default_factory=dict)
    #: A path stands there more than once: it is in conflict.
    repeats: bool = False
    #: `OLDER` for each entry that a walk found older than the index and unchanged; empty before any walk.
    marks: bytearray = field(default_factory=bytearray)

    @classmethod
    def read(cls, path: bytes) -> Self:
        """The index at *path*; an empty one when there is none.

        Raises:
            DamagedRepository: for bytes that do not parse or do not match their SHA-1.
            NotUnderstood: for a split index, a sparse index, or an unknown extension that must be known.
        """
        try:
            with open(path, "rb", opener=without_waiting) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise DamagedRepository(os.fsdecode(path), "it is no regular file")
                mtime_ns, data = status.st_mtime_ns, file.read()
        except FileNotFoundError:
            return cls.from_nothing(os.fsdecode(path))
        return cls.from_bytes(data, os.fsdecode(path), mtime_ns)

    @classmethod
    def from_nothing(cls, name: str = "index") -> Self:
        """The index before the first `git add`."""
        return cls(name, 2, b"", [], array("Q", [HEADER_BYTES]))

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "index", mtime_ns: int = 0) -> Self:
        """The index whose file holds *data*."""
        version, count = _check_frame(data, name)
        try:
            paths, offsets = _read_v4(data, count) if version == 4 else _read_v2(data, count, version)
        except (ValueError, IndexError):
            raise DamagedRepository(name, "its entries do not parse") from None
        if offsets[-1] > len(data) - TRAILER_BYTES:
            raise DamagedRepository(name, "its entries do not parse")
        extensions = _read_extensions(data, offsets[-1], name)
        following = paths[1:]
        repeats = any(map(ge, paths, following))
        if (repeats and any(map(gt, paths, following))) or b"" in paths[:1]:
            raise DamagedRepository(name, "its entries are not in order")
        return cls(name, version, data, paths, offsets, mtime_ns, extensions, repeats)

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def by_path(self) -> dict[bytes, int]:
        """Where each path stands in `paths`; for a path in conflict its last stage."""
        return dict(zip(self.paths, range(len(self.paths)), strict=True))

    @cached_property
    def cache_tree(self) -> CacheTree | None:
        """The trees that the index knows to be unchanged."""
        return decode_cache_tree(self.extensions.get(b"TREE", b""), self.name)

    @cached_property
    def mtimes(self) -> list[bytes]:
        """Each entry's time of modification: 8 bytes, seconds and nanoseconds, that compare as the times do."""
        data = self.data
        return [data[start + 8 : start + 16] for start in self.offsets[:-1]]

    def entry(self, i: int) -> Entry:
        """Entry *i*, decoded."""
        start = self.offsets[i]
        return Entry(
            self.paths[i], self.data[start + 40 : start + 60], self.data[start : start + STAT_BYTES], self.flags(i)
        )

    def entries(self) -> Iterator[Entry]:
        """Every entry in order, decoded."""
        return map(self.entry, range(len(self.paths)))

    def find(self, path: bytes) -> int | None:
        """Where *path* stands in `paths` (its first stage), without building `by_path`."""
        i = bisect_left(self.paths, path)
        return i if i < len(self.paths) and self.paths[i] == path else None

    def below(self, folder: bytes) -> tuple[int, int]:
        """The range of entries below *folder*, which carries no slash at its end; ``b""`` is the root."""
        if not folder:
            return 0, len(self.paths)
        return bisect_left(self.paths, folder + b"/"), bisect_left(self.paths, folder + b"0")

    def oid(self, i: int) -> bytes:
        """The content of entry *i*: 20 raw bytes."""
        start = self.offsets[i] + 40
        return self.data[start : start + 20]

    def mode(self, i: int) -> int:
        """The mode of entry *i*."""
        start = self.offsets[i] + 24
        return int.from_bytes(self.data[start : start + 4], "big")

    def contents(self, positions: Iterable[int]) -> Iterator[tuple[int, bytes, int, bytes]]:
        """Position, path, mode and object id of entries: faster for many than asking for each."""
        data, offsets, paths, read = self.data, self.offsets, self.paths, _MODE_AND_OID.unpack_from
        for i in positions:
            mode, oid = read(data, offsets[i] + 24)
            yield i, paths[i], mode, oid

    def flags(self, i: int) -> int:
        """The flags of entry *i*, as `Entry` has them."""
        start = self.offsets[i] + FLAGS_AT
        flags = int.from_bytes(self.data[start : start + 2], "big")
        extended = int.from_bytes(self.data[start + 2 : start + 4], "big") << 16 if flags & EXTENDED else 0
        if extended & ~_KNOWN_EXTENDED:
            raise NotUnderstood("unknown flags in the index")
        return (flags & (ASSUME_VALID | STAGE_MASK)) | extended

    def stat_matches(self, i: int, status: os.stat_result, rules: StatRules = ALL_RULES) -> bool:
        """*status* says that the file is as it was, to the nanosecond. Only then, and if not `is_racy`, trust it.

        Of a submodule it says that a folder is there, no more.
        """
        fields = STAT_BLOCK.unpack_from(self.data, self.offsets[i])
        mode, size = fields[6], fields[9]
        if mode == SUBMODULE_MODE or not _mode_matches(mode, status.st_mode, rules):
            return mode == SUBMODULE_MODE and stat.S_ISDIR(status.st_mode)
        if size != status.st_size & _U32 or (not size and self.oid(i) != EMPTY_BLOB):  # spoiled, see `write_index`
            return False
        if not rules.check_all:
            return bool(fields[2] == status.st_mtime_ns // _NS & _U32)
        return (
            (fields[2], fields[3]) == _seconds(status.st_mtime_ns)
            and fields[5] == status.st_ino & _U32
            and (not rules.trust_ctime or (fields[0], fields[1]) == _seconds(status.st_ctime_ns))
            and fields[7] == status.st_uid & _U32
            and fields[8] == status.st_gid & _U32
        )

    def is_racy(self, i: int) -> bool:
        """Entry *i* is not older than the index: the file may have changed since without a trace in its stat data."""
        start = self.offsets[i] + 8
        return self.data[start : start + 8] >= self._written_at

    def racy_entries(self) -> list[int]:
        """Every entry that `is_racy`."""
        if self.marks:
            runs = (run.span() for run in _NOT_OLDER.finditer(self.marks))
            return [i for first, last in runs for i in range(first, last) if self.is_racy(i)]
        written_at = self._written_at
        if not self.paths or max(self.mtimes) < written_at:
            return []
        return [i for i, mtime in enumerate(self.mtimes) if mtime >= written_at]

    @cached_property
    def _written_at(self) -> bytes:
        seconds, nanoseconds = divmod(self.mtime_ns, _NS)
        return (seconds & _U32).to_bytes(4, "big") + nanoseconds.to_bytes(4, "big")


def _seconds(nanoseconds: int) -> tuple[int, int]:
    seconds, rest = divmod(nanoseconds, _NS)
    return seconds & _U32, rest


def _mode_matches(recorded: int, found: int, rules: StatRules) -> bool:
    if recorded == SYMLINK_MODE:
        return stat.S_ISLNK(found) or (not rules.symlinks and stat.S_ISREG(found))
    return stat.S_ISREG(found) and (not rules.file_mode or not (recorded ^ found) & 0o100)


def _check_frame(data: bytes, name: str) -> tuple[int, int]:
    """Version and number of entries."""
    if len(data) < HEADER_BYTES + TRAILER_BYTES:
        raise DamagedRepository(name, "it is too short for an index")
    signature, version, count = HEADER.unpack_from(data)
    if signature != b"DIRC":
        raise DamagedRepository(name, "it does not start as an index")
    if version not in {2, 3, 4}:
        raise NotUnderstood(f"index version {version}")
    trailer = data[-TRAILER_BYTES:]
    if trailer != bytes(TRAILER_BYTES):  # index.skipHash leaves zeros
        digest = hashlib.sha1(memoryview(data)[:-TRAILER_BYTES], usedforsecurity=False)
        if digest.digest() != trailer:
            raise DamagedRepository(name, "it does not match its SHA-1")
    if count * (PATH_AT + 2) > len(data):
        raise DamagedRepository(name, "it is too short for its entries")
    return version, count


def _read_v2(data: bytes, count: int, version: int) -> tuple[list[bytes], "array[int]"]:
    paths: list[bytes] = []
    offsets = array("Q")
    note_path, note_offset, find = paths.append, offsets.append, data.index
    start, extended = HEADER_BYTES, version > 2
    for _ in range(count):
        path_at = start + PATH_AT
        if extended and data[start + FLAGS_AT] & 0x40:
            path_at += 2
        end = find(0, path_at)
        note_path(data[path_at:end])
        note_offset(start)
        start += (end - start + 8) & ~7
    note_offset(start)
    return paths, offsets


def _read_v4(data: bytes, count: int) -> tuple[list[bytes], "array[int]"]:
    paths: list[bytes] = []
    offsets = array("Q")
    note_path, note_offset, find = paths.append, offsets.append, data.index
    start, path = HEADER_BYTES, b""
    for _ in range(count):
        position = start + (PATH_AT + 2 if data[start + FLAGS_AT] & 0x40 else PATH_AT)
        byte = data[position]
        strip = byte & 0x7F
        while byte & 0x80:
            position += 1
            byte = data[position]
            strip = ((strip + 1) << 7) | (byte & 0x7F)
        if strip > len(path):
            raise ValueError(strip)
        end = find(0, position + 1)
        path = path[: len(path) - strip] + data[position + 1 : end]
        note_path(path)
        note_offset(start)
        start = end + 1
    note_offset(start)
    return paths, offsets


def _read_extensions(data: bytes, position: int, name: str) -> dict[bytes, bytes]:
    extensions: dict[bytes, bytes] = {}
    end = len(data) - TRAILER_BYTES
    while position < end:
        if end - position < _EXTENSION.size:
            raise DamagedRepository(name, "its extensions do not parse")
        signature, size = _EXTENSION.unpack_from(data, position)
        position += _EXTENSION.size
        if size > end - position:
            raise DamagedRepository(name, "its extensions do not parse")
        if signature == b"TREE":
            extensions[signature] = data[position : position + size]
        elif signature not in _FORGOTTEN and not b"A" <= signature[:1] <= b"Z":
            raise NotUnderstood(f"index extension {signature.decode('ascii', 'replace')}")
        position += size
    return extensions
