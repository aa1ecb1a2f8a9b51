"""The lines of a ``.gitattributes``.

Source: gitattributes(5)
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from engram.datasets.git.path_patterns import PathPattern, later_git

#: Set, unset, unspecified (``!name``), or a value.
Value: TypeAlias = bytes | bool | None
Assignments: TypeAlias = tuple[tuple[bytes, Value], ...]

#: The macro that git knows without being told.
BUILT_IN: Final[dict[bytes, Assignments]] = {b"binary": ((b"diff", False), (b"merge", False), (b"text", False))}

#: A longer line is passed over, as git does.
_LONGEST_LINE_BYTES = 2047
_BLANK = b" \t\r\n"
_BLANKS = re.compile(rb"[ \t\r\n]+")
_QUOTED = re.compile(rb'"((?>(?:[^"\\]|\\(?:[abfnrtv\\"]|[0-3][0-7]{2}))*))"')
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_MACRO = b"[attr]"
_NAME = re.compile(rb"(?!-|builtin_)[-._0-9A-Za-z]+")


class Line(NamedTuple):
    """One line: which paths it is about, or which macro it defines, and what it says."""

    pattern: PathPattern | None
    #: ``b""`` unless it defines one.
    macro: bytes
    assignments: Assignments


def parse_lines(
    data: bytes, *, macros: bool, fold: bool, starts_anew: Callable[[], bool] = later_git
) -> Iterator[Line]:
    """The lines of a file that mean something, in their order; git warns about the others and passes over them.

    Args:
        data: the file.
        macros: whether this file may define any.
        fold, starts_anew: see `PathPattern.parse`.
    """
    for text in data.split(b"\n"):
        text, _, _ = text.removesuffix(b"\r").partition(b"\0")
        if len(text) > _LONGEST_LINE_BYTES:
            continue
        text = text.strip(_BLANK)
        if text and not text.startswith(b"#"):
            line = _line(text, macros, fold, starts_anew)
            if line is not None:
                yield line


def _line(text: bytes, macros: bool, fold: bool, starts_anew: Callable[[], bool]) -> Line | None:
    subject, states = _subject(text)
    macro = b""
    if subject.startswith(_MACRO) and subject != _MACRO:
        macro = _BLANKS.split(subject.removeprefix(_MACRO).lstrip(_BLANK), maxsplit=1)[0]
        if not macros or not _NAME.fullmatch(macro):
            return None
    assignments = _assignments(filter(None, _BLANKS.split(states)))
    if assignments is None:
        return None
    if macro:
        return Line(None, macro, assignments)
    pattern = PathPattern.parse(subject.partition(b"\0")[0], fold=fold, starts_anew=starts_anew)
    return None if pattern.negative else Line(pattern, b"", assignments)


def _subject(text: bytes) -> tuple[bytes, bytes]:
    """The pattern, or macro, and what follows it."""
    quoted = _QUOTED.match(text)
    if quoted:
        return _ESCAPE.sub(_unescape, quoted[1]), text[quoted.end() :]
    word, *states = _BLANKS.split(text, maxsplit=1)
    return word, b"".join(states)


def _unescape(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes([int(code, 8)]) if len(code) == 3 else _ESCAPED.get(code, code)


def _assignments(words: Iterable[bytes]) -> Assignments | None:
    """What the words say; ``None`` when one of them is wrong: then git takes none of them."""
    assignments: list[tuple[bytes, Value]] = []
    for word in words:
        name, equals, text = word.partition(b"=")
        value: Value = text if equals else True
        if name[:1] in (b"-", b"!"):
            value = False if name[:1] == b"-" else None
            name = name[1:]
        if not _NAME.fullmatch(name):
            return None
        assignments.append((name, value))
    return tuple(assignments)
