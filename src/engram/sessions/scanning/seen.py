"""What a scan tells, as it finds it."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from engram.model.findings import Finding
from engram.model.recordings import Recording, Session
from engram.model.records import record
from engram.sessions.scanned import FileSeen, Scanned


@record
class SessionSeen:
    """One session, with what was computed from it elsewhere on the share."""

    session: Session
    #: Derived data that lie outside its folder; their paths are relative to the share.
    derived: tuple[Recording, ...] = ()
    #: Its files, relative to its folder, sorted; unpacked when they are asked for.
    paths: Callable[[], list[str]]
    #: Size and time of the files that somebody asked for, likewise.
    ask_stats: Callable[[], Mapping[str, tuple[int, int]]] = dict

    def scanned(self) -> Scanned:
        """It, with all its files as records, and what was computed from it elsewhere as recordings of its own."""
        stats, nothing = self.ask_stats(), (None, None)
        derived = [replace(one, paths=tuple(map(self._from_here, one.paths))) for one in self.derived]
        paths = sorted({*self.paths(), *(path for one in derived for path in one.paths)})
        session = replace(self.session, recordings=(*self.session.recordings, *derived)) if derived else self.session
        return Scanned(session, tuple(FileSeen(path, *stats.get(path, nothing)) for path in paths))

    def _from_here(self, path: str) -> str:
        """A path on the share, as seen from the session's folder."""
        return posixpath.relpath(f"/{path}", f"/{self.session.folder}")

    def as_json(self) -> dict[str, Any]:
        """The record behind ``sessions scan --json``: all paths are relative to the share."""
        record = self.session.as_json()
        own = [recording.below(self.session.folder) for recording in self.session.recordings]
        record["recordings"] = [recording.as_json() for recording in (*own, *self.derived)]
        return record


@dataclass(frozen=True, slots=True)
class DerivedSeen:
    """A folder of data that were computed from a session which does not lie on the same share."""

    #: Named as its session is.
    seen: SessionSeen
    #: Why no session on its own share is meant.
    why_apart: str
    #: Id of the session on another share; '' where none was found.
    belongs_to: str = ""

    def scanned(self) -> Scanned:
        """It, with all its files as records."""
        return replace(self.seen.scanned(), computed=True)

    def as_json(self) -> dict[str, Any]:
        """The record behind ``sessions scan --json``: all paths are relative to the share."""
        record = self.seen.as_json()
        kept = {name: record[name] for name in ("share", "folder", "recordings", "findings", "unknown")}
        return {"record": "derived", "session": self.belongs_to, **kept}


@dataclass(frozen=True, slots=True)
class ShareFinding:
    """A finding that belongs to no session."""

    share: str
    finding: Finding

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json``."""
        return {**self.finding.as_json(), "share": self.share}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareSeen:
    """One share, when all of it was looked at."""

    #: Its name.
    share: str
    #: Sessions that were found.
    sessions: int = 0
    #: Of these sessions, those that are as the last scan saw them.
    unchanged: int = 0
    #: Recordings, and what was computed from them.
    recordings: int = 0
    #: Subjects that have a session.
    subjects: int = 0
    #: Files that were seen, in sessions and outside.
    files: int = 0
    #: Files that no recogniser knows.
    unknown: int = 0
    #: Files and folders that the share's patterns leave out.
    excluded: int = 0
    #: Folders and files that could not be read.
    unreadable: int = 0
    #: Why the next scan must look at everything again; '' for nothing.
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The record behind ``sessions scan --json``."""
        return {"record": "scan", **{entry.name: getattr(self, entry.name) for entry in fields(self)}}


Seen: TypeAlias = SessionSeen | DerivedSeen | ShareFinding | ShareSeen
