"""What a scan hands on: a session, and the files below its folder."""

from engram.model.recordings import Session
from engram.model.records import record


@record(kw_only=False)
class FileSeen:
    """One file below a session's folder, as it was when it was looked at."""

    #: POSIX, relative to the session's folder; surrogates for what is not UTF-8.
    path: str
    #: ``None`` where nobody asked: a look costs a round trip.
    size_bytes: int | None = None
    #: When it was written last, in nanoseconds since 1970; ``None`` where nobody asked.
    modified_ns: int | None = None
    #: The share that it lies on, where that is not the session's: *path* is relative to it then. Else ''.
    share: str = ""


@record(kw_only=False)
class Scanned:
    """One session and all its files."""

    session: Session
    #: Sorted by path.
    files: tuple[FileSeen, ...] = ()
    #: Its folder holds what was computed from a session, and that lies elsewhere: it is none of its own.
    computed: bool = False
    #: Of its folders, with their shares, those that nobody looked into now: what stands here of them is what the
    #: catalogue has.
    not_looked_at: tuple[tuple[str, str], ...] = ()
