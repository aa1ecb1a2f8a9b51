"""The floors: what no program that gives the same result can do without, as plain loops without any precaution.

``python bare.py links FOLDER`` turns every file below FOLDER into a link to an object as git-annex keeps it, durably:
walk, read, hash, chmod, three folders, rename, symlink, chmod, one sync of the file system.

``python bare.py dataset FOLDER`` lays out all files of a saved dataset: these, and git's index, and one pack
with the objects of the main and the git-annex branch, stored, not compressed. FOLDER has been made by ``git init``.

``python bare.py get CLONE SIBLING`` copies every object of SIBLING into CLONE: open, read, hash, write aside, one sync,
folders, rename, chmod, one sync; and one pack with the objects of the git-annex branch, that no log is read for.

``python bare.py drop CLONE SIBLING`` drops every object of CLONE as git-annex's protocol of locks asks: a lock on it,
and one on the copy in SIBLING, which is looked at, each in a folder that is opened and sealed for it; one sync of
SIBLING; one pack with the objects of the git-annex branch, and a sync; then objects, locks and folders are removed; one
sync.

``python bare.py hash ALGORITHM FOLDER`` only reads and hashes.
"""

import ctypes
import fcntl
import hashlib
import os
import resource
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from itertools import accumulate

# Five bits of the MD5's first word per letter. Source: https://git-annex.branchable.com/internals/hashing/
_LETTERS = "0123456789zqjxkmvwgpfZQJXKMVWGPF"
_LOG = b"1760000000s 1 00000000-0000-0000-0000-000000000001\n"
_WHO = b"Bench <bench@example.org> 1760000000 +0000"
_COMMIT, _TREE, _BLOB = 1, 2, 3
_NAMES = {_COMMIT: b"commit", _TREE: b"tree", _BLOB: b"blob"}

#: Path and target of a link, relative to its dataset.
Link = tuple[str, str]


