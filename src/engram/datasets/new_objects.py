"""git objects on their way to the disk: few are held and become loose files, many go into a pack as they come."""

import os
from collections.abc import Iterable
from typing import Final, TypeAlias

from engram.datasets.git.objects import BLOB
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.pack import PACK_FROM, PackWriter, write_loose
from engram.durable import Steps
from engram.model.errors import StorageFailed

#: A new object: its id, its kind, its bytes.
NewObject: TypeAlias = tuple[bytes, bytes, bytes]

#: With less room than that even few objects become a pack: loose ones take a file and a folder each, which a write that
#: then fails leaves there, for somebody else may know them already.
_TIGHT_BYTES: Final = 1 << 20


class NewObjects:
    """Objects that are not on the disk yet, but for those that a pack took already.

    Args:
        objects: what reads them once they are stored.
        folder: the repository's ``objects``.
    """

    def __init__(self, steps: Steps, objects: ObjectStore, folder: bytes) -> None:
        self._steps = steps
        self._objects = objects
        self._folder = folder
        self._held: list[NewObject] = []
        self._writer: PackWriter | None = None

    def put(self, kind: bytes, data: bytes, oid: bytes) -> None:
        """Take one object."""
        if self._writer is None:
            self._held.append((oid, kind, data))
            if len(self._held) < PACK_FROM:
                return
            self._open_pack()
        else:
            self._writer.add(kind, data, oid)

    def stream_blob(self, size_bytes: int, chunks: Iterable[bytes], name: str) -> bytes:
        """Take a blob too large to be held; its id. Raises `ChangedWhileSaved`."""
        return self._open_pack().add_stream(BLOB, size_bytes, chunks, name)

    def _open_pack(self) -> PackWriter:
        if self._writer is None:
            self._writer = PackWriter(self._steps, self._folder)
            for oid, kind, data in self._held:
                self._writer.add(kind, data, oid)
            self._held = []
        return self._writer

    def abandon(self) -> None:
        """Forget what was put and not stored; nothing when there is none."""
        self._held = []
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None

    def store(self) -> None:
        """Bring all of them to the disk."""
        if self._held and self._is_tight():
            self._open_pack()
        if self._writer is None:
            write_loose(self._steps, self._folder, [(kind, data) for _, kind, data in self._held])
        else:
            try:
                self._writer.finish()
            except StorageFailed:
                self.abandon()  # what little room there is, it is for who comes next
                raise
            self._writer = None
        self._held = []
        self._objects.refresh()

    def _is_tight(self) -> bool:
        room = os.statvfs(self._folder)
        return room.f_bavail * room.f_frsize < _TIGHT_BYTES
