"""Gather a session from the folders that hold a part of it, on one share or on several."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeAlias, TypeVar

from engram.model.findings import Finding
from engram.model.recordings import Recording, Session, Task, on_share, seen_from
from engram.sessions.identity import Likeness, likeness
from engram.sessions.known import KnownFile, KnownSession
from engram.sessions.scanned import FileSeen, Scanned

#: A share's name, and a path on it.
Spot: TypeAlias = tuple[str, str]
Kind = TypeVar("Kind")

#: Kinds that are computed from others: they come with no clock of their own, and often lie apart.
COMPUTED = frozenset({"pose", "segmentation", "sorting", "sync"})
#: Devices of one session do not start at the same moment. Source: the window of MAP's ingestion.
_LENIENCE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one folder holds of a session. Paths are relative to the share that it lies on."""

    spot: Spot
    session: Session
    recordings: tuple[Recording, ...]
    files: tuple[FileSeen, ...]
    #: With their shares.
    findings: tuple[tuple[str, Finding], ...] = ()
    #: Nobody looked there now; it is what the catalogue has.
    is_kept: bool = False


def piece_of(one: Scanned) -> Piece:
    """A folder that was scanned, as a piece."""
    session = one.session
    return Piece(
        spot=(session.share, session.folder),
        session=session,
        recordings=tuple(whole(each, session) for each in session.recordings),
        files=tuple(_whole_file(file, session) for file in one.files),
        findings=tuple((session.share, finding) for finding in session.findings),
    )


def kept_piece(home: KnownSession, spot: Spot) -> Piece:
    """What the catalogue has in one of a session's folders."""
    session = home.session

    def is_here(share: str, path: str) -> bool:
        return folder_of((share, path), session.folders) == spot

    recordings = (whole(each, session) for each in session.recordings)
    files = (_whole_file(file, session) for file in home.files)
    findings = (_told_of(finding, session) for finding in session.findings)
    return Piece(
        spot=spot,
        session=session,
        recordings=tuple(each for each in recordings if is_here(each.share, each.path if each.paths else "")),
        files=tuple(file for file in files if is_here(file.share, file.path)),
        findings=tuple((share, finding) for share, finding in findings if is_here(share, finding.path)),
        is_kept=True,
    )


def _told_of(finding: Finding, session: Session) -> tuple[str, Finding]:
    """A finding with the share that its path is relative to: see `name_of`."""
    share, mark, path = finding.path.partition(":")
    if mark and share != session.share and any(share == other for other, _ in session.also_in):
        return share, replace(finding, path=path)
    return session.share, finding


def name_of(place: Spot, share: str) -> str:
    """What a session on *share* calls a place: its path, with the share's name before it where it lies on another."""
    return place[1] if place[0] == share else f"{place[0]}:{place[1]}"


def folder_of(place: Spot, folders: Sequence[Spot]) -> Spot:
    """Which of a session's folders holds a file: what lies in none counts to the first one on its share."""
    share, path = place
    there = [spot for spot in folders if spot[0] == share]
    inside = [spot for spot in there if not spot[1] or path.startswith(f"{spot[1]}/")]
    return max(inside, key=lambda spot: len(spot[1])) if inside else (there or list(folders))[0]


def place_of(session: Session, path: str, share: str = "") -> Spot:
    """Where a file of a session lies."""
    return (share, path) if share else (session.share, on_share(session.folder, path))


def whole(recording: Recording, session: Session) -> Recording:
    """A recording with its share, and its paths relative to that."""
    if recording.share:
        return recording
    return replace(recording.below(session.folder), share=session.share)


def _whole_file(file: KnownFile, session: Session) -> FileSeen:
    share, path = place_of(session, file.path, file.share)
    return FileSeen(path, file.size_bytes, file.modified_ns, share)


def seen_from_main(main: Spot, place: Spot) -> Spot:
    """Where something lies, as the records of a session whose own folder is *main* say it: share (or ''), and path."""
    return ("", seen_from(main[1], place[1])) if place[0] == main[0] else place


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A recording that two folders of a session hold."""

    recording: Recording
    #: That which counts.
    first: Recording
    alike: Likeness

    @property
    def is_copy(self) -> bool:
        """Whether it adds nothing."""
        return self.alike in (Likeness.COPY, Likeness.COMPRESSED)


def overlaps(piece: Piece, others: Mapping[str, Recording]) -> Iterator[Overlap]:
    """The recordings of a piece that others hold as well; *others*: by id, `measured`."""
    sizes = sizes_of(piece)
    for recording in piece.recordings:
        first = others.get(recording.id)
        if first is not None and (first.share, first.path) != (recording.share, recording.path):
            yield Overlap(recording=recording, first=first, alike=likeness(measured(recording, sizes), first))


def sizes_of(piece: Piece) -> Mapping[Spot, int | None]:
    """How large its files are, as far as somebody asked."""
    return {(file.share, file.path): file.size_bytes for file in piece.files}


def measured(recording: Recording, sizes: Mapping[Spot, int | None]) -> Recording:
    """The same with the size of its main file, where nothing else says how much there is."""
    if recording.size_bytes is not None or not recording.paths:
        return recording
    return replace(recording, size_bytes=sizes.get((recording.share, recording.path)))


def clock(recordings: Iterable[Recording]) -> tuple[datetime, datetime] | None:
    """When the first of some recordings began, and the last ended, by their own clocks; ``None`` without any."""
    own = [one for one in recordings if one.started is not None and one.kind not in COMPUTED and not one.processing]
    spans = [
        (begun, begun + timedelta(seconds=one.duration_s or 0.0))
        for one in own
        if (begun := one.started.replace(tzinfo=None) if one.started else None)
    ]
    return (min(begun for begun, _ in spans), max(end for _, end in spans)) if spans else None


def is_one_visit(one: Iterable[Recording], other: Iterable[Recording]) -> bool:
    """Whether the clocks of two folders' recordings allow that these were made together."""
    mine, theirs = clock(one), clock(other)
    if mine is None or theirs is None:
        return True
    return mine[0] <= theirs[1] + _LENIENCE and theirs[0] <= mine[1] + _LENIENCE


