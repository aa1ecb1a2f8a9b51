"""What a configuration holds before anybody asks what it means: scalars, lists and mappings, each with its place.

A plain word is what YAML 1.2 makes of it, as in flyem-snapshot: ``no`` and ``NO`` (the noduli) are text, ``1e6`` is a
number, ``08:30`` is text.

Source: https://yaml.org/spec/1.2.2/ (10.3, core schema)
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

#: A file is larger than people write them, or deeper, or holds more: it is refused before it is read on.
LARGEST_BYTES, DEEPEST, MOST_NODES = 16 << 20, 40, 400_000
#: Problems that are told at once; nobody reads more.
MOST_PROBLEMS = 100

#: The keys and places in lists that lead to a value.
Path: TypeAlias = tuple[str | int, ...]
Leaf: TypeAlias = str | int | float | bool | None

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?[0-9](?:_?[0-9])*|0x[0-9a-fA-F]+|0o[0-7]+")
_FRACTION = re.compile(r"[-+]?(?:[0-9](?:_?[0-9])*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
#: What is an octal number in some programs and a decimal one in others.
_TWO_WAYS = re.compile(r"[-+]?0[0-9_]+")


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in a file, from 1; 0 where nobody counts."""

    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """As people say it.

        >>> str(Where(12, 3)), str(Where())
        ('line 12, column 3', '')
        """
        return f"line {self.line}, column {self.column}" if self.line else ""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it is written."""

    text: str
    where: Where = Where()
    #: It stands in quotes or in a block: whatever it looks like, it is text.
    quoted: bool = False

    @property
    def value(self) -> Leaf:
        """What YAML makes of it. Not a number, and without end, are text here: no key takes them.

        >>> [Scalar(text).value for text in ("no", "1e6", "0.4", "1_000", "08:30", "~", "true", ".nan")]
        ['no', 1000000.0, 0.4, 1000, '08:30', None, True, '.nan']
        >>> Scalar("0.4", quoted=True).value
        '0.4'
        """
        if self.quoted:
            return self.text
        if self.text in _NULL:
            return None
        if self.text in _TRUTHS:
            return _TRUTHS[self.text]
        return _number(self.text)

    @property
    def is_endless(self) -> bool:
        """Whether it stands for no number, or for one without end."""
        return not self.quoted and bool(_ENDLESS.fullmatch(self.text))

    @property
    def reads_two_ways(self) -> bool:
        """Whether it is one number for some programs and another one for others: ``010``."""
        return not self.quoted and bool(_TWO_WAYS.fullmatch(self.text))


def _number(text: str) -> Leaf:
    if len(text) > 400:  # longer than any number: int() alone would take it, slowly
        return text
    if _WHOLE.fullmatch(text):
        return int(text.lstrip("+").replace("_", ""), 10 if text[:2] not in ("0x", "0o") else 0)
    if _FRACTION.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if abs(number) != float("inf") else text
    return text


@dataclass(frozen=True, slots=True)
class Listed:
    """A list."""

    items: "tuple[Node, ...]"
    where: Where = Where()


@dataclass(frozen=True, slots=True)
class Mapped:
    """Keys with their values, in the order of the file; a key may be there twice."""

    entries: "tuple[tuple[Node, Node], ...]"
    where: Where = Where()


Node: TypeAlias = Scalar | Listed | Mapped


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Why something in a configuration is not taken."""

    where: Where
    #: The file that it stands in.
    file: str
    #: The keys that lead there: ``inputs.rois.roi-sets.primary.rois[1]``; '' for the file as a whole.
    path: str
    message: str

    def __str__(self) -> str:
        place = ", ".join(filter(None, (self.file, str(self.where))))
        return ": ".join(filter(None, (place, self.path, self.message)))


class Refused(Exception):
    """What ends the reading of a file."""

    def __init__(self, message: str, where: Where = Where()) -> None:
        super().__init__(message)
        self.message, self.where = message, where


def shortened(text: str) -> str:
    """A text as far as people read it.

    >>> shortened("a" * 100)[-5:], len(shortened("a" * 100))
    ('aa...', 60)
    """
    return text if len(text) <= 60 else f"{text[:57]}..."


def spelled(path: Path) -> str:
    """A path as people write it.

    >>> spelled(("inputs", "rois", "roi-sets", "a.b", "rois", 1))
    'inputs.rois.roi-sets."a.b".rois[1]'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            part = shortened(part)
            plain = part if re.fullmatch(r"[^.\s\[\]\"]+", part) else f'"{part}"'
            text += f".{plain}" if text else plain
    return text
