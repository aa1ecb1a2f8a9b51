"""Read a plan back that was printed or kept: `engram.sessions.planning.IngestPlan` from its JSON record."""

import posixpath
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import NotRequired, TypedDict

import msgspec

from engram.model.errors import UsageError
from engram.model.findings import FINDINGS, Finding
from engram.model.outcome import Leaf
from engram.model.plan import Plan, PlannedStep
from engram.model.recordings import KINDS, Recording, Session, Task
from engram.sessions.planning import IngestPlan
from engram.sessions.scanned import FileSeen, Scanned
from engram.sessions.told import ANNOTATE, CLUSTER, NEW_NAMES, GroupTold, Told


class _TaskJson(TypedDict):
    name: str
    start_s: float
    stop_s: float | None
    type: str
    confirmed: bool


class _FindingJson(TypedDict):
    code: str
    path: str
    message: str


class _RecordingJson(TypedDict):
    id: str
    device: str
    kind: str
    paths: list[str]
    serial: str
    started: str | None
    duration_s: float | None
    sampling_rate_hz: float | None
    channels: int | None
    samples: int | None
    size_bytes: int | None
    sha1: str
    processing: str
    facts: dict[str, str | int | float | bool | None]
    share: NotRequired[str]


class _FolderJson(TypedDict):
    share: str
    folder: str


class _SessionJson(TypedDict):
    id: str
    subject: str
    started: str
    share: str
    folder: str
    state: str
    ident: str
    groups: list[str]
    tasks: list[_TaskJson]
    recordings: list[_RecordingJson]
    findings: list[_FindingJson]
    unknown: dict[str, int]
    files: list[tuple[str, int | None, int | None]]
    also_in: NotRequired[list[_FolderJson]]
    files_elsewhere: NotRequired[dict[str, list[tuple[str, int | None, int | None]]]]
    not_looked_at: NotRequired[list[tuple[str, str]]]


def plan_from_json(record: object) -> IngestPlan:
    """A plan as `engram sessions plan -o` wrote it. Raises `UsageError`, naming the field, for what is none."""
    plain = Plan.from_json(record)
    assert isinstance(record, Mapping)
    try:
        sessions = [_scanned(msgspec.convert(each, _SessionJson)) for each in _listed(record, "sessions")]
        left = Plan.from_json({"record": "plan", "steps": _listed(record, "left")}).steps
        told = {str(_named(each, "session")): msgspec.convert(each, Told) for each in _listed(record, "told")}
        groups = {one.name: one for one in msgspec.convert(_listed(record, "groups"), list[GroupTold])}
    except (msgspec.ValidationError, ValueError) as error:
        raise UsageError(
            f"This plan is damaged: {error}.", "Make it anew: engram sessions plan -o PLAN.json"
        ) from error
    by_id = {scanned.session.id: scanned for scanned in sessions}
    if lacking := [step for step in plain.steps if not _has_its_own(step, by_id, told, groups)]:
        noun = "clustering" if lacking[0].action == CLUSTER else "session"
        raise UsageError(
            f"This plan is damaged: it has a step for {lacking[0].item}, and no such {noun}.",
            "Make it anew: engram sessions plan -o PLAN.json",
        )
    return IngestPlan(
        steps=plain.steps,
        refused=plain.refused,
        left=left,
        unknown_subjects=tuple(map(str, _listed(record, "unknown_subjects"))),
        sessions=by_id,
        told=told,
        groups=groups,
    )


def _has_its_own(
    step: PlannedStep, sessions: Mapping[str, Scanned], told: Mapping[str, Told], groups: Mapping[str, GroupTold]
) -> bool:
    """Whether a plan holds what a step of it is about."""
    if step.action in NEW_NAMES:
        return bool(step.item)
    if step.action == CLUSTER:
        return step.item in groups
    return step.item in sessions and (step.action != ANNOTATE or step.item in told)


def _named(row: object, name: str) -> object:
    if not isinstance(row, Mapping) or not isinstance(row.get(name), str):
        raise ValueError(f"{name} is missing")
    return row[name]


def _listed(record: Mapping[str, object], name: str) -> list[object]:
    rows = record.get(name, [])
    if not isinstance(rows, list):
        raise ValueError(f"{name} is no list")
    return rows


def _scanned(row: _SessionJson) -> Scanned:
    folder = _inside("", row["folder"])
    session = Session(
        id=row["id"],
        subject=row["subject"],
        started=_time_or_day(row["started"]),
        share=row["share"],
        folder=folder,
        also_in=tuple((each["share"], _inside("", each["folder"])) for each in row.get("also_in", ())),
        state=row["state"],
        ident=row["ident"],
        groups=tuple(row["groups"]),
        tasks=tuple(Task(**task) for task in row["tasks"]),
        recordings=tuple(_recording(each, folder) for each in row["recordings"]),
        findings=tuple(_finding(each) for each in row["findings"]),
        unknown=tuple(row["unknown"].items()),
    )
    files = [FileSeen(_inside(folder, path), size, time) for path, size, time in row["files"]]
    for share, rows in row.get("files_elsewhere", {}).items():
        files += [FileSeen(_inside("", path), size, time, share) for path, size, time in rows]
    kept = tuple((share, _inside("", place)) for share, place in row.get("not_looked_at", ()))
    return Scanned(session, tuple(files), not_looked_at=kept)


def _recording(row: _RecordingJson, folder: str) -> Recording:
    if row["kind"] not in KINDS or not row["paths"]:
        raise ValueError(f"{row['id']} is no recording: it needs a kind ({', '.join(KINDS)}) and a file")
    started = None if row["started"] is None else datetime.fromisoformat(row["started"])
    facts: tuple[tuple[str, Leaf], ...] = tuple(row["facts"].items())
    return Recording(
        **{name: row[name] for name in _PLAIN},  # type: ignore[literal-required]  # names of both records
        paths=tuple(_inside("" if row.get("share") else folder, path) for path in row["paths"]),
        share=row.get("share", ""),
        started=started,
        facts=facts,
    )


_PLAIN = [each.name for each in fields(Recording) if each.name not in ("paths", "share", "started", "facts")]


def _finding(row: _FindingJson) -> Finding:
    if row["code"] not in FINDINGS:
        raise ValueError(f"{row['code']} is no finding")
    return Finding(code=row["code"], path=row["path"], message=row["message"])


def _time_or_day(text: str) -> datetime | date:
    return date.fromisoformat(text) if len(text) == len("2020-01-01") else datetime.fromisoformat(text)


def _inside(folder: str, path: str) -> str:
    """A path relative to a folder on the share, which does not lead out of the share."""
    whole = posixpath.normpath(posixpath.join(folder, path))
    if path.startswith("/") or "\0" in path or whole == ".." or whole.startswith("../"):
        raise ValueError(f"{path!r} leads out of its share")
    return path
