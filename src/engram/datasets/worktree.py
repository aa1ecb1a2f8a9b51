"""What lies in a work tree, held against the index: one walk, one `lstat` per file, no process.

Source: git-status(1) and git-ls-files(1) for what counts as untracked; gitformat-index(5) for the stat data.
"""

import os
import stat
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from struct import Struct
from typing import NamedTuple

from engram.datasets.git.ignore import Ignore
from engram.datasets.git.index import ASSUME_VALID, OLDER, SKIP_WORKTREE, GitIndex, StatRules
from engram.datasets.git.objects import SUBMODULE_MODE, SYMLINK_MODE
from engram.datasets.git.refs import holds_repository
from engram.datasets.settled import Settled
from engram.model.errors import EngramError, Unreadable

_NS = 1_000_000_000
_U32 = 0xFFFF_FFFF
#: What of an entry's stat block is compared: ctime s, ns; mtime s, ns; inode; mode; size. Of what `os.lstat` gives the
#: ten plain numbers are taken at once: each name that is asked for costs as much.
_COMPARED = Struct(">4I4xII8xI")
#: What of a mode the index records: the type, and whether the owner may execute.
_MODE_BITS = 0o170100
#: A link's permission bits are always all set; the index records none.
_OF_LINKS = 0o100
_ALL_OLDER = bytes([OLDER])
_SCANNED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Untracked(StrEnum):
    """How much of what is not recorded yet is listed; git's three words."""

    NO = "no"
    #: A folder that holds nothing recorded is listed as one.
    NORMAL = "normal"
    ALL = "all"


class Found(NamedTuple):
    """Something in the work tree that the index does not have."""

    #: Relative to the top of the work tree; no slash at the end.
    path: bytes
    #: ``file``, ``symlink``, ``directory``, ``repository`` (a folder with its own ``.git``) or ``special``.
    kind: str
    size_bytes: int = 0


@dataclass(slots=True, match_args=False)
class Differences:
    """What a walk saw. Positions are those of the index's entries."""

    #: Recorded, there, but not surely unchanged: its content must be looked at.
    doubtful: list[tuple[int, os.stat_result]] = field(default_factory=list)
    #: Recorded, and nothing of that name is there (or a folder is).
    missing: list[int] = field(default_factory=list)
    #: Recorded subdatasets whose folder is there.
    subdatasets: list[int] = field(default_factory=list)
    untracked: list[Found] = field(default_factory=list)
    #: FIFOs, sockets and devices: git passes over them.
    special: list[Found] = field(default_factory=list)
    #: What was named, and is passed over since git's rules ignore it.
    ignored: list[bytes] = field(default_factory=list)
    #: What could not be looked at.
    problems: list[EngramError] = field(default_factory=list)


def walk(
    top: bytes,
    index: GitIndex,
    ignore: Ignore,
    *,
    scopes: Iterable[bytes] = (b"",),
    untracked: Untracked = Untracked.ALL,
    rules: StatRules | None = None,
    settled: Settled | None = None,
) -> Differences:
    """Compare the work tree at *top* with *index*, within *scopes* (paths relative to *top*; ``b""`` is everything).

    Folders that *settled* vouches for are passed over; it is told of others for which it can vouch from now on.
    """
    walker = _Walker(top, index, untracked, rules or StatRules(), settled)
    for scope in scopes:
        walker.look_at(scope, ignore)
    return walker.finish()


