"""Make a session of a folder: what its name says, what the recognisers see, and whether both agree."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from engram.model.findings import Finding
from engram.model.recordings import Recording, Session, Task, session_id
from engram.sessions.discovery import recognised
from engram.sessions.identity import named_apart
from engram.sessions.recogniser import Known, Recogniser, Seen
from engram.sessions.scanning.folder import SeenFolder, extension, kinds_of
from engram.sessions.templates import Reading, day_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

#: A recording may begin two minutes before the time in the folder's name. Source: the window of MAP's ingestion.
_EARLIEST = -timedelta(seconds=120)
_DAY = timedelta(days=1)
#: What is recorded until this hour of the night belongs to the day before.
_NIGHT_HOURS = 6
#: Kinds whose own clock can be held against the folder's name; what was computed later, or re-encoded, has another.
_CLOCKED = frozenset({"neuropixels-ap", "neuropixels-lf", "nidq", "ephys", "daq", "imaging", "tracking", "behaviour"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for one share."""

    share: str
    #: Zone of names and of what was recorded; ``None`` where nobody said.
    zone: "ZoneInfo | None" = None
    recognisers: tuple[Recogniser, ...] = ()
    #: Which of them know something of folders with these extensions: nearly all hold one of a few sets.
    _asked: dict[frozenset[str], tuple[Recogniser, ...]] = field(default_factory=dict, compare=False)

    def asked(self, extensions: frozenset[str]) -> tuple[Recogniser, ...]:
        """The recognisers that know one of these extensions."""
        found = self._asked.get(extensions)
        if found is None:
            kinds = [(one, kinds_of(one.suffixes)) for one in self.recognisers]
            found = tuple(one for one, known in kinds if known is None or known & extensions)
            self._asked[extensions] = found
        return found


