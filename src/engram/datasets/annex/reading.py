"""Open a file whose content is to be saved, so that nobody changes it unnoticed, and hash it."""

import errno
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass

from engram.datasets.annex.backends import new_hasher
from engram.datasets.annex.writers import Writers, hold_off_writers, let_writers_in
from engram.model.errors import ChangedWhileSaved, Unreadable

_CHUNK_BYTES = 1 << 20
_NOT_REGULAR = "it is no regular file any more"
#: The longest step of the clock that file systems take their times from (Linux, 100 Hz).
_TICK_NS = 10_000_000
_READ_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class OpenContent:
    """A regular file, open for reading, and what it was when it was opened. Close it."""

    path: bytes
    descriptor: int
    was: os.stat_result
    #: Who could write to it when it was opened; for what `open_for_annex` opened.
    writers: Writers = Writers.UNKNOWN
    #: A lease is held: nobody can have begun to write since.
    held: bool = False

    def writers_since(self) -> Writers:
        """Who had it open for writing when it was opened, or has it now."""
        return self.writers if self.held or self.writers is not Writers.NONE else hold_off_writers(self.descriptor)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)

    def changed(self) -> str:
        """What changed since it was opened, '' if nothing did."""
        now = os.fstat(self.descriptor)
        if now.st_size != self.was.st_size:
            return f"{self.was.st_size} bytes became {now.st_size}"
        if now.st_mtime_ns != self.was.st_mtime_ns:
            return "it was written to"
        try:
            if not os.path.samestat(os.lstat(self.path), now):
                return "another file took its place"
        except FileNotFoundError:
            return "it was moved or deleted"
        return ""


def open_content(path: bytes) -> OpenContent:
    """Open a regular file to be saved. Never blocks, never follows a link.

    Raises `Unreadable`, or `ChangedWhileSaved` for what is no regular file: it was one when it was found.
    """
    try:
        descriptor = os.open(path, _READ_FILE)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ELOOP):
            raise ChangedWhileSaved(os.fsdecode(path), _NOT_REGULAR) from error
        raise Unreadable(os.fsdecode(path), os.strerror(error.errno or 0)) from error
    was = os.fstat(descriptor)
    if not stat.S_ISREG(was.st_mode):
        os.close(descriptor)
        raise ChangedWhileSaved(os.fsdecode(path), _NOT_REGULAR)
    return OpenContent(path, descriptor, was)


def open_for_annex(path: bytes) -> OpenContent:
    """As `open_content`, and nobody can change it unnoticed from now on.

    While a small file is open, whoever wants to write to it waits; `ContentStore.keep` looks at a large one again.
    """
    content = open_content(path)
    content.writers = hold_off_writers(content.descriptor)
    content.held = content.writers is Writers.NONE
    if content.held and content.was.st_size >= _CHUNK_BYTES:
        let_writers_in(content.descriptor)
        content.held = False
        if 0 <= time.time_ns() - content.was.st_mtime_ns < _TICK_NS:  # a write now could leave the same time
            time.sleep(_TICK_NS / 1e9)
    return content


def digest_of(
    content: OpenContent, backend: str, *, stopped: "Stop | None" = None, done: Callable[[int], None] | None = None
) -> str:
    """The hex digest that *backend* gives the content. Reads it once, in order.

    *done* is told how many bytes more of a large one were read.

    Raises `ChangedWhileSaved` when fewer or more bytes come than the file had.
    """
    hasher = new_hasher(backend)
    size = content.was.st_size
    left = size
    try:
        if size <= _CHUNK_BYTES:
            data = os.pread(content.descriptor, size + 1, 0)
            hasher.update(data)
            left -= len(data)
        else:
            left -= _feed(hasher, content, stopped, done)
    except OSError as error:
        raise Unreadable(os.fsdecode(content.path), os.strerror(error.errno or 0)) from error
    if left:
        raise ChangedWhileSaved(os.fsdecode(content.path), f"{size} bytes became {size - left}")
    return str(hasher.hexdigest())


class Stop:
    """A flag that long reading looks at, so that Ctrl-C ends it soon."""

    def __init__(self) -> None:
        self.asked = False


def _feed(hasher: "object", content: OpenContent, stopped: Stop | None, done: Callable[[int], None] | None) -> int:
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    update = hasher.update  # type: ignore[attr-defined]  # hashlib has no public name for its objects' type
    os.lseek(content.descriptor, 0, os.SEEK_SET)
    read = 0
    while count := os.readv(content.descriptor, [buffer]):
        if stopped is not None and stopped.asked:
            raise ChangedWhileSaved(os.fsdecode(content.path), "reading was interrupted")
        update(view[:count])
        read += count
        if done is not None:
            done(count)
    return read
