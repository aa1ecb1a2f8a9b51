"""What is asked of people, and what becomes of their answers: between the catalogue and the table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from engram.catalogue.clusterings import join_group, sessions_of_clusterings
from engram.catalogue.known import known_sessions
from engram.catalogue.opening import Catalogue
from engram.catalogue.said import Names, Said, names_in, said_of_sessions
from engram.catalogue.saying import Curation, Saying, TaskSaid
from engram.catalogue.unit import Unit
from engram.model.recordings import Recording, Session, Task
from engram.sessions.annotating import NEVER, Row, What, moment_of, task_rows, things_of
from engram.sessions.answers import Vocabulary

_NUMBER = re.compile("[0-9]{1,9}")
#: Recordings that an implanted probe makes.
OF_IMPLANTS = ("neuropixels-ap", "neuropixels-lf", "ephys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that the catalogue knows when people are asked."""

    sessions: Mapping[str, Session]
    said: Mapping[str, Said]
    names: Names
    #: By the name of a clustering of several sessions: their ids.
    clusterings: Mapping[str, frozenset[str]] = field(default_factory=dict)


def asked_of(catalogue: Catalogue) -> Asked:
    """Read it. Memory grows with all sessions and recordings, not with files."""
    with catalogue.reading() as connection:
        sessions = {known.session.id: known.session for known in known_sessions(connection, files=False)}
        return Asked(
            sessions=sessions,
            said=said_of_sessions(connection),
            names=names_in(connection),
            clusterings=sessions_of_clusterings(connection),
        )


def missing(asked: Asked) -> Iterator[Row]:
    """A row for everything that a person must still say, with what can be inferred; by session."""
    for name, session in asked.sessions.items():
        yield from _of_session(session, asked.said[name], asked.names)
        yield from _clustered(session, asked)


def _of_session(session: Session, said: Said, names: Names) -> Iterator[Row]:
    started = session.started
    when = f"{started:%Y-%m-%d %H:%M:%S}" if isinstance(started, datetime) else f"{started:%Y-%m-%d}"
    blank = Row(session=session.id, started=when, what=What.EXPERIMENTER)
    if not said.experimenters:
        yield replace(blank, value=said.responsible, choices=tuple(sorted(names.people)))
    if not said.projects:
        yield replace(blank, what=What.PROJECT, choices=tuple(sorted(names.projects)))
    if names.rooms and not said.room:  # a lab that keeps none is not asked
        yield replace(blank, what=What.ROOM, choices=tuple(sorted(names.rooms)))
    yield from (row for row in task_rows(session.id, when, session.tasks) if not row.confirmed)
    for recording in session.recordings:
        yield from _of_recording(recording, replace(blank, item=recording.id), said, names, session)
    for arena in dict.fromkeys(task.arena for task in session.tasks if task.arena):
        if names.apparatus and not names.apparatus_of.get(arena):  # a lab that keeps none is not asked
            yield replace(blank, what=What.APPARATUS, item=arena, choices=tuple(sorted(names.apparatus)))


def _of_recording(recording: Recording, row: Row, said: Said, names: Names, session: Session) -> Iterator[Row]:
    candidates = said.candidates.get(recording.id, ())
    if recording.kind in OF_IMPLANTS and candidates and not said.implants.get(recording.id):
        likely = candidates[0] if len(candidates) == 1 else ""
        yield replace(row, what=What.IMPLANT, value=likely, choices=candidates)
    if recording.kind == "sorting" and recording.id not in said.curators:
        curator = recording.fact("curator")
        value = said.likely_curators.get(recording.id, "") or (curator if isinstance(curator, str) else "")
        asked = replace(row, what=What.CURATOR, value=value, choices=tuple(sorted(names.people)))
        yield replace(asked, curated=_when_curated(recording, session))