@dataclass(slots=True, kw_only=True, eq=False)
class Content:
    """What a walk found below one session's folder."""

    #: Relative to the share.
    folder: str
    reading: Reading
    files: list[str] = field(default_factory=list)
    #: Folders, '' for itself, and when names in them changed last.
    folders: list[tuple[str, int]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    awkward: list[str] = field(default_factory=list)
    #: Path, and why it could not be read.
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def assemble(content: Content, looked: SeenFolder, rules: Rules, *, being_written: bool = False) -> Session:
    """The session of a folder. Findings' paths are relative to the share, recordings' to the session's folder."""
    seen = _Seen(content.folder)
    for _, one in recognised(looked, rules.asked(frozenset(looked.by_extension))):
        seen.take(one)
    reading = content.reading
    moment = reading.named.started
    assert moment is not None, "templates of sessions tell a time"
    findings = [*_of_name(content), *_of_walk(content), *_of_times(content, seen.recordings, rules.zone)]
    findings += seen.findings
    still_written = being_written or any(finding.code == "still-acquiring" for finding in seen.findings)
    name = session_id(reading.named.subject, moment, reading.named.ident)
    return Session(
        id=name,
        subject=reading.named.subject,
        started=_started(moment, seen.recordings, rules.zone),
        share=rules.share,
        folder=content.folder,
        state="incomplete" if still_written else "new",
        ident=reading.named.ident,
        tasks=tuple(seen.tasks),
        recordings=tuple(named_apart(sorted(seen.recordings, key=_order), name, are_fresh=True)),
        findings=tuple(sorted(findings, key=lambda one: (one.path, one.code, one.message))),
        unknown=_unknown(looked, seen.accounted),
    )


class _Seen:
    """What the recognisers say, taken together."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.recordings: list[Recording] = []
        self.tasks: list[Task] = []
        self.findings: list[Finding] = []
        #: Files that somebody knows.
        self.accounted: set[str] = set()

    def take(self, one: Seen) -> None:
        """Note what a recogniser says."""
        if isinstance(one, Recording):
            self.recordings.append(one)
            self.accounted.update(one.paths)
        elif isinstance(one, Finding):
            self.accounted.add(one.path)
            self._find(one.code, one.path, one.message)
        elif isinstance(one, Known):
            self.accounted.update(one.paths)
        else:
            self.tasks.append(one)

    def _find(self, code: str, path: str, message: str) -> None:
        self.findings.append(Finding(code=code, path=f"{self._folder}/{path}".rstrip("/"), message=message))


def _order(recording: Recording) -> tuple[str, str, str, str]:
    return recording.kind, recording.device, recording.processing, recording.path


def _unknown(looked: SeenFolder, accounted: set[str]) -> tuple[tuple[str, int], ...]:
    """Files that nobody knows, by extension: how many."""
    if accounted.issuperset(looked.files()):
        return ()
    counts = Counter(extension(path) for path in looked.files() if path not in accounted)
    return tuple(sorted((f".{kind}" if kind else "", count) for kind, count in counts.items()))


def _started(moment: date | datetime, recordings: Iterable[Recording], zone: "ZoneInfo | None") -> date | datetime:
    """When a session started: its name's time, else that of its first recording of that day."""
    if not isinstance(moment, datetime):
        own = [local(one.started, zone) for one in recordings if one.started is not None and one.kind in _CLOCKED]
        first = min((one for one in own if one.date() == moment), default=None)
        if first is None:
            return moment
        moment = first
    return moment.replace(tzinfo=zone) if zone is not None else moment


def local(time: datetime, zone: "ZoneInfo | None") -> datetime:
    """A time as the clock on the rig's wall showed it: without a zone."""
    if time.tzinfo is None:
        return time
    return (time if zone is None else time.astimezone(zone)).replace(tzinfo=None)


def _of_name(content: Content) -> Iterator[Finding]:
    """What is to say about the folder's own name."""
    reading = content.reading
    others = [f"{day_of(named.started)} by {template.text}" for template, named in reading.others]
    if others:
        told = f"{reading.template.text} reads {day_of(reading.named.started)}; it could be {', or '.join(others)}."
        yield Finding(code="ambiguous-date", path=content.folder, message=told)


def _of_walk(content: Content) -> Iterator[Finding]:
    """What the walk itself met."""
    for path, reason in content.unreadable:
        yield Finding(code="unreadable", path=_below(content.folder, path), message=f"It cannot be read: {reason}.")
    for path in sorted(content.others):
        told = "It is a FIFO, a socket or a device, and was not opened."
        yield Finding(code="unreadable", path=_below(content.folder, path), message=told)
    yield from together("link-not-followed", content.folder, content.links)
    yield from together("name-not-portable", content.folder, content.awkward)


_TOGETHER = {
    "link-not-followed": "is a symbolic link; what is behind it was not looked at",
    "name-not-portable": "has a name that some file systems cannot hold",
}


def together(code: str, folder: str, paths: Sequence[str]) -> Iterator[Finding]:
    """One finding for all *paths* of a folder; it names the first."""
    if paths:
        more = f", and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield Finding(code=code, path=_below(folder, min(paths)), message=f"It {_TOGETHER[code]}{more}.")


def _of_times(content: Content, recordings: Iterable[Recording], zone: "ZoneInfo | None") -> Iterator[Finding]:
    """Recordings whose own clock tells another time than the folder's name."""
    moment = content.reading.named.started
    for one in recordings:
        if one.kind in _CLOCKED and one.started is not None and moment is not None:
            started = local(one.started, zone)
            if not _agree(moment, started):
                told = f"The folder's name says {_shown(moment)}, its metadata {_shown(started)}."
                yield Finding(code="time-mismatch", path=_below(content.folder, one.path), message=told)


def _agree(moment: date | datetime, started: datetime) -> bool:
    if isinstance(moment, datetime):
        return _EARLIEST <= started - moment < _DAY
    days = (started.date() - moment).days
    return days == 0 or (days == 1 and started.hour < _NIGHT_HOURS)


def _shown(moment: date | datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if isinstance(moment, datetime) else f"{moment:%Y-%m-%d}"


def _below(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder and path else folder or path


def count_by_extension(counts: Iterable[tuple[str, int]]) -> str:
    """Files by extension, as people read it: ``3 .txt, 1 without extension``; the most frequent first."""
    ranked = Counter(dict(counts)).most_common()
    told = [f"{count} {extension or 'without extension'}" for extension, count in ranked[:4]]
    rest = sum(count for _, count in ranked[4:])
    return ", ".join([*told, f"{rest} others"] if rest else told)


def excluded_session(folder: str, reading: Reading, rules: Rules) -> Session:
    """A session that the share's patterns leave out: nothing of it is looked at."""
    moment = reading.named.started
    assert moment is not None, "templates of sessions tell a time"
    started = moment.replace(tzinfo=rules.zone) if isinstance(moment, datetime) and rules.zone else moment
    session = Session(
        id=session_id(reading.named.subject, moment, reading.named.ident),
        subject=reading.named.subject,
        started=started,
        share=rules.share,
        folder=folder,
        state="excluded",
    )
    return replace(session, ident=reading.named.ident)
