"""Read a mass file strictly: nodes to entries whose values are what their keys declare, and everything else told."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import TypeAlias

from engram.sessions.answers import nearest
from engram.sessions.massfile.keys import FILE, Key, Kind
from engram.sessions.massfile.nodes import Listed, Mapped, Node, Problem, Text, Where

#: What stands for an inherited or a denied value.
YES, NO = frozenset({"yes", "true", "on"}), frozenset({"no", "false", "off"})
#: As long as the catalogue keeps names.
LONGEST_NAME = 255
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt]|[ \t]{1,9})([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?)?"
)
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

#: What an entry says of a key.
Value: TypeAlias = "str | float | bool | datetime | tuple[str, ...] | tuple[tuple[str, str], ...] | tuple[Entry, ...]"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a mass file: the keys that it has, and where it has them. What is wrong in it is left out."""

    #: What leads to it: ``sessions[0].tasks[1]``.
    path: str
    where: Where
    values: Mapping[str, Value] = field(default_factory=dict)
    #: Keys that say ``yes`` instead of a value.
    inherited: frozenset[str] = frozenset()
    places: Mapping[str, Where] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A text; '' where it says none."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Texts, as many as there are."""
        value = self.values.get(name, ())
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """Names with names."""
        value = self.values.get(name, ())
        if not isinstance(value, tuple):
            return ()
        return tuple(one for one in value if isinstance(one, tuple))

    def number(self, name: str) -> float | None:
        """A number; ``None`` where it says none, or inherits it."""
        value = self.values.get(name)
        return value if isinstance(value, float) else None

    def moment(self, name: str) -> datetime | None:
        """A time; ``None`` where it says none, or inherits it."""
        value = self.values.get(name)
        return value if isinstance(value, datetime) else None

    def truth(self, name: str, *, default: bool) -> bool:
        """Yes or no."""
        value = self.values.get(name, default)
        return value if isinstance(value, bool) else default

    def entries(self, name: str) -> "tuple[Entry, ...]":
        """Entries within it."""
        value = self.values.get(name, ())
        return tuple(one for one in value if isinstance(one, Entry)) if isinstance(value, tuple) else ()

    def problem(self, name: str, message: str, remedy: str = "") -> Problem:
        """What is wrong with one of its keys."""
        return Problem(self.places.get(name, self.where), f"{self.path}.{name}" if self.path else name, message, remedy)


def read_entries(documents: Sequence[Node]) -> tuple[list[Entry], list[Problem]]:
    """One entry for each subject of a file, and everything that is wrong in it."""
    reader = _Reader()
    roots = list(_roots(documents))
    entries = [reader.entry(node, FILE, path) for path, node in roots]
    if not roots:
        reader.problems.append(Problem(Where(), "", "it is empty"))
    return [one for one in entries if one is not None], reader.problems


def _roots(documents: Sequence[Node]) -> Iterator[tuple[str, Node]]:
    """The mapping of each subject, with what leads there: several YAML documents, a list at the top, or one alone."""
    several = len(documents) > 1
    for number, document in enumerate(documents):
        if isinstance(document, Listed):
            yield from ((f"[{number}]" * several + f"[{index}]", item) for index, item in enumerate(document.items))
        else:
            yield f"[{number}]" if several else "", document


