"""What a mass file holds before anybody asks what it means: texts, lists and mappings, each with its place."""

from dataclasses import dataclass
from typing import TypeAlias

#: A file is larger than people write them, or deeper, or holds more: it is refused before it is read on.
LARGEST_BYTES, DEEPEST, MOST_NODES = 16 << 20, 16, 400_000


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in a file, for people."""

    #: Line of a text, row of a table, from 1; 0 where nobody counts.
    number: int = 0
    #: Heading of the column; '' in a text, and for a row as a whole.
    column: str = ""
    noun: str = "line"

    def __str__(self) -> str:
        """As people say it.

        >>> str(Where(12)), str(Where(3, "room", "row")), str(Where())
        ('line 12', 'row 3, column room', '')
        """
        place = f"{self.noun} {self.number}" if self.number else ""
        return f"{place}, column {self.column}" if self.column else place


@dataclass(frozen=True, slots=True)
class Text:
    """One value, as it is written: what kind of value it is depends on its key alone."""

    text: str
    where: Where = Where()
    #: It stands in quotes: whatever it looks like, it is text.
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A list."""

    items: "tuple[Node, ...]"
    where: Where = Where()


@dataclass(frozen=True, slots=True)
class Mapped:
    """Keys with their values, in the order of the file; a key may be there twice."""

    entries: "tuple[tuple[Text, Node], ...]"
    where: Where = Where()


Node: TypeAlias = Text | Listed | Mapped


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something in a mass file is not taken."""

    where: Where
    #: The keys that lead there: ``sessions[0].tasks[1].task_start``; '' for the file as a whole.
    path: str
    message: str
    #: What to do about it; '' for mending the file.
    remedy: str = ""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        parts = (str(self.where), "" if self.where.column else self.path)
        return ", ".join(part for part in parts if part)


class Refused(Exception):
    """What ends the reading of a file."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.problem = Problem(Where(line), "", message)
