"""What the catalogue knows of sessions, read in one go: for plans, and for lists."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, TypeAlias

from sqlalchemy import Connection, RowMapping, Select, bindparam, select

from engram.catalogue.names import escaped, unescaped
from engram.catalogue.session_parts import CONFIRMED
from engram.catalogue.tables.animals import SUBJECT
from engram.catalogue.tables.behaviour import ARENA, LIGHT, STIMULUS_OBJECT, TASK, TASK_OBJECT
from engram.catalogue.tables.recordings import (
    EXCLUSION,
    FILE,
    RECORDING,
    RECORDING_FILE,
    SESSION_FINDING,
    WAIVER,
)
from engram.catalogue.tables.sessions import GROUP_MEMBER, SESSION, SESSION_FOLDER, SESSION_GROUP, SHARE
from engram.model.findings import FINDINGS, Finding
from engram.model.recordings import Recording, Session, Task, seen_from

_Parts: TypeAlias = Mapping[int, list[RowMapping]]


@dataclass(frozen=True, slots=True)
class FileKnown:
    """One file as the catalogue has it."""

    #: POSIX, relative to the session's folder; surrogates for what is not UTF-8.
    path: str
    size_bytes: int | None
    modified_ns: int | None
    #: The share that it lies on, where that is not the session's: *path* is relative to it then. Else ''.
    share: str = ""


#: By the number of a recording: its files, the main one first.
_Places: TypeAlias = Mapping[int, Sequence[FileKnown]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKnown:
    """One session as the catalogue has it, without what is gone."""

    #: With its recordings; their paths are relative to the session's folder, or to another share.
    session: Session
    #: Sorted by share and path; empty where they were not asked for.
    files: tuple[FileKnown, ...] = ()
    #: Number of the change that touched it last.
    version: int


def known_sessions(
    connection: Connection, names: Collection[str] | None = None, *, files: bool = True
) -> Iterator[SessionKnown]:
    """All sessions, or those of these ids, by id. Memory grows with what one session has, and with all recordings.

    With *files* false no row of a file is read: recordings have no paths then.
    """
    parts = _Reader(connection, files=files)
    rows = select(SESSION, SUBJECT.c.subject_name).join(SUBJECT).order_by(SESSION.c.session_name)
    wanted = None if names is None else set(names)
    for row in connection.execute(rows).mappings().all():
        name = unescaped(row["session_name"])
        if wanted is None or name in wanted:
            yield parts.session(row, name)


class _Reader:
    """Everything that belongs to sessions, by session; the files of one session at a time."""

    def __init__(self, connection: Connection, *, files: bool) -> None:
        self._connection = connection
        self._files = files
        recordings = select(RECORDING).where(RECORDING.c.recording_state == "there")
        folders = select(SESSION_FOLDER, SHARE.c.share_name).join(SHARE)
        groups = select(GROUP_MEMBER, SESSION_GROUP.c.group_name).join(SESSION_GROUP)
        there = folders.where(SESSION_FOLDER.c.folder_state == "there").order_by(SESSION_FOLDER.c.folder_id)
        self._recordings = self._read(recordings.order_by(RECORDING.c.recording_id))
        self._folders = self._read(there)
        tasks = select(TASK, ARENA.c.arena_name, LIGHT.c.light_name)
        tasks = tasks.select_from(TASK.outerjoin(ARENA).outerjoin(LIGHT))
        self._tasks = self._read(tasks.order_by(TASK.c.task_start_s))
        self._objects = self._placements()
        self._findings = self._read(select(SESSION_FINDING).order_by(SESSION_FINDING.c.finding_id))
        self._groups = self._read(groups.order_by(SESSION_GROUP.c.group_name))

    def _placements(self) -> Mapping[int, list[tuple[str, str]]]:
        """What stood where, by task."""
        rows = select(TASK_OBJECT.c.task_id, STIMULUS_OBJECT.c.object_name, TASK_OBJECT.c.placement_where)
        rows = rows.select_from(TASK_OBJECT.join(STIMULUS_OBJECT)).order_by(TASK_OBJECT.c.placement_id)
        found: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for task, name, where in self._connection.execute(rows):
            found[task].append((name, where))
        return found

    def _read(self, rows: "Select[Any]") -> _Parts:
        found: dict[int, list[RowMapping]] = defaultdict(list)
        for row in self._connection.execute(rows).mappings():
            found[row["session_id"]].append(row)
        return found

    def session(self, row: RowMapping, name: str) -> SessionKnown:
        """One session, whole."""
        number = row["session_id"]
        folders = [(one["share_name"], unescaped(one["folder_path"])) for one in self._folders.get(number, [])]
        share, folder = folders[0] if folders else ("", "")
        files, places = self._files_of(number, share, folder) if self._files else ((), {})
        session = Session(
            id=name,
            subject=row["subject_name"],
            started=started(row),
            share=share,
            folder=folder,
            also_in=tuple(folders[1:]),
            state="known",
            ident=unescaped(row["session_ident"]),
            groups=tuple(unescaped(one["group_name"]) for one in self._groups.get(number, [])),
            tasks=tuple(_task(one, self._objects.get(one["task_id"], ())) for one in self._tasks.get(number, [])),
            recordings=tuple(_recording(one, places) for one in self._recordings.get(number, [])),
            findings=tuple(_finding(one) for one in self._findings.get(number, []) if one["finding_code"] in FINDINGS),
        )
        return SessionKnown(session=session, files=files, version=row["session_touched_in"])

    def _files_of(self, session: int, share: str, folder: str) -> tuple[tuple[FileKnown, ...], _Places]:
        by_id = {
            number: FileKnown(seen_from(folder, unescaped(path)), size_bytes, modified_ns)
            if on == share
            else FileKnown(unescaped(path), size_bytes, modified_ns, on)
            for number, on, path, size_bytes, modified_ns in self._connection.execute(_FILES, {"of": session})
        }
        links = self._connection.execute(_LINKS, {"of": session})
        places: dict[int, list[FileKnown]] = defaultdict(list)
        for recording, file in links:
            if file in by_id:
                places[recording].append(by_id[file])
        files = tuple(sorted(by_id.values(), key=lambda file: (file.share, file.path)))
        return files, places


_FILES = (
    select(FILE.c.file_id, SHARE.c.share_name, FILE.c.file_path, FILE.c.file_size_bytes, FILE.c.file_mtime_ns)
    .join(SHARE)
    .where(FILE.c.session_id == bindparam("of"), FILE.c.file_state == "there")
)
_LINKS = (
    select(RECORDING_FILE.c.recording_id, RECORDING_FILE.c.file_id)
    .join(RECORDING)
    .where(RECORDING.c.session_id == bindparam("of"))
    .order_by(RECORDING_FILE.c.recording_file_number)
)


def started(row: RowMapping) -> datetime | date:
    """When a session began: with offset where it is known, a day where no more is."""
    moment = row["session_started"]
    if moment is None:
        day: date = row["session_date"]
        return day
    return _with_offset(moment, row["session_utc_offset_s"])


def _with_offset(moment: datetime, offset_s: "int | None") -> datetime:
    return moment if offset_s is None else moment.replace(tzinfo=timezone(timedelta(seconds=offset_s)))


def _task(row: RowMapping, objects: Sequence[tuple[str, str]]) -> Task:
    return Task(
        name=unescaped(row["task_name"]),
        start_s=row["task_start_s"],
        stop_s=row["task_stop_s"],
        type=unescaped(row["task_type"]),
        confirmed=row["task_standing"] == CONFIRMED,
        arena=row["arena_name"] or "",
        light=row["light_name"] or "",
        note=row["task_note"],
        objects=tuple(objects),
    )


def _finding(row: RowMapping) -> Finding:
    path, message = unescaped(row["finding_path"]), unescaped(row["finding_message"])
    return Finding(code=row["finding_code"], path=path, message=message)


def _recording(row: RowMapping, places: _Places) -> Recording:
    moment = row["recording_started"]
    files = places.get(row["recording_id"], ())
    share = files[0].share if files else ""
    return Recording(
        kind=row["recording_kind"],
        device=unescaped(row["recording_device"]),
        paths=tuple(file.path for file in files if file.share == share),
        share=share,
        id=unescaped(row["recording_name"]),
        serial=unescaped(row["recording_serial"]),
        started=None if moment is None else _with_offset(moment, row["recording_utc_offset_s"]),
        duration_s=row["recording_duration_s"],
        sampling_rate_hz=row["recording_rate_hz"],
        channels=row["recording_channels"],
        samples=row["recording_samples"],
        size_bytes=row["recording_size_bytes"],
        sha1=row["recording_sha1"],
        processing=unescaped(row["recording_processing"]),
        facts=tuple(json.loads(row["recording_facts"] or "{}").items()),
    )


def waived(connection: Connection) -> frozenset[tuple[str, str]]:
    """Findings that somebody accepted: id of a session or recording, and the code."""
    rows = connection.execute(select(WAIVER.c.waiver_item, WAIVER.c.waiver_code))
    return frozenset((unescaped(item), code) for item, code in rows)


def waivers(connection: Connection) -> dict[tuple[str, str], str]:
    """The same with the reasons."""
    rows = connection.execute(select(WAIVER.c.waiver_item, WAIVER.c.waiver_code, WAIVER.c.waiver_why))
    return {(unescaped(item), code): why for item, code, why in rows}


def excluded(connection: Connection) -> dict[str, str]:
    """What is left out (patterns, ids, ``SHARE:FOLDER``), with the reason."""
    rows = connection.execute(select(EXCLUSION.c.exclusion_pattern, EXCLUSION.c.exclusion_why))
    return {unescaped(pattern): why for pattern, why in rows}


def version_of(connection: Connection, name: str) -> int:
    """Number of the change that touched a session last; 0 for one that the catalogue has not."""
    found = select(SESSION.c.session_touched_in).where(SESSION.c.session_name == escaped(name))
    return int(connection.execute(found).scalar() or 0)
