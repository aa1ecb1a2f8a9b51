"""Scan a share: the walk in a thread of its own, so that a share that does not answer keeps nobody waiting."""

import hashlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from engram import durable
from engram.model.errors import ShareUnavailable
from engram.model.lab import Share
from engram.model.progress import Progress, Silent
from engram.sessions.recogniser import Recogniser
from engram.sessions.scanning.assembling import Rules
from engram.sessions.scanning.derived import Linker
from engram.sessions.scanning.disk import PATIENCE_S, Disk, Listing, LocalDisk
from engram.sessions.scanning.folder import Worker
from engram.sessions.scanning.leftovers import leftovers
from engram.sessions.scanning.looking import Look, Looked
from engram.sessions.scanning.names import Excluded
from engram.sessions.scanning.seen import Seen, SessionSeen, ShareFinding, ShareSeen
from engram.sessions.scanning.state import ScanState
from engram.sessions.scanning.walking import Walk
from engram.sessions.templates import session_templates

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

#: Raised when what is kept of a session means something else than before: the next scan looks at everything.
STATE_FORMAT = "1"
_POLL_S = 0.1
#: Events that are handed over at once, and how many such hands full may wait.
_TOGETHER = 32
_AHEAD = 16
Answer = TypeVar("Answer")
_Event: TypeAlias = Seen | Exception | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """What scans of all shares of a lab have in common."""

    #: The file in which it is kept what was seen; '' to keep nothing.
    state_file: str
    recognisers: tuple[Recogniser, ...]
    worker: Worker
    #: When the scan began, in nanoseconds since 1970.
    now_ns: int
    #: The lab's time zone, '' for none.
    timezone: str = ""
    full: bool = False
    #: Optional libraries that are installed: with another one more can be recognised.
    extras: tuple[str, ...] = ()
    disk: Disk = field(default_factory=LocalDisk)
    progress: Progress = field(default_factory=Silent)
    steps: durable.Steps = field(default_factory=durable.Steps)
    patience_s: float = PATIENCE_S

    def scan(self, share: Share) -> Iterator[Seen]:
        """Everything on one share: its sessions, findings that belong to none, and last a `ShareSeen`.

        Raises `ShareUnavailable` when it does not answer, or goes away meanwhile; what was told before holds.
        """
        session_templates(share.template)  # wrong ones are told before a thread starts
        stopped = threading.Event()
        watched = _Watched(self.disk, stopped)
        producer = _Producer(lambda: self._scan(share, watched), stopped)
        with closing(producer):
            while (event := producer.next(lambda: self._check(share, watched))) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event

    def _check(self, share: Share, watched: "_Watched") -> None:
        """Raise when a call has not come back for too long."""
        for path, since_s in list(watched.calls.values()):
            if monotonic() - since_s > self.patience_s:
                raise ShareUnavailable(share.name, f"{path} has not answered for {self.patience_s:g} s")

    def _scan(self, share: Share, disk: Disk) -> Generator[Seen, None, None]:
        zone = share.timezone or self.timezone
        rules = Rules(share=share.name, zone=_zone(zone), recognisers=self.recognisers)
        look = Look(root=share.root, disk=disk, worker=self.worker, rules=rules, now_ns=self.now_ns, full=self.full)
        state = ScanState(self.steps, self.state_file, share=share.name, rules=self._rules_of(share, zone))
        templates = session_templates(share.template)
        walk = Walk(look=look, templates=templates, excluded=Excluded(share.exclude), state=state)
        self.progress.start(f"scan {share.name}", None, "files")
        try:
            yield from self._walked(walk)
        finally:
            self.progress.finish()
            walk.crew.dismiss()
            state.close()

    def _rules_of(self, share: Share, zone: str) -> str:
        """What the meaning of everything that is kept depends on."""
        known = [(one.name, one.suffixes, one.reads) for one in self.recognisers]
        text = repr(
            (
                STATE_FORMAT,
                _program(self.recognisers),
                self.extras,
                share.root,
                share.template,
                share.exclude,
                zone,
                known,
            )
        )
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def _walked(self, walk: Walk) -> Iterator[Seen]:
        linker = Linker()
        tally = _Tally()
        for reading, looked in walk.sessions():
            self.progress.advance(looked.files)
            session = looked.seen.session
            moment = reading.named.started
            assert moment is not None, "templates of sessions tell a time"
            tally.count(looked)
            if walk.holds_derived(session.folder):
                linker.note(looked.seen, moment)
            elif seen := linker.take(looked.seen, moment):
                yield tally.take(seen)
        for rest in linker.rest():
            yield tally.take(rest) if isinstance(rest, SessionSeen) else rest
        share = walk.look.rules.share
        for finding in leftovers(walk.outside, walk.folders, walk.templates, tally.belongs(walk)):
            tally.unreadable += finding.code == "unreadable"
            yield ShareFinding(share, finding)
        walk.state.forget_all_but(walk.folders)
        yield tally.summary(walk)


