"""Reading objects: from packs, loose files, and the object folders of other repositories that this one borrows from.

Source: gitrepository-layout(5), gitformat-pack(5)
"""

import os
import re
import zlib
from collections.abc import Iterator
from typing import Final

from engram.datasets.git.delta import apply_delta
from engram.datasets.git.objects import COMMIT, KINDS, TAG, TREE, TREE_MODE, decode_commit, decode_tree, object_id
from engram.datasets.git.packfile import KIND_OF, OFFSET_DELTA, REFERENCE_DELTA, PackFile
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.datasets.git.quoting import unquote_start
from engram.datasets.git.small_files import open_part
from engram.model.errors import DamagedRepository

#: Objects above this are left to git, which streams them.
LIMIT_BYTES: Final = 1 << 30
#: Files in one tree. Ten trees of ten entries each can say ten thousand million.
LIMIT_ENTRIES: Final = 20_000_000

_LOOSE_HEADER = re.compile(rb"(blob|tree|commit|tag) (0|[1-9][0-9]{0,18})\0")
_TAG_TARGET = re.compile(rb"object ([0-9a-f]{40})\n")
_LONGEST_CHAIN = 4096
_DEEPEST_ALTERNATE = 5
_DEEPEST_TREE = 4096
_CACHE_BYTES = 16 << 20
_CACHED_BYTES = 1 << 20


