"""The floors: what no program that gives the same result can do without, as plain loops.

``python bare.py lay-out FOLDER`` turns every file below FOLDER into a link to an object as git-annex keeps it, durably:
walk, read, hash, chmod, three folders, rename, symlink, chmod, one sync of the file system. No git, no precautions.
``python bare.py hash ALGORITHM FOLDER`` only reads and hashes.
"""

import ctypes
import hashlib
import os
import sys
from collections.abc import Iterator

# Five bits of the MD5's first word per letter. Source: https://git-annex.branchable.com/internals/hashing/
_LETTERS = "0123456789zqjxkmvwgpfZQJXKMVWGPF"


def files_below(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in {".git", ".datalad"}:
                    yield from files_below(entry.path)
            elif entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
                yield entry


def hash_folder(key: str) -> str:
    word = int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()[:4], "little")
    first, second, third, fourth = (_LETTERS[(word >> (6 * place)) & 31] for place in range(4))
    return f"{second}{first}/{fourth}{third}"


def lay_out(folder: str) -> None:
    objects = f"{folder}/.git/annex/objects"
    os.makedirs(objects, exist_ok=True)
    for entry in list(files_below(folder)):
        size_bytes = entry.stat(follow_symlinks=False).st_size
        key = f"SHA256E-s{size_bytes}--{digest('sha256', entry.path)}{os.path.splitext(entry.name)[1]}"
        above = f"{objects}/{hash_folder(key)}"
        _make_folder(above[:-3])
        _make_folder(above)
        _make_folder(f"{above}/{key}")
        os.chmod(entry.path, 0o444)
        os.rename(entry.path, f"{above}/{key}/{key}")
        os.symlink(
            f"{'../' * entry.path[len(folder) + 1 :].count('/')}{above[len(folder) + 1 :]}/{key}/{key}", entry.path
        )
        os.chmod(f"{above}/{key}", 0o555)  # noqa: S103 - as git-annex leaves it
    _sync(folder)


def digest(algorithm: str, path: str) -> str:
    with open(path, "rb", buffering=0) as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        return


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    if ctypes.CDLL(None).syncfs(descriptor):
        raise OSError("syncfs failed")
    os.close(descriptor)


def main(what: str, *arguments: str) -> None:
    if what == "lay-out":
        lay_out(arguments[0])
    else:
        algorithm, folder = arguments
        for entry in files_below(folder):
            digest(algorithm, entry.path)


if __name__ == "__main__":
    main(*sys.argv[1:])
