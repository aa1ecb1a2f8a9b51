"""What a scan hands on: a session, and the files below its folder."""

from dataclasses import dataclass

from engram.model.recordings import Recording, Session


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One file below a session's folder, as it was when it was looked at."""

    #: POSIX, relative to the session's folder; surrogates for what is not UTF-8.
    path: str
    #: ``None`` where nobody asked: a look costs a round trip.
    size_bytes: int | None = None
    #: When it was written last, in nanoseconds since 1970; ``None`` where nobody asked.
    modified_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """One session and all its files."""

    session: Session
    #: Sorted by path.
    files: tuple[FileSeen, ...] = ()
    #: What was computed from it and lies elsewhere on the share; paths are relative to the share.
    derived: tuple[Recording, ...] = ()
