"""The published schema of every JSON line, made from the records themselves."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from engram.config import DEFAULTS, Settings, setting_name
from engram.model.animals import Alias, Implant, Person, Probe, Site, Subject
from engram.model.copies import Copy
from engram.model.findings import FINDINGS, Finding, Severity
from engram.model.lab import Share
from engram.model.notes import field_notes, plain
from engram.model.outcome import NULL_IN, OUTCOME_FIELDS, SPARE_FIELDS, DatasetOutcome, Outcome
from engram.model.plan import Plan, PlannedStep
from engram.model.recordings import KINDS, Recording, Session, Task
from engram.model.reports import LabReport, Match, RowEdit, SessionChange, SessionReport
from engram.workspace.settings import Setting
from engram.workspace.snapshots import SnapshotName

#: A JSON schema, or a piece of one.
Schema: TypeAlias = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Mapping[object, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NoneType: {"type": "null"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string"},
}
_LEAF: Schema = {
    "type": ["string", "integer", "number", "boolean", "null", "array"],
    "items": {"type": "string"},
}
#: Fields of outcomes about commands that hold more than a leaf.
_OF_COMMANDS: Schema = {
    "run_info": {"type": "object", "description": "The run record: cmd, inputs, outputs, pwd, exit, chain, …."},
    "dry_run_info": {"type": "object", "description": "What would be run: cmd_expanded, pwd_full, inputs, outputs."},
    "source": {"type": "object", "description": "What a dataset was cloned from: source, giturl, default_destpath, …."},
    "exit_code": {"type": "integer", "description": "The command's own exit code; 128 + n for signal n."},
    "diff": {
        "type": "array",
        "items": {"type": "object"},
        "description": "What a commit changed: the path and state of each file.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """Text that ``engram help`` and ``engram completion`` print."""

    #: What it is about: the topic's or the command's name.
    topic: str
    #: The text, as a person would read it.
    text: str

    def as_json(self) -> dict[str, Any]:
        """The record behind ``help TOPIC --json``."""
        return {"record": "help", "topic": self.topic, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The schema of one kind of record."""

    #: Which kind of record it describes.
    describes: str
    #: The JSON schema (draft 2020-12) that every line of that kind is valid against.
    schema: Schema

    def as_json(self) -> dict[str, Any]:
        """The record behind ``help json --json``."""
        return {"record": "schema", "describes": self.describes, "schema": self.schema}


def schemas() -> dict[str, Schema]:
    """The schema of each kind of record, by the name in its field ``record``. Fields may be added, never changed."""
    from engram.datasets.provenance.versions import Version  # here, because other help needs nothing of datasets

    step = _record(PlannedStep, _names(PlannedStep))
    steps: Schema = {"type": "array", "items": step}
    own = _fields(DatasetOutcome, ("path", "type", *SPARE_FIELDS))
    for name in NULL_IN:
        own[name]["type"] = ["string", "null"]
    outcome = _record(Outcome, OUTCOME_FIELDS, "outcome")
    outcome["properties"].update(own)
    outcome["properties"].update(_OF_COMMANDS)
    copy = _record(Copy, _names(Copy))
    told = "Who holds the content; only of verbs that tell it (whereis, fsck)."
    outcome["properties"]["copies"] = {"type": "array", "items": copy, "description": told}
    outcome["additionalProperties"] = _LEAF  # DataLad's further fields of a verb: backend, has_content, …
    asked = _fields(Plan, ("command", "folder", "request"))
    plan = _object(Plan, {"steps": steps, "bytes": _TYPES[int], "refused": steps, **asked}, "plan")
    plan["properties"]["steps"]["description"] = "What would be done."
    plan["properties"]["bytes"] = {"type": "integer", "description": "Bytes of all steps together."}
    plan["properties"]["refused"] = {**steps, "description": "What will not be done, each with its reason in why."}
    plan["properties"] |= _of_ingestion(steps)
    lab = _record(LabReport, _names(LabReport), "lab")
    lab["properties"]["rows"]["type"] = "object"
    subject = _with_parts(Subject, "subject", "aliases", _record(Alias, _names(Alias)))
    implant = _with_parts(Implant, "", "sites", _record(Site, _names(Site)))
    probe = _with_parts(Probe, "probe", "implants", implant)
    return {
        **session_schemas(),
        "help": _record(Help, _names(Help), "help"),
        "lab": lab,
        "outcome": outcome,
        "person": _record(Person, _names(Person), "person"),
        "plan": plan,
        "probe": probe,
        **_of_answers(),
        "schema": _record(Published, _names(Published), "schema"),
        "snapshot": _record(SnapshotName, _names(SnapshotName), "snapshot"),
        "setting": _record(Setting, _names(Setting), "setting"),
        "subject": subject,
        "version": _record(Version, _names(Version), "version"),
    }


