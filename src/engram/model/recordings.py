"""Sessions and recordings, as they are found on a share."""

import posixpath
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Self

from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.records import record

#: What a recording can be, in the words of the field.
KINDS = (
    *("neuropixels-ap", "neuropixels-lf", "nidq", "ephys", "daq", "imaging", "video", "tracking", "pose"),
    *("segmentation", "sorting", "sync", "events", "behaviour", "nwb", "bids"),
)


@record
class Recording:
    """One stream of one device, or what was computed from some: what a recogniser makes of files.

    Times are those of the acquisition computer; no zone when the format has none.
    """

    #: One of `KINDS`.
    kind: str
    #: ``imec0``, ``nidq``, ``scanimage``, the camera's name, …; unique among those of its kind, start
    #: and *processing* in its session.
    device: str
    #: Its files, the main one first; POSIX, relative to what was looked at. They are accounted for by this.
    paths: tuple[str, ...]
    #: The share that its files lie on, where that is not its session's: *paths* are relative to it then. Else ''.
    share: str = ""
    #: Names it for ever, wherever it lies: see `engram.sessions.identity`; '' until that was asked.
    id: str = ""
    #: Serial number of the probe or camera; '' where the format has none.
    serial: str = ""
    #: By the clock of the acquisition computer.
    started: datetime | None = None
    #: How long it lasts; ``None`` where its files do not say.
    duration_s: float | None = None
    #: Samples, or frames, a second.
    sampling_rate_hz: float | None = None
    #: Channels that were saved.
    channels: int | None = None
    #: Samples per channel, or frames; as the metadata declares them.
    samples: int | None = None
    #: Of all *paths* together; ``None`` when nobody asked.
    size_bytes: int | None = None
    #: Lower-case hex digest of the main file, where the rig wrote one.
    sha1: str = ""
    #: What was done to it since it was recorded: '' for raw data, ``catgt``, ``compressed``, ``combined``, …
    processing: str = ""
    #: What else its files say about it (probe type, software version, curator, scorer, …), by the field's names.
    facts: tuple[tuple[str, Leaf], ...] = ()

    @property
    def path(self) -> str:
        """The main file."""
        return self.paths[0]

    def fact(self, name: str) -> Leaf:
        """One of the *facts*, ``None`` when there is no such."""
        return dict(self.facts).get(name)

    def called(self, name: str) -> "Recording":
        """The same with another *id*: by hand, as every recording of a scan gets one."""
        return Recording(
            kind=self.kind,
            device=self.device,
            paths=self.paths,
            share=self.share,
            id=name,
            serial=self.serial,
            started=self.started,
            duration_s=self.duration_s,
            sampling_rate_hz=self.sampling_rate_hz,
            channels=self.channels,
            samples=self.samples,
            size_bytes=self.size_bytes,
            sha1=self.sha1,
            processing=self.processing,
            facts=self.facts,
        )

    def below(self, folder: str) -> Self:
        """The same with paths relative to what *folder* is relative to: the session's share."""
        if self.share or not folder:
            return self
        return replace(self, paths=tuple(on_share(folder, path) for path in self.paths))

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json``. Fields may be added, never changed."""
        record: dict[str, Any] = {"record": "recording"}
        record |= {name: getattr(self, name) for name in ("id", "device", "kind")}
        record |= {"paths": list(self.paths), "share": self.share}
        record |= {"serial": self.serial, "started": _iso(self.started)}
        record |= {name: getattr(self, name) for name in _MEASURED}
        return record | {"sha1": self.sha1, "processing": self.processing, "facts": dict(self.facts)}


_MEASURED = ("duration_s", "sampling_rate_hz", "channels", "samples", "size_bytes")


@record
class Task:
    """What an animal did in a part of a session."""

    name: str
    #: Seconds from the start of the session.
    start_s: float
    #: ``None`` where nothing says when it ended.
    stop_s: float | None = None
    #: The kind that the file names (``RUNNING``), '' for none.
    type: str = ""
    #: Whether a person confirmed it; inferred otherwise.
    confirmed: bool = False
    #: In which arena it was; '' when nobody said.
    arena: str = ""
    #: In which light it was; '' when nobody said.
    light: str = ""
    #: A remark; '' for none.
    note: str = ""
    #: What stood in the arena (objects, cue cards, curtains), each with where it stood.
    objects: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """One of the *tasks* of a session."""
        record = {name: getattr(self, name) for name in ("name", "start_s", "stop_s", "type", "confirmed", "arena")}
        return record | {"light": self.light, "note": self.note, "objects": [list(one) for one in self.objects]}


@record
class Session:
    """One visit of one subject: a folder on a share, and what was recognised in it."""

    #: ``SUBJECT/2020-01-01T10-00-30`` or ``SUBJECT/2022-04-19`` or ``…_IDENT``; see `session_id`.
    id: str
    #: The subject's name in the catalogue, or what the folder calls it.
    subject: str
    #: With offset where the share's or the lab's zone is known; a `date` where no time is known.
    started: datetime | date
    share: str
    #: POSIX, relative to the share.
    folder: str
    #: Other folders that hold a part of it: the name of a share, and the folder on that.
    also_in: tuple[tuple[str, str], ...] = ()
    #: ``new``, ``known``, ``changed``, ``excluded`` or ``incomplete`` (something is still being written).
    state: str = "new"
    #: Which of several sessions of a day, in the words of the folder's name; kept as it is.
    ident: str = ""
    groups: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    recordings: tuple[Recording, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: Files that no recogniser knows, by lower-case extension ('' for none): how many.
    unknown: tuple[tuple[str, int], ...] = ()

    @property
    def folders(self) -> tuple[tuple[str, str], ...]:
        """All folders that hold a part of it, each with its share before it; its own first."""
        return ((self.share, self.folder), *self.also_in)

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json``. Fields may be added, never changed."""
        record: dict[str, Any] = {"record": "session", "id": self.id, "subject": self.subject}
        record |= {"started": _iso(self.started), "share": self.share, "folder": self.folder}
        record["also_in"] = [{"share": share, "folder": folder} for share, folder in self.also_in]
        record |= {"state": self.state, "ident": self.ident, "groups": list(self.groups)}
        record["tasks"] = [task.as_json() for task in self.tasks]
        record["recordings"] = [recording.as_json() for recording in self.recordings]
        record["findings"] = [finding.as_json() for finding in self.findings]
        return record | {"unknown": dict(self.unknown)}


