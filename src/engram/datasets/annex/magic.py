"""The media type of a file, asked from libmagic with its database: the very ones that git-annex brings along.

Another libmagic, or another database, would give other answers, so none is looked for.

Source: libmagic(3)
"""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

_MAGIC_MIME_TYPE = 0x10
_MAGIC_MIME_ENCODING = 0x400
#: What libmagic is linked with, if it lies beside it.
_COMPANIONS = ("libbz2", "liblz", "libz")


class Magic:
    """One libmagic with one database, asked about files. Not for several threads at a time."""

    def __init__(self, library: ctypes.CDLL, cookie: ctypes.c_void_p) -> None:
        self._library = library
        self._cookie = cookie

    def describe(self, place: bytes) -> tuple[str, str] | None:
        """The media type and the encoding of a file; ``None`` where libmagic gives no answer.

        Reads at most the first MiB.
        """
        said: bytes | None = self._library.magic_file(self._cookie, place)
        if said is None:
            return None
        media_type, _, encoding = said.decode("ascii", "replace").partition("; charset=")
        return media_type, encoding


def magic_of(program: str) -> Magic | None:
    """The libmagic that a git-annex brings along in its wheel, with its database; ``None`` if it brings none.

    Args:
        program: the git-annex program itself, or its starter in an environment's ``bin``.
    """
    for package in _packages(Path(program).resolve()):
        database = package / "magic.mgc"
        libraries = sorted(package.parent.glob("git_annex.libs/libmagic*.so*"))
        if database.is_file() and libraries:
            return _open(libraries[0], database)
    return None


def _packages(program: Path) -> Iterator[Path]:
    yield program.parent
    yield from program.parent.parent.glob("lib/python3*/site-packages/git_annex")


def _open(path: Path, database: Path) -> Magic | None:
    library = _load(path)
    if library is None:
        return None
    library.magic_open.restype = ctypes.c_void_p
    library.magic_open.argtypes = [ctypes.c_int]
    library.magic_load.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.magic_file.restype = ctypes.c_char_p
    library.magic_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    cookie = library.magic_open(_MAGIC_MIME_TYPE | _MAGIC_MIME_ENCODING)
    if not cookie or library.magic_load(cookie, os.fsencode(database)) != 0:
        return None
    return Magic(library, cookie)


def _load(path: Path) -> ctypes.CDLL | None:
    """The library, after those beside it that it was linked with; ``None`` on a system it is not made for."""
    try:
        for other in sorted(path.parent.glob("lib*.so*")):
            if other != path and other.name.startswith(_COMPANIONS):
                ctypes.CDLL(str(other), mode=ctypes.RTLD_GLOBAL)
        return ctypes.CDLL(str(path))
    except OSError:
        return None