def _of_answers() -> dict[str, Schema]:
    """What ``snapshot query`` shows."""
    # here, because most help needs nothing of it
    from engram.connectome.asking.changes import SnapshotChange, SnapshotDifference
    from engram.workspace.snapshot_asking import Columns, Queryable, Row

    found = {"columns": (Columns, "columns"), "queryable": (Queryable, "columns"), "row": (Row, "values")}
    schemas: dict[str, Schema] = {}
    for record, (kind, inner) in found.items():
        schemas[record] = _record(kind, _names(kind), record)
        schemas[record]["properties"][inner]["type"] = "object"
    difference = _record(SnapshotDifference, _names(SnapshotDifference), "snapshot-difference")
    for side in ("old", "new"):
        difference["properties"][side]["type"] = "object"
    change = _record(SnapshotChange, _names(SnapshotChange), "snapshot-change")
    return {**schemas, "snapshot-change": change, "snapshot-difference": difference}


def _of_ingestion(steps: Schema) -> Schema:
    """What only a plan of ``sessions plan`` holds."""
    from engram.sessions.told import GroupTold, Told  # here, because other help needs nothing of sessions

    told = _record(Told, _names(Told))
    session: Schema = {"type": "string", "description": "Its id."}
    return {
        "left": {**steps, "description": "What is left as it is, each with its reason in why. Of sessions plan."},
        "unknown_subjects": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Subjects that the catalogue has not; those whose names can be typed. Of sessions plan.",
        },
        "sessions": {
            "type": "array",
            "items": {"type": "object"},
            "description": "The sessions of the steps, with their files. Of sessions plan.",
        },
        "told": {
            "type": "array",
            "items": {**told, "properties": {"session": session, **told["properties"]}},
            "description": "What a mass file tells of sessions. Of sessions plan.",
        },
        "groups": {
            "type": "array",
            "items": _record(GroupTold, _names(GroupTold)),
            "description": "Clusterings of several sessions that a mass file tells of. Of sessions plan.",
        },
    }


def _with_parts(kind: type, record: str, name: str, part: Schema) -> Schema:
    """The schema of a record, one field of which holds records of another kind."""
    schema = _record(kind, _names(kind), record)
    schema["properties"][name] = {**schema["properties"][name], "items": part}
    return schema


def session_schemas() -> dict[str, Schema]:
    """The schemas of what a scan of the lab's shares tells."""
    from engram.sessions.annotating import Row  # here, because other help needs nothing of sessions
    from engram.sessions.scanning.seen import ShareSeen

    finding = _object(Finding, _fields(Finding, ("code", "path", "message")), "finding")
    finding["properties"]["code"]["enum"] = list(FINDINGS)
    told = "POSIX, relative to the share; of what lies on another share than its session's: SHARE:PATH."
    finding["properties"]["path"]["description"] = told
    finding["properties"]["severity"] = {**_of(Severity), "description": "How much it matters."}
    finding["properties"]["remedy"] = {"type": "string", "description": "What to do about it."}
    finding["required"] += ["severity", "remedy"]
    finding["properties"]["share"] = {"type": "string", "description": "The share; only of one that no session holds."}
    recording = _record(Recording, tuple(name for name in _names(Recording) if name != "facts"), "recording")
    recording["properties"]["kind"]["enum"] = list(KINDS)
    recording["properties"]["paths"]["description"] = "Its files, the main one first; POSIX, relative to the share."
    recording["properties"]["share"]["description"] = (
        "The share that they lie on, where it is not the session's; else ''."
    )
    recording["properties"]["started"] = _time("When it started, in ISO 8601; null where its files do not say.")
    told = field_notes(Recording)["facts"]
    recording["properties"]["facts"] = {"type": "object", "additionalProperties": _LEAF, "description": told}
    recording["required"].append("facts")
    share = _record(Share, _names(Share), "share")
    share["properties"]["trouble"] = {"type": "string", "description": "Why it cannot be read here; '' when it can."}
    share["required"].append("trouble")
    return {
        "derived": _derived_schema(recording, finding),
        "change": _with_parts(SessionChange, "change", "edits", _record(RowEdit, _names(RowEdit))),
        "finding": finding,
        "match": _record(Match, _names(Match), "match"),
        "missing": _record(Row, _names(Row), "missing"),
        "recording": recording,
        "scan": _record(ShareSeen, _names(ShareSeen), "scan"),
        "session": _session_schema(recording, finding),
        "share": share,
        "template": _template_schema(),
    }