def files_below(folder: str) -> Iterator[os.DirEntry[str]]:
    """Every file, in git's order of paths where names hold nothing below a slash."""
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != ".git":
                yield from files_below(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry


def hash_folder(key: str) -> str:
    word = int.from_bytes(_md5(key).digest()[:4], "little")
    first, second, third, fourth = (_LETTERS[(word >> (6 * place)) & 31] for place in range(4))
    return f"{second}{first}/{fourth}{third}"


def _md5(key: str) -> "hashlib._Hash":
    return hashlib.md5(key.encode(), usedforsecurity=False)


def lay_out(folder: str) -> list[Link]:
    """Make every file a link to an object; what the links say."""
    objects = f"{folder}/.git/annex/objects"
    os.makedirs(objects, exist_ok=True)
    links = []
    for entry in files_below(folder):
        size_bytes = entry.stat(follow_symlinks=False).st_size
        key = f"SHA256E-s{size_bytes}--{digest('sha256', entry.path)}{os.path.splitext(entry.name)[1]}"
        above = f"{objects}/{hash_folder(key)}"
        _make_folder(above[:-3])
        _make_folder(above)
        _make_folder(f"{above}/{key}")
        os.chmod(entry.path, 0o444)
        os.rename(entry.path, f"{above}/{key}/{key}")
        path = entry.path[len(folder) + 1 :]
        target = f"{'../' * path.count('/')}{above[len(folder) + 1 :]}/{key}/{key}"
        os.symlink(target, entry.path)
        os.chmod(f"{above}/{key}", 0o555)  # noqa: S103 - as git-annex leaves it
        links.append((path, target))
    return links


def digest(algorithm: str, path: str) -> str:
    with open(path, "rb", buffering=0) as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        return


def take_all(clone: str, sibling: str) -> None:
    """Put a copy of every object of *sibling* into *clone*, and write that down."""
    theirs, aside = f"{sibling}/.git/annex/objects", f"{clone}/.git/annex/aside"
    os.mkdir(aside)
    folders = [os.path.relpath(entry.path, theirs) for entry in _objects_below(theirs)]
    for number, path in enumerate(folders):
        if _take(f"{theirs}/{path}", f"{aside}/{number}") not in path:
            raise SystemExit(f"{path} is damaged")
    _sync(aside)
    mine = f"{clone}/.git/annex/objects"
    _make_folder(mine)
    for number, path in enumerate(folders):
        first, second, key, _ = path.split("/")
        _make_folder(f"{mine}/{first}")
        _make_folder(f"{mine}/{first}/{second}")
        _make_folder(f"{mine}/{first}/{second}/{key}")
        os.rename(f"{aside}/{number}", f"{mine}/{path}")
        os.chmod(f"{mine}/{first}/{second}/{key}", 0o555)  # noqa: S103 - as git-annex leaves it
    pack = Pack()
    _add_logs(pack, (os.path.basename(path) for path in folders))
    pack.write(f"{clone}/.git/objects/pack")
    _sync(mine)


def _objects_below(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _objects_below(entry.path)
            else:
                yield entry


def _take(place: str, aside: str) -> str:
    """The digest of a file, of which *aside* is a copy from then on."""
    source = os.open(place, os.O_RDONLY)
    content = os.read(source, os.fstat(source).st_size)
    os.close(source)
    target = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    os.write(target, content)
    os.close(target)
    return hashlib.sha256(content).hexdigest()


# ---- drop -----------------------------------------------------------------------------------------------------------

_ALONE, _SHARED = (struct.pack("hhqqi", kind, 0, 0, 0, 0) for kind in (fcntl.F_WRLCK, fcntl.F_RDLCK))
#: Open files that are left to everything else.
_SPARE = 100


def drop_all(clone: str, sibling: str) -> None:
    """Remove every object of *clone*, of which *sibling* has a copy, and write that down."""
    mine, theirs = f"{clone}/.git/annex/objects", f"{sibling}/.git/annex/objects"
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    left = [os.path.dirname(os.path.relpath(entry.path, mine)) for entry in _objects_below(mine)]
    while left:
        now, left = left[: (most - _SPARE) // 2], left[(most - _SPARE) // 2 :]
        held = [(folder, _lock_own(f"{mine}/{folder}"), _lock_copy(f"{theirs}/{folder}")) for folder in now]
        _sync(theirs)
        pack = Pack()
        _add_logs(pack, map(os.path.basename, now))
        pack.write(f"{clone}/.git/objects/pack")
        _sync(mine)
        for folder, own, copy in held:
            _remove(f"{mine}/{folder}", own)
            _let_go(f"{theirs}/{folder}", copy)
        for folder in {folder.partition("/")[0] for folder in now}:
            _remove_folder(f"{mine}/{folder}")
    _sync(mine)


def _lock_own(folder: str) -> int:
    os.access(f"{folder}/{os.path.basename(folder)}.rtm", os.F_OK)  # does somebody far away count on it?
    return _lock(folder, _ALONE)


def _lock_copy(folder: str) -> int:
    lock = _lock(folder, _SHARED)
    os.chmod(folder, 0o555)  # noqa: S103 - as git-annex leaves it
    os.lstat(f"{folder}/{os.path.basename(folder)}")
    return lock


def _lock(folder: str, kind: bytes) -> int:
    os.chmod(folder, 0o755)  # noqa: S103 - as git-annex does
    lock = os.open(f"{folder}/{os.path.basename(folder)}.lck", os.O_RDWR | os.O_CREAT)
    fcntl.fcntl(lock, fcntl.F_OFD_SETLK, kind)
    return lock


def _let_go(folder: str, lock: int) -> None:
    fcntl.fcntl(lock, fcntl.F_OFD_SETLK, _ALONE)  # does nobody else hold it?
    os.chmod(folder, 0o755)  # noqa: S103 - as git-annex does
    os.unlink(f"{folder}/{os.path.basename(folder)}.lck")
    os.chmod(folder, 0o555)  # noqa: S103 - as git-annex leaves it
    os.close(lock)


def _remove(folder: str, lock: int) -> None:
    os.unlink(f"{folder}/{os.path.basename(folder)}")
    os.unlink(f"{folder}/{os.path.basename(folder)}.lck")
    os.close(lock)
    os.rmdir(folder)
    _remove_folder(os.path.dirname(folder))


def _remove_folder(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        return


# ---- git's files ----------------------------------------------------------------------------------------------------


def record(folder: str, links: list[Link]) -> None:
    """Commit *links* on main, and where their content is on git-annex: one pack, the index, two refs."""
    pack = Pack()
    names = [(path, pack.add(_BLOB, target.encode())) for path, target in links]
    main = pack.add(_COMMIT, _commit(_add_tree(pack, _nested(names), b"120000")))
    annex = _add_logs(pack, (target.rpartition("/")[2] for _, target in links))
    pack.write(f"{folder}/.git/objects/pack")
    _write(f"{folder}/.git/index", _index(folder, names))
    _write(f"{folder}/.git/refs/heads/main", main.hex().encode() + b"\n")
    _write(f"{folder}/.git/refs/heads/git-annex", annex.hex().encode() + b"\n")


def _add_logs(pack: "Pack", keys: Iterable[str]) -> bytes:
    """A commit that says where the contents of *keys* are."""
    log = pack.add(_BLOB, _LOG)
    logs = [(_log_path(key), log) for key in keys]
    return pack.add(_COMMIT, _commit(_add_tree(pack, _nested(sorted(logs)), b"100644")))


class Pack:
    """A pack of objects that are not compressed."""

    def __init__(self) -> None:
        self._places: dict[bytes, tuple[int, int]] = {}
        self._parts: list[bytes] = []
        self._offset = 12

    def add(self, kind: int, data: bytes) -> bytes:
        name = hashlib.sha1(b"%b %d\0%b" % (_NAMES[kind], len(data), data), usedforsecurity=False).digest()
        if name not in self._places:
            entry = _entry_header(kind, len(data)) + _stored(data)
            self._places[name] = (self._offset, zlib.crc32(entry))
            self._parts.append(entry)
            self._offset += len(entry)
        return name

    def write(self, folder: str) -> None:
        body = b"PACK" + struct.pack(">2I", 2, len(self._parts)) + b"".join(self._parts)
        trailer = hashlib.sha1(body, usedforsecurity=False).digest()
        _write(f"{folder}/pack-{trailer.hex()}.pack", body + trailer)
        names = sorted(self._places)
        counts = [0] * 256
        for name in names:
            counts[name[0]] += 1
        offsets, checksums = zip(*(self._places[name] for name in names), strict=True)
        numbers = struct.pack(f">{2 * len(names)}I", *checksums, *offsets)
        index = b"\xfftOc\0\0\0\2" + struct.pack(">256I", *accumulate(counts)) + b"".join(names) + numbers + trailer
        _write(f"{folder}/pack-{trailer.hex()}.idx", index + hashlib.sha1(index, usedforsecurity=False).digest())


def _entry_header(kind: int, size: int) -> bytes:
    byte, size = kind << 4 | size & 15, size >> 4
    header = bytearray()
    while size:
        header.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    header.append(byte)
    return bytes(header)


def _stored(data: bytes) -> bytes:
    """A zlib stream that says *data* as it is: blocks of at most 64 KiB, the last one marked."""
    blocks = [data[start : start + 0xFFFF] for start in range(0, len(data), 0xFFFF)] or [b""]
    written = [
        bytes((block is blocks[-1],)) + struct.pack("<2H", len(block), len(block) ^ 0xFFFF) + block for block in blocks
    ]
    return b"\x78\x01" + b"".join(written) + struct.pack(">I", zlib.adler32(data))


Tree = dict[str, "Tree | bytes"]


def _nested(names: Iterable[tuple[str, bytes]]) -> Tree:
    root: Tree = {}
    for path, name in names:
        *folders, last = path.split("/")
        tree = root
        for folder in folders:
            inner = tree.setdefault(folder, {})
            assert isinstance(inner, dict)
            tree = inner
        tree[last] = name
    return root


def _add_tree(pack: Pack, tree: Tree, mode: bytes) -> bytes:
    entries = (
        b"40000 %b\0%b" % (name.encode(), _add_tree(pack, inner, mode))
        if isinstance(inner, dict)
        else b"%b %b\0%b" % (mode, name.encode(), inner)
        for name, inner in tree.items()
    )
    return pack.add(_TREE, b"".join(entries))


def _commit(tree: bytes) -> bytes:
    return b"tree %b\nauthor %b\ncommitter %b\n\nmore data\n" % (tree.hex().encode(), _WHO, _WHO)


def _log_path(key: str) -> str:
    digits = _md5(key).hexdigest()
    return f"{digits[:3]}/{digits[3:6]}/{key}.log"


def _index(folder: str, names: list[tuple[str, bytes]]) -> bytes:
    parts = [b"DIRC" + struct.pack(">2I", 2, len(names))]
    for path, name in names:
        link = os.lstat(f"{folder}/{path}")
        changed_s, changed_ns = divmod(link.st_ctime_ns, 1_000_000_000)
        modified_s, modified_ns = divmod(link.st_mtime_ns, 1_000_000_000)
        inode = link.st_ino & 0xFFFFFFFF
        times = (changed_s, changed_ns, modified_s, modified_ns)
        numbers = (*times, link.st_dev, inode, 0o120000, link.st_uid, link.st_gid, link.st_size)
        encoded = path.encode()
        entry = struct.pack(">10I20sH", *numbers, name, min(len(encoded), 0xFFF)) + encoded
        parts.append(entry + b"\0" * (8 - len(entry) % 8))
    body = b"".join(parts)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    if ctypes.CDLL(None).syncfs(descriptor):
        raise OSError("syncfs failed")
    os.close(descriptor)


def main(what: str, *arguments: str) -> None:
    if what == "hash":
        algorithm, folder = arguments
        for entry in files_below(folder):
            digest(algorithm, entry.path)
        return
    if what in ("get", "drop"):
        (take_all if what == "get" else drop_all)(*arguments)
        return
    (folder,) = arguments
    links = lay_out(folder)
    if what == "dataset":
        record(folder, links)
    _sync(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
