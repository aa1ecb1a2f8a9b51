"""What a lab and its catalogue say of themselves."""

from dataclasses import dataclass, fields
from typing import Any


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
