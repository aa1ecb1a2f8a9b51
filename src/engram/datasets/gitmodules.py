"""``.gitmodules``: which subdatasets a dataset has, written as DataLad writes it.

Source: gitmodules(5); ``datalad-id`` as DataLad's ``create -d`` adds it.
"""

import os
import re

from engram.datasets.git.config import GitConfig
from engram.model.errors import UnsupportedFile

#: Scheme (one of several, as in ``annex::https://``), name, password, of what a URL says before its host.
_LOGIN = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#:]*)(:[^/?#]*)?@")
_ADDRESSED_BY_NAME = (b"ssh://", b"sftp://", b"rsync://")
_FORBIDDEN = re.compile(rb"[\x00-\x1f\x7f]")


def with_subdataset(text: bytes, path: bytes, *, url: bytes, dataset_id: bytes) -> bytes:
    """The file's *text* with one more subdataset, whose name is its path.

    Raises:
        UnsupportedFile: for a path that could be read as something else.
    """
    return (
        _ended(text)
        + _section(path)
        + _lines((b"path", path), (b"url", url), *(((b"datalad-id", dataset_id),) if dataset_id else ()))
    )


def without_subdataset(text: bytes, path: bytes) -> bytes:
    """The file's *text* without the sections whose subdataset lies at *path*; everything else stays as it is."""
    starts = [match.start() for match in re.finditer(rb"^[ \t]*\[", text, re.MULTILINE)]
    pieces = [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]
    return b"".join(piece for piece in pieces if path not in _paths_in(piece))


def _paths_in(section: bytes) -> set[bytes]:
    settings = GitConfig.from_bytes(section, ".gitmodules").settings
    return {os.fsencode(one.value or "") for one in settings if one.name.endswith(".path")}


def with_active_subdataset(text: bytes, path: bytes, *, url: bytes) -> bytes:
    """A repository's configuration *text*, with the subdataset marked as installed."""
    return _ended(text) + _section(path) + _lines((b"active", b"true"), (b"url", url))


def names(text: bytes, path: bytes) -> bool:
    """Whether a file of sections has one for *path* already."""
    return _section(path) in _ended(text)


def relative_url(path: bytes) -> bytes:
    """Where a subdataset is to be had from: beside its superdataset."""
    return b"./" + path


def without_secrets(url: bytes) -> bytes:
    """A *url* as it may be published: without a password or token, and without the name that goes with it.

    Who logs in by ssh keeps the name, which is part of the address there.
    """
    return _LOGIN.sub(_without_login, url)


def _without_login(login: re.Match[bytes]) -> bytes:
    scheme, name, _ = login.groups()
    return scheme + (name + b"@" if scheme.lower().endswith(_ADDRESSED_BY_NAME) else b"")


def _ended(text: bytes) -> bytes:
    return text if not text or text.endswith(b"\n") else text + b"\n"


def _section(path: bytes) -> bytes:
    if _FORBIDDEN.search(path) or path.startswith(b"-"):
        raise UnsupportedFile(
            os.fsdecode(path), "a subdataset's path may hold no control character and no leading dash"
        )
    return b'[submodule "' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"]\n'


def _lines(*settings: tuple[bytes, bytes]) -> bytes:
    return b"".join(b"\t" + name + b" = " + _quoted(value) + b"\n" for name, value in settings)


def _quoted(value: bytes) -> bytes:
    """A value as git's own files spell it; it may come from a subdataset that means harm."""
    value = value.replace(b"\0", b"").replace(b"\r", b"")
    if re.search(rb"[\"\\;#\n\t\x08]|^\s|\s$", value) is None:
        return value
    for letter, spelled in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\t", b"\\t"), (b"\b", b"\\b")):
        value = value.replace(letter, spelled)
    return b'"' + value + b'"'
