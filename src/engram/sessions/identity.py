"""Identity: what makes two recordings the same, wherever they lie and whatever their files are called.

A recording is named by what its own content says: its kind, the serial number of its probe or camera, when it started,
and what was done to it since. A path, a drive's letter and a file's name are only where it was seen.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum

from engram.model.recordings import Recording, Session, on_share
from engram.model.records import record

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._+-]+")
#: Derived data and text carry no serial number and no clock of their own.
_NAMELESS = "-"
#: How much of a time as ISO 8601 writes it the clock on the wall shows: no zone.
_WALL_CLOCK = len("2020-01-01T10:00:30")


def identified(session: Session) -> Session:
    """The same session, each of its recordings with its `id`; no two of them share one.

    >>> from datetime import datetime
    >>> started = datetime.fromisoformat("2020-01-01T10:00:00")
    >>> raw = Recording(kind="neuropixels-ap", device="imec0", paths=("a.bin",), serial="18194", started=started)
    >>> video = Recording(kind="video", device="side", paths=("side_1.mp4",))
    >>> session = Session(
    ...     id="SC026/2020-01-01", subject="SC026", started=started, share="raw", folder="x", recordings=(raw, video)
    ... )
    >>> [recording.id for recording in identified(session).recordings]
    ['neuropixels-ap:18194:20200101T100000', 'video:side:SC026/2020-01-01:side_1']
    """
    return replace(session, recordings=tuple(named_apart(session.recordings, session.id)))


def named_apart(found: Iterable[Recording], session: str, *, are_fresh: bool = False) -> Iterator[Recording]:
    """The recordings of a session, by its id, each with its `id`; no two of them share one.

    Those that *are_fresh*, of which nobody but the caller knows yet, get theirs themselves: a scan makes each once.
    """
    taken: set[str] = set()
    for recording in found:
        name = first = identity(recording, session)
        number = 1
        while name in taken:
            number += 1
            name = f"{first}:{number}"
        taken.add(name)
        if recording.id == name:
            yield recording
        elif are_fresh and not recording.id:
            recording.id = name  # type: ignore[misc]  # it is being made
            yield recording
        else:
            yield recording.called(name)


def identity(recording: Recording, session: str) -> str:
    """What a recording is called for ever.

    Where its files tell neither a serial number nor when it started, the session's id and the main file's name (without
    folders, so that it may move within its session) stand in for them.
    """
    parts = [recording.kind]
    if recording.started is not None and names_itself(recording):
        parts.append(_plain(recording.serial or f"{_rig(recording)}.{recording.device}"))
        parts.append(recording.started.isoformat("T", "seconds")[:_WALL_CLOCK].replace("-", "").replace(":", ""))
    else:
        parts += [_plain(recording.device) or _NAMELESS, session, _plain(_stem(recording.path)) or _NAMELESS]
    if recording.processing:
        parts.append(_plain(recording.processing))
    return ":".join(parts)


def names_itself(recording: Recording) -> bool:
    """Whether its own content tells it from all others, wherever it lies."""
    return recording.started is not None and bool(recording.serial or _rig(recording))


class Likeness(StrEnum):
    """How two recordings of one identity compare."""

    #: The same content, as far as anything says.
    COPY = "copy"
    #: The same, one of them packed (``.cbin``).
    COMPRESSED = "compressed"
    #: One holds fewer samples than the other: cut short, or still growing when it was copied.
    SHORTER = "shorter"
    #: Different content under one identity.
    VARIANT = "variant"


def likeness(one: Recording, other: Recording) -> Likeness:
    """How *one* compares with *other*, which has the same identity but for compression."""
    if one.processing != other.processing:
        return Likeness.COMPRESSED if "compressed" in (one.processing, other.processing) else Likeness.VARIANT
    if one.sha1 and other.sha1:
        return Likeness.COPY if one.sha1 == other.sha1 else _by_length(one, other) or Likeness.VARIANT
    return _by_length(one, other) or Likeness.COPY


def _by_length(one: Recording, other: Recording) -> Likeness | None:
    if one.samples is not None and other.samples is not None and one.samples != other.samples:
        return Likeness.SHORTER
    lengths = (one.size_bytes, other.size_bytes)
    return Likeness.SHORTER if None not in lengths and lengths[0] != lengths[1] else None


@record(kw_only=False)
class Place:
    """Where one recording was seen."""

    share: str
    #: POSIX, relative to the share, of its main file.
    path: str
    session: str
    recording: Recording


def places(sessions: Iterable[Session]) -> Iterator[Place]:
    """Where each recording of identified sessions was seen."""
    for session in sessions:
        for recording in session.recordings:
            if not recording.paths:
                continue
            if recording.share:
                yield Place(recording.share, recording.path, session.id, recording)
            else:
                path = on_share(session.folder, recording.path)
                yield Place(session.share, path, session.id, recording)


def duplicates(seen: Iterable[Place]) -> Iterator[tuple[Place, ...]]:
    """Recordings that were seen in several places, each group sorted by place; packed ones beside their raw data."""
    groups: dict[str, list[Place]] = defaultdict(list)
    for place in seen:
        groups[place.recording.id.removesuffix(":compressed")].append(place)
    for name in sorted(groups):
        if len(groups[name]) > 1:
            yield tuple(sorted(groups[name], key=lambda place: (place.share, place.path)))


def _rig(recording: Recording) -> str:
    return str(recording.fact("rig") or "")


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.partition(".")[0] or name


def _plain(text: str) -> str:
    return text if text.isascii() and text.isalnum() else _NOT_PLAIN.sub("_", text)
