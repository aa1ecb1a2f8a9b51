"""What only a person can say of a session: a table that is handed out prefilled, filled in anywhere, and read back.

One row says one thing. What engram inferred stands there already, and counts as confirmed only when the person says
so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from math import isfinite

from engram.model.recordings import Task

#: Columns of the table, in their order. *session*, *what* and *item* say what a row is about; *choices* is for people.
COLUMNS = ("session", "started", "what", "item", "value", "start_s", "stop_s", "arena", "note", "confirmed", "choices")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table."""

    session: str
    started: str = ""
    what: What
    item: str = ""
    value: str = ""
    start_s: float | None = None
    stop_s: float | None = None
    arena: str = ""
    note: str = ""
    confirmed: bool = False
    #: What *value* can be, for the reader; '' for anything.
    choices: tuple[str, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """As text, in the order of `COLUMNS`."""
        times = (_seconds(self.start_s), _seconds(self.stop_s))
        head = (self.session, self.started, str(self.what), self.item, self.value)
        return (*head, *times, self.arena, self.note, "yes" if self.confirmed else "no", "; ".join(self.choices))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a cell is not taken."""

    #: As a spreadsheet counts: the heading is row 1.
    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The names that a table may use, and the sessions that it may be about."""

    #: How long each session lasted, ``None`` where nobody knows; by id.
    sessions: Mapping[str, float | None] = field(default_factory=dict)
    #: What each of a session's items is: ids of its recordings.
    recordings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    arenas: frozenset[str] = frozenset()
    #: By session: the names of its subject's implants.
    implants: Mapping[str, frozenset[str]] = field(default_factory=dict)


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
            note=task.type,
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
    problems = [Problem(1, name, "no such column") for name in names if name and name not in COLUMNS]
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

    def _truth(self, column: str) -> bool:
        word = self._cells.get(column, "").lower()
        if word not in _YES | _NO:
            self._say(column, f"{word} is neither yes nor no")
        return word in _YES

    def _say(self, column: str, message: str) -> None:
        self._problems.append(Problem(self._number, column, message))


def check(rows: Sequence[tuple[int, Row]], known: Vocabulary) -> list[Problem]:
    """What is impossible in a table whose cells all parse: unknown names, times that cannot be, tasks that overlap."""
    problems = [problem for number, row in rows for problem in _of_one(number, row, known)]
    tasks: dict[str, list[tuple[float, float | None, int]]] = defaultdict(list)
    for number, row in rows:
        if row.what is What.TASK and row.start_s is not None:
            tasks[row.session].append((row.start_s, row.stop_s, number))
    for named in tasks.values():
        problems += _overlaps(sorted(named, key=lambda task: task[0]))
    return sorted(problems, key=lambda problem: (problem.row, COLUMNS.index(problem.column)))


def _of_one(number: int, row: Row, known: Vocabulary) -> Iterator[Problem]:
    if row.session not in known.sessions:
        yield Problem(number, "session", f"the catalogue has no session {row.session}")
        return
    if row.value and row.what is not What.TASK and row.value not in _choices(row, known):
        yield Problem(number, "value", f"the catalogue has no {_NOUNS[row.what]} {row.value}{_nearest(row, known)}")
    if row.arena and row.arena not in known.arenas:
        yield Problem(number, "arena", f"the catalogue has no arena {row.arena}")
    if row.what in (What.IMPLANT, What.CURATOR) and row.item not in known.recordings.get(row.session, frozenset()):
        yield Problem(number, "item", f"{row.session} has no recording {row.item}")
    if row.confirmed and not row.value:
        yield Problem(number, "value", "it is confirmed, and empty")
    yield from _times(number, row, known.sessions[row.session])


def _times(number: int, row: Row, duration_s: float | None) -> Iterator[Problem]:
    if row.what is not What.TASK:
        if (row.start_s, row.stop_s) != (None, None):
            yield Problem(number, "start_s", f"only a task has times, no {row.what}")
        return
    if row.stop_s is not None and row.start_s is None:
        yield Problem(number, "start_s", "it stops and never starts")
    if None not in (row.start_s, row.stop_s) and (row.stop_s or 0.0) <= (row.start_s or 0.0):
        yield Problem(number, "stop_s", f"it stops at {_seconds(row.stop_s)} s, before it started")
    for column, time_s in (("start_s", row.start_s), ("stop_s", row.stop_s)):
        if duration_s is not None and time_s is not None and time_s > duration_s + _LENIENCE_S:
            yield Problem(number, column, f"{_seconds(time_s)} s is after the session's end ({_seconds(duration_s)} s)")


#: Devices of one session do not stop at the same moment.
_LENIENCE_S = 60.0
_NOUNS = {
    What.EXPERIMENTER: "person",
    What.CURATOR: "person",
    What.PROJECT: "project",
    What.ROOM: "room",
    What.IMPLANT: "implant of this subject called",
}


def _choices(row: Row, known: Vocabulary) -> frozenset[str]:
    if row.what in (What.EXPERIMENTER, What.CURATOR):
        return known.people
    if row.what is What.IMPLANT:
        return known.implants.get(row.session, frozenset())
    return known.projects if row.what is What.PROJECT else known.rooms


def _nearest(row: Row, known: Vocabulary) -> str:
    from difflib import get_close_matches  # here, because it is needed for a mistake alone

    close = get_close_matches(row.value, sorted(_choices(row, known)), n=1, cutoff=0.6)
    return f"; the nearest is {close[0]}" if close else ""


def _overlaps(tasks: Sequence[tuple[float, float | None, int]]) -> Iterator[Problem]:
    for (_, stop_s, before), (start_s, _, number) in pairwise(tasks):
        if stop_s is not None and start_s < stop_s:
            yield Problem(number, "start_s", f"it starts before the task of row {before} stops ({_seconds(stop_s)} s)")


def _seconds(time_s: float | None) -> str:
    return "" if time_s is None else f"{time_s:.3f}".rstrip("0").rstrip(".")
