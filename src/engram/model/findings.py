"""Findings: what a person should know about a file on a share before trusting it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engram.model.records import record


class Severity(StrEnum):
    """How much a finding matters."""

    #: Not ingested as sound.
    ERROR = "error"
    #: Ingested; somebody should look.
    WARNING = "warning"
    #: Good to know.
    NOTE = "note"


@record
class Finding:
    """Something a person should know before trusting a file.

    >>> finding = Finding(code="truncated", path="probe_1/npx.imec.ap.bin", message="7 bytes short.")
    >>> finding.severity, finding.remedy
    (<Severity.ERROR: 'error'>, 'Copy it again from the rig, or say why it is so: engram sessions waive ID truncated.')
    """

    #: One of `FINDINGS`.
    code: str
    #: POSIX, relative to what was looked at: a recogniser's folder first, the share in the end.
    path: str
    #: One sentence: what is wrong with this one. Of what it quotes, characters that cannot be shown are escaped.
    message: str

    def __post_init__(self) -> None:
        if not self.message.isprintable():
            self.message = "".join(map(_shown, self.message))  # type: ignore[misc]  # it is being made

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return FINDINGS[self.code].severity

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return FINDINGS[self.code].remedy

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json``. Fields may be added, never changed."""
        record: dict[str, Any] = {"record": "finding", "code": self.code, "severity": str(self.severity)}
        return record | {"path": self.path, "message": self.message, "remedy": self.remedy}


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if "\udc80" <= character <= "\udcff":  # a byte of a name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


@dataclass(frozen=True, slots=True)
class FindingKind:
    """What all findings of one code have in common."""

    severity: Severity
    #: What it means, in one sentence.
    meaning: str
    #: What to do about it, in one sentence.
    remedy: str


_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

#: Every code that there is.
FINDINGS: Mapping[str, FindingKind] = {
    "truncated": FindingKind(
        _ERROR,
        "A file holds less than its metadata promises.",
        "Copy it again from the rig, or say why it is so: engram sessions waive ID truncated.",
    ),
    "still-acquiring": FindingKind(
        _WARNING,
        "The rig has not finished writing: the metadata lacks what is written at the end.",
        "Scan again when the acquisition has ended.",
    ),
    "missing-meta": FindingKind(
        _ERROR, "A recording has no metadata file beside it.", "Find the metadata where it was recorded, and copy it."
    ),
    "missing-binary": FindingKind(
        _ERROR, "Metadata has no recording beside it.", "Find the recording where it was made, and copy it."
    ),
    "size-mismatch": FindingKind(
        _ERROR,
        "A file is larger than its metadata promises, or of a size that no whole number of samples has.",
        "Compare it with the copy on the rig, or say why it is so: engram sessions waive ID size-mismatch.",
    ),
    "checksum-mismatch": FindingKind(
        _ERROR, "The bytes differ from the digest that the rig wrote down.", "Copy it again from the rig."
    ),
    "subject-mismatch": FindingKind(
        _WARNING,
        "A name inside the session's folder tells of another subject.",
        "Move it to its subject's folder, or rename it.",
    ),
    "misnamed": FindingKind(
        _WARNING, "A name is not quite the documented one; what it means was clear all the same.", "Rename it."
    ),
    "stale-copy": FindingKind(
        _ERROR,
        "Two parts that belong together are of different recordings or lengths.",
        "Copy both again from where they were recorded.",
    ),
    "duplicate-recording": FindingKind(
        _WARNING, "The same recording lies in several places.", "Keep one of them, or exclude the others."
    ),
    "moved": FindingKind(
        _NOTE, "A recording that is in the catalogue lies elsewhere now.", "Review and ingest the plan: it says so."
    ),
    "changed": FindingKind(
        _WARNING,
        "A file that is in the catalogue has another size, time or digest now.",
        "Find out who changed it; then review and ingest the plan.",
    ),
    "unreadable": FindingKind(
        _ERROR, "A file or folder could not be read.", "Let the account that scans read it, then scan again."
    ),
    "unsafe-pickle": FindingKind(
        _ERROR,
        "A pickle would run code of its own when it is opened; it was not.",
        "Find out who wrote it; do not open it with pickle or numpy.",
    ),
    "unknown-layout": FindingKind(
        _WARNING,
        "Files lie where no template of the share finds a session.",
        "Add a template for them (engram sessions template), or exclude them.",
    ),
    "ambiguous-date": FindingKind(
        _WARNING, "A name can be read as two different dates.", "Declare the date's format in the share's template."
    ),
    "time-mismatch": FindingKind(
        _WARNING,
        "The time in a name and the time in the metadata differ.",
        "Compare both with the lab book; the metadata counts.",
    ),
    "unknown-subject": FindingKind(
        _ERROR, "The catalogue has no such subject.", "Add it: engram subjects add NAME, then plan again."
    ),
    "unknown-probe": FindingKind(
        _WARNING, "The catalogue has no probe of this serial number.", "Add it: engram probes add SERIAL."
    ),
    "probe-count": FindingKind(
        _WARNING,
        "There are more or fewer probes than were implanted.",
        "Add the missing implant (engram probes implant), or look for the missing recording.",
    ),
    "malformed": FindingKind(
        _ERROR, "Text or metadata does not parse.", "Open it and mend what the message names, or exclude it."
    ),
    "name-not-portable": FindingKind(
        _NOTE,
        "A name that some file systems cannot hold, or that is not UTF-8.",
        "Rename it before it is copied elsewhere.",
    ),
    "recogniser-failed": FindingKind(
        _ERROR,
        "A recogniser failed on these files: a mistake in it, not in them.",
        "Tell those who made it (engram, or the plugin that the message names); all other files were looked at.",
    ),
    "link-not-followed": FindingKind(
        _NOTE,
        "A symbolic link: it may lead out of the share, or in a circle, and was not followed.",
        "Where it leads to something that matters, add that place as a share of its own.",
    ),
    "missing-extra": FindingKind(
        _NOTE,
        "A file of a format that is read with an optional library, which is not installed.",
        "Install it: pip install '.[rig]' in engram's clone, then scan again.",
    ),
}
