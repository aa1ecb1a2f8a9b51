"""What a lab's catalogue knows of sessions, as a plan needs it: plain data, read in one go."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engram.model.recordings import Session
from engram.sessions.scanned import FileSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSession:
    """One session as the catalogue has it."""

    #: With the recordings that the catalogue has; their paths are relative to the session's folder.
    session: Session
    files: tuple[FileSeen, ...] = ()
    #: Number of the change that touched it last: a step that was planned on another is refused.
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that a plan compares a share with."""

    #: Every name and alias, as folders spell it: the subject's own name.
    subjects: Mapping[str, str] = field(default_factory=dict)
    #: By session id.
    sessions: Mapping[str, KnownSession] = field(default_factory=dict)
    #: Serial numbers of probes that the lab has.
    probes: frozenset[str] = frozenset()
    #: Findings that a person accepted: id of a session or recording, and the code.
    waived: frozenset[tuple[str, str]] = frozenset()
    #: Sessions, recordings and folders (``SHARE:FOLDER``) that are left out, with the reason.
    excluded: Mapping[str, str] = field(default_factory=dict)