def _when_curated(recording: Recording, session: Session) -> str:
    """When its files were written last, by the clock of the lab where that is known; '' where it is not."""
    told = recording.fact("curated")
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return ""
    started = session.started
    if moment is not None and isinstance(started, datetime) and started.tzinfo is not None:
        moment = moment.astimezone(started.tzinfo)
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _clustered(session: Session, asked: Asked) -> Iterator[Row]:
    """With which others a session was clustered: asked until a person told who curated it."""
    said = asked.said[session.id]
    open_ones = [one for one in session.recordings if one.kind == "sorting" and one.id not in said.curators]
    groups = {name for name, members in asked.clusterings.items() if session.id in members}
    if open_ones and not groups:
        started = session.started
        when = f"{started:%Y-%m-%d %H:%M:%S}" if isinstance(started, datetime) else f"{started:%Y-%m-%d}"
        mine = {
            name
            for name, members in asked.clusterings.items()
            if any(asked.sessions[one].subject == session.subject for one in members if one in asked.sessions)
        }
        yield Row(session=session.id, started=when, what=What.CLUSTERING, choices=tuple(sorted(mine)))


def vocabulary(asked: Asked, *, adds: bool) -> Vocabulary:
    """What a table of answers may say."""
    said = asked.said.items()
    return Vocabulary(
        sessions={name: duration_s(session) for name, session in asked.sessions.items()},
        recordings={name: frozenset(one.id for one in each.recordings) for name, each in asked.sessions.items()},
        people=asked.names.people,
        projects=asked.names.projects,
        rooms=asked.names.rooms,
        arenas=asked.names.arenas,
        lights=asked.names.lights,
        objects=asked.names.objects,
        apparatus=asked.names.apparatus,
        subjects={name: session.subject for name, session in asked.sessions.items()},
        days={name: _day(session.started) for name, session in asked.sessions.items()},
        clusterings=asked.clusterings,
        implants={
            name: frozenset(label for labels in each.candidates.values() for label in labels) for name, each in said
        },
        adds=adds,
    )


def _day(started: date | datetime) -> date:
    return started.date() if isinstance(started, datetime) else started


def duration_s(session: Session) -> float | None:
    """How long a session lasted, as far as its recordings say; ``None`` where a file has tasks after their end."""
    if not isinstance(session.started, datetime):
        return None
    begun = session.started.replace(tzinfo=None)
    ends = [
        (one.started.replace(tzinfo=None) - begun).total_seconds() + one.duration_s
        for one in session.recordings
        if one.started is not None and one.duration_s is not None and not one.processing
    ]
    last = max((task.start_s for task in session.tasks), default=0.0)
    return max(ends) if ends and max(ends) > last else None


def answer(unit: Unit, session: str, rows: Sequence[Row], *, adds: bool) -> tuple[str, ...]:
    """Put what the confirmed ones of a session's *rows* say into the catalogue; what changed, in words.

    Raises `NotInCatalogue`.
    """
    said = [row for row in rows if row.confirmed]
    saying = Saying(unit, session, adds=adds)
    for what, say in ((What.EXPERIMENTER, saying.experimenters), (What.PROJECT, saying.projects)):
        if names := [row.value for row in said if row.what is what]:
            say(names)
    if tasks := [_task(row) for row in said if row.what is What.TASK]:
        saying.tasks(tasks)
    for row in said:
        _say(saying, row)
        if row.what is What.CLUSTERING:
            saying.changes += join_group(unit, row.value, session)
    return saying.finish()


def _say(saying: Saying, row: Row) -> None:
    """What one row says of one thing."""
    if row.what is What.ROOM:
        saying.room(row.value)
    elif row.what is What.IMPLANT:
        saying.implant(row.item, row.value)
    elif row.what is What.CURATOR:
        saying.curation(row.item, Curation(curator=row.value, curated=moment_of(row.curated)))
    elif row.what is What.APPARATUS:
        saying.apparatus(row.item, row.value)


def _task(row: Row) -> TaskSaid:
    never = row.value == NEVER
    task = Task(
        name="" if never else row.value,
        start_s=row.start_s or 0.0,
        stop_s=row.stop_s,
        type=row.note,
        confirmed=True,
        arena=row.arena,
    )
    return TaskSaid(
        task=task,
        number=int(row.item) if _NUMBER.fullmatch(row.item) else 0,
        never=never,
        light=row.light,
        things=None if row.objects is None else things_of(row.objects),
    )
