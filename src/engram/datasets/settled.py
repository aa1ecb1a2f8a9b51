"""Folders of links that nobody changed since they were looked through: what lies in them is not looked at again.

A symbolic link is never changed, only replaced, and that changes the folder it lies in. So where a folder holds
recorded links and nothing else, its own stat data vouches for all of them, as a file's does for its content. What was
seen is kept beside the index, in a file that may be lost or wrong at any time: then everything is looked at.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress

from engram import durable
from engram.datasets.git.index import GitIndex
from engram.datasets.git.objects import SYMLINK_MODE
from engram.datasets.git.small_files import read_small_file
from engram.durable import Steps
from engram.model.errors import StorageFailed

#: With fewer entries nothing is kept: looking at all of them costs less than what this saves.
ENOUGH = 1000
#: A folder that was changed a moment ago may change once more within the same tick of the file system's clock.
_MARGIN_NS = 100_000_000
_NS = 1_000_000_000
_HEADER = b"engram settled folders 1"
_LARGEST_BYTES = 1 << 28
_DIGEST_BYTES = 20
#: Where Linux says what lies on which file system; where there is none, nothing is known to be reliable.
MOUNTS = "/proc/self/mountinfo"
#: File systems of this machine alone, whose folders are known to change with what lies in them, to the tick.
_KNOWN = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "tmpfs", "xfs", "zfs"})


class Settled:
    """What is known of the folders of one work tree."""

    def __init__(
        self,
        work_tree: str,
        git_dir: str,
        steps: Steps,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        mounts: str = MOUNTS,
        enough: int = ENOUGH,
    ) -> None:
        self._work_tree = work_tree
        self._folder = os.path.join(git_dir, "engram")
        self._steps = steps
        self._clock_ns = clock_ns
        self._mounts = mounts
        self._enough = enough
        self._index = GitIndex.from_nothing()
        #: By folder, with a slash at its end: what it and the index's entries for it must be like.
        self._proofs: dict[bytes, bytes] | None = None
        self._began_ns = 0
        #: How many entries those folders have that are not in the file yet.
        self._new = 0

    def begin(self, index: GitIndex) -> bool:
        """Get ready for a walk that compares with *index*. Whether it is of any use."""
        if len(index) < self._enough or index.version == 4:  # where an entry means what the one before makes of it
            return False
        if self._proofs is None:
            if file_system_of(os.path.realpath(self._work_tree), self._mounts) not in _KNOWN:
                return False
            self._proofs = self._read(index)
        elif index.mtime_ns < self._index.mtime_ns:  # of an older index fewer entries are surely older than itself
            self._proofs = {}
        self._index = index
        self._began_ns = self._clock_ns()
        return True

    def vouches(self, prefix: bytes, place: bytes, first: int, last: int) -> bool:
        """Whether the folder at *place* is as when its entries, *first* to *last* of the index, were all clean."""
        proofs = self._proofs or {}
        proof = proofs.get(prefix)
        if proof is None:
            return False
        with suppress(OSError):
            if proof == self._proof(os.lstat(place), first, last):
                return True
        del proofs[prefix]
        return False

    def note(self, prefix: bytes, status: os.stat_result, first: int, last: int) -> None:
        """In a folder that was like *status* before, all of entries *first* to *last* were found clean, and no more."""
        index, proofs = self._index, self._proofs
        young = max(status.st_ctime_ns, status.st_mtime_ns) > self._began_ns - _MARGIN_NS
        counts_seconds = not status.st_ctime_ns % _NS
        if proofs is None or young or counts_seconds:
            return
        if all(index.mode(position) == SYMLINK_MODE for position in range(first, last)):
            proofs[prefix] = self._proof(status, first, last)
            self._new += last - first

    def keep(self) -> None:
        """Write down what is new, if it is enough to be worth it, and may be written: nobody depends on it."""
        if self._new < self._enough:
            return
        self._new = 0
        with suppress(OSError, StorageFailed):
            status = os.lstat(self._folder)
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
                self._write()

    def _proof(self, status: os.stat_result, first: int, last: int) -> bytes:
        index = self._index
        entries = memoryview(index.data)[index.offsets[first] : index.offsets[last]]
        numbers = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
        return b"%x %x %x %x %s" % (*numbers, hashlib.sha1(entries, usedforsecurity=False).hexdigest().encode())

    def _read(self, index: GitIndex) -> dict[bytes, bytes]:
        path = os.fsencode(os.path.join(self._folder, "settled"))
        try:
            content = read_small_file(path, follow=False, largest_bytes=_LARGEST_BYTES) or b""
        except OSError:
            return {}
        told, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if hashlib.sha1(told, usedforsecurity=False).digest() != digest:
            return {}
        header, written, *rest = told.split(b"\0")
        if header != _HEADER or not written.isdigit() or int(written) > index.mtime_ns:
            return {}
        return dict(zip(rest[::2], rest[1::2], strict=False))

    def _write(self) -> None:
        index = self._index
        lines = [_HEADER, b"%d" % index.mtime_ns]
        for prefix, proof in (self._proofs or {}).items():
            first, last = index.below(prefix[:-1])
            if first < last:
                lines += (prefix, proof)
        told = b"\0".join(lines)
        path = os.path.join(self._folder, "settled")
        new = f"{path}.new"
        with suppress(FileNotFoundError):
            durable.remove(self._steps, new)
        digest = hashlib.sha1(told, usedforsecurity=False).digest()
        durable.write_new(self._steps, new, told + digest, sync=False)  # a crash may spoil it: then it does not count
        durable.rename(self._steps, new, path)


def file_system_of(place: str, mounts: str = MOUNTS) -> str:
    """The kind of file system that an absolute path without links lies on; '' where that is not known.

    Source: proc_pid_mountinfo(5)
    """
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().split("\n")
    except OSError:
        return ""
    longest, kind = "", ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) > 9 and "-" in fields:
            mounted = _plain(fields[4]).rstrip("/")
            if len(mounted) >= len(longest) and (place == mounted or place.startswith(f"{mounted}/")):
                longest, kind = mounted, fields[fields.index("-") + 1]
    return kind


def _plain(text: str) -> str:
    for written, meant in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(written, meant)
    return text