def gathered(pieces: Sequence[Piece], name: str, subject: str) -> Scanned:
    """One session of its pieces, the one that gives it its folder first; no two of them hold a recording of one id."""
    main = pieces[0].spot
    looked_at = [piece for piece in pieces if not piece.is_kept]
    files = {(file.share, file.path): file for piece in pieces for file in piece.files}
    findings = ((share, finding) for piece in pieces for share, finding in piece.findings)
    session = replace(
        pieces[0].session,
        id=name,
        subject=subject,
        started=_started(pieces),
        share=main[0],
        folder=main[1],
        also_in=tuple(piece.spot for piece in pieces[1:]),
        state=looked_at[0].session.state if looked_at else "known",
        groups=_every(group for piece in pieces for group in piece.session.groups),
        tasks=_tasks(pieces),
        recordings=tuple(_from_main(each, main) for piece in pieces for each in piece.recordings),
        findings=_every(replace(each, path=name_of((share, each.path), main[0])) for share, each in findings),
        unknown=_counted(piece.session.unknown for piece in looked_at),
    )
    kept = tuple(piece.spot for piece in pieces if piece.is_kept)
    return Scanned(session, tuple(_file_from_main(files[key], main) for key in sorted(files)), not_looked_at=kept)


def as_seen(home: KnownSession, main: Spot, moves: Mapping[Spot, Spot]) -> "Expressed":
    """A session of the catalogue with its paths as they would be, were its folder *main* and others *moves*d."""
    session = home.session

    def there(share: str, path: str) -> Spot:
        spot = folder_of((share, path), session.folders)
        if spot not in moves:
            return share, path
        new = moves[spot]
        return new[0], on_share(new[1], seen_from(spot[1], path))

    recordings = []
    for each in (whole(one, session) for one in session.recordings):
        places = [there(each.share, path) for path in each.paths] or [main]
        moved = replace(each, share=places[0][0], paths=tuple(path for _, path in places[: len(each.paths)]))
        recordings.append(_from_main(moved, main) if each.paths else each)
    files = []
    for file in (_whole_file(one, session) for one in home.files):
        share, path = there(file.share, file.path)
        files.append(_file_from_main(replace(file, share=share, path=path), main))
    share, folder = main
    return Expressed(replace(session, share=share, folder=folder, recordings=tuple(recordings)), files, home.version)


@dataclass(frozen=True, slots=True)
class Expressed:
    """A session of the catalogue with other paths: a `KnownSession`."""

    session: Session
    files: Sequence[FileSeen]
    version: int


def _every(items: Iterable[Kind]) -> tuple[Kind, ...]:
    return tuple(dict.fromkeys(items))


def _from_main(recording: Recording, main: Spot) -> Recording:
    places = [seen_from_main(main, (recording.share, path)) for path in recording.paths] or [("", "")]
    return replace(recording, share=places[0][0], paths=tuple(path for _, path in places[: len(recording.paths)]))


def _file_from_main(file: FileSeen, main: Spot) -> FileSeen:
    share, path = seen_from_main(main, (file.share, file.path))
    return FileSeen(path, file.size_bytes, file.modified_ns, share)


def _started(pieces: Sequence[Piece]) -> date | datetime:
    """By the first piece that knows a time; where nobody looked, the catalogue does."""
    known = [piece.session.started for piece in pieces]
    return next((one for one in known if isinstance(one, datetime)), known[0])


def _tasks(pieces: Sequence[Piece]) -> tuple[Task, ...]:
    """Those of the first folder that tells some; where nobody looked, the catalogue does."""
    by_sight = sorted(pieces, key=lambda piece: piece.is_kept)
    return next((piece.session.tasks for piece in by_sight if piece.session.tasks), ())


def _counted(counts: Iterable[Iterable[tuple[str, int]]]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for each in counts:
        for extension, count in each:
            found[extension] = found.get(extension, 0) + count
    return tuple(sorted(found.items()))
