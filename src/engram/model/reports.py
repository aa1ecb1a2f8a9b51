"""What a lab and its catalogue say of themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class LabReport:
    """A lab at a glance."""

    #: What its people call it; '' when nobody said.
    name: str
    #: The folder that holds its engram.toml.
    folder: str
    #: Zone of times that a rig wrote without one; '' when nobody said.
    timezone: str
    #: Where its catalogue lies, without a password.
    catalogue: str
    #: ``sqlite``, ``postgresql`` or ``mysql``.
    database: str
    #: Number of the catalogue's version.
    version: str
    #: The catalogue's tables that hold something: how many rows.
    rows: tuple[tuple[str, int], ...] = ()
    #: The names of its recording shares.
    shares: tuple[str, ...] = ()
    #: When the latest backup was made, ISO 8601; '' for never.
    last_backup: str = ""

    def as_json(self) -> dict[str, Any]:
        """The record behind ``lab show --json``. Fields may be added, never changed."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {"record": "lab", **plain, "rows": dict(self.rows), "shares": list(self.shares)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """A session as the catalogue has it, with what people said of it."""

    session: Session
    #: Who took part.
    experimenters: tuple[str, ...] = ()
    #: What it was for.
    projects: tuple[str, ...] = ()
    #: Where it was; '' when nobody said.
    room: str = ""
    #: A remark; '' for none.
    note: str = ""
    #: By the id of a recording: the implant that it was made with.
    implants: Mapping[str, str] = field(default_factory=dict)
    #: By the id of a recording: who curated it.
    curators: Mapping[str, str] = field(default_factory=dict)
    #: Findings that somebody accepted: the id of the session or recording and the code, and the reason.
    waived: Mapping[str, str] = field(default_factory=dict)
    #: Clusterings of several sessions that it is one of.
    clusterings: tuple[str, ...] = ()

    def accepted(self, finding: Finding) -> str:
        """Why a finding of it does not matter; '' when nobody said so."""
        session = self.session
        mine = (one.id for one in session.recordings if finding.path in _named(one, session.share))
        return next(
            (self.waived[key] for item in (session.id, *mine) if (key := f"{item} {finding.code}") in self.waived), ""
        )

    def as_json(self) -> dict[str, Any]:
        """The record behind ``sessions list --json``: that of the session, and more."""
        lists = {name: list(getattr(self, name)) for name in ("experimenters", "projects", "clusterings")}
        maps = {"implants": dict(self.implants), "curators": dict(self.curators), "waived": dict(self.waived)}
        return self.session.as_json() | lists | {"room": self.room, "note": self.note} | maps


def _named(recording: Recording, share: str) -> Iterator[str]:
    """Its files, as findings of its session name them."""
    before = f"{recording.share}:" if recording.share not in ("", share) else ""
    return (before + path for path in recording.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A text that was found in what the catalogue says of a session."""

    #: The id of the session.
    session: str
    #: What holds it: ``folder``, ``file``, ``task``, ``experimenter``, ….
    what: str
    #: All of what holds it.
    text: str

    def as_json(self) -> dict[str, Any]:
        """The record behind ``sessions find --json``. Fields may be added, never changed."""
        return {"record": "match", "session": self.session, "what": self.what, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowEdit:
    """One row of the catalogue that was changed or removed."""

    #: The table that it is or was in.
    table: str
    #: Its number; of a row that has two, both with a space between.
    row: str
    #: ``edit`` or ``remove``.
    action: str
    #: What it held before, by column: of an edit the columns that changed, else all.
    was: Mapping[str, Leaf]
    #: What the columns that changed hold since.
    now: Mapping[str, Leaf]

    def as_json(self) -> dict[str, Any]:
        """One of the *edits* of a change."""
        plain = {"table": self.table, "row": self.row, "action": self.action}
        return {**plain, "was": dict(self.was), "now": dict(self.now)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChange:
    """One change of a session in the catalogue, or of what belongs to it."""

    #: The id of the session.
    session: str
    #: When, in UTC.
    made: datetime
    #: Who: the account and the machine.
    by: str
    #: What was asked for: ``sessions ingest``.
    command: str
    #: The plan or file that it came from, with its digest; '' when it was typed.
    source: str
    #: The reason that was given; '' for none.
    why: str
    #: What it did, in words.
    said: tuple[str, ...]
    #: Rows that held something else before.
    edits: tuple[RowEdit, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The record behind ``sessions history --json``. Fields may be added, never changed."""
        record: dict[str, Any] = {"record": "change", "session": self.session, "made": f"{self.made.isoformat()}+00:00"}
        record |= {name: getattr(self, name) for name in ("by", "command", "source", "why")}
        return record | {"said": list(self.said), "edits": [edit.as_json() for edit in self.edits]}