def _session_schema(recording: Schema, finding: Schema) -> Schema:
    plain = ("id", "subject", "share", "folder", "state", "ident", "groups")
    schema = _record(Session, plain, "session")
    text = {"type": "string"}
    place = {"type": "object", "properties": {"share": text, "folder": text}, "required": ["share", "folder"]}
    told = field_notes(Session)["also_in"]
    schema["properties"]["also_in"] = {"type": "array", "items": place, "description": told}
    lists = {
        "tasks": (_record(Task, _names(Task)), "What the subject did, and when."),
        "recordings": (recording, "What was recorded, and what was computed from it."),
        "findings": (finding, "What a person should know before trusting its files."),
    }
    for name, (items, told) in lists.items():
        inner = {key: value for key, value in items.items() if key not in ("$schema", "title")}
        schema["properties"][name] = {"type": "array", "items": inner, "description": told}
    schema["properties"]["started"] = _time("When it started, in ISO 8601, with offset where it is known; or the day.")
    counts = {"type": "object", "additionalProperties": {"type": "integer"}}
    schema["properties"]["unknown"] = {**counts, "description": field_notes(Session)["unknown"]}
    schema["required"] += [*lists, "started", "unknown"]
    said = _fields(SessionReport, tuple(name for name in _names(SessionReport) if name != "session"))
    for entry in said.values():
        entry["description"] += " Only of one in the catalogue."
    schema["properties"] |= said
    return schema


def _derived_schema(recording: Schema, finding: Schema) -> Schema:
    from engram.sessions.scanning.seen import DerivedSeen  # here, because other help needs nothing of sessions

    named = ("share", "folder", "recordings", "findings", "unknown")
    whole = _session_schema(recording, finding)["properties"]
    belongs = _fields(DerivedSeen, ("belongs_to",))["belongs_to"]
    return _object(DerivedSeen, {"session": belongs, **{name: whole[name] for name in named}}, "derived")


def _template_schema() -> Schema:
    from engram.sessions.inferring import Fit, Inferred, NearMiss  # here, because other help needs nothing of sessions

    schema = _record(Inferred, _names(Inferred), "template")
    for name, kind in (("fits", Fit), ("near_misses", NearMiss)):
        schema["properties"][name]["items"] = _record(kind, _names(kind))
    return schema


def _time(told: str) -> Schema:
    return {"type": ["string", "null"], "description": told}


def settings_schema() -> Schema:
    """The schema of the settings files: the user's, and of ``[lab]`` the lab's ``engram.toml``."""
    notes, hints = field_notes(Settings), get_type_hints(Settings)
    sections: dict[str, Schema] = {}
    for attribute, default in DEFAULTS.items():
        section, _, name = setting_name(attribute).partition(".")
        table = sections.setdefault(section, {"type": "object", "properties": {}, "additionalProperties": False})
        entry = {**_of(hints[attribute]), "default": default, "description": notes[attribute]}
        table["properties"][name] = entry
    return {"$schema": _DIALECT, "title": "settings", "type": "object", "properties": sections}


def _names(kind: type) -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(kind))


def _record(kind: type, names: tuple[str, ...], record: str = "") -> Schema:
    return _object(kind, _fields(kind, names), record)


def _object(kind: type, properties: dict[str, Schema], record: str) -> Schema:
    mark = {"record": {"const": record}} if record else {}
    schema: Schema = {
        "type": "object",
        "description": plain((inspect.getdoc(kind) or "").partition("\n")[0]),
        "properties": {**mark, **properties},
        "required": [*mark, *properties],
    }
    return {"$schema": _DIALECT, "title": record, **schema} if record else schema


def _fields(kind: type, names: tuple[str, ...]) -> dict[str, Schema]:
    hints, notes = get_type_hints(kind), field_notes(kind)
    return {name: _described(_of(hints[name]), notes.get(name, "")) for name in names}


def _described(schema: Schema, note: str) -> Schema:
    return {**schema, "description": note} if note else schema


def _of(hint: object) -> Schema:
    """The schema of a type: leaves, closed sets, unions, tuples."""
    if hint in _TYPES:
        return dict(_TYPES[hint])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if get_origin(hint) in (Union, UnionType):
        return {"anyOf": [_of(part) for part in get_args(hint)]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _of(get_args(hint)[0])}
    return {"type": "object"}
