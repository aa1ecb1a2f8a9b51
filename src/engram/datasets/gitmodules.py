"""``.gitmodules``: which subdatasets a dataset has, written as DataLad writes it.

Source: gitmodules(5); ``datalad-id`` as DataLad's ``create -d`` adds it.
"""

import os
import re
from collections.abc import Mapping

from engram.datasets.git.config import GitConfig
from engram.datasets.git.config_file import parse_config
from engram.model.errors import UnsupportedFile
from engram.model.records import record

#: Scheme (one of several, as in ``annex::https://``), name, password, of what a URL says before its host.
_LOGIN = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#:]*)(:[^/?#]*)?@")
_ADDRESSED_BY_NAME = (b"ssh://", b"sftp://", b"rsync://")
_FORBIDDEN = re.compile(rb"[\x00-\x1f\x7f]")
#: ``.git`` in every spelling that some file system takes for it. Source: git's verify_path, CVE-2014-9390.
_GITS_OWN = re.compile(rb"(?i)\.git[ .]*(:.*)?|git~[0-9]+")
_SECTION = re.compile(rb"[ \t]*\[")


@record(kw_only=False)
class Submodule:
    """What ``.gitmodules`` says of one subdataset."""

    #: What git calls it: most often its path.
    name: str
    #: Relative to the top of the work tree, POSIX.
    path: bytes
    #: Every setting of its section, *path* and *url* among them, in their order.
    properties: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where it says that it is to be had from; '' when it does not say."""
        return self.properties.get("url", "")


def read_gitmodules(text: bytes) -> tuple[Submodule, ...]:
    r"""The subdatasets that a ``.gitmodules`` names, in its order; those that try tricks are left out.

    That is: a name or path that leaves the work tree, reaches into ``.git`` or could be taken for an option, two
    sections for one path, and one without a path. The URL is not judged here.

    Raises:
        DamagedRepository: for what git calls a bad config line.

    >>> [one.path for one in read_gitmodules(b'[submodule "a"]\n\tpath = raw\n\turl = ./raw\n')]
    [b'raw']
    """
    sections: dict[str, dict[str, str]] = {}
    for setting, value in parse_config(text, ".gitmodules"):
        first, _, rest = setting.partition(".")
        name, dot, variable = rest.rpartition(".")
        if first == "submodule" and dot:
            sections.setdefault(name, {})[variable] = value or ""
    found: dict[bytes, Submodule] = {}
    for name, properties in sections.items():
        path = os.fsencode(properties.get("path", "")).rstrip(b"/")
        if is_safe_path(path) and is_safe_path(os.fsencode(name)) and path not in found:
            found[path] = Submodule(name, path, properties)
    return tuple(found.values())


def is_safe_path(path: bytes) -> bool:
    """Whether a subdataset's path, or name, stays in the work tree and reaches nothing of git's.

    >>> [is_safe_path(path) for path in (b"raw/sub-01", b"../x", b"/etc", b".git/x", b"-u", b"a/.GIT/hooks")]
    [True, False, False, False, False, False]
    """
    parts = path.split(b"/")
    unsafe = (b"", b".", b"..")
    return (
        not path.startswith(b"-")
        and _FORBIDDEN.search(path) is None
        and not any(part in unsafe or _GITS_OWN.fullmatch(part) for part in parts)
    )


def with_property(text: bytes, name: str, variable: str, value: str | None) -> bytes:
    """The file's *text* with one property of the subdataset called *name* set, or taken away with ``None``.

    Every other line stays as it is.
    """
    lines = text.splitlines(keepends=True)
    own = [number for number, line in enumerate(lines) if _SECTION.match(line)]
    mine = [number for number in own if _section_of(lines[number]) == name]
    spans = [(start, min((other for other in own if other > start), default=len(lines))) for start in mine]
    setting = re.compile(rb"[ \t]*" + re.escape(variable.encode()) + rb"[ \t]*(=|$)", re.IGNORECASE)
    taken = {number for start, end in spans for number in range(start + 1, end) if setting.match(lines[number])}
    new = [] if value is None else [_lines((variable.encode(), os.fsencode(value)))]
    at = min(taken) if taken else spans[-1][1]
    return b"".join(
        line
        for number, old in enumerate([*lines, b""])
        for line in ([*new] if number == at else []) + ([] if number in taken else [old])
    )


def _section_of(line: bytes) -> str:
    settings = [*parse_config(line.rstrip() + b"\n\tx = 1\n", ".gitmodules")]
    return settings[-1][0].removeprefix("submodule.").removesuffix(".x")


def with_subdataset(text: bytes, path: bytes, *, url: bytes, dataset_id: bytes, given: bytes = b"") -> bytes:
    """The file's *text* with one more subdataset, whose name is its path.

    Args:
        given: the address that a user had it cloned from, as he typed it, for ``datalad-url``.

    Raises:
        UnsupportedFile: for a path that could be read as something else.
    """
    return (
        _ended(text)
        + _section(path)
        + _lines(
            (b"path", path),
            (b"url", url),
            *(((b"datalad-id", dataset_id),) if dataset_id else ()),
            *(((b"datalad-url", given),) if given else ()),
        )
    )


def without_subdataset(text: bytes, path: bytes) -> bytes:
    """The file's *text* without the sections whose subdataset lies at *path*; everything else stays as it is."""
    starts = [match.start() for match in re.finditer(rb"^[ \t]*\[", text, re.MULTILINE)]
    pieces = [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]
    return b"".join(piece for piece in pieces if path not in _paths_in(piece))


def without_section(text: bytes, name: str) -> bytes:
    r"""A repository's configuration *text* without what it says of the subdataset called *name*.

    >>> without_section(b'[submodule "a"]\n\tactive = true\n[core]\n\tbare = false\n', "a")
    b'[core]\n\tbare = false\n'
    """
    kept: list[bytes] = []
    keeps = True
    for line in text.splitlines(keepends=True):
        if _SECTION.match(line):
            keeps = [*parse_config(line.rstrip() + b"\n\tx = 1\n", "config")][-1][0] != f"submodule.{name}.x"
        if keeps:
            kept.append(line)
    return b"".join(kept)


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
