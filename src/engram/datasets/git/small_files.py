"""Reading a small file without waiting for anybody, whatever lies in its place."""

import errno
import os
import stat
from typing import BinaryIO

from engram.model.errors import DamagedRepository, Unreadable


def read_small_file(path: bytes, *, follow: bool, largest_bytes: int | None = None) -> bytes | None:
    """What the file at *path* holds; ``None`` for what is no file (a folder, a FIFO, …) or too large.

    Args:
        path: where. A device, such as ``/dev/null``, is taken for an empty file.
        follow: whether a symbolic link may be followed; if not, it is an `OSError` (ELOOP).
        largest_bytes: files of this size and above are too large.

    Raises:
        OSError: as `os.open` and `os.read` do.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    try:
        status = os.fstat(descriptor)
        if stat.S_ISCHR(status.st_mode):
            return b""
        if not stat.S_ISREG(status.st_mode) or (largest_bytes is not None and status.st_size >= largest_bytes):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def without_waiting(path: str, flags: int) -> int:
    """Open a file, and never wait for whoever feeds a FIFO in its place: an *opener* for `open`."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def open_part(path: bytes) -> BinaryIO:
    """One of a repository's own files, open for reading; never waits.

    Raises:
        FileNotFoundError, NotADirectoryError: there is none.
        DamagedRepository: something else lies there.
        Unreadable: this user may not read it.
    """
    try:
        return open(path, "rb", opener=without_waiting)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except PermissionError as error:
        raise Unreadable(os.fsdecode(path), os.strerror(error.errno or 0)) from error
    except OSError as error:
        raise DamagedRepository(os.fsdecode(path), f"it cannot be opened ({os.strerror(error.errno or 0)})") from error


def read_file(path: str | bytes, *, follow: bool = True) -> bytes:
    """What one of a repository's own files holds; b"" when there is none.

    Args:
        path: where.
        follow: whether a symbolic link may be followed.

    Raises:
        DamagedRepository: when something lies there that is no such file: a folder, a FIFO, a link.
    """
    try:
        content = read_small_file(os.fsencode(path), follow=follow)
    except FileNotFoundError:
        return b""
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):
            raise
        content = None
    if content is None:
        raise DamagedRepository(os.fsdecode(path), "it is no regular file")
    return content
