"""Compare a session as it was scanned with what the catalogue has of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from engram.model.recordings import Recording, Session
from engram.sessions.identity import Likeness, likeness
from engram.sessions.known import KnownFile, KnownSession
from engram.sessions.scanned import Scanned

#: A recording, and how it changed: "has 120 samples now, had 60".
Changed: TypeAlias = tuple[Recording, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is not as the catalogue has it."""

    #: Recordings that the catalogue has not.
    linked: tuple[Recording, ...] = ()
    changed: tuple[Changed, ...] = ()
    #: Recordings that are not here any more.
    gone: tuple[Recording, ...] = ()
    new_files: int = 0
    #: With another size or time.
    other_files: int = 0
    lost_files: int = 0
    #: What else, in words.
    facts: tuple[str, ...] = ()


def difference(one: Scanned, home: KnownSession) -> Difference:
    """What a scan found that the catalogue does not say, and the other way round.

    What a person has said (tasks that were confirmed) is never called different.
    """
    had = {recording.id: recording for recording in home.session.recordings}
    now = {recording.id: recording for recording in one.session.recordings}
    files, known = _by_path(one.files), _by_path(home.files)
    both = files.keys() & known.keys()
    return Difference(
        linked=tuple(recording for name, recording in now.items() if name not in had),
        changed=tuple((now[name], how) for name in now if name in had and (how := _how(had[name], now[name]))),
        gone=tuple(recording for name, recording in had.items() if name not in now),
        new_files=len(files.keys() - known.keys()),
        lost_files=len(known.keys() - files.keys()),
        other_files=sum(_differ(files[path], known[path]) for path in both),
        facts=tuple(_facts(one.session, home.session)),
    )


def _by_path(files: Iterable[KnownFile]) -> dict[tuple[str, str], KnownFile]:
    return {(file.share, file.path): file for file in files}


def _differ(now: KnownFile, had: KnownFile) -> bool:
    """Whether a file changed; what was not asked, or is not known, is no difference."""
    sizes, times = (now.size_bytes, had.size_bytes), (now.modified_ns, had.modified_ns)
    return any(None not in pair and pair[0] != pair[1] for pair in (sizes, times))


def _how(had: Recording, now: Recording) -> str:
    """How a recording changed, as the rest of a sentence that begins with its id; '' if it did not."""
    if (had.share, had.paths) != (now.share, now.paths):
        return f"is called {now.path} now" if had.paths[:1] != now.paths[:1] else "has other files beside it"
    alike = likeness(had, now)
    if alike is Likeness.SHORTER and had.samples != now.samples:
        return f"has {now.samples} samples now, had {had.samples}"
    if alike is Likeness.SHORTER:
        return f"has {now.size_bytes} bytes now, had {had.size_bytes}"
    if alike is not Likeness.COPY:
        return "has other content now"
    return "has other facts now" if _told(had) != _told(now) else ""


def _told(recording: Recording) -> tuple[object, ...]:
    measured = (recording.started, recording.duration_s, recording.sampling_rate_hz, recording.channels)
    return (*measured, recording.serial, recording.device, sorted(map(str, recording.facts)))


def _facts(now: Session, had: Session) -> list[str]:
    said = []
    if now.started != had.started:
        said.append(f"it started {now.started.isoformat()}, not {had.started.isoformat()}")
    if now.tasks != had.tasks and not any(task.confirmed for task in had.tasks):
        said.append(f"it has {len(now.tasks)} tasks now, had {len(had.tasks)}")
    return said
