"""Did a file's content really change? Asked only where the index's stat data leaves a doubt.

What git's filters would make of a file is decided here without running one: content that no filter touches, and
git-annex's own pointers. Where only a foreign filter could tell, the answer is `Verdict.UNDECIDED`.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias

from engram.datasets.annex.backends import is_native
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in, link_of
from engram.datasets.annex.reading import digest_of, open_content
from engram.datasets.git.index import GitIndex
from engram.datasets.git.objects import EXECUTABLE_MODE, FILE_MODE, SYMLINK_MODE, object_id
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.problems import MissingObject

#: Attribute values of a path: ``True``, ``False``, ``None`` (unspecified) or text.
AttributesOf: TypeAlias = Callable[[bytes, tuple[bytes, ...]], Mapping[bytes, bytes | bool | None]]

#: Attributes that make git keep something else than the file's own bytes.
CONVERTING = (b"filter", b"text", b"crlf", b"eol", b"ident", b"working-tree-encoding")
_CHUNK_BYTES = 1 << 20


class Verdict(Enum):
    """What a look at the content says."""

    SAME = "same"
    DIFFERENT = "different"
    #: Only a program that the dataset names could tell.
    UNDECIDED = "undecided"


class Comparison:
    """Compares files of a work tree with what the index has for them."""

    def __init__(
        self, top: bytes, index: GitIndex, objects: ObjectStore, attributes: AttributesOf, *, file_mode: bool = True
    ) -> None:
        self._top = top
        self._index = index
        self._objects = objects
        self._attributes = attributes
        self._file_mode = file_mode

    def verdict(self, position: int, status: os.stat_result) -> Verdict:
        """Whether the file at an entry's path is what the entry says. Raises `Unreadable`."""
        mode, path = self._index.mode(position), self._index.paths[position]
        if mode == SYMLINK_MODE:
            return self._link(path, position, status)
        if not stat.S_ISREG(status.st_mode):
            return Verdict.DIFFERENT
        if self._file_mode and (mode == EXECUTABLE_MODE) != bool(status.st_mode & 0o100):
            return Verdict.DIFFERENT
        return self._file(path, position) if mode in (FILE_MODE, EXECUTABLE_MODE) else Verdict.DIFFERENT

    def _link(self, path: bytes, position: int, status: os.stat_result) -> Verdict:
        if not stat.S_ISLNK(status.st_mode):
            return Verdict.DIFFERENT
        target = os.readlink(os.path.join(self._top, path))
        return Verdict.SAME if object_id(b"blob", target) == self._index.oid(position) else Verdict.DIFFERENT

    def _file(self, path: bytes, position: int) -> Verdict:
        place, oid = os.path.join(self._top, path), self._index.oid(position)
        if blob_id_of(place) == oid:
            return Verdict.SAME
        key = self.recorded_key(oid)
        if key is not None:
            return _holds(place, key)
        return Verdict.UNDECIDED if self._is_converted(path) else Verdict.DIFFERENT

    def recorded_key(self, oid: bytes) -> bytes | None:
        """The key that a recorded pointer file stands for; ``None`` when the content is no pointer."""
        try:
            if self._objects.size(oid) > MAX_POINTER_BYTES:
                return None
            return key_in(self._objects.read(oid)[1])
        except MissingObject:
            return None

    def is_misplaced_link(self, position: int) -> bool:
        """Whether an entry is an annex link whose target does not fit its place."""
        target = self._objects.read(self._index.oid(position))[1]
        key = key_in(target)
        return key is not None and link_of(self._index.paths[position], key) != target

    def _is_converted(self, path: bytes) -> bool:
        found = self._attributes(path, CONVERTING)
        return any(
            value not in (None, False) and (name, value) != (b"filter", b"annex") for name, value in found.items()
        )


def blob_id_of(place: bytes) -> bytes:
    """The object id that a file's bytes have as a blob. Raises `Unreadable`."""
    content = open_content(place)
    try:
        hasher = hashlib.sha1(b"blob %d\0" % content.was.st_size, usedforsecurity=False)
        while data := os.read(content.descriptor, _CHUNK_BYTES):
            hasher.update(data)
        return hasher.digest()
    finally:
        content.close()


def _holds(place: bytes, key: bytes) -> Verdict:
    """Whether a file is the content of a key."""
    backend, _, digest = key.partition(b"-")[0].decode("ascii", "replace"), b"", key.partition(b"--")[2]
    if not is_native(backend):
        return Verdict.UNDECIDED
    content = open_content(place)
    try:
        same = digest_of(content, backend).encode() == digest.partition(b".")[0]
    finally:
        content.close()
    return Verdict.SAME if same else Verdict.DIFFERENT
