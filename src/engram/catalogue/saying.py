"""What a person says of a session, put into the catalogue: said twice it is there once, corrected it is an edit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, select

from engram.catalogue.names import escaped, given, path_key
from engram.catalogue.said import label_of
from engram.catalogue.session_parts import CONFIRMED, INFERRED, Found
from engram.catalogue.sessions import touch_session
from engram.catalogue.tables.animals import IMPLANT, PERSON, PROBE, PROJECT
from engram.catalogue.tables.behaviour import APPARATUS, ARENA, LIGHT, STIMULUS_OBJECT, TASK, TASK_OBJECT
from engram.catalogue.tables.outputs import CLUSTERING, CLUSTERING_RECORDING
from engram.catalogue.tables.recordings import FILE, RECORDING, RECORDING_FILE
from engram.catalogue.tables.sessions import ROOM, SESSION, SESSION_EXPERIMENTER, SESSION_PROJECT
from engram.catalogue.unit import Became, Row, Unit, Value
from engram.model.errors import NotInCatalogue
from engram.model.recordings import Task

_SEE_SESSIONS = "See which there are: engram sessions list"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSaid:
    """A task as a person confirmed it."""

    task: Task
    #: Which of the session's tasks it was when the person was asked; 0: a new one.
    number: int = 0
    #: It never happened.
    never: bool = False
    #: The task's arena is said, too: none, perhaps. Else it stays as it is.
    says_arena: bool = True
    #: The light; ``None``: as it is.
    light: str | None = None
    #: A remark; ``None``: as it is.
    note: str | None = None
    #: What stood where: these things, and nothing else; ``None``: as it is.
    things: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """What is said of a clustering; what is ``None`` stays as it is."""

    curator: str | None = None
    #: By the clock of the lab.
    curated: datetime | None = None
    note: str | None = None
    #: Whether a person says so; what nobody said replaces nothing that somebody did.
    confirmed: bool = True


class Saying:
    """One session, and what a person says of it: *changes* tells in words what is different since."""

    def __init__(self, unit: Unit, session: str, *, adds: bool = False) -> None:
        """With *adds* people, projects, rooms and arenas that are unknown are added. Raises `NotInCatalogue`."""
        row = unit.find(SESSION, {"session_name": escaped(session)})
        if row is None:
            raise NotInCatalogue("session", session, _SEE_SESSIONS)
        self._unit = unit
        self._row = row
        self._session = int(str(row["session_id"]))
        self._adds = adds
        self.changes: list[str] = []

    def finish(self) -> tuple[str, ...]:
        """Note that the session is another now, if it is; what changed."""
        if self.changes:
            touch_session(self._unit, self._session)
        return tuple(self.changes)

    def experimenters(self, names: Sequence[str]) -> None:
        """Who took part: these, and nobody else."""
        ids = {name: self._named(PERSON, "person", name) for name in names}
        self._only(SESSION_EXPERIMENTER, "person_id", "experimenter", ids, PERSON, "person_name")

    def projects(self, names: Sequence[str]) -> None:
        """What it was for: these, and nothing else."""
        ids = {name: self._named(PROJECT, "project", name) for name in names}
        self._only(SESSION_PROJECT, "project_id", "project", ids, PROJECT, "project_name")

    def room(self, name: str) -> None:
        """Where it was."""
        if self._unit.edit(SESSION, self._row, {"room_id": self._named(ROOM, "room", name)}):
            self.changes.append(f"room {name}")

    def implant(self, recording: str, label: str) -> None:
        """Which implant a recording was made with, as `said.label_of` calls it. Raises `NotInCatalogue`."""
        rows = select(IMPLANT, PROBE.c.probe_serial).join(PROBE).where(IMPLANT.c.subject_id == self._row["subject_id"])
        found = [one for one in self._unit.connection.execute(rows).mappings() if label_of(one) == label]
        if not found:
            raise NotInCatalogue("implant", label, "See which there are: engram probes list")
        values: Row = {"implant_id": found[0]["implant_id"], "probe_id": found[0]["probe_id"]}
        if self._unit.edit(RECORDING, self._recording(recording), values):
            self.changes.append(f"{recording} was made with {label}")

    def note(self, text: str) -> None:
        """A remark."""
        if self._unit.edit(SESSION, self._row, {"session_note": text}):
            self.changes.append(f"note {text[:60]}")

    def curator(self, recording: str, person: str) -> None:
        """Who curated a clustering."""
        self.curation(recording, Curation(curator=person))

    def curation(self, recording: str, said: Curation) -> None:
        """Who curated a clustering, and when."""
        row = self._recording(recording)
        natural: Row = {"clustering_name": escaped(recording)}
        known = self._unit.find(CLUSTERING, natural)
        if known is not None and known["clustering_standing"] == CONFIRMED and not said.confirmed:
            return
        values = self._curation(said)
        if known is None:
            values |= {"clustering_software": row["recording_device"], **self._place(int(str(row["recording_id"])))}
        put = self._unit.put(CLUSTERING, natural, values)
        link: Row = {"clustering_id": put.row_id, "recording_id": row["recording_id"]}
        self._unit.put(CLUSTERING_RECORDING, link, {})
        if put.became is not Became.SAME:
            by = f" by {said.curator}" if said.curator else ""
            self.changes.append(f"{recording} was curated{by}" + ("" if said.confirmed else ", to be confirmed"))

    def _curation(self, said: Curation) -> dict[str, Value]:
        values: dict[str, Value] = {"clustering_standing": CONFIRMED if said.confirmed else INFERRED}
        if said.curator is not None:
            values["curator_id"] = self._named(PERSON, "person", said.curator)
        if said.curated is not None:
            values["clustering_curated"] = said.curated
        if said.note is not None:
            values["clustering_note"] = said.note
        return values

    def apparatus(self, arena: str, name: str) -> None:
        """Which apparatus an arena is."""
        number = self._named(ARENA, "arena", arena)
        row = self._unit.find(ARENA, {"arena_id": number})
        assert row is not None
        if self._unit.edit(ARENA, row, {"apparatus_id": self._named(APPARATUS, "apparatus", name)}):
            self.changes.append(f"arena {arena} is {name}")

    def tasks(self, said: Sequence[TaskSaid]) -> None:
        """What the subject did, and when; tasks that are not among these stay as they are.

        A task is known by its start, else by its number.
        """
        rows = select(TASK).where(TASK.c.session_id == self._session).order_by(TASK.c.task_start_s)
        known = [dict(row) for row in self._unit.connection.execute(rows).mappings()]
        matched = _matched(said, known)
        for one, row in matched:
            if one.never and row is not None:
                self._things(int(row["task_id"]), ())
                self._unit.remove(TASK, row)
                self.changes.append(f"no task {one.task.name or row['task_name']}")
        for one, row in matched:
            if not one.never:
                self._task(one, row)

    def _task(self, said: TaskSaid, row: Found | None) -> None:
        task = said.task
        values: dict[str, Value] = {
            "task_name": escaped(task.name),
            "task_type": escaped(task.type),
            "task_start_s": task.start_s,
            "task_stop_s": task.stop_s,
            "task_standing": CONFIRMED,
        }
        if said.says_arena:
            values["arena_id"] = self._named(ARENA, "arena", task.arena) if task.arena else None
        if said.light is not None:
            values["light_id"] = self._named(LIGHT, "light", said.light) if said.light else None
        if said.note is not None:
            values["task_note"] = said.note
        if row is None:
            number = self._unit.add(TASK, {"session_id": self._session, **values})
            self.changes.append(f"task {task.name} added")
        else:
            number = int(row["task_id"])
            if changed := self._unit.edit(TASK, row, values):
                self.changes.append(f"task {task.name} {_words(changed)}")
        if said.things is not None and self._things(number, said.things):
            self.changes.append(f"task {task.name}: other things stood in its arena")

    def _things(self, task: int, said: Sequence[tuple[str, str]]) -> bool:
        """Let these things stand in a task's arena, and no others; whether anything changed."""
        wanted = {(self._named(STIMULUS_OBJECT, "object", name), where): name for name, where in said}
        rows = self._unit.connection.execute(select(TASK_OBJECT).where(TASK_OBJECT.c.task_id == task)).mappings()
        there = {(row["object_id"], row["placement_where"]): dict(row) for row in rows}
        for place, row in there.items():
            if place not in wanted:
                self._unit.remove(TASK_OBJECT, row)
        new = [place for place in wanted if place not in there]
        for thing, where in new:
            self._unit.add(TASK_OBJECT, {"task_id": task, "object_id": thing, "placement_where": where})
        return bool(new) or bool(there.keys() - wanted.keys())

    def _named(self, table: Table, noun: str, name: str) -> int:
        return named(self._unit, table, name, adds=self._adds, changes=self.changes, noun=noun)

    def _only(self, table: Table, column: str, noun: str, ids: dict[str, int], named: Table, name: str) -> None:
        there = select(table, named.c[name]).join(named).where(table.c.session_id == self._session)
        rows = [dict(row) for row in self._unit.connection.execute(there).mappings()]
        for row in rows:
            called = row.pop(name)
            if row[column] not in ids.values():
                self._unit.remove(table, row)
                self.changes.append(f"not {noun} {called}")
        for called, number in ids.items():
            if number not in [row[column] for row in rows]:
                self._unit.add(table, {"session_id": self._session, column: number})
                self.changes.append(f"{noun} {called}")

    def _recording(self, name: str) -> Row:
        natural: Row = {"recording_name": escaped(name), "session_id": self._session}
        row = self._unit.find(RECORDING, natural)
        if row is None:
            raise NotInCatalogue("recording", name, _SEE_SESSIONS)
        return row

    def _place(self, recording: int) -> dict[str, Value]:
        """Where a clustering's files lie: the folder of the main one."""
        main = select(FILE.c.share_id, FILE.c.file_path).join(RECORDING_FILE)
        main = main.where(RECORDING_FILE.c.recording_id == recording)
        row = self._unit.connection.execute(main.order_by(RECORDING_FILE.c.recording_file_number)).first()
        if row is None:
            return {}
        folder = row.file_path.rpartition("/")[0]
        return {"clustering_share_id": row.share_id, "clustering_path": folder, "clustering_key": path_key(folder)}


