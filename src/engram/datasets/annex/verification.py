"""Hold bytes against the key that names them, as they come.

Source: https://git-annex.branchable.com/backends/
"""

import os
from collections.abc import Callable
from typing import Final

from engram.datasets.annex.backends import Hasher, backend_of, digest_of, new_hasher, verifies
from engram.datasets.annex.facts import key_size
from engram.model.errors import ChecksumMismatch, Unreadable

#: How much is read at once: what was read is still in the processor's cache when it is hashed.
CHUNK_BYTES: Final = 1 << 18
#: Backends whose keys promise a size, and no digest.
_SIZE_ONLY = ("WORM", "URL")


def can_verify(key: bytes) -> bool:
    """Whether content can be held against *key* here: by its digest, or, where there is none, by its size."""
    backend = backend_of(key)
    return verifies(backend) or (backend in _SIZE_ONLY and key_size(key) is not None)


class Check:
    """Holds bytes against a key as they come."""

    def __init__(self, key: bytes, source: str) -> None:
        self._key = key
        self._source = source
        backend = backend_of(key)
        self._backend = backend if verifies(backend) else ""
        self.again()

    def again(self) -> None:
        """Forget what came so far."""
        self._hasher: Hasher | None = new_hasher(self._backend) if self._backend else None

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """The next bytes."""
        if self._hasher is not None:
            self._hasher.update(data)

    def done(self, came: int, size: int) -> None:
        """That was all. Raises `ChecksumMismatch`."""
        if came != size:
            raise ChecksumMismatch(os.fsdecode(self._key), self._source, f"{came} bytes")
        if self._hasher is not None and (found := self._hasher.hexdigest()) != digest_of(self._key):
            raise ChecksumMismatch(os.fsdecode(self._key), self._source, found)

    def whole(self, descriptor: int, place: bytes, size: int, advance: Callable[[int], None]) -> None:
        """All of an open file. Raises `ChecksumMismatch`."""
        self.done(self.feed(descriptor, place, advance), size)

    def feed(self, descriptor: int, place: bytes, advance: Callable[[int], None]) -> int:
        """All bytes of an open file, from its beginning; how many there are. Raises `Unreadable`."""
        buffer = bytearray(CHUNK_BYTES)
        view = memoryview(buffer)
        came = 0
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            while count := os.readv(descriptor, [buffer]):
                self.update(view[:count])
                came += count
                advance(count)
        except OSError as error:
            raise Unreadable(os.fsdecode(place), os.strerror(error.errno or 0)) from error
        return came
