"""What belongs to a session in the catalogue beside its files: recordings, tasks, findings, groups."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from sqlalchemy import or_, select

from engram.catalogue.directory import wall_clock
from engram.catalogue.names import escaped, path_key
from engram.catalogue.tables.behaviour import TASK
from engram.catalogue.tables.recordings import RECORDING, SESSION_FINDING
from engram.catalogue.tables.sessions import GROUP_MEMBER, SESSION_GROUP
from engram.catalogue.unit import Became, Row, Unit, Value
from engram.model.recordings import Recording, Session

#: A row as the database gives it.
Found: TypeAlias = dict[str, Any]
INFERRED, CONFIRMED = "inferred", "confirmed"


class Known(Enum):
    """What of a session may be in the catalogue already: what nobody can have is not looked for."""

    #: Nothing: the session is new, and nobody else is taken to have its recordings and files.
    NOTHING = "nothing"
    #: The session is new, and others have some of its recordings or files.
    OF_OTHERS = "of others"
    #: Anything.
    LOOK = "anything"


@dataclass(frozen=True, slots=True)
class RecordingsNow:
    """The recordings of a session, as the catalogue has them now."""

    #: The row of each, by its id.
    ids: Mapping[str, int] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


def record_recordings(
    unit: Unit, session: Session, session_id: int, probes: Mapping[str, Row], known_before: Known
) -> RecordingsNow:
    """Let the catalogue say which recordings a session has now. One that another session had comes to this one.

    *probes*: by serial number, which probe and implant it is.
    """
    known = {} if known_before is Known.NOTHING else _known_recordings(unit, session, session_id)
    ids, changes, new = {}, [], []
    for recording in session.recordings:
        values = {**_values(recording), "session_id": session_id, **probes.get(recording.serial, {})}
        row = known.pop(escaped(recording.id), None)
        if row is None:
            (number,) = unit.new_ids(1)
            new.append({"recording_id": number, "recording_name": escaped(recording.id), **values})
            changes.append(f"{recording.id} is new")
        else:
            number = row["recording_id"]
            if row["implant_id"] is not None:  # perhaps a person said so
                values = {**values, "implant_id": row["implant_id"], "probe_id": row["probe_id"]}
            if changed := unit.edit(RECORDING, row, values):
                changes.append(f"{recording.id}: {', '.join(f'{name[10:]} was {was}' for name, was, _ in changed)}")
        ids[recording.id] = number
    unit.add_all(RECORDING, new)
    for name, row in known.items():
        if unit.edit(RECORDING, row, {"recording_state": "gone"}):
            changes.append(f"{name} is gone")
    return RecordingsNow(ids, changes)


def _known_recordings(unit: Unit, session: Session, session_id: int) -> dict[str, Found]:
    """By name: those of the session, and those that bear a name of its recordings."""
    named = RECORDING.c.recording_name.in_([escaped(recording.id) for recording in session.recordings])
    rows = unit.connection.execute(select(RECORDING).where(or_(named, RECORDING.c.session_id == session_id)))
    return {row["recording_name"]: dict(row) for row in rows.mappings()}


def _values(recording: Recording) -> dict[str, Value]:
    started, offset_s = (None, None) if recording.started is None else wall_clock(recording.started)
    facts = json.dumps(dict(recording.facts), ensure_ascii=True, sort_keys=True) if recording.facts else "{}"
    return {
        "recording_kind": recording.kind,
        "recording_device": escaped(recording.device),
        "recording_serial": escaped(recording.serial),
        "recording_started": started,
        "recording_utc_offset_s": offset_s,
        "recording_duration_s": recording.duration_s,
        "recording_rate_hz": recording.sampling_rate_hz,
        "recording_channels": recording.channels,
        "recording_samples": recording.samples,
        "recording_size_bytes": recording.size_bytes,
        "recording_sha1": recording.sha1,
        "recording_processing": escaped(recording.processing),
        "recording_facts": facts,
        "recording_state": "there",
    }


def record_tasks(unit: Unit, session: Session, session_id: int, known_before: Known) -> list[str]:
    """Let the catalogue say which tasks were inferred; none is touched once a person confirmed one of them."""
    if not session.tasks and known_before is not Known.LOOK:
        return []
    known = _known_tasks(unit, session_id) if known_before is Known.LOOK else {}
    if any(row["task_standing"] == CONFIRMED for row in known.values()):
        return []
    changes, new = 0, []
    for start_s, task in {task.start_s: task for task in session.tasks}.items():
        values: Row = {
            "task_name": escaped(task.name),
            "task_type": escaped(task.type),
            "task_stop_s": task.stop_s,
            "task_standing": CONFIRMED if task.confirmed else INFERRED,
        }
        row = known.pop(start_s, None)
        if row is None:
            (number,) = unit.new_ids(1)
            new.append({"task_id": number, "session_id": session_id, "task_start_s": start_s, **values})
        elif unit.edit(TASK, row, values):
            changes += 1
    unit.add_all(TASK, new)
    for row in known.values():
        unit.remove(TASK, row)
    changes += len(new) + len(known)
    return [f"{changes} tasks are others"] if changes else []


def _known_tasks(unit: Unit, session_id: int) -> dict[float, Found]:
    rows = unit.connection.execute(select(TASK).where(TASK.c.session_id == session_id)).mappings()
    return {row["task_start_s"]: dict(row) for row in rows}


def record_findings(unit: Unit, session: Session, session_id: int, known_before: Known) -> list[str]:
    """Let the catalogue say what is wrong with a session's files now."""
    if not session.findings and known_before is not Known.LOOK:
        return []
    rows = unit.connection.execute(select(SESSION_FINDING).where(SESSION_FINDING.c.session_id == session_id)).mappings()
    known: dict[tuple[str, str], Found] = {(row["finding_code"], row["finding_key"]): dict(row) for row in rows}
    changes = 0
    now = {(finding.code, path_key(escaped(finding.path))): finding for finding in session.findings}
    for (code, key), finding in now.items():
        values: Row = {"finding_path": escaped(finding.path), "finding_message": escaped(finding.message)}
        row = known.pop((code, key), None)
        if row is None:
            unit.add(SESSION_FINDING, {"session_id": session_id, "finding_code": code, "finding_key": key, **values})
            changes += 1
        elif unit.edit(SESSION_FINDING, row, values):
            changes += 1
    for row in known.values():
        unit.remove(SESSION_FINDING, row)
        changes += 1
    return [f"{changes} findings are others"] if changes else []


def record_groups(unit: Unit, session: Session, session_id: int) -> list[str]:
    """Put a session into its groups; it is taken out of none."""
    changes = []
    for name in session.groups:
        group = unit.put(SESSION_GROUP, {"group_name": escaped(name)}, {}).row_id
        put = unit.put(GROUP_MEMBER, {"session_id": session_id, "group_id": group}, {})
        if put.became is Became.ADDED:
            changes.append(f"it is in the group {name}")
    return changes