def _program(recognisers: Iterable[Recogniser]) -> list[tuple[str, int, int]]:
    """Names, sizes and times of the modules that decide what is seen: another version of them may see more."""
    above = os.path.dirname(os.path.dirname(__file__))
    found = []
    for room in ("reading", "recognisers", "scanning"):
        with os.scandir(os.path.join(above, room)) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    found.append((f"{room}/{entry.name}", status.st_size, status.st_mtime_ns))
    for module in {recogniser.recognise.__module__ for recogniser in recognisers}:
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is not None and not file.startswith(above):
            status = os.stat(file)
            found.append((module, status.st_size, status.st_mtime_ns))
    return sorted(found)


class _Tally:
    """What is counted of one share."""

    def __init__(self) -> None:
        self.unreadable = 0
        self._unchanged = 0
        self._sessions = 0
        self._recordings = 0
        self._unknown = 0
        self._subjects: set[str] = set()

    def count(self, looked: Looked) -> None:
        self.unreadable += looked.unreadable
        self._unchanged += looked.unchanged
        self._unknown += sum(count for _, count in looked.seen.session.unknown)

    def take(self, seen: SessionSeen) -> SessionSeen:
        """Count one session, and hand it on."""
        self._sessions += 1
        self._recordings += len(seen.session.recordings) + len(seen.derived)
        self._subjects.add(seen.session.subject)
        return seen

    def belongs(self, walk: Walk) -> Callable[[str], bool]:
        """Whether a folder of derived data belongs to a subject as a whole."""

        def answer(folder: str) -> bool:
            return walk.holds_derived(folder) and not self._subjects.isdisjoint(folder.split("/")[1:])

        return answer

    def summary(self, walk: Walk) -> ShareSeen:
        """What there is to say in the end."""
        note = f"what was seen could not be kept for the next scan ({walk.state.trouble})" if walk.state.trouble else ""
        return ShareSeen(
            share=walk.look.rules.share,
            sessions=self._sessions,
            unchanged=self._unchanged,
            recordings=self._recordings,
            subjects=len(self._subjects),
            files=walk.files,
            unknown=self._unknown,
            excluded=walk.left_out,
            unreadable=self.unreadable,
            note=note,
        )


def _zone(name: str) -> "ZoneInfo | None":
    if not name:
        return None
    from zoneinfo import ZoneInfo  # here, because not every lab says where it is

    return ZoneInfo(name)


class _Producer:
    """Runs a generator in a thread; what it yields is had by `next`, which never waits for long without looking up.

    Events are handed over a few at a time: each hand-over lets the two threads wait for one another.
    """

    def __init__(self, make: Callable[[], Generator[Seen, None, None]], stopped: threading.Event) -> None:
        self._queue: SimpleQueue[list[_Event]] = SimpleQueue()
        self._here: deque[_Event] = deque()
        self._stopped = stopped
        self._make = make
        # A daemon: a call on a dead mount never comes back, and must not keep the process.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def next(self, look_up: Callable[[], None]) -> _Event:
        """What comes next, ``None`` at the end. *look_up* is called now and then while nothing comes."""
        while not self._here:
            try:
                self._here.extend(self._queue.get(timeout=_POLL_S))
            except Empty:
                look_up()
        return self._here.popleft()

    def close(self) -> None:
        """Stop, and give what is at work a moment to end well."""
        self._stopped.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        waiting: list[_Event] = []
        began_s = monotonic()
        try:
            with closing(self._make()) as events:
                for event in events:
                    waiting.append(event)
                    if len(waiting) >= _TOGETHER or monotonic() - began_s > _POLL_S:
                        self._put(waiting)
                        waiting, began_s = [], monotonic()
        except _Stopped:
            return
        except Exception as error:  # noqa: BLE001  # raised again by whoever asks for what comes next
            self._put([*waiting, error])
        else:
            self._put([*waiting, None])

    def _put(self, events: list[_Event]) -> None:
        """Hand some on; wait while nobody takes them, so that memory stays bounded."""
        while self._queue.qsize() > _AHEAD and not self._stopped.is_set():
            self._stopped.wait(_POLL_S / 10)
        self._queue.put(events)


class _Stopped(BaseException):
    """Nobody wants to know any more. No `Exception`: what guards against mistakes of recognisers must let it pass."""


class _Watched:
    """A disk whose calls are noted while they last, by thread; no new one begins when it is all over."""

    def __init__(self, disk: Disk, stopped: threading.Event) -> None:
        self._disk = disk
        self._is_over = stopped.is_set
        self.calls: dict[int, tuple[str, float]] = {}

    def listing(self, path: str) -> Listing:
        return self._noted(self._disk.listing, path)

    def changed_ns(self, path: str) -> int:
        return self._noted(self._disk.changed_ns, path)

    def identity(self, path: str) -> object:
        return self._noted(self._disk.identity, path)

    def stat(self, path: str) -> tuple[int, int]:
        return self._noted(self._disk.stat, path)

    def read(self, path: str, count: int, offset: int) -> bytes:
        return self._noted(self._disk.read, path, count, offset)

    def _noted(self, call: Callable[..., Answer], path: str, *more: int) -> Answer:
        if self._is_over():
            raise _Stopped
        me = threading.get_ident()
        self.calls[me] = (path, monotonic())
        try:
            return call(path, *more)
        finally:
            del self.calls[me]
