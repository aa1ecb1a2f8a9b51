"""The ordinary case of a full check, by the shortest way: nearly every file of nearly every dataset is well.

What is not told here is examined at length, in `engram.datasets.auditing.examining`.
"""

import os
import re
import stat
from collections.abc import Callable
from typing import Final

from engram.datasets.annex.backends import NATIVE, Hasher
from engram.datasets.annex.hashdirs import plain_paths
from engram.datasets.annexed import AnnexedFile
from engram.datasets.auditing.examined import Condition, Examined
from engram.datasets.whereabouts import Whereabouts

#: Larger contents are left to threads.
LARGE_BYTES: Final = 1 << 20
#: Bits of a content, or of its folder, with which it could be written to by accident.
WRITE_BITS: Final = 0o222
#: How a content is opened: never through a link, never waiting for a FIFO.
READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

#: Keys that say their size and a digest in hex, in their normal form, fit to name a file without escapes.
_PLAIN = re.compile(rb"([A-Z0-9_]{1,16})-s(0|[1-9][0-9]{0,14})--([0-9a-f]{1,128})(\.[0-9A-Za-z.]{1,16})?")
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

    def sound(self, file: AnnexedFile, target: bytes) -> Examined | None:
        """What is found out about a file with which all is well; ``None`` where it takes longer to say.

        That is a locked file whose link is right, with a small content in its usual place that is as its key says and
        protected, of which the log knows, and of which there are copies enough.
        """
        path, key, locked, _ = file
        plain = _PLAIN.fullmatch(key)
        if plain is None or not locked:
            return None
        backend, size, digest, extension = plain.groups()
        maker = _HASHERS.get(backend)
        if maker is None or (extension and backend[-1:] != b"E"):
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
        condition = _read(self._objects + lies, int(size), digest, maker)
        return None if condition is None else Examined(file, key, condition, True, False, copies, wanted, False)


def _read(place: bytes, size: int, digest: bytes, maker: Callable[[], Hasher]) -> Condition | None:
    """The condition of a small, protected content that is as its key says; ``None`` for every other."""
    try:
        folder = os.lstat(place[: place.rindex(b"/")])
        descriptor = os.open(place, READ)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        mode = status.st_mode
        if status.st_size != size or size >= LARGE_BYTES or not stat.S_ISREG(mode):
            return None
        data = os.pread(descriptor, size + 1, 0)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    hasher = maker()
    hasher.update(data)
    is_sound = hasher.hexdigest().encode() == digest and not (mode | folder.st_mode) & WRITE_BITS
    return Condition(place, size) if is_sound else None