def session_id(subject: str, started: datetime | date, ident: str = "") -> str:
    """What a session is called.

    >>> session_id("12347", datetime(2020, 1, 1, 10, 0, 30)), session_id("SC033", date(2019, 11, 12), "surface")
    ('12347/2020-01-01T10-00-30', 'SC033/2019-11-12_surface')
    """
    when = started.isoformat()[: len("2020-01-01T10-00-30")].replace(":", "-")
    return f"{subject}/{when}_{ident}" if ident else f"{subject}/{when}"


def on_share(folder: str, path: str) -> str:
    """A path relative to the share, from one that is relative to a folder on it.

    >>> on_share("12347/20200101", "a.bin"), on_share("12347/20200101", "../../analysis/ks")
    ('12347/20200101/a.bin', 'analysis/ks')
    """
    joined = f"{folder}/{path}" if folder else path
    return posixpath.normpath(joined) if "../" in path else joined


def seen_from(folder: str, path: str) -> str:
    """A path relative to the share, as seen from a folder on it: what `on_share` undoes."""
    if not folder:
        return path
    if path.startswith(f"{folder}/"):
        return path[len(folder) + 1 :]
    return posixpath.relpath(f"/{path}", f"/{folder}")


def _iso(when: datetime | date | None) -> str | None:
    return None if when is None else when.isoformat()
