"""Small files that people write: read whole, and never more of them than people write."""

import errno
import os
import stat


def read_small_file(path: str, *, most_bytes: int) -> bytes:
    """The bytes of a regular file; one byte more than *most_bytes* when it is larger. Raises `OSError`.

    A FIFO or a device is refused: it would be waited for, perhaps for ever.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        kind = found.st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "It is no regular file", path)
        return file.read(min(most_bytes, found.st_size) + 1)  # so much is asked of the memory, whatever there is
