"""Locks: one engram at a time in a dataset, and git-annex's own locks where both work side by side."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from engram import durable
from engram.datasets.git.objects import UNFINISHED
from engram.durable import Steps
from engram.model.errors import DatasetBusy, UsageError

#: How long to wait for somebody else before giving up.
PATIENCE_S = 600.0
#: git's own commands hold the index lock for moments only; a longer one was left behind, or waits for an editor.
INDEX_PATIENCE_S = 10.0
_LOOK_AGAIN_S = 0.05


def private_folder(git_dir: str) -> str:
    """Where engram keeps what belongs to a running operation: ``.git/engram``."""
    return os.path.join(git_dir, "engram")


@contextmanager
def only_engram(
    steps: Steps, git_dir: str, *, patience_s: float = PATIENCE_S, waiting: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the dataset against every other engram. Vanishes with the process, however that ends.

    Raises `DatasetBusy` after *patience_s*; *waiting* is told once when there is somebody to wait for.
    """
    folder = private_folder(git_dir)
    for place in (folder, os.path.join(folder, "tmp")):
        if os.path.islink(place):
            raise UsageError(
                f"{place} is a link; engram keeps and clears its own files there.", f"Look at it, then: rm {place}"
            )
    durable.make_folders(steps, folder)
    path = os.path.join(folder, "lock")
    descriptor = durable.open_lock(steps, path)
    try:
        _wait_for(
            lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB),
            path,
            patience_s,
            waiting,
            holder=lambda: f"engram, process {os.pread(descriptor, 32, 0).decode(errors='replace').strip() or '?'}",
        )
        durable.truncate(steps, descriptor, 0, path)
        durable.write_at(steps, descriptor, f"{os.getpid()}\n".encode(), 0, path)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def only_one_in(folder: str, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold a folder that is no repository yet against every other engram that would make it one."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wait_for(
            lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB),
            folder,
            patience_s,
            None,
            holder=lambda: "another engram create",
        )
        yield
    finally:
        os.close(descriptor)


@contextmanager
def annex_journal(steps: Steps, git_dir: str, *, wanted: bool = True, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold git-annex's journal lock, under which alone its branch may move; nothing where it is not *wanted*.

    Source: a POSIX record lock (fcntl) on ``annex/journal.lck``, as git-annex takes it.
    """
    if not wanted:
        yield
        return
    path = os.path.join(git_dir, "annex", "journal.lck")
    descriptor = durable.open_lock(steps, path)
    try:
        _wait_for(
            lambda: fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB),
            path,
            patience_s,
            None,
            holder=lambda: "git-annex",
        )
        yield
    finally:
        os.close(descriptor)


def _wait_for(
    take: Callable[[], None],
    path: str,
    patience_s: float,
    waiting: Callable[[str], None] | None,
    holder: Callable[[], str],
) -> None:
    give_up = time.monotonic() + patience_s
    told = False
    while True:
        try:
            take()
        except (BlockingIOError, PermissionError):
            if time.monotonic() > give_up:
                raise DatasetBusy(path, holder()) from None
            if waiting is not None and not told:
                waiting(holder())
                told = True
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


class FileLock:
    """git's lock of one of its files (``index.lock``, ``config.lock``), held so that a later engram knows it for ours.

    The lock is a second name of a file in our own folder. Whoever finds both names on one file, and no other engram
    at work (`only_engram`), may remove a lock that a killed engram left behind; git's own are never touched.
    """

    def __init__(self, steps: Steps, git_dir: str, path: str) -> None:
        self._steps = steps
        self.path = path
        self._lock = f"{path}.lock"
        self._own = os.path.join(private_folder(git_dir), f"{os.path.basename(path)}.new")
        self._held = False

    def clear_what_a_crash_left(self) -> None:
        """Remove our own stale lock. Only while `only_engram` is held."""
        try:
            own = os.lstat(self._own)
        except FileNotFoundError:
            return
        with suppress(FileNotFoundError):
            if os.path.samestat(own, os.lstat(self._lock)):
                durable.remove(self._steps, self._lock)
        durable.remove(self._steps, self._own)

    def take(self, mode: int = 0o666, *, patience_s: float = INDEX_PATIENCE_S) -> None:
        """Take the lock, waiting for git. Raises `DatasetBusy`."""
        durable.write_new(self._steps, self._own, b"", mode=mode, sync=False)
        give_up = time.monotonic() + patience_s
        while True:
            try:
                durable.link(self._steps, self._own, self._lock)
            except FileExistsError:
                if time.monotonic() > give_up:
                    durable.remove(self._steps, self._own)
                    raise DatasetBusy(self._lock, "git, or what a killed git left behind,") from None
                time.sleep(_LOOK_AGAIN_S)
            else:
                self._held = True
                return

    def put_in_place(self, content: bytes, *, mode: int | None = None) -> None:
        """Make *content* the file: written, synced, then given its name in one step. *mode*: its permissions."""
        descriptor = os.open(self._own, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            if mode is not None:
                durable.change_mode(self._steps, descriptor, mode, self._own)
            durable.write_all(self._steps, descriptor, content, self._own)
            durable.sync_descriptor(self._steps, descriptor, self._own)
        finally:
            os.close(descriptor)
        durable.rename(self._steps, self._lock, self.path)
        self._held = False
        durable.remove(self._steps, self._own)
        durable.sync_folder(self._steps, os.path.dirname(self.path))

    def release(self) -> None:
        """Let go of the lock without changing the file; nothing when it is not held."""
        if self._held:
            self._held = False
            durable.remove(self._steps, self._lock)
            durable.remove(self._steps, self._own)


def index_lock(steps: Steps, git_dir: str) -> FileLock:
    """The lock of a repository's index."""
    return FileLock(steps, git_dir, os.path.join(git_dir, "index"))


def config_lock(steps: Steps, git_dir: str) -> FileLock:
    """The lock of a repository's own configuration."""
    return FileLock(steps, git_dir, os.path.join(git_dir, "config"))


def clear_what_a_crash_left(steps: Steps, git_dir: str) -> None:
    """Remove our own stale locks, and objects that were never finished. Only while `only_engram` is held."""
    for lock in (index_lock(steps, git_dir), config_lock(steps, git_dir)):
        lock.clear_what_a_crash_left()
    packs = os.path.join(os.fsencode(git_dir), b"objects", b"pack")
    with suppress(FileNotFoundError):
        for name in os.listdir(packs):
            if name.startswith(UNFINISHED):
                durable.remove(steps, os.path.join(packs, name))
