"""What only a person can say of a session: a table that is handed out prefilled, filled in anywhere, and read back.

One row says one thing. What engram inferred stands there already, and counts as confirmed only when the person says
so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Any

from engram.model.nearest import nearest_of
from engram.model.recordings import Task

#: Columns of the table, in their order. *session*, *what* and *item* say what a row is about; *choices* is for people.
COLUMNS = (
    *("session", "started", "what", "item", "value", "start_s", "stop_s", "arena", "note"),
    *("light", "objects", "curated", "confirmed", "choices"),
)
#: Longest name of a clustering of several sessions. Source: Kavli's form.
LONGEST_GROUP = 64
_LONGEST_NAME = 255
#: Of a task, as its *value*: it never happened.
NEVER = "-"
_YES, _NO = {"yes", "y", "true", "1", "x", "ja"}, {"no", "n", "false", "0", "", "nei", "nein"}


class What(StrEnum):
    """What a row can be about."""

    EXPERIMENTER = "experimenter"
    PROJECT = "project"
    ROOM = "room"
    #: *item* is its number in the session.
    TASK = "task"
    #: Which implant a recording's probe is; *item* is the recording's id.
    IMPLANT = "implant"
    #: Who curated a clustering; *item* is the recording's id.
    CURATOR = "curator"
    #: With which sessions it was clustered: *value* is what that clustering of several sessions is called.
    CLUSTERING = "clustering"
    #: Which apparatus an arena is; *item* is the arena's name.
    APPARATUS = "apparatus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table."""

    #: The id of the session that it is about.
    session: str
    #: When that began.
    started: str = ""
    #: What the row says of it.
    what: What
    #: Of a task its number in the session; of an implant or a curator the id of the recording.
    item: str = ""
    #: What is said: what was inferred, until a person says otherwise; '' where nothing is known.
    value: str = ""
    #: Of a task: when it began, in seconds from the start of the session.
    start_s: float | None = None
    #: Of a task: when it ended.
    stop_s: float | None = None
    #: Of a task: in which arena it was.
    arena: str = ""
    #: Of a task: of which type it was.
    note: str = ""
    #: Of a task: in which light it was; ``None`` where the table has no such column: it stays as it is.
    light: str | None = None
    #: Of a task: what stood in the arena, and where: ``box @ north wall; cue card``; ``None`` likewise.
    objects: str | None = None
    #: Of a curator: when the clustering was curated, by the clock of the lab: ``2022-04-15 05:20:00``.
    curated: str = ""
    #: Whether a person says so.
    confirmed: bool = False
    #: What *value* can be, for the reader; '' for anything.
    choices: tuple[str, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """As text, in the order of `COLUMNS`."""
        times = (seconds(self.start_s), seconds(self.stop_s))
        head = (self.session, self.started, str(self.what), self.item, self.value)
        more = (self.arena, self.note, self.light or "", self.objects or "", self.curated)
        return (*head, *times, *more, "yes" if self.confirmed else "no", "; ".join(self.choices))

    def as_json(self) -> dict[str, Any]:
        """The record behind ``sessions missing --json``. Fields may be added, never changed."""
        record = {name: getattr(self, name) for name in COLUMNS}
        return {"record": "missing", **record, "what": str(self.what), "choices": list(self.choices)}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a cell is not taken."""

    #: As a spreadsheet counts: the heading is row 1.
    row: int
    column: str
    message: str


def task_rows(session: str, started: str, tasks: Sequence[Task]) -> Iterator[Row]:
    """The rows of a session's tasks; one that is empty where nothing is known of any.

    A task of which nothing says when it ended is taken to last until the next one begins.
    """
    for number, task in enumerate(tasks, start=1):
        following = tasks[number].start_s if number < len(tasks) else None
        yield Row(
            session=session,
            started=started,
            what=What.TASK,
            item=str(number),
            value=task.name,
            start_s=task.start_s,
            stop_s=following if task.stop_s is None else task.stop_s,
            arena=task.arena,
            note=task.type,
            light=task.light,
            objects="; ".join(f"{name} @ {where}" if where else name for name, where in task.objects),
            confirmed=task.confirmed,
        )
    if not tasks:
        yield Row(session=session, started=started, what=What.TASK, item="1")


def read_rows(table: Iterable[Sequence[str]]) -> tuple[list[tuple[int, Row]], list[Problem]]:
    """The rows of a table with their numbers, and what does not parse. The first row names the columns, in any order.

    Rows without any text are passed over. A column that is not known is a problem, as is one of *session* and *what*
    that is missing.
    """
    lines = iter(table)
    names = [name.strip().lower() for name in next(lines, ())]
    strange = [name for name in names if name and name not in COLUMNS]
    problems = [Problem(1, name, f"there is no such column{nearest_of(name, COLUMNS)}") for name in strange]
    problems += [Problem(1, name, "the column is missing") for name in ("session", "what") if name not in names]
    problems += [Problem(1, name, "the column is there twice") for name in set(names) - {""} if names.count(name) > 1]
    rows: list[tuple[int, Row]] = []
    for number, line in enumerate(lines if not problems else (), start=2):
        cells = {name: cell.strip() for name, cell in zip(names, line, strict=False)}
        if any(cells.values()):
            reader = _CellReader(number, cells, problems)
            if row := reader.row():
                rows.append((number, row))
    return rows, problems


class _CellReader:
    """The cells of one row; what does not parse is added to *problems*."""

    def __init__(self, number: int, cells: Mapping[str, str], problems: list[Problem]) -> None:
        self._number = number
        self._cells = cells
        self._problems = problems
        self._before = len(problems)

    def row(self) -> Row | None:
        what = self._what()
        start, stop, confirmed = self._time("start_s"), self._time("stop_s"), self._truth("confirmed")
        self._check(things_of, "objects")
        self._check(moment_of, "curated")
        if not self._cells.get("session"):
            self._say("session", "it is empty")
        if what is None or len(self._problems) > self._before:
            return None
        return Row(
            session=self._cells["session"],
            started=self._cells.get("started", ""),
            what=what,
            item=self._cells.get("item", ""),
            value=self._cells.get("value", ""),
            start_s=start,
            stop_s=stop,
            arena=self._cells.get("arena", ""),
            note=self._cells.get("note", ""),
            light=self._cells.get("light"),
            objects=self._cells.get("objects"),
            curated=self._cells.get("curated", ""),
            confirmed=confirmed,
        )

    def _what(self) -> What | None:
        word = self._cells.get("what", "").lower()
        if word in list(What):
            return What(word)
        self._say("what", f"{word or 'it'} is none of {', '.join(What)}")
        return None

    def _time(self, column: str) -> float | None:
        text = self._cells.get(column, "").replace(",", ".")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if isfinite(value) and value >= 0:
            return value
        self._say(column, f"{text} is no time in seconds from the start of the session")
        return None

    def _check(self, parse: Callable[[str], object], column: str) -> None:
        try:
            parse(self._cells.get(column, ""))
        except ValueError as error:
            self._say(column, str(error))

    def _truth(self, column: str) -> bool:
        word = self._cells.get(column, "").lower()
        if word not in _YES | _NO:
            self._say(column, f"{word} is neither yes nor no")
        return word in _YES

    def _say(self, column: str, message: str) -> None:
        self._problems.append(Problem(self._number, column, message))


def things_of(text: str) -> tuple[tuple[str, str], ...]:
    """What stood in an arena, each with where it stood. Raises `ValueError`, with what is wrong as a sentence's rest.

    >>> things_of("box @ north wall; cue card")
    (('box', 'north wall'), ('cue card', ''))
    """
    found = []
    for part in text.split(";") if text.strip() else ():
        name, _, where = (piece.strip() for piece in part.partition("@"))
        if not name:
            raise ValueError(f"{part.strip() or 'an empty part'} names no object; write: box @ north wall; cue card")
        if max(len(name), len(where)) > _LONGEST_NAME:
            raise ValueError(f"{name[:20]}… is longer than {_LONGEST_NAME} characters")
        found.append((name, where))
    return tuple(dict.fromkeys(found))


def moment_of(text: str) -> datetime | None:
    """A time by the clock of the lab; ``None`` for an empty cell. Raises `ValueError` likewise.

    >>> moment_of("2022-04-15 05:20")
    datetime.datetime(2022, 4, 15, 5, 20)
    """
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise ValueError(f"{text} is no time by the clock of the lab; write: 2022-04-15 05:20:00")
    return found


def seconds(time_s: float | None) -> str:
    """A time as a cell holds it, exactly; '' for none.

    >>> seconds(2200.5), seconds(30.0), seconds(None)
    ('2200.5', '30', '')
    """
    return "" if time_s is None else repr(float(time_s)).removesuffix(".0")