def named(unit: Unit, table: Table, name: str, *, noun: str, adds: bool, changes: list[str]) -> int:
    """The number of what is called by a name alone; with *adds* it is added when it is new, and *changes* tells.

    Raises `NotInCatalogue`, and `UsageError` for a new one that people cannot read.
    """
    row = unit.find(table, {f"{noun}_name": name})
    if row is not None:
        return int(str(row[f"{noun}_id"]))
    if not adds:
        raise NotInCatalogue(noun, name, "Add it with the table: engram sessions annotate --add-names TABLE")
    changes.append(f"{noun} {name} is new")
    return unit.add(table, {f"{noun}_name": given(name, f"name of a new {noun}")})


def _matched(said: Sequence[TaskSaid], known: Sequence[Found]) -> list[tuple[TaskSaid, Found | None]]:
    """Each task with the row that it is about. No two have the same row, so that no start is taken twice."""
    by_start = {row["task_start_s"]: row for row in known}
    taken = {one.task.start_s for one in said} & by_start.keys()
    matched: list[tuple[TaskSaid, Found | None]] = []
    for one in said:
        row = by_start.get(one.task.start_s)
        if row is None and 0 < one.number <= len(known) and known[one.number - 1]["task_start_s"] not in taken:
            row = known[one.number - 1]
            taken.add(row["task_start_s"])
        matched.append((one, row))
    return matched


def _words(changed: Sequence[tuple[str, Value, Value]]) -> str:
    """What became of a task: ``confirmed, start s: 30.0 → 31.0``."""
    told = ["confirmed"] if any(name == "task_standing" for name, _, _ in changed) else []
    for name, was, now in changed:
        if name in ("arena_id", "light_id"):
            noun = name.removesuffix("_id")
            told.append(f"its {noun} is another" if was else f"its {noun} is said")
        elif name != "task_standing":
            told.append(f"{name.removeprefix('task_').replace('_', ' ')}: {_shown(was)} → {_shown(now)}")
    return ", ".join(told)


def _shown(value: Value) -> str:
    return "nothing" if value in (None, "") else str(value)
