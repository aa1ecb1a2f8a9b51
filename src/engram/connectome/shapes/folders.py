"""Folders of files of one body each: ``<body>.swc``, ``<body>.ngmesh``."""

import hashlib
import os
import re
import stat

from engram.connectome.reading import told
from engram.connectome.shapes import BadShape

_BODY = re.compile(r"[1-9][0-9]{0,19}")
#: A larger file is no body.
LARGEST_BYTES = 1 << 30
_CHUNK_BYTES = 1 << 20


def bodies_in(folder: str, ending: str) -> dict[int, str]:
    """Paths of the files of bodies, by body, rising. Raises `Unreadable`."""
    found = {}
    with told(folder):
        for name in os.listdir(folder):
            body = name.removesuffix(ending)
            if name.endswith(ending) and _BODY.fullmatch(body):
                found[int(body)] = os.path.join(folder, name)
    return dict(sorted(found.items()))


def digest_of_folder(folder: str) -> str:
    """SHA-256 of the names and contents of the files that lie in a folder. Raises `OSError`."""
    digest = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        place = os.path.join(folder, name)
        if os.path.isfile(place):
            digest.update(f"{len(name)} {name} {_digest_of(place)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _digest_of(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except PermissionError:
        return "nobody may read it"
    return digest.hexdigest()


def read_body(path: str, *, most_bytes: int = LARGEST_BYTES) -> bytes:
    """All bytes of a file of a body. Raises `BadShape`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise BadShape("it is no file")
            if found.st_size > most_bytes:
                raise BadShape(f"it has {found.st_size} bytes, more than a body needs ({most_bytes})")
            return file.read(most_bytes)
    except OSError as error:
        raise BadShape(f"it cannot be read: {error.strerror or error}") from error
