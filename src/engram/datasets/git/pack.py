"""New objects: many as one pack with its index, few as loose files.

Nothing appears under its name before its bytes are on the disk, and a pack's index, by which git finds the pack, comes
last. What a crash leaves behind are files beside the packs that begin with `UNFINISHED`: the next save removes them,
and `git gc` would.

Source: gitformat-pack(5)
"""

import hashlib
import os
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import accumulate
from operator import itemgetter
from typing import Self, TypeAlias

from engram import durable
from engram.datasets.git.deflate import deflate
from engram.datasets.git.objects import BLOB, COMMIT, TAG, TREE, UNFINISHED, object_id
from engram.model.errors import ChangedWhileSaved, StorageFailed

#: Kind and bytes of an object.
NewObject: TypeAlias = tuple[bytes, bytes]

#: From so many objects on a pack is written; git's own limit is the same (fetch.unpackLimit).
PACK_FROM = 100
_HELD_BYTES = 16 << 20
_READ_BYTES = 1 << 20
_FAST = 1
_KIND_BITS = {COMMIT: 1 << 4, TREE: 2 << 4, BLOB: 3 << 4, TAG: 4 << 4}
_READ_ONLY = 0o444
_LARGE_OFFSET = 0x8000_0000
#: Where an object is and its checksum, in one number: half the memory of a pair.
_CHECKSUM_BITS = 32
_CHECKSUM = (1 << _CHECKSUM_BITS) - 1


class PackWriter:
    """Collects objects into one pack. What exceeds *held_bytes* is put on the disk at once.

    Within ``with PackWriter(…) as pack:`` call `finish`, else nothing is kept.
    """

    def __init__(self, steps: durable.Steps, objects_folder: bytes, *, held_bytes: int = _HELD_BYTES) -> None:
        self._steps = steps
        self._held_bytes = held_bytes
        self._folder = os.path.join(objects_folder, b"pack")
        #: Files to be removed unless they get their names.
        self._temporaries: list[bytes] = []
        #: The pack, once it is on the disk: its temporary name, descriptor, and how much of it is good.
        self._path = b""
        self._descriptor = -1
        self._written = 0
        self._parts: list[bytes] = [_header(0)]
        self._held = 0
        self._offset = 12
        #: Object id → offset and checksum in the pack, see `_CHECKSUM_BITS`.
        self._places: dict[bytes, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, Exception | KeyboardInterrupt):
            self.abandon()

    @property
    def count(self) -> int:
        """How many objects it has."""
        return len(self._places)

    def __contains__(self, oid: bytes) -> bool:
        return oid in self._places

    def add(self, kind: bytes, data: bytes, oid: bytes = b"") -> bytes:
        """Take one object, once; its id. Hand *oid* in when it is known."""
        oid = oid or object_id(kind, data)
        if oid in self._places:
            return oid
        size = len(data)
        first = _KIND_BITS[kind] | size & 15
        if size < 16:
            header = bytes((first,))
        else:
            header = bytes((first | 0x80, size >> 4)) if size < 2048 else _entry_header(first, size)
        entry = header + deflate(data)
        self._places[oid] = self._offset << _CHECKSUM_BITS | zlib.crc32(entry)
        self._put(entry)
        return oid

    def add_stream(self, kind: bytes, size_bytes: int, chunks: Iterable[bytes], name: str) -> bytes:
        """Take one object of known size piece by piece; its id. *name* is for the error.

        Raises:
            ChangedWhileSaved: when *chunks* are more or fewer bytes than *size_bytes*. Whatever is raised, also by
                *chunks*, the pack is then as it was before.
        """
        start = self._offset
        try:
            oid, checksum = self._stream(kind, size_bytes, chunks, name)
        except Exception:
            self._rewind(start)
            raise
        if oid in self._places:
            self._rewind(start)
        else:
            self._places[oid] = start << _CHECKSUM_BITS | checksum
        return oid

    def _stream(self, kind: bytes, size_bytes: int, chunks: Iterable[bytes], name: str) -> tuple[bytes, int]:
        """Id and checksum of an object that is put at the end of the pack."""
        first = _KIND_BITS[kind] | size_bytes & 15
        digest = hashlib.sha1(b"%b %d\0" % (kind, size_bytes), usedforsecurity=False)
        entry = bytes((first,)) if size_bytes < 16 else _entry_header(first, size_bytes)
        stream = zlib.compressobj(_FAST)
        checksum, left = zlib.crc32(entry), size_bytes
        self._put(entry)
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            piece = stream.compress(chunk)
            checksum = zlib.crc32(piece, checksum)
            self._put(piece)
        if left:
            raise ChangedWhileSaved(name, f"its size is not {size_bytes} bytes any more")
        piece = stream.flush()
        self._put(piece)
        return digest.digest(), zlib.crc32(piece, checksum)

    def finish(self) -> bytes | None:
        """Bring pack and index to the disk under their names; the pack's name, ``None`` when nothing was added."""
        if not self._places:
            self.abandon()
            return None
        header = _header(len(self._places))
        if self._descriptor < 0:
            self._parts[0] = header
            pack = b"".join(self._parts)
            trailer = hashlib.sha1(pack, usedforsecurity=False).digest()
            self._path = self._temporary_name()
            durable.write_new(self._steps, self._path, pack + trailer, mode=_READ_ONLY)
        else:
            trailer = self._finish_file(header)
        name = b"pack-" + trailer.hex().encode()
        self._reveal(name, trailer)
        return name

    def abandon(self) -> None:
        """Forget what was added, and tidy up as far as the disk lets us."""
        self._parts, self._places = [], {}
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        while self._temporaries:
            with suppress(FileNotFoundError, StorageFailed):
                durable.remove(self._steps, self._temporaries.pop())

    def _put(self, data: bytes) -> None:
        self._parts.append(data)
        self._offset += len(data)
        self._held += len(data)
        if self._held > self._held_bytes:
            self._flush()

    def _flush(self) -> None:
        if self._descriptor < 0:
            self._path = self._temporary_name()
            self._descriptor = durable.open_new(self._steps, self._path)
        durable.write_at(self._steps, self._descriptor, b"".join(self._parts), self._written, self._path)
        self._parts, self._held, self._written = [], 0, self._offset

    def _rewind(self, offset: int) -> None:
        """Forget the end of the pack, from *offset* on."""
        while self._parts and self._offset > offset:
            size = len(self._parts.pop())
            self._offset -= size
            self._held -= size
        if self._offset > offset:
            self._written = self._offset = offset

    def _finish_file(self, header: bytes) -> bytes:
        """Complete the pack that is on the disk already; its digest. The count in front changes, so it is read anew."""
        self._flush()
        steps, descriptor, path = self._steps, self._descriptor, self._path
        durable.write_at(steps, descriptor, header, 0, path)
        status = os.fstat(descriptor)
        if status.st_size > self._written:
            durable.truncate(steps, descriptor, self._written, path)
        digest = hashlib.sha1(usedforsecurity=False)
        position = 0
        while chunk := os.pread(descriptor, _READ_BYTES, position):
            digest.update(chunk)
            position += len(chunk)
        durable.write_at(steps, descriptor, digest.digest(), position, path)
        durable.change_mode(steps, descriptor, status.st_mode & _READ_ONLY, path)
        durable.sync_descriptor(steps, descriptor, path)
        os.close(descriptor)
        self._descriptor = -1
        return digest.digest()

    def _reveal(self, name: bytes, trailer: bytes) -> None:
        """Write the index, then give pack and index their names, the index last."""
        index = self._temporary_name()
        path = os.path.join(self._folder, name)
        durable.write_new(self._steps, index, _pack_index(self._places, trailer), mode=_READ_ONLY)
        for temporary, end in ((self._path, b".pack"), (index, b".idx")):
            durable.rename(self._steps, temporary, path + end)
            self._temporaries.remove(temporary)
        durable.sync_folder(self._steps, self._folder)

    def _temporary_name(self) -> bytes:
        self._temporaries.append(_temporary_in(self._steps, self._folder))
        return self._temporaries[-1]


