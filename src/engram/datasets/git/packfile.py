"""One pack and its index, for reading.

Source: gitformat-pack(5)
"""

import mmap
import os
import zlib
from functools import cached_property
from struct import Struct
from typing import Final, TypeAlias

from engram.datasets.git.objects import BLOB, COMMIT, TAG, TREE
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.small_files import open_part
from engram.model.errors import DamagedRepository

#: Kinds of entries that are deltas: the base is so many bytes before; the base has this id.
OFFSET_DELTA: Final = 6
REFERENCE_DELTA: Final = 7
KIND_OF: Final = {1: COMMIT, 2: TREE, 3: BLOB, 4: TAG}

_Bytes: TypeAlias = bytes | mmap.mmap
_READ_WHOLE_BYTES = 1 << 18
_NUMBER = Struct(">I")
_LONG_NUMBER = Struct(">Q")
_OID_BYTES = 20
_SPARE_BYTES = 512


class PackFile:
    """A pack. It is opened when something in it is asked for; then it can be read even after git removed it."""

    def __init__(self, index_path: bytes) -> None:
        self._path = index_path[: -len(b".idx")]
        self.name = os.fsdecode(self._path + b".pack")

    @cached_property
    def _index(self) -> "_Index":
        return _Index(_open(self._path + b".idx"), os.fsdecode(self._path + b".idx"))

    @cached_property
    def _pack(self) -> memoryview:
        data = _open(self._path + b".pack")
        if len(data) < 32 or data[:4] != b"PACK":
            raise self.damaged("it does not start as a pack")
        if data[4:8] not in {b"\0\0\0\2", b"\0\0\0\3"}:
            raise NotUnderstood("a pack of an unknown version")
        return memoryview(data)[: len(data) - _OID_BYTES]

    def damaged(self, reason: str) -> DamagedRepository:
        """The error that names this pack."""
        return DamagedRepository(self.name, reason)

    def find(self, oid: bytes) -> int | None:
        """Where the object starts in the pack."""
        return self._index.find(oid)

    def names(self) -> list[bytes]:
        """The id of every object in the pack."""
        return self._index.names()

    def rest(self) -> None:
        """Give back the memory of what was looked at: the system reads it from the disk again when it is wanted."""
        known = vars(self)  # what was never opened stays closed
        for data in (
            known["_index"].data if "_index" in known else b"",
            known["_pack"].obj if "_pack" in known else b"",
        ):
            if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                data.madvise(mmap.MADV_DONTNEED)

    def header(self, offset: int) -> tuple[int, int, int]:
        """An entry's kind, its size when inflated, and where it goes on."""
        pack = self._pack
        try:
            if offset < 12:
                raise IndexError(offset)
            byte = pack[offset]
            kind, size, shift = byte >> 4 & 7, byte & 15, 4
            while byte & 0x80:
                offset += 1
                byte = pack[offset]
                size |= (byte & 0x7F) << shift
                shift += 7
        except IndexError:
            raise self.damaged("an entry lies outside of it") from None
        if shift > 70:
            raise self.damaged("an entry has an impossible size")
        return kind, size, offset + 1

    def base_offset(self, offset: int, position: int) -> tuple[int, int]:
        """For the entry at *offset* whose header ends at *position*: where its base starts, where its delta starts."""
        pack = self._pack
        try:
            byte = pack[position]
            distance = byte & 0x7F
            while byte & 0x80:
                position += 1
                byte = pack[position]
                distance = (distance + 1) << 7 | (byte & 0x7F)
                if distance > offset:
                    break
        except IndexError:
            raise self.damaged("an entry is cut short") from None
        if not 0 < distance < offset:
            raise self.damaged("the base of a delta lies outside of it")
        return offset - distance, position + 1

    def oid_at(self, position: int) -> bytes:
        """The id there."""
        oid = bytes(self._pack[position : position + _OID_BYTES])
        if len(oid) != _OID_BYTES:
            raise self.damaged("an entry is cut short")
        return oid

    def inflate(self, position: int, size: int) -> bytes:
        """The *size* bytes that are deflated at *position*."""
        pack = self._pack
        stream = zlib.decompressobj()
        end = position + size + (size >> 8) + _SPARE_BYTES
        try:
            data = stream.decompress(pack[position:end], size + 1)
            while not stream.eof and len(data) <= size and end < len(pack):
                start, end = end, end + size + _SPARE_BYTES
                more = stream.unconsumed_tail + pack[start:end]
                data += stream.decompress(more, size + 1 - len(data))
        except zlib.error as error:
            raise self.damaged(f"an entry does not inflate ({error})") from None
        if len(data) != size or not stream.eof:
            raise self.damaged("an entry is not as long as it says")
        return data


class _Index:
    """A pack's index, version 1 or 2."""

    def __init__(self, data: _Bytes, name: str) -> None:
        self.data = data
        self._name = name
        new = data[:4] == b"\xfftOc"
        if new and data[4:8] != b"\0\0\0\2":
            raise NotUnderstood("a pack index of an unknown version")
        self._fanout = 8 if new else 0
        if len(data) < self._fanout + 1024 + 2 * _OID_BYTES:
            raise self._damaged()
        counts = [_NUMBER.unpack_from(data, self._fanout + 4 * i)[0] for i in range(256)]
        self._counts: list[int] = counts
        self._count = counts[-1]
        first = self._fanout + 1024
        #: Where the first id is, how far the next.
        self._names, self._step = (first, _OID_BYTES) if new else (first + 4, _OID_BYTES + 4)
        #: Where the first offset is, how far the next.
        self._offsets: int
        self._offset_step: int
        self._offsets, self._offset_step = (first + 24 * self._count, 4) if new else (first, 24)
        needed = first + (28 if new else 24) * self._count + 2 * _OID_BYTES
        if sorted(counts) != counts or len(data) < needed:
            raise self._damaged()

    def _damaged(self) -> DamagedRepository:
        return DamagedRepository(self._name, "it is no whole index of a pack")

    def find(self, oid: bytes) -> int | None:
        first = oid[0]
        low, high = self._counts[first - 1] if first else 0, self._counts[first]
        data, names, step = self.data, self._names, self._step
        while low < high:
            middle = (low + high) // 2
            start = names + step * middle
            name = data[start : start + _OID_BYTES]
            if name < oid:
                low = middle + 1
            elif name > oid:
                high = middle
            else:
                return self._offset(middle)
        return None

    def names(self) -> list[bytes]:
        end = self._names + self._step * self._count
        return [self.data[start : start + _OID_BYTES] for start in range(self._names, end, self._step)]

    def _offset(self, i: int) -> int:
        offset: int = _NUMBER.unpack_from(self.data, self._offsets + self._offset_step * i)[0]
        if self._fanout and offset & 0x8000_0000:
            start = self._offsets + 4 * self._count + 8 * (offset & 0x7FFF_FFFF)
            if start + 8 + 2 * _OID_BYTES > len(self.data):
                raise self._damaged()
            offset = _LONG_NUMBER.unpack_from(self.data, start)[0]
        return offset


def _open(path: bytes) -> _Bytes:
    """A file's bytes; a large file stays on the disk, a small one holds no descriptor."""
    with open_part(path) as file:
        if os.fstat(file.fileno()).st_size <= _READ_WHOLE_BYTES:
            return file.read()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
