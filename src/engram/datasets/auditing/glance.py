"""The ordinary case of a full check, by the shortest way: nearly every file of nearly every dataset is well.

What is not told here is examined at length, in `engram.datasets.auditing.examining`.
"""

import os
import stat
from collections.abc import Callable
from typing import Final

from engram.datasets.annex.backends import NATIVE
from engram.datasets.annex.hashdirs import plain_paths
from engram.datasets.annexed import AnnexedFile
from engram.datasets.auditing.examined import Sound
from engram.datasets.whereabouts import Whereabouts

#: Larger contents are left to threads.
LARGE_BYTES: Final = 1 << 20
#: Bits of a content, or of its folder, with which it could be written to by accident.
WRITE_BITS: Final = 0o222
#: How a content is opened: never through a link, never waiting for a FIFO.
READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_HASHERS = {os.fsencode(backend): maker for backend, maker in NATIVE.items()}


class Glance:
    """Looks once at each file of one dataset.

    Args:
        git_dir: the folder whose ``annex/objects`` holds the contents.
        count: whether the log says that a content with these holders is here, and how many of the others count.
        here_counts: whether a copy in this repository counts.
    """

    def __init__(
        self,
        git_dir: bytes,
        whereabouts: Whereabouts,
        count: Callable[[tuple[bytes, ...]], tuple[bool, int]],
        *,
        here_counts: bool,
    ) -> None:
        self._objects = git_dir + b"/"
        self._whereabouts = whereabouts
        self._count = count
        self._here_counts = here_counts
        #: The folder of the last file, and how many copies each of its files shall have.
        self._folder: bytes | None = None
        self._wanted: int | None = None

    def sound(self, file: AnnexedFile, target: bytes) -> Sound | None:
        """A file with which all is well; ``None`` where it takes longer to say.

        That is a locked file whose link is right, with a small content in its usual place that is as its key says and
        protected, of which the log knows, and of which there are copies enough.
        """
        path, key, locked, _ = file
        backend = key[: key.find(b"-")]
        maker = _HASHERS.get(backend)
        if maker is None or not locked:
            return None
        lies, log = plain_paths(key)
        if target != b"../" * path.count(b"/") + b".git/" + lies:
            return None
        logged, copies = self._count(self._whereabouts.holders_in(log))
        copies += self._here_counts
        folder = path[: path.rfind(b"/") + 1]
        if folder != self._folder:
            self._folder, self._wanted = folder, self._whereabouts.numcopies_below(folder)
        wanted = self._wanted
        if wanted is None or copies < wanted or not logged:
            return None
        data = _protected(self._objects + lies)
        if data is None:
            return None
        made = b"%b-s%d--%b" % (backend, len(data), maker(data).hexdigest().encode())
        if key != made and not (key.startswith(made + b".") and backend.endswith(b"E")):
            return None
        return Sound(file, len(data))


def _protected(place: bytes) -> bytes | None:
    """A small content that lies there, protected; ``None`` for every other."""
    try:
        folder = os.lstat(place[: place.rindex(b"/")])
        descriptor = os.open(place, READ)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        mode, size = status.st_mode, status.st_size
        if size >= LARGE_BYTES or not stat.S_ISREG(mode) or (mode | folder.st_mode) & WRITE_BITS:
            return None
        return os.pread(descriptor, size + 1, 0)
    except OSError:
        return None
    finally:
        os.close(descriptor)
