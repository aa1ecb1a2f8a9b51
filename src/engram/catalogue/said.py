"""What people have said of sessions, and what there is to choose from; read in one go."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, RowMapping, Select, Table, select

from engram.catalogue.directory import was_in
from engram.catalogue.names import unescaped
from engram.catalogue.session_parts import CONFIRMED
from engram.catalogue.tables.animals import IMPLANT, PERSON, PROBE, PROJECT, SUBJECT
from engram.catalogue.tables.behaviour import APPARATUS, ARENA, LIGHT, STIMULUS_OBJECT
from engram.catalogue.tables.outputs import CLUSTERING, CLUSTERING_RECORDING
from engram.catalogue.tables.recordings import RECORDING
from engram.catalogue.tables.sessions import ROOM, SESSION, SESSION_EXPERIMENTER, SESSION_PROJECT

_Parts: TypeAlias = Mapping[int, list[RowMapping]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What people have said of a session, beside its tasks."""

    experimenters: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    room: str = ""
    #: A remark; '' for none.
    note: str = ""
    #: Who is responsible for its subject.
    responsible: str = ""
    #: By the id of a recording: the implant that it was made with.
    implants: Mapping[str, str] = field(default_factory=dict)
    #: By the id of a recording: the implants that it can have been made with; its probe's where that is known.
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: By the id of a recording: who curated it, as a person confirmed.
    curators: Mapping[str, str] = field(default_factory=dict)
    #: By the id of a recording: who is taken to have curated it, until a person confirms it.
    likely_curators: Mapping[str, str] = field(default_factory=dict)
    #: Names of clusterings of several sessions that it is one of.
    clusterings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the catalogue has of everything that is called by a name alone."""

    people: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    arenas: frozenset[str] = frozenset()
    lights: frozenset[str] = frozenset()
    #: Objects, cue cards and curtains.
    objects: frozenset[str] = frozenset()
    apparatus: frozenset[str] = frozenset()
    #: By the name of an arena: its apparatus; '' where nobody said.
    apparatus_of: Mapping[str, str] = field(default_factory=dict)


def names_in(connection: Connection) -> Names:
    """Every person, project, room, arena, light, object and apparatus."""

    def every(table: Table, column: str) -> frozenset[str]:
        return frozenset(connection.execute(select(table.c[column])).scalars())

    return Names(
        people=every(PERSON, "person_name"),
        projects=every(PROJECT, "project_name"),
        rooms=every(ROOM, "room_name"),
        arenas=every(ARENA, "arena_name"),
        lights=every(LIGHT, "light_name"),
        objects=every(STIMULUS_OBJECT, "object_name"),
        apparatus=every(APPARATUS, "apparatus_name"),
        apparatus_of={
            arena: apparatus or ""
            for arena, apparatus in connection.execute(
                select(ARENA.c.arena_name, APPARATUS.c.apparatus_name).select_from(ARENA.outerjoin(APPARATUS))
            )
        },
    )


def said_of_sessions(connection: Connection) -> dict[str, Said]:
    """What was said of each session, by its id."""
    reader = _Reader(connection)
    return {unescaped(row["session_name"]): reader.said(row) for row in reader.sessions}


class _Reader:
    """Everything that was said, by session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        around = SESSION.join(SUBJECT).outerjoin(ROOM)
        around = around.outerjoin(PERSON, PERSON.c.person_id == SUBJECT.c.responsible_id)
        sessions = select(SESSION, ROOM.c.room_name, PERSON.c.person_name).select_from(around)
        self.sessions = connection.execute(sessions.order_by(SESSION.c.session_name)).mappings().all()
        people = select(SESSION_EXPERIMENTER, PERSON.c.person_name).join(PERSON).order_by(PERSON.c.person_name)
        projects = select(SESSION_PROJECT, PROJECT.c.project_name).join(PROJECT).order_by(PROJECT.c.project_name)
        self._people = self._read("session_id", people)
        self._projects = self._read("session_id", projects)
        recordings = select(RECORDING).where(RECORDING.c.recording_state == "there")
        self._recordings = self._read("session_id", recordings.order_by(RECORDING.c.recording_id))
        self._implants = self._read("subject_id", select(IMPLANT, PROBE.c.probe_serial).join(PROBE))
        self._labels = {row["implant_id"]: label_of(row) for rows in self._implants.values() for row in rows}
        curated = select(CLUSTERING.c.clustering_name, PERSON.c.person_name, CLUSTERING.c.clustering_standing)
        self._curators: dict[str, str] = {}
        self._likely: dict[str, str] = {}
        went_in = select(RECORDING.c.session_id, CLUSTERING.c.clustering_name)
        went_in = went_in.select_from(CLUSTERING.join(CLUSTERING_RECORDING).join(RECORDING))
        mine = CLUSTERING.c.clustering_name != RECORDING.c.recording_name  # else it is that recording itself
        self._clusterings = self._read("session_id", went_in.where(mine).distinct())
        for name, who, standing in connection.execute(curated.join(PERSON)):
            into = self._curators if standing == CONFIRMED else self._likely
            into[unescaped(name)] = who

    def _read(self, key: str, rows: "Select[Any]") -> _Parts:
        found: dict[int, list[RowMapping]] = defaultdict(list)
        for row in self._connection.execute(rows).mappings():
            found[row[key]].append(row)
        return found

    def said(self, row: RowMapping) -> Said:
        """What was said of one session."""
        recordings = {unescaped(one["recording_name"]): one for one in self._recordings.get(row["session_id"], [])}
        return Said(
            experimenters=tuple(one["person_name"] for one in self._people.get(row["session_id"], [])),
            projects=tuple(one["project_name"] for one in self._projects.get(row["session_id"], [])),
            room=row["room_name"] or "",
            note=row["session_note"],
            responsible=row["person_name"] or "",
            implants={name: self._labels.get(one["implant_id"], "") for name, one in recordings.items()},
            candidates={name: self._candidates(row, one) for name, one in recordings.items()},
            curators={name: self._curators[name] for name in recordings if name in self._curators},
            clusterings=tuple(
                sorted(unescaped(one["clustering_name"]) for one in self._clusterings.get(row["session_id"], []))
            ),
            likely_curators={name: self._likely[name] for name in recordings if name in self._likely},
        )

    def _candidates(self, session: RowMapping, recording: RowMapping) -> tuple[str, ...]:
        mine = [dict(one) for one in self._implants.get(session["subject_id"], [])]
        there = [one for one in mine if was_in(one, session["session_date"])]
        same = [one for one in there if recording["probe_id"] in (None, one["probe_id"])]
        return tuple(sorted(self._labels[one["implant_id"]] for one in same))


def label_of(implant: RowMapping) -> str:
    """What people call an implant; see `label`."""
    return label(implant["implant_name"], implant["probe_serial"], implant["implant_inserted"])


def label(name: str, serial: str, inserted: datetime) -> str:
    """How people tell one implant of a subject from another: ``18005123491@2020-01-01T09:00``, its name before it."""
    return f"{name} {serial}@{inserted:%Y-%m-%dT%H:%M}".lstrip()
