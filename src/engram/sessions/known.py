"""What a lab's catalogue knows of sessions, as a plan needs it: plain data, read in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engram.model.recordings import Session


class KnownFile(Protocol):
    """One file as the catalogue has it."""

    @property
    def path(self) -> str:
        """POSIX, relative to the session's folder."""
        ...

    @property
    def size_bytes(self) -> int | None:
        """``None`` where nobody asked."""
        ...

    @property
    def modified_ns(self) -> int | None:
        """``None`` where nobody asked."""
        ...

    @property
    def share(self) -> str:
        """The share that it lies on where that is not the session's, and *path* is relative to; else ''."""
        ...


class KnownSession(Protocol):
    """One session as the catalogue has it: `engram.catalogue.known.SessionKnown`."""

    @property
    def session(self) -> Session:
        """With the recordings that the catalogue has; their paths are relative to the session's folder."""
        ...

    @property
    def files(self) -> Sequence[KnownFile]:
        """Its files."""
        ...

    @property
    def version(self) -> int:
        """Number of the change that touched it last: a step that was planned on another is refused."""
        ...


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
    #: Sessions, recordings and folders (``SHARE:FOLDER``) that are left out, or patterns of these, with the reason.
    excluded: Mapping[str, str] = field(default_factory=dict)
