"""Git or the annex? What ``annex.largefiles`` and the other attributes say of one file.

Source: git-annex(1), "annex.largefiles" and "annex.backend": git's configuration rules over ``.gitattributes`` for the
one, ``.gitattributes`` over git's configuration for the other (as git-annex 10.20261026 does).
"""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from engram.datasets.annex.backends import is_native
from engram.datasets.annex.largefiles import Expression, File, FindMagic, NotNative, no_magic, parse
from engram.datasets.comparison import CONVERTING
from engram.model.errors import BadExpression

LARGEFILES = b"annex.largefiles"
#: Backends that git-annex has and engram leaves to it. Source: ``git annex version``.
GIT_ANNEX_ONLY = frozenset(
    "WORM URL VURL GITBUNDLE GITMANIFEST BLAKE3_256 BLAKE3_256E XXH3 XXH3E BLAKE2BP512 BLAKE2BP512E SKEIN256 SKEIN256E"
    " SKEIN512 SKEIN512E BLAKE2SP224 BLAKE2SP224E BLAKE2SP256 BLAKE2SP256E".split()
)
BACKEND = b"annex.backend"


def is_known(backend: str) -> bool:
    """Whether git-annex has a key backend of that name; one that begins with X may be a program of the user's."""
    return is_native(backend) or backend in GIT_ANNEX_ONLY or backend.startswith("X")


class Rules(NamedTuple):
    """What holds in a dataset for the choice between git and the annex."""

    attributes: Callable[[bytes, tuple[bytes, ...]], Mapping[bytes, bytes | bool | None]]
    #: ``annex.largefiles`` of git's configuration, which rules over ``.gitattributes``; ``None`` if it is not set.
    largefiles: str | None
    #: That of ``git annex config``, for files that no attribute speaks of; ``None`` if it is not set.
    fallback: str | None
    #: Key backend where no attribute names one.
    backend: str
    #: Whether the dataset has an annex at all.
    has_annex: bool
    to_git: bool = False
    #: Gives what tells media types, when a rule asks for one.
    find_magic: FindMagic = no_magic
    #: git's ``core.autocrlf`` is in force: text is converted.
    converts_line_ends: bool = False


class Chooser:
    """Chooses between git and the annex, remembering expressions it has parsed."""

    def __init__(self, rules: Rules, top: bytes) -> None:
        self._rules = rules
        self._top = top
        self._parsed: dict[bytes, Expression] = {}
        self._wanted = (LARGEFILES, BACKEND, *CONVERTING)
        self._ruling = self._parse(rules.largefiles, "git's configuration")
        self._fallback = self._parse(rules.fallback, "git annex config")
        #: Why git or git-annex has to do it, once a file was met that says so.
        self.hand_over = ""

    def choose(self, path: bytes, size_bytes: int) -> tuple[bool, str]:
        """Whether a file goes to the annex, and by which key backend."""
        attributes = self._rules.attributes(path, self._wanted)
        backend = attributes.get(BACKEND)
        name = backend.decode("ascii", "replace") if isinstance(backend, bytes) else ""
        if not is_known(name):  # git-annex passes over a backend that an attribute misspells
            name = self._rules.backend
        large = self._rules.has_annex and not self._rules.to_git and self._is_large(path, size_bytes, attributes)
        if not large:
            self._check_conversion(path, attributes)
        return large, name

    def _is_large(self, path: bytes, size_bytes: int, attributes: Mapping[bytes, bytes | bool | None]) -> bool:
        expression = self._ruling or self._expression(attributes.get(LARGEFILES)) or self._fallback
        if expression is None:
            return True
        try:
            return expression.matches(File(path, size_bytes, os.path.join(self._top, path)))
        except NotNative as reason:
            self.hand_over = str(reason)
            return True

    def _expression(self, text: bytes | bool | None) -> Expression | None:
        if text is None or text == b"":
            return None
        if isinstance(text, bool):
            raise BadExpression("(no value)", ".gitattributes", "the attribute needs an expression")
        if text not in self._parsed:
            self._parsed[text] = parse(os.fsdecode(text), ".gitattributes", self._rules.find_magic)
        return self._parsed[text]

    def _parse(self, text: str | None, source: str) -> Expression | None:
        return None if text is None else parse(text, source, self._rules.find_magic)

    def _check_conversion(self, path: bytes, attributes: Mapping[bytes, bytes | bool | None]) -> None:
        for name in CONVERTING:
            value = attributes.get(name)
            if value in (None, False) or (name, value) == (b"filter", b"annex"):
                continue
            if name in (b"text", b"crlf", b"eol") and not _has_carriage_return(os.path.join(self._top, path)):
                continue
            self.hand_over = f"git converts {os.fsdecode(path)} ({os.fsdecode(name)})"
        if self._rules.converts_line_ends and _has_carriage_return(os.path.join(self._top, path)):
            self.hand_over = f"git converts the line ends of {os.fsdecode(path)} (core.autocrlf)"


def _has_carriage_return(place: bytes) -> bool:
    try:
        with open(place, "rb") as file:
            return any(b"\r" in block for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return True
