"""A session as a few bytes, for the scan's own memory: short to read and to write, and nobody else's format."""

import json
from datetime import date, datetime
from typing import Any

from engram.model.findings import Finding
from engram.model.recordings import Recording, Session, Task


def packed(session: Session) -> bytes:
    """A session as bytes."""
    row = [
        *(session.id, session.subject, session.started.isoformat(), session.share, session.folder),
        *(session.state, session.ident, session.groups),
        [(task.name, task.start_s, task.stop_s, task.type, task.confirmed) for task in session.tasks],
        [_recording(recording) for recording in session.recordings],
        [(finding.code, finding.path, finding.message) for finding in session.findings],
        session.unknown,
    ]
    return as_json(row)


def as_json(value: object) -> bytes:
    """What the scan's memory keeps of anything that holds itself nowhere."""
    return _ENCODE(value).encode()


_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def unpacked(data: bytes) -> Session:
    """The session that was packed."""
    row = json.loads(data)
    return Session(
        id=row[0],
        subject=row[1],
        started=_moment(row[2]),
        share=row[3],
        folder=row[4],
        state=row[5],
        ident=row[6],
        groups=tuple(row[7]),
        tasks=tuple(
            Task(name=name, start_s=start, stop_s=stop, type=kind, confirmed=confirmed)
            for name, start, stop, kind, confirmed in row[8]
        ),
        recordings=tuple(_unpacked(each) for each in row[9]),
        findings=tuple(Finding(code=code, path=path, message=message) for code, path, message in row[10]),
        unknown=tuple((extension, count) for extension, count in row[11]),
    )


def _recording(one: Recording) -> list[object]:
    started = None if one.started is None else one.started.isoformat()
    told = [one.kind, one.device, one.paths, one.id, one.serial, started, one.duration_s, one.sampling_rate_hz]
    return [*told, one.channels, one.samples, one.size_bytes, one.sha1, one.processing, one.facts]


def _unpacked(row: list[Any]) -> Recording:
    return Recording(
        kind=row[0],
        device=row[1],
        paths=tuple(row[2]),
        id=row[3],
        serial=row[4],
        started=None if row[5] is None else datetime.fromisoformat(row[5]),
        duration_s=row[6],
        sampling_rate_hz=row[7],
        channels=row[8],
        samples=row[9],
        size_bytes=row[10],
        sha1=row[11],
        processing=row[12],
        facts=tuple((name, value) for name, value in row[13]),
    )


def _moment(text: str) -> datetime | date:
    return date.fromisoformat(text) if len(text) == len("2020-01-01") else datetime.fromisoformat(text)
