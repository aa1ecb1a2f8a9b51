"""Look into a file piece by piece: few round trips, and never more of them than a limit allows."""

from collections.abc import Callable
from typing import Protocol, Self

from engram.model.errors import Malformed


class Readable(Protocol):
    """Where a file's bytes come from: the part of a `Folder` that readers need."""

    def read(self, path: str, count: int, offset: int = 0) -> bytes:
        """Up to *count* bytes from *offset* on."""
        ...


class Window:
    """A file, of which one piece is held at a time. Raises `Malformed` where it ends too early or asks for too much."""

    __slots__ = ("_bytes", "_data", "_ends", "_looks", "_read", "_start", "path")

    def __init__(
        self,
        path: str,
        read: Callable[[int, int], bytes],
        *,
        first_bytes: int = 1 << 16,
        most_looks: int = 64,
        most_bytes: int = 4 << 20,
    ) -> None:
        self.path = path
        self._read = read
        self._looks = most_looks
        self._bytes = most_bytes
        self._start = 0
        #: Whether the file ends where this piece ends.
        self._ends = False
        self._data = self._look(0, first_bytes)

    @classmethod
    def of(cls, folder: Readable, path: str, *, first_bytes: int = 1 << 16, most_bytes: int = 4 << 20) -> Self:
        """A file of a folder."""
        return cls(
            path,
            lambda count, offset: folder.read(path, count, offset),
            first_bytes=first_bytes,
            most_bytes=most_bytes,
        )

    @property
    def head(self) -> bytes:
        """The piece that was read last; right after the start, the file's first bytes."""
        return self._data

    def some(self, offset: int, count: int, *, ahead: int = 4096) -> bytes:
        """Up to *count* bytes from *offset* on: fewer only where the file ends. *ahead*: what to read at least."""
        at = offset - self._start
        if at < 0 or (at + count > len(self._data) and not self._ends):
            self._data = self._look(offset, max(count, ahead))
            self._start, at = offset, 0
        return self._data[at : at + count]

    def take(self, offset: int, count: int, *, ahead: int = 4096) -> bytes:
        """Exactly *count* bytes from *offset* on."""
        data = self.some(offset, count, ahead=ahead)
        if len(data) < count:
            raise Malformed(self.path, f"it ends where {count} bytes at {offset} should be")
        return data

    def _look(self, offset: int, count: int) -> bytes:
        self._looks -= 1
        self._bytes -= count
        if self._looks < 0 or self._bytes < 0:
            raise Malformed(self.path, "what it says of itself is spread too far to be looked for")
        data = self._read(count, offset)
        self._ends = len(data) < count
        return data