class ObjectStore:
    """The objects of a repository.

    Args:
        folder: the repository's ``objects``, in its common directory.
        limit_bytes: larger objects raise `NotUnderstood`.
    """

    def __init__(self, folder: bytes, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._folders = _with_alternates(folder)
        self._packs: dict[bytes, PackFile] = {}
        self._last: PackFile | None = None
        self._listed = False
        #: Bases of deltas, most of which are bases of many.
        self._cache: dict[tuple[str, int], tuple[bytes, bytes]] = {}
        self._cache_bytes = 0

    @property
    def folders(self) -> tuple[bytes, ...]:
        """Where the objects lie: its own folder, and those that it borrows from."""
        return tuple(self._folders)

    def read(self, oid: bytes, *, verify: bool = False) -> tuple[bytes, bytes]:
        """Kind and bytes of an object.

        Raises:
            MissingObject: when it is nowhere.
            DamagedRepository: when it does not inflate to what it says, or, with *verify*, does not match its id.
        """
        kind, data = self._read(oid)
        if verify and object_id(kind, data) != oid:
            raise DamagedRepository(oid.hex(), "the object does not match its id")
        return kind, data

    def size(self, oid: bytes) -> int:
        """How many bytes an object has. Costs as much as `read`."""
        return len(self._read(oid)[1])

    def has(self, oid: bytes) -> bool:
        """The object is there; it may still be damaged."""
        return self._find(oid) is not None or self._loose(oid) is not None or self._find_anew(oid)

    def read_kind(self, oid: bytes, kind: bytes) -> bytes:
        """The bytes of an object that must be of this *kind*."""
        found, data = self.read(oid)
        if found != kind:
            raise DamagedRepository(oid.hex(), f"a {found.decode()} stands where a {kind.decode()} should")
        return data

    def tree_of(self, oid: bytes) -> bytes:
        """The tree of a commit, or of a tag of one, or the tree itself."""
        for _ in range(_LONGEST_CHAIN):
            kind, data = self.read(oid)
            if kind == TREE:
                return oid
            if kind == COMMIT:
                return decode_commit(data, oid.hex()).tree
            target = _TAG_TARGET.match(data)
            if kind != TAG or target is None:
                break
            oid = bytes.fromhex(target[1].decode())
        raise DamagedRepository(oid.hex(), "it names no commit and no tree")

    def read_tree(self, oid: bytes) -> list[tuple[int, bytes, bytes]]:
        """Mode, name and id of a tree's entries."""
        return decode_tree(self.read_kind(oid, TREE), oid.hex())

    def read_tree_flat(
        self, oid: bytes, prefix: bytes = b"", *, limit_entries: int = LIMIT_ENTRIES
    ) -> Iterator[tuple[bytes, int, bytes]]:
        """Path, mode and id of everything below a tree but the trees, in the order of an index.

        Raises:
            NotUnderstood: for more than *limit_entries* entries.
        """
        stack = [(prefix, iter(self.read_tree(oid)))]
        left = limit_entries
        while stack:
            prefix, entries = stack[-1]
            for mode, name, inner in entries:
                left -= 1
                if mode == TREE_MODE:
                    stack.append((prefix + name + b"/", iter(self.read_tree(inner))))
                    break
                yield prefix + name, mode, inner
            else:
                stack.pop()
            if left < 0 or len(stack) > _DEEPEST_TREE:
                raise NotUnderstood("a tree too large to be listed")

    def rest(self) -> None:
        """Give back the memory of the packs that were looked at. They can be read as before."""
        for pack in self._packs.values():
            pack.rest()

    def refresh(self) -> None:
        """Look anew which packs there are."""
        self._listed = True
        for folder in self._folders:
            pack_folder = os.path.join(folder, b"pack")
            try:
                names = os.listdir(pack_folder)
            except (FileNotFoundError, NotADirectoryError):
                continue
            packs = {name.removesuffix(b".pack") for name in names if name.endswith(b".pack")}
            for name in sorted(names):
                path = os.path.join(pack_folder, name)
                # git writes a pack's index first, and a local clone may have copied that alone
                if name.endswith(b".idx") and name.removesuffix(b".idx") in packs and path not in self._packs:
                    self._packs[path] = PackFile(path)

    def _read(self, oid: bytes) -> tuple[bytes, bytes]:
        place = self._find(oid)
        if place is None:
            loose = self._loose(oid)
            if loose is not None:
                return _inflate_loose(loose, oid.hex(), self._limit_bytes)
            self.refresh()
            place = self._find(oid)
        if place is None:
            raise MissingObject(oid)
        return self._unpack(*place)

    def _find(self, oid: bytes) -> tuple[PackFile, int] | None:
        if not self._listed:
            self.refresh()
        gone: list[bytes] = []
        found = None
        for path, pack in self._packs.items():
            try:
                offset = pack.find(oid)
            except FileNotFoundError:
                gone.append(path)
                continue
            if offset is not None:
                found = pack, offset
                if pack is not self._last:  # what comes next is most often in the same pack: it is asked first
                    self._last, self._packs = pack, {path: pack, **self._packs}
                break
        for path in gone:
            del self._packs[path]
        return found

    def _find_anew(self, oid: bytes) -> bool:
        self.refresh()
        return self._find(oid) is not None

    def _loose(self, oid: bytes) -> bytes | None:
        name = oid.hex().encode()
        for folder in self._folders:
            try:
                with open_part(os.path.join(folder, name[:2], name[2:])) as file:
                    return file.read()
            except (FileNotFoundError, NotADirectoryError):
                continue
        return None

    def _unpack(self, pack: PackFile, offset: int) -> tuple[bytes, bytes]:
        """The object there: inflate deltas down to a whole object, then apply them upwards."""
        deltas: list[tuple[PackFile, int, bytes]] = []
        while True:
            known = self._cache.get((pack.name, offset))
            if known is not None:
                kind, data = known
                break
            code, size, position = pack.header(offset)
            if size > self._limit_bytes:
                raise NotUnderstood(f"an object of {size} bytes")
            if code in KIND_OF:
                kind, data = KIND_OF[code], pack.inflate(position, size)
                break
            start = offset
            base, offset, position = self._base(pack, offset, position, code)
            deltas.append((pack, start, pack.inflate(position, size)))
            pack = base
            if len(deltas) > _LONGEST_CHAIN:
                raise pack.damaged("its deltas go round in a circle")
        if deltas:
            self._remember(pack.name, offset, kind, data)
        for pack, offset, delta in reversed(deltas):
            data = apply_delta(data, delta, pack.name, self._limit_bytes)
            self._remember(pack.name, offset, kind, data)
        return kind, data

    def _base(self, pack: PackFile, offset: int, position: int, code: int) -> tuple[PackFile, int, int]:
        """Where a delta's base is, and where the delta itself starts."""
        if code == OFFSET_DELTA:
            return pack, *pack.base_offset(offset, position)
        if code != REFERENCE_DELTA:
            raise pack.damaged("an entry is of an unknown kind")
        oid = pack.oid_at(position)
        inside = pack.find(oid)
        if inside is None:
            raise pack.damaged("the base of a delta is not in it")
        return pack, inside, position + len(oid)

    def _remember(self, name: str, offset: int, kind: bytes, data: bytes) -> None:
        if len(data) > _CACHED_BYTES or (name, offset) in self._cache:
            return
        if self._cache_bytes > _CACHE_BYTES:
            self._cache.clear()
            self._cache_bytes = 0
        self._cache[name, offset] = kind, data
        self._cache_bytes += len(data)


def _inflate_loose(packed: bytes, name: str, limit_bytes: int) -> tuple[bytes, bytes]:
    stream = zlib.decompressobj()
    try:
        start = stream.decompress(packed, 64)
        header = _LOOSE_HEADER.match(start)
        if header is None or header[1] not in KINDS:
            raise DamagedRepository(name, "the loose object has no header")
        size = int(header[2])
        if size > limit_bytes:
            raise NotUnderstood(f"an object of {size} bytes")
        missing = size - len(start) + header.end()
        rest = stream.decompress(stream.unconsumed_tail, missing + 1) if missing >= 0 else b"too long"
    except zlib.error as error:
        raise DamagedRepository(name, f"the loose object does not inflate ({error})") from None
    if len(rest) != missing or not stream.eof:
        raise DamagedRepository(name, "the loose object is not as long as it says")
    return header[1], start[header.end() :] + rest


def _with_alternates(folder: bytes) -> list[bytes]:
    """*folder* and those it borrows from, each once."""
    found: dict[bytes, bytes] = {}
    waiting = [(folder, 0)]
    while waiting:
        folder, depth = waiting.pop(0)
        real = os.path.realpath(folder)
        if real in found or depth > _DEEPEST_ALTERNATE:
            continue
        found[real] = folder
        try:
            with open_part(os.path.join(folder, b"info", b"alternates")) as file:
                lines = file.read().split(b"\n")
        except (FileNotFoundError, NotADirectoryError):
            continue
        for line in lines:
            if line and not line.startswith(b"#"):
                quoted = unquote_start(line)
                waiting.append((os.path.join(folder, quoted[0] if quoted else line), depth + 1))
    return list(found.values())