class _Reader:
    """Reads entries; *problems* are in the order of the file."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._kinds: dict[Kind, Callable[[Text, str], Value | None]] = {
            Kind.NAME: self._name,
            Kind.TEXT: self._plain_text,
            Kind.NUMBER: self._number,
            Kind.SECONDS: self._seconds,
            Kind.MOMENT: self._moment,
            Kind.TRUTH: self._truth,
        }

    def _say(self, node: Node, path: str, message: str) -> None:
        self.problems.append(Problem(node.where, path, message))

    def entry(self, node: Node, keys: Sequence[Key], path: str) -> Entry | None:
        """The entry that a mapping is; ``None`` for what is none."""
        if not isinstance(node, Mapped):
            self._say(node, path, f"it must have keys: {', '.join(key.name for key in keys)}")
            return None
        known = {key.name: key for key in keys}
        values: dict[str, Value] = {}
        places: dict[str, Where] = {}
        inherited = set()
        for name, inner in node.entries:
            below = f"{path}.{name.text}" if path else name.text
            place = name.where if name.where.number else inner.where
            if name.text in places:
                self._say(Text("", place), below, "the key is there twice")
            elif name.text not in known:
                self._say(Text("", place), below, f"there is no such key{_nearest(name.text, known)}")
            elif (value := self._value(inner, known[name.text], below)) is not None:
                values[name.text] = value
                inherited |= {name.text} if value is True and known[name.text].inherits else set()
            places.setdefault(name.text, place)
        for key in keys:
            if key.required and key.name not in places:
                self._say(node, f"{path}.{key.name}" if path else key.name, "the key is missing")
        return Entry(path, node.where, values, frozenset(inherited), places)

    def _value(self, node: Node, key: Key, path: str) -> "Value | None":
        """What a key holds; ``None`` when that cannot be, which is told."""
        if isinstance(node, Text) and not node.text.strip():
            self._say(node, path, "it is empty: give it a value, or leave the key out")
            return None
        if isinstance(node, Text) and (instead := self._instead(node, key)) is not None:
            return instead
        if key.kind is Kind.BLOCK:
            entry = self.entry(node, key.keys, path)
            return None if entry is None else (entry,)
        if key.kind is Kind.BLOCKS:
            return self._entries(node, key, path)
        if key.kind is Kind.FREE:
            return self._pairs(node, path)
        if key.kind is Kind.TEXTS:
            return self._texts(node, path)
        if not isinstance(node, Text):
            self._say(node, path, f"it must be {key.kind}")
            return None
        return self._kinds[key.kind](node, path)

    def _instead(self, node: Text, key: Key) -> bool | None:
        """``yes`` and ``no`` where they stand for a value; in a text only without quotes."""
        word = node.text.strip().lower()
        if key.kind in (Kind.NAME, Kind.TEXT) and node.quoted:
            return None
        if key.inherits and word in YES:
            return True
        return False if key.denies and word in NO else None

    def _entries(self, node: Node, key: Key, path: str) -> "Value | None":
        if not isinstance(node, Listed):
            instead = " or no" if key.denies else ""
            self._say(node, path, "it must be a list" + (f", or yes{instead}" if key.inherits else ""))
            return None
        read = [self.entry(item, key.keys, f"{path}[{index}]") for index, item in enumerate(node.items)]
        return tuple(one for one in read if one is not None)

    def _pairs(self, node: Node, path: str) -> "Value | None":
        if not isinstance(node, Mapped):
            self._say(node, path, "it must be a mapping: what is on the disk, and the implant")
            return None
        found: dict[str, str] = {}
        for name, inner in node.entries:
            below = f"{path}.{name.text}"
            if name.text in found:
                self._say(inner, below, "the key is there twice")
            elif not isinstance(inner, Text) or not inner.text.strip():
                self._say(inner, below, "it must be the name of an implant")
            elif (value := self._name(inner, below)) is not None:
                found[name.text] = str(value)
        return tuple(found.items())

    def _texts(self, node: Node, path: str) -> "Value | None":
        items = node.items if isinstance(node, Listed) else (node,)
        found: list[str] = []
        for index, item in enumerate(items):
            below = f"{path}[{index}]" if isinstance(node, Listed) else path
            if not isinstance(item, Text) or not item.text.strip():
                self._say(item, below, f"it must be {Kind.NAME}")
            elif (name := self._name(item, below)) is not None:
                found.append(str(name))
        return tuple(dict.fromkeys(found))

    def _name(self, node: Text, path: str) -> "Value | None":
        name = node.text.strip()
        if len(name) > LONGEST_NAME:
            self._say(node, path, f"it is longer than {LONGEST_NAME} characters")
        elif _FORBIDDEN.search(name):
            self._say(node, path, "it holds a character that no name has")
        else:
            return name
        return None

    def _plain_text(self, node: Text, path: str) -> "Value | None":
        if _NO_TEXT.search(node.text):
            self._say(node, path, "it holds a character that no text has")
            return None
        return node.text.strip()

    def _number(self, node: Text, path: str) -> "Value | None":
        text = node.text.strip()
        value = float(text) if _NUMBER.fullmatch(text) else float("nan")
        if isfinite(value):
            return value
        self._say(node, path, f"{text[:40]} is no number")
        return None

    def _seconds(self, node: Text, path: str) -> "Value | None":
        text = node.text.strip()
        value = float(text) if _NUMBER.fullmatch(text) else -1.0
        if isfinite(value) and value >= 0:
            return value
        self._say(node, path, f"{text[:40]} is no time in seconds from the start of the session, nor yes to inherit it")
        return None

    def _moment(self, node: Text, path: str) -> "Value | None":
        text = node.text.strip()
        if (moment := read_moment(text)) is None:
            self._say(node, path, f"{text[:40]} is no time as 2020-01-31 10:00:30 by the lab's clock, nor yes")
        return moment

    def _truth(self, node: Text, path: str) -> "Value | None":
        word = node.text.strip().lower()
        if word in YES | NO:
            return word in YES
        self._say(node, path, f"{word[:40]} is neither yes nor no")
        return None


def read_moment(text: str) -> datetime | None:
    """A day and time as YAML writes them, without a zone; ``None`` for anything else.

    >>> read_moment("2023-4-5 9:08:10"), read_moment("2023-04-05")
    (datetime.datetime(2023, 4, 5, 9, 8, 10), datetime.datetime(2023, 4, 5, 0, 0))
    >>> read_moment("2023-02-30 10:00:00"), read_moment("msc_102_001")
    (None, None)
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    *whole, fraction = match.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in whole)
    try:
        return datetime(year, month, day, hour, minute, second, int((fraction or "0").ljust(6, "0")))  # noqa: DTZ001  # the lab's clock
    except ValueError:
        return None


def _nearest(name: str, known: Mapping[str, Key]) -> str:
    return nearest(name, known) or f"; there are {', '.join(known)}"
