"""Whether the answers in a table are possible: names that are known, times that can be, tasks apart from each other."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from engram.sessions.annotating import (
    COLUMNS,
    LONGEST_GROUP,
    NEVER,
    Problem,
    Row,
    What,
    moment_of,
    seconds,
    things_of,
)

#: Devices of one session do not stop at the same moment.
_LENIENCE_S = 60.0
_NOUNS = {
    What.EXPERIMENTER: "person",
    What.CURATOR: "person",
    What.PROJECT: "project",
    What.ROOM: "room",
    What.IMPLANT: "implant of this subject called",
    What.APPARATUS: "apparatus",
}
#: Of these a session or recording has one.
_SINGLE = (What.ROOM, What.IMPLANT, What.CURATOR, What.APPARATUS)


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
    lights: frozenset[str] = frozenset()
    #: Objects, cue cards and curtains.
    objects: frozenset[str] = frozenset()
    apparatus: frozenset[str] = frozenset()
    #: By session: its subject, and the day on which it began.
    subjects: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, date] = field(default_factory=dict)
    #: By the name of a clustering of several sessions: these sessions.
    clusterings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: By session: the names of its subject's implants.
    implants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Names of people, projects, rooms and arenas that are new are taken for new.
    adds: bool = False


def check(rows: Sequence[tuple[int, Row]], known: Vocabulary) -> list[Problem]:
    """What is impossible in a table whose cells all parse: unknown names, times that cannot be, tasks that overlap."""
    problems = [problem for number, row in rows for problem in _of_one(number, row, known)]
    tasks: dict[str, list[tuple[float, float | None, int]]] = defaultdict(list)
    for number, row in rows:
        if row.what is What.TASK and row.start_s is not None and row.value != NEVER:
            tasks[row.session].append((row.start_s, row.stop_s, number))
    for named in tasks.values():
        problems += overlaps(named)
    problems += _twice(rows)
    problems += _clusterings(rows, known)
    return sorted(problems, key=lambda problem: (problem.row, COLUMNS.index(problem.column)))


def _of_one(number: int, row: Row, known: Vocabulary) -> Iterator[Problem]:
    if row.session not in known.sessions:
        yield Problem(number, "session", f"the catalogue has no session {row.session}")
        return
    yield from _names(number, row, known)
    yield from _of_tasks(number, row, known)
    yield from _curated(number, row, known)
    if row.what is What.APPARATUS and row.item not in known.arenas and not known.adds:
        yield Problem(number, "item", f"the catalogue has no arena {row.item}{nearest(row.item, known.arenas)}")
    if row.what in (What.IMPLANT, What.CURATOR) and row.item not in known.recordings.get(row.session, frozenset()):
        yield Problem(number, "item", f"{row.session} has no recording {row.item}")
    if row.confirmed and not row.value:
        yield Problem(number, "value", "it is confirmed, and empty")
    yield from impossible_times(number, row, known.sessions[row.session])


def _names(number: int, row: Row, known: Vocabulary) -> Iterator[Problem]:
    """Names that the catalogue does not have."""
    choices, may_be_new = _choices(row, known), known.adds and row.what is not What.IMPLANT
    is_free = row.what in (What.TASK, What.CLUSTERING)
    if row.value and not is_free and row.value not in choices and not may_be_new:
        message = f"the catalogue has no {_NOUNS[row.what]} {row.value}{nearest(row.value, choices)}"
        yield Problem(number, "value", message)
    if row.arena and row.arena not in known.arenas and not known.adds:
        message = f"the catalogue has no arena {row.arena}{nearest(row.arena, known.arenas)}"
        yield Problem(number, "arena", message)


def _choices(row: Row, known: Vocabulary) -> frozenset[str]:
    if row.what in (What.EXPERIMENTER, What.CURATOR):
        return known.people
    if row.what is What.IMPLANT:
        return known.implants.get(row.session, frozenset())
    if row.what is What.APPARATUS:
        return known.apparatus
    return known.projects if row.what is What.PROJECT else known.rooms


def _of_tasks(number: int, row: Row, known: Vocabulary) -> Iterator[Problem]:
    """The light of a task, and what stood in its arena."""
    things = [name for name, _ in things_of(row.objects or "")]
    if row.what is not What.TASK:
        for column, text in (("light", row.light), ("objects", row.objects)):
            if text:
                yield Problem(number, column, f"only a task has {column}, no {row.what}")
    elif not known.adds:
        if row.light and row.light not in known.lights:
            yield Problem(number, "light", f"the catalogue has no light {row.light}{nearest(row.light, known.lights)}")
        for name in things:
            if name not in known.objects:
                message = f"the catalogue has no object {name}{nearest(name, known.objects)}"
                yield Problem(number, "objects", message)


def _curated(number: int, row: Row, known: Vocabulary) -> Iterator[Problem]:
    """When a clustering was curated: after what it is of was recorded."""
    moment, day = moment_of(row.curated), known.days.get(row.session)
    if moment is not None and row.what is not What.CURATOR:
        yield Problem(number, "curated", f"only a curator has a time of curation, no {row.what}")
    elif moment is not None and day is not None and moment.date() < day:
        yield Problem(number, "curated", f"it was curated before the session was recorded ({day})")


def _clusterings(rows: Sequence[tuple[int, Row]], known: Vocabulary) -> Iterator[Problem]:
    """Clusterings of several sessions: of one subject, and of two sessions at least."""
    said = [(number, row) for number, row in rows if row.what is What.CLUSTERING and row.confirmed and row.value]
    members: dict[str, set[str]] = {row.value: set(known.clusterings.get(row.value, ())) for _, row in said}
    for _, row in said:
        members[row.value].add(row.session)
    for number, row in said:
        others = members[row.value]
        if len(row.value) > LONGEST_GROUP:
            yield Problem(number, "value", f"it is longer than {LONGEST_GROUP} characters")
        elif len(others) < 2:
            yield Problem(number, "value", f"no other session was clustered as {row.value}; it takes two")
        elif len({known.subjects.get(name, "") for name in others if name in known.sessions}) > 1:
            yield Problem(number, "value", f"{row.value} would be of several subjects; take another name")


def nearest(name: str, choices: Collection[str]) -> str:
    """The rest of a sentence about an unknown *name*: which of the *choices* is nearest; '' when none is near."""
    from difflib import get_close_matches  # here, because it is needed for a mistake alone

    close = get_close_matches(name, sorted(choices), n=1, cutoff=0.6)
    return f"; the nearest is {close[0]}" if close else ""


def impossible_times(number: int, row: Row, duration_s: float | None) -> Iterator[Problem]:
    """What is wrong with the times of a row in a session that lasted so long."""
    if row.what is not What.TASK:
        if (row.start_s, row.stop_s) != (None, None):
            yield Problem(number, "start_s", f"only a task has times, no {row.what}")
        return
    if row.start_s is None and (row.stop_s is not None or row.confirmed):
        yield Problem(number, "start_s", "it stops and never starts" if row.stop_s is not None else "it has no start")
    if None not in (row.start_s, row.stop_s) and (row.stop_s or 0.0) <= (row.start_s or 0.0):
        yield Problem(number, "stop_s", f"it stops at {seconds(row.stop_s)} s, before it started")
    for column, time_s in (("start_s", row.start_s), ("stop_s", row.stop_s)):
        if duration_s is not None and time_s is not None and time_s > duration_s + _LENIENCE_S:
            yield Problem(number, column, f"{seconds(time_s)} s is after the session's end ({seconds(duration_s)} s)")


def overlaps(tasks: Iterable[tuple[float, float | None, int]], *, called: str = "the task of row") -> Iterator[Problem]:
    """Tasks of one session (start and stop in seconds, and a number) that are not apart from each other."""
    for (began_s, stop_s, before), (start_s, _, number) in pairwise(sorted(tasks, key=lambda task: task[0])):
        if stop_s is not None and start_s < stop_s:
            yield Problem(number, "start_s", f"it starts before {called} {before} stops ({seconds(stop_s)} s)")
        elif start_s == began_s:
            yield Problem(number, "start_s", f"it starts when {called} {before} does ({seconds(start_s)} s)")


def _twice(rows: Sequence[tuple[int, Row]]) -> Iterator[Problem]:
    """What only one can be, said as two."""
    said: dict[tuple[str, What, str], int] = {}
    for number, row in rows:
        if row.confirmed and row.what in _SINGLE:
            first = said.setdefault((row.session, row.what, row.item if row.what is not What.ROOM else ""), number)
            if first != number:
                yield Problem(number, "value", f"row {first} says already which {row.what} it is")
