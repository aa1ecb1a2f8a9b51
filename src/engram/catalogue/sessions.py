"""Sessions in the catalogue: what a scan found is recorded, once, however often it is told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from engram.catalogue.directory import Directory, wall_clock
from engram.catalogue.names import escaped, path_key
from engram.catalogue.session_files import FileNow, Spot, add_files, placed, record_files
from engram.catalogue.session_parts import (
    Known,
    record_findings,
    record_groups,
    record_recordings,
    record_tasks,
)
from engram.catalogue.tables.sessions import SESSION, SESSION_FOLDER
from engram.catalogue.unit import Became, Row, Unit
from engram.model.recordings import Session


@dataclass(frozen=True, slots=True)
class Recorded:
    """What recording a session did."""

    session_id: int
    became: Became
    #: What is different now, in words; empty for a session that is new, or as it was.
    changes: tuple[str, ...] = ()


def record_session(
    unit: Unit,
    session: Session,
    files: Iterable[FileNow],
    *,
    roots: Mapping[str, str] | None = None,
    directory: Directory | None = None,
) -> Recorded:
    """Let the catalogue say of a session what was found now: all of its recordings and files.

    Told twice it is recorded once. What is not there any more is kept, as gone; tasks that a person confirmed, and
    everything else that only a person can say, stay as they are. A share that is new is added, mounted where *roots*
    says. One *directory* for many sessions saves asking for the same names again. Raises `NotInCatalogue` for a
    subject that the catalogue does not know.
    """
    directory = directory or Directory()
    names = dict.fromkeys(share for share, _ in session.folders)
    shares = {name: directory.share(unit, name, (roots or {}).get(name, "")) for name in names}
    row = unit.find(SESSION, {"session_name": escaped(session.id)})
    there = tuple(files)
    values = {
        "subject_id": directory.subject(unit, session.subject),
        **when(session.started),
        "session_ident": escaped(session.ident),
    }
    if row is None:
        return Recorded(_record_new(unit, session, values, shares, there, directory), Became.ADDED)
    session_id = int(str(row["session_id"]))
    changes = [f"{name.partition('_')[2]} was {was}" for name, was, _ in unit.edit(SESSION, row, values)]
    changes += _record_parts(unit, session, session_id, shares, there, directory, known=Known.LOOK)
    if changes:
        touch_session(unit, session_id)
    return Recorded(session_id, Became.EDITED if changes else Became.SAME, tuple(changes))


def touch_session(unit: Unit, session_id: int) -> None:
    """Note that a session, or what belongs to it, is another since this change."""
    touched = {"session_touched_in": unit.change_id}
    unit.connection.execute(update(SESSION).where(SESSION.c.session_id == session_id).values(touched))


def _record_new(
    unit: Unit, session: Session, values: Row, shares: Mapping[str, int], files: Sequence[FileNow], directory: Directory
) -> int:
    named: Row = {"session_name": escaped(session.id), "session_touched_in": unit.change_id}
    session_id = unit.add(SESSION, {**values, **named})
    try:
        with unit.attempting():
            _record_parts(unit, session, session_id, shares, files, directory, known=Known.NOTHING)
    except IntegrityError:  # a recording or a file of it belongs to another session, which has to give it up
        _record_parts(unit, session, session_id, shares, files, directory, known=Known.OF_OTHERS)
    return session_id


def _record_parts(
    unit: Unit,
    session: Session,
    session_id: int,
    shares: Mapping[str, int],
    files: Sequence[FileNow],
    directory: Directory,
    *,
    known: Known,
) -> list[str]:
    probes = directory.probes(unit, session)
    places = [(shares[share], escaped(folder)) for share, folder in session.folders]
    changes = _record_folders(unit, session_id, places, known)
    recordings = record_recordings(unit, session, session_id, probes, known)
    changes += recordings.changes
    if known is Known.NOTHING:
        add_files(unit, session, (session_id, shares), files, recordings.ids)
    else:
        there = placed(session, files, shares)
        changes += record_files(unit, session, session_id, shares, there, recordings.ids, known_before=known)
    changes += record_tasks(unit, session, session_id, known)
    changes += record_findings(unit, session, session_id, known)
    return changes + record_groups(unit, session, session_id)


def when(started: datetime | date) -> dict[str, date | datetime | int | None]:
    """How the catalogue keeps the time at which a session began."""
    if not isinstance(started, datetime):
        return {"session_date": started, "session_started": None, "session_utc_offset_s": None}
    moment, offset_s = wall_clock(started)
    return {"session_date": started.date(), "session_started": moment, "session_utc_offset_s": offset_s}


def _record_folders(unit: Unit, session_id: int, places: Sequence[Spot], known: Known) -> list[str]:
    """The folders that the session lies in now; those where it lay before are gone."""
    now: dict[tuple[int, str], Row] = {
        (share_id, path_key(path)): {"folder_path": path, "folder_state": "there"} for share_id, path in places
    }
    rows: list[dict[str, Any]] = []
    if known is Known.LOOK:
        mine = select(SESSION_FOLDER).where(SESSION_FOLDER.c.session_id == session_id)
        rows = [dict(row) for row in unit.connection.execute(mine).mappings()]
    changes = []
    for row in rows:
        is_now = now.pop((row["share_id"], row["folder_key"]), None)
        if unit.edit(SESSION_FOLDER, row, is_now or {"folder_state": "gone"}):
            changes.append(f"it {'is' if is_now else 'was'} in {row['folder_path']}")
    for (share_id, key), values in now.items():
        unit.add(SESSION_FOLDER, {"session_id": session_id, "share_id": share_id, "folder_key": key, **values})
        changes.append(f"it is in {values['folder_path']}")
    return changes