def write_loose(steps: durable.Steps, objects_folder: bytes, objects: Iterable[NewObject]) -> None:
    """Bring each object to the disk in a file of its own. One that is there already, whole, is left alone."""
    folders: set[bytes] = set()
    for kind, data in objects:
        content = b"%b %d\0" % (kind, len(data)) + data
        name = hashlib.sha1(content, usedforsecurity=False).hexdigest().encode()
        folder = os.path.join(objects_folder, name[:2])
        path = os.path.join(folder, name[2:])
        if _is_whole(path, content):
            continue
        if not os.path.isdir(folder):
            durable.make_folder(steps, folder)
            folders.add(objects_folder)
        temporary = _temporary_in(steps, os.path.join(objects_folder, b"pack"))
        try:
            durable.write_new(steps, temporary, zlib.compress(content, _FAST), mode=_READ_ONLY)
            durable.rename(steps, temporary, path)
        except StorageFailed:
            with suppress(FileNotFoundError, StorageFailed):
                durable.remove(steps, temporary)
            raise
        folders.add(folder)
    for folder in sorted(folders, reverse=True):
        durable.sync_folder(steps, folder)


def _is_whole(path: bytes, content: bytes) -> bool:
    """An object is there and good; a crash under another program may have left it empty or torn."""
    try:
        with open(path, "rb") as file:
            return zlib.decompress(file.read()) == content
    except (FileNotFoundError, zlib.error):
        return False


def _temporary_in(steps: durable.Steps, folder: bytes) -> bytes:
    if not os.path.isdir(folder):
        durable.make_folders(steps, folder)
        durable.sync_folder(steps, os.path.dirname(folder))
    return os.path.join(folder, UNFINISHED + os.urandom(8).hex().encode())


def _header(count: int) -> bytes:
    return b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big")


def _entry_header(first: int, size: int) -> bytes:
    """Kind and size of an object of 16 bytes or more; *first* holds the kind and the low four bits."""
    encoded = bytearray()
    size >>= 4
    while size:
        encoded.append(first | 0x80)
        first = size & 0x7F
        size >>= 7
    encoded.append(first)
    return bytes(encoded)


def _pack_index(places: Mapping[bytes, int], trailer: bytes) -> bytes:
    """A pack's index, version 2."""
    names = sorted(places)
    fanout = _fanout(names)
    checksums = [places[name] & _CHECKSUM for name in names]
    offsets, large = [], []
    for name in names:
        offset = places[name] >> _CHECKSUM_BITS
        if offset >= _LARGE_OFFSET:
            large.append(offset)
            offset = _LARGE_OFFSET | len(large) - 1
        offsets.append(offset)
    numbers = struct.pack(f">{2 * len(names)}I", *checksums, *offsets)
    body = b"\xfftOc\0\0\0\2" + fanout + b"".join(names) + numbers + struct.pack(f">{len(large)}Q", *large) + trailer
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def _fanout(names: list[bytes]) -> bytes:
    """For each first byte, how many names begin with it or a lower one."""
    counts = Counter(map(itemgetter(0), names))
    return struct.pack(">256I", *accumulate(counts[first] for first in range(256)))
