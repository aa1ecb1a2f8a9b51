"""Look at one session's folder: anew, or only whether it is as the last scan left it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from engram.model.errors import Unreadable
from engram.model.records import record
from engram.sessions.scanning.assembling import Content, Rules, assemble
from engram.sessions.scanning.disk import Disk
from engram.sessions.scanning.folder import SeenFolder, Worker
from engram.sessions.scanning.packing import as_json, packed, unpacked
from engram.sessions.scanning.seen import SessionSeen
from engram.sessions.scanning.state import Kept, joined

_DAY_NS = 86_400 * 10**9
#: A folder's time does not change when a file in it grows: files of sessions younger than this are always asked for.
YOUNG_NS = 7 * _DAY_NS
#: A file that changed between two scans and was written so lately is being written still.
_JUST_NOW_NS = 3600 * 10**9
#: Findings about the look, not about what was looked at.
_PASSING = frozenset({"unreadable", "recogniser-failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What all looks of one scan share."""

    #: Absolute path of the share.
    root: str
    disk: Disk
    worker: Worker
    rules: Rules
    #: When the scan began, in nanoseconds since 1970.
    now_ns: int
    #: Look at everything, whatever the last scan saw.
    full: bool = False

    def is_young(self, newest_ns: int) -> bool:
        """Whether something may still be written there; a time in the future is a clock that goes wrong."""
        return newest_ns > self.now_ns - YOUNG_NS


@record
class Looked:
    """What came of a look: the session, and what is to be kept for the next scan (``None``: nothing new)."""

    seen: SessionSeen
    kept: Kept | None
    files: int
    unchanged: bool = False
    unreadable: int = 0


def look_again(look: Look, folder: str, kept: Kept) -> Looked | None:
    """The session as it was kept, when nothing in its folder changed; else ``None``: look at it anew.

    Costs one call for each folder, and one for each file while it is young or unsettled.
    """
    base = f"{look.root}/{folder}"
    for path, changed_ns in kept.folders:
        if look.disk.changed_ns(f"{base}/{path}" if path else base) != changed_ns:
            return None
    if look.is_young(kept.newest_ns) or not kept.settled:
        return _ask_for_files(look, base, kept)
    return _as_kept(kept, kept.known_stats, None)


def _ask_for_files(look: Look, base: str, kept: Kept) -> Looked | None:
    had = kept.known_stats()
    now: dict[str, tuple[int, int]] = {}
    for path in kept.paths():
        now[path] = look.disk.stat(f"{base}/{path}")
        if had.get(path) != now[path]:
            return None
    if kept.settled:
        return _as_kept(kept, lambda: now, None)
    session = unpacked(kept.session)
    acquiring = any(finding.code == "still-acquiring" for finding in session.findings)
    if session.state == "incomplete" and not acquiring:  # it was being written, and is not any more
        return None
    settled = not acquiring
    newest_ns = max([kept.newest_ns, *(time for _, time in now.values())])
    again = replace(kept, settled=settled, newest_ns=newest_ns, stats=as_json(now))
    return _as_kept(again, lambda: now, again)


def _as_kept(kept: Kept, stats: Callable[[], dict[str, tuple[int, int]]], again: Kept | None) -> Looked:
    session = unpacked(kept.session)
    files = kept.files.count(b"\0") + 1 if kept.files else 0
    seen = SessionSeen(session=session, paths=kept.paths, ask_stats=stats)
    return Looked(seen=seen, kept=again, files=files, unchanged=True)


def look_at(look: Look, content: Content, inner: list[str], had: Kept | None) -> Looked:
    """The session of a folder whose files were listed."""
    content.files.sort()
    subject = content.reading.named.subject
    base = f"{look.root}/{content.folder}"
    looked = SeenFolder(base, content.files, subject=subject, disk=look.disk, worker=look.worker)
    newest_ns = max((time for _, time in content.folders), default=0)
    before = had.known_stats() if had is not None else {}
    lately_ns = newest_ns if had is None else max(newest_ns, had.newest_ns)
    if look.full or look.is_young(lately_ns) or (had is not None and not had.settled):
        _ask_for_all(looked, content)
    written = _is_being_written(before, looked.stats, look.now_ns)
    session = assemble(content, looked, look.rules, being_written=written)
    newest_ns = max([newest_ns, *(time for _, time in looked.stats.values())])
    same = had is not None and before == looked.stats and had.files == joined(content.files)
    files, stats = content.files, looked.stats
    seen = SessionSeen(session=session, paths=lambda: files, ask_stats=lambda: stats)
    unreadable = sum(finding.code in _PASSING for finding in session.findings)
    if unreadable:  # it may be readable next time, without a change that one could see
        return Looked(seen=seen, kept=None, files=len(files), unreadable=unreadable)
    kept = Kept(
        folders=tuple(content.folders),
        inner=tuple(inner),
        newest_ns=newest_ns,
        settled=session.state != "incomplete" and (same or not look.is_young(newest_ns)),
        session=packed(session),
        files=joined(content.files),
        stats=as_json(looked.stats),
    )
    return Looked(seen=seen, kept=kept, files=len(files))


def _ask_for_all(looked: SeenFolder, content: Content) -> None:
    for path in content.files:
        try:
            looked.stat(path)
        except Unreadable as error:
            content.unreadable.append((path, error.reason))


def _is_being_written(before: Mapping[str, tuple[int, int]], now: Mapping[str, tuple[int, int]], now_ns: int) -> bool:
    """Whether a file that was there at the last scan has changed since, and only just now."""
    return any(
        path in before and before[path] != found and found[1] > now_ns - _JUST_NOW_NS for path, found in now.items()
    )