class _Walker:
    def __init__(
        self, top: bytes, index: GitIndex, untracked: Untracked, rules: StatRules, settled: Settled | None
    ) -> None:
        self.top = top
        self.index = index
        self.untracked = untracked
        self.rules = rules
        #: For each entry 0, 1 when its name is there, or `OLDER`.
        self.seen = bytearray(len(index))
        self.wanted: list[tuple[int, int]] = []
        self.differences = Differences()
        self.plain = rules == StatRules()
        self.settled = settled if settled is not None and self.plain and settled.begin(index) else None
        #: The folder that was looked at last holds something that is not recorded.
        self.strange = False

    def look_at(self, scope: bytes, ignore: Ignore) -> None:
        self.wanted.append(self.index.below(scope))
        parts = scope.split(b"/") if scope else []
        rules: Ignore | None = ignore
        for depth, name in enumerate(parts[:-1]):
            del depth
            rules = rules.enter(name) if rules is not None else None
        place = os.path.join(self.top, scope) if scope else self.top
        position = self.index.find(scope) if scope else None
        if position is not None:
            self.wanted.append((position, position + 1))
        if link_above(self.top, scope):
            return
        if scope and not self._is_plain_folder(place, position):
            self._single(scope, place, position, rules)
        elif rules is not None:
            inner = rules.enter(parts[-1]) if parts else rules
            if position is None and scope and holds_repository(place):
                self._single(scope, place, position, rules)
            else:
                self._scope_folder(scope, place, inner)

    def _scope_folder(self, scope: bytes, place: bytes, ignore: Ignore) -> None:
        before = len(self.differences.untracked)
        first, last = self.index.below(scope)
        anything = self._folder(scope + b"/" if scope else b"", place, ignore, first, last)
        if scope and first == last and anything and self.untracked is Untracked.NORMAL:
            del self.differences.untracked[before:]
            self.differences.untracked.append(Found(scope, "directory"))

    def _is_plain_folder(self, place: bytes, position: int | None) -> bool:
        try:
            found = os.lstat(place)
        except OSError:
            return False
        recorded_subdataset = position is not None and self.index.mode(position) == SUBMODULE_MODE
        return stat.S_ISDIR(found.st_mode) and not recorded_subdataset

    def _single(self, scope: bytes, place: bytes, position: int | None, rules: Ignore | None) -> None:
        try:
            status = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self._unreadable(scope, place, error)
            if position is not None:
                self.seen[position] = 1
            return
        if position is not None:
            self._recorded(position, status)
        elif not stat.S_ISDIR(status.st_mode) and self.untracked is not Untracked.NO:
            if rules is None or not rules.ignores(os.path.basename(scope), is_dir=False):
                self._note_untracked(scope, status)
            else:
                self.differences.ignored.append(scope)
        elif stat.S_ISDIR(status.st_mode):
            self.differences.untracked.append(Found(scope, "repository"))

    def _folder(self, prefix: bytes, place: bytes, ignore: Ignore, first: int, last: int) -> bool:
        """Look at everything in one folder, which the index has *first* to *last*. Whether any of it is not ignored."""
        settled = self.settled
        if settled is not None and settled.vouches(prefix, place, first, last):
            self.seen[first:last] = _ALL_OLDER * (last - first)
            return True
        recorded = _recorded_in(prefix, self.index.paths, first, last)
        inner: list[bytes] = []
        self.strange = False
        try:
            descriptor = os.open(place, _SCANNED)
            try:
                status = os.fstat(descriptor)
                with os.scandir(descriptor) as entries:  # names in an open folder are found sooner than whole paths
                    anything = self._entries(prefix, entries, recorded, ignore, inner)
            finally:
                os.close(descriptor)
        except FileNotFoundError:  # removed since its parent was read
            return False
        except OSError as error:
            self._unreadable(prefix.rstrip(b"/"), place, error)
            return False
        if settled is not None and not self.strange and self.seen.count(OLDER, first, last) == last - first > 0:
            settled.note(prefix, status, first, last)
        for name in inner:
            anything |= self._inner_folder(name, prefix + name, ignore)
        return anything

    def _unreadable(self, path: bytes, place: bytes, error: OSError) -> None:
        """Nothing is known of what lies there: least of all that it is gone."""
        self.differences.problems.append(Unreadable(os.fsdecode(place), os.strerror(error.errno or 0)))
        first, last = self.index.below(path)
        self.seen[first:last] = b"\1" * (last - first)

    def _entries(
        self,
        prefix: bytes,
        entries: "Iterable[os.DirEntry[str]]",
        recorded: dict[str, int],
        ignore: Ignore,
        inner: list[bytes],
    ) -> bool:
        """Look at what lies in one folder; the folders in it that are not recorded themselves become *inner*."""
        get, data, offsets, seen = recorded.get, self.index.data, self.index.offsets, self.seen
        unpack, plain, doubt, written_ns = _COMPARED.unpack_from, self.plain, self._recorded, self.index.mtime_ns
        anything = False
        for entry in entries:
            position = get(entry.name)
            if position is None:
                anything |= self._unrecorded(entry, prefix, ignore, inner)
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            anything = True
            ctime_s, ctime_ns, mtime_s, mtime_rest, inode, mode, size = unpack(data, offsets[position])
            mtime_ns = status.st_mtime_ns
            found_mode, found_inode, _, _, _, _, found_size, _, found_mtime_s, found_ctime_s = status[:10]
            if (
                plain
                and mtime_ns < written_ns
                and mtime_s == found_mtime_s
                and mtime_rest == mtime_ns % _NS
                and 0 < size == found_size & _U32  # 0 may be spoiled: it needs a closer look
                and inode == found_inode & _U32
                and ctime_s == found_ctime_s
                and ctime_ns == status.st_ctime_ns % _NS
                and (mode ^ found_mode) & _MODE_BITS == (_OF_LINKS if mode == SYMLINK_MODE else 0)
            ):
                seen[position] = OLDER
            else:
                doubt(position, status)
                if stat.S_ISDIR(found_mode) and not seen[position]:
                    inner.append(os.fsencode(entry.name))
        return anything

    def _recorded(self, position: int, status: os.stat_result) -> None:
        index = self.index
        if index.mode(position) == SUBMODULE_MODE:
            if stat.S_ISDIR(status.st_mode):
                self.seen[position] = 1
                self.differences.subdatasets.append(position)
            return
        if stat.S_ISDIR(status.st_mode):
            return
        self.seen[position] = 1
        if index.flags(position) & ASSUME_VALID:
            return
        if not index.stat_matches(position, status, self.rules) or index.is_racy(position):
            self.differences.doubtful.append((position, status))

    def _unrecorded(self, entry: "os.DirEntry[str]", prefix: bytes, ignore: Ignore, inner: list[bytes]) -> bool:
        name = os.fsencode(entry.name)
        self.strange = True
        if name == b".git":
            return False
        if entry.is_dir(follow_symlinks=False):
            inner.append(name)
            return False
        if self.untracked is Untracked.NO or ignore.ignores(name, is_dir=False):
            return False
        try:
            return self._note_untracked(prefix + name, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            return False

    def _inner_folder(self, name: bytes, path: bytes, ignore: Ignore) -> bool:
        place = os.path.join(self.top, path)
        first, last = self.index.below(path)
        if first != last:
            return self._folder(path + b"/", place, ignore.enter(name), first, last)
        if self.untracked is Untracked.NO or ignore.ignores(name, is_dir=True):
            return False
        if holds_repository(place):
            self.differences.untracked.append(Found(path, "repository"))
            return True
        before = len(self.differences.untracked)
        anything = self._folder(path + b"/", place, ignore.enter(name), first, last)
        if anything and self.untracked is Untracked.NORMAL:
            del self.differences.untracked[before:]
            if self.index.find(path) is None:  # else the file whose place it took is told of
                self.differences.untracked.append(Found(path, "directory"))
        return anything

    def _note_untracked(self, path: bytes, status: os.stat_result) -> bool:
        kind = kind_of(status.st_mode)
        target = self.differences.special if kind == "special" else self.differences.untracked
        target.append(Found(path, kind, status.st_size))
        return kind != "special"

    def finish(self) -> Differences:
        """What was seen, in the index's order; recorded entries that are kept out of the work tree are not missing."""
        differences = self.differences
        self.index.marks = self.seen
        missing = set()
        for first, last in self.wanted:
            position = self.seen.find(0, first, last)
            while position >= 0:
                missing.add(position)
                position = self.seen.find(0, position + 1, last)
        differences.missing = [i for i in sorted(missing) if not self.index.flags(i) & (SKIP_WORKTREE | ASSUME_VALID)]
        differences.doubtful = sorted(dict(differences.doubtful).items())
        differences.subdatasets = sorted(set(differences.subdatasets))
        differences.untracked = _in_order(differences.untracked)
        return differences


def _recorded_in(prefix: bytes, paths: list[bytes], first: int, last: int) -> dict[str, int]:
    """Where the entries are that lie in a folder itself, by the names that `os.scandir` gives.

    *first* to *last* of *paths* are all that begin with *prefix*, the folder with its slash.
    """
    start = len(prefix)
    if first < last and paths[first].find(b"/", start) < 0:
        together = b"\0".join(paths[first:last])
        if together.count(b"/") == (last - first) * prefix.count(b"/"):  # no folders in it
            names = os.fsdecode(together[start:]).split("\0" + os.fsdecode(prefix))
            return dict(zip(names, range(first, last), strict=True))
    recorded = {}
    while first < last:
        path = paths[first]
        slash = path.find(b"/", start)
        if slash < 0:
            recorded[os.fsdecode(path[start:])] = first
            first += 1
        else:
            first = bisect_left(paths, path[:slash] + b"0", first, last)
    return recorded


def _in_order(found: list[Found]) -> list[Found]:
    """By path, folders as if they ended in a slash; what two scopes both cover, once."""
    return sorted({one.path: one for one in found}.values(), key=_sort_key)


def _sort_key(found: Found) -> bytes:
    return found.path + (b"/" if found.kind in ("directory", "repository") else b"")


def link_above(top: bytes, path: bytes) -> bytes:
    """The symbolic link on the way from *top* to *path* (relative): what is beyond it is no part of the work tree."""
    parts = path.split(b"/")
    for depth in range(1, len(parts)):
        folder = b"/".join(parts[:depth])
        if os.path.islink(os.path.join(top, folder)):
            return folder
    return b""


def kind_of(mode: int) -> str:
    """``file``, ``symlink``, ``directory`` or ``special``, from the mode that `os.lstat` gives."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISLNK(mode):
        return "symlink"
    return "directory" if stat.S_ISDIR(mode) else "special"
