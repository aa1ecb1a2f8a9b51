"""Reading a small file without waiting for anybody, whatever lies in its place."""

import errno
import os
import stat

from engram.model.errors import DamagedRepository


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
