"""What a scan asks of a share: five calls, so that a slow, dying or made-up share can stand in for a real one."""

import errno
import os
import stat
from dataclasses import dataclass
from typing import Protocol

from engram.model.errors import Unreadable

#: A call that takes longer than this is one that never comes back.
PATIENCE_S = 30.0
#: Longer paths are opened piece by piece: the kernel takes 4,096 bytes at once. Source: path_resolution(7), PATH_MAX.
_LONGEST_BYTES = 4000


@dataclass(slots=True, eq=False)
class Listing:
    """What one folder holds, by names; unsorted."""

    #: When names were last added or taken away, before it was listed.
    modified_ns: int
    folders: list[str]
    files: list[str]
    #: Symbolic links: never followed.
    links: list[str]
    #: FIFOs, sockets, devices.
    others: list[str]


class Disk(Protocol):
    """Absolute paths, `str` with surrogates for what is not UTF-8. Every call may be a round trip, none writes.

    All raise `OSError`.
    """

    def listing(self, path: str) -> Listing:
        """What a folder holds."""
        ...

    def changed_ns(self, path: str) -> int:
        """When names were last added to a folder or taken from it."""
        ...

    def identity(self, path: str) -> object:
        """Equal as long as the same folder lies there."""
        ...

    def stat(self, path: str) -> tuple[int, int]:
        """Size and time of last change (in nanoseconds since 1970) of a file; a link is not followed."""
        ...

    def read(self, path: str, count: int, offset: int) -> bytes:
        """Bytes of a regular file; raises `Unreadable` for anything else."""
        ...


class LocalDisk:
    """What is mounted on this machine."""

    def listing(self, path: str) -> Listing:
        if len(path) > _LONGEST_BYTES // 4 and len(os.fsencode(path)) > _LONGEST_BYTES:
            descriptor = _open_deep(path)
            try:
                return _listed(descriptor)
            finally:
                os.close(descriptor)
        return _listed(path)

    def changed_ns(self, path: str) -> int:
        return _status(path).st_mtime_ns

    def identity(self, path: str) -> object:
        found = os.stat(path)
        return found.st_dev, found.st_ino

    def stat(self, path: str) -> tuple[int, int]:
        found = _status(path)
        return found.st_size, found.st_mtime_ns

    def read(self, path: str, count: int, offset: int) -> bytes:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        if len(path) > _LONGEST_BYTES // 4 and len(os.fsencode(path)) > _LONGEST_BYTES:
            folder = _open_deep(os.path.dirname(path))
            try:
                descriptor = os.open(os.path.basename(path), flags, dir_fd=folder)
            finally:
                os.close(folder)
        else:
            descriptor = os.open(path, flags)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise Unreadable(path, "it is no regular file")
            return os.pread(descriptor, max(0, min(count, found.st_size - offset)), offset)
        finally:
            os.close(descriptor)


def _listed(place: str | int) -> Listing:
    folders: list[str] = []
    files: list[str] = []
    links: list[str] = []
    others: list[str] = []
    changed_ns = os.stat(place).st_mtime_ns
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                files.append(entry.name)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_symlink():
                links.append(entry.name)
            else:
                others.append(entry.name)
    return Listing(changed_ns, folders, files, links, others)


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path, follow_symlinks=False)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
    folder = _open_deep(os.path.dirname(path))
    try:
        return os.stat(os.path.basename(path), dir_fd=folder, follow_symlinks=False)
    finally:
        os.close(folder)


def _open_deep(path: str) -> int:
    """Descriptor of a folder whose path is too long for one call; links are not followed on the way."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open("/", flags)
    for name in path.split("/"):
        if name:
            inner = os.open(name, flags, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
    return descriptor
