"""Locks: one engram at a time in a dataset, and git-annex's own locks where both work side by side."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from shlex import quote

from engram import durable
from engram.datasets.git.objects import UNFINISHED
from engram.durable import Steps
from engram.model.errors import DatasetBusy, StorageFailed, UsageError

#: How long to wait for somebody else before giving up.
PATIENCE_S = 600.0
#: git's own commands hold the index lock for moments only; a longer one was left behind, or waits for an editor.
INDEX_PATIENCE_S = 10.0
_LOOK_AGAIN_S = 0.05
#: Who holds a lock of git's, as far as one can tell.
MAYBE_GIT = "git, or what a killed git left behind,"
#: How a file system says that it has no hard links, or none between these folders.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK, errno.EINVAL}
_NO_EXCLUSIVE_RENAME = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
#: What our lock holds where it can have no second name.
_OURS = b"This is a lock of engram.\n"


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
    _make_shared_folder(steps, folder)
    path = os.path.join(folder, "lock")
    descriptor, ours = _open_lock(steps, path, like=git_dir)
    try:

        def holder() -> str:
            return f"engram, process {os.pread(descriptor, 32, 0).decode(errors='replace').strip() or '?'}"

        _wait_for(fcntl.flock, descriptor, path, patience_s, holder, waiting)
        if ours:
            durable.truncate(steps, descriptor, 0, path)
            durable.write_at(steps, descriptor, f"{os.getpid()}\n".encode(), 0, path)
        yield
    finally:
        os.close(descriptor)


def empty_own_folder(steps: Steps, folder: bytes) -> None:
    """Make an empty folder for files of our own. Raises `UsageError` where somebody put a folder into it."""
    durable.make_folders(steps, folder)
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            place = os.fsdecode(entry.path)
            raise UsageError(
                f"{place} is a folder; engram keeps only files there.", f"Look at it, then: rm -r {quote(place)}"
            )
        durable.remove(steps, entry.path)


@contextmanager
def only_one_in(folder: str, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold a folder that is no repository yet against every other engram that would make it one."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wait_for(fcntl.flock, descriptor, folder, patience_s, lambda: "another engram")
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
    descriptor, ours = _open_lock(steps, path, like=git_dir)
    try:
        if not ours:  # unlike flock, an exclusive record lock needs a file that may be written to
            raise StorageFailed(path, os.strerror(errno.EACCES))
        _wait_for(fcntl.lockf, descriptor, path, patience_s, lambda: "git-annex")
        yield
    finally:
        os.close(descriptor)


def _make_shared_folder(steps: Steps, folder: str) -> None:
    """Make a folder that whoever may write to the one above may write to, too."""
    durable.make_folders(steps, folder)
    shared = _shared_bits(os.path.dirname(folder))
    status = os.stat(folder)
    wanted = status.st_mode | shared | shared >> 1 | (stat.S_ISGID if shared else 0)
    if wanted != status.st_mode and status.st_uid == os.geteuid():
        durable.change_mode(steps, folder, stat.S_IMODE(wanted), folder)


def _open_lock(steps: Steps, path: str, *, like: str) -> tuple[int, bool]:
    """Descriptor of a file to lock, and whether it may be written to. Who may write to the folder *like* may use it.

    Raises `UsageError` when its owner did not allow that, or something else lies there.
    """
    if os.path.lexists(path) and not os.path.islink(path) and not os.path.isfile(path):
        raise UsageError(f"{path} is no file, which a lock must be.", f"Look at it, then: rm -r {quote(path)}")
    shared = _shared_bits(like)
    try:
        descriptor = durable.open_lock(steps, path)
    except PermissionError:
        with suppress(PermissionError):
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), False
        raise UsageError(
            f"{path} belongs to another user, for himself alone.", f"Ask him to: chmod a+rw {path}"
        ) from None
    status = os.fstat(descriptor)
    mode = stat.S_IMODE(status.st_mode)
    if mode | shared != mode and status.st_uid == os.geteuid():
        durable.change_mode(steps, descriptor, mode | shared, path)
    return descriptor, True


def _shared_bits(folder: str) -> int:
    """Permission to read and write, for those besides its owner who may write to a folder.

    Source: git-config(1), ``core.sharedRepository``: git gives it to all that it makes.
    """
    write = os.stat(folder).st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return write | write << 1


def _wait_for(
    lock: Callable[[int, int], None],
    descriptor: int,
    path: str,
    patience_s: float,
    holder: Callable[[], str],
    waiting: Callable[[str], None] | None = None,
) -> None:
    give_up = time.monotonic() + patience_s
    told = False
    while True:
        try:
            lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
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

    The lock is a second name of a file in our own folder, or, where a file can have one name only, a file that says
    whose it is. Whoever finds that, and no other engram at work (`only_engram`), may remove a lock that a killed
    engram left behind; git's own are never touched.
    """

    def __init__(self, steps: Steps, git_dir: str, path: str) -> None:
        self._steps = steps
        self.path = path
        self._lock = f"{path}.lock"
        self._own = os.path.join(private_folder(git_dir), f"{os.path.basename(path)}.new")
        self._held = False
        #: The lock is the file that is to be.
        self._linked = True

    def clear_what_a_crash_left(self) -> None:
        """Remove our own stale lock. Only while `only_engram` is held."""
        with suppress(FileNotFoundError):
            if self._is_ours():
                durable.remove(self._steps, self._lock)
        with suppress(FileNotFoundError):
            os.lstat(self._own)  # most often there is none: then no step is taken
            durable.remove(self._steps, self._own)

    def _is_ours(self) -> bool:
        lock = os.lstat(self._lock)
        if lock.st_size == len(_OURS) and stat.S_ISREG(lock.st_mode):
            with open(self._lock, "rb") as file:
                return file.read() == _OURS
        return os.path.samestat(os.lstat(self._own), lock)

    def take(self, mode: int = 0o666, *, patience_s: float = INDEX_PATIENCE_S) -> None:
        """Take the lock, waiting for git. Raises `DatasetBusy`."""
        durable.write_new(self._steps, self._own, b"", mode=mode, sync=False)
        give_up = time.monotonic() + patience_s
        while True:
            try:
                self._claim()
            except FileExistsError:
                if time.monotonic() > give_up:
                    durable.remove(self._steps, self._own)
                    raise DatasetBusy(self._lock, MAYBE_GIT) from None
                time.sleep(_LOOK_AGAIN_S)
            else:
                self._held = True
                return

    def _claim(self) -> None:
        """Give the lock its name. `FileExistsError` when somebody has it."""
        if self._linked:
            try:
                durable.link(self._steps, self._own, self._lock)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._linked = False
            else:
                return
        says_so = f"{self._own}.lock"
        with suppress(FileNotFoundError):
            durable.remove(self._steps, says_so)
        durable.write_new(self._steps, says_so, _OURS)
        try:
            durable.rename_new(self._steps, says_so, self._lock)
        except OSError as error:
            durable.remove(self._steps, says_so)
            if error.errno not in _NO_EXCLUSIVE_RENAME:
                raise
            self._claim_by_making()

    def _claim_by_making(self) -> None:
        """Take the lock where only a crash between two steps could leave one that nobody knows for ours."""
        descriptor = durable.open_new(self._steps, self._lock)
        try:
            durable.write_all(self._steps, descriptor, _OURS, self._lock)
        except (OSError, StorageFailed):
            durable.remove(self._steps, self._lock)
            raise
        finally:
            os.close(descriptor)

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
        new, other = (self._lock, self._own) if self._linked else (self._own, self._lock)
        durable.rename(self._steps, new, self.path)
        self._held = not self._linked
        durable.remove(self._steps, other)
        self._held = False
        durable.sync_folder(self._steps, os.path.dirname(self.path))

    def release(self) -> None:
        """Let go of the lock without changing the file; nothing when it is not held."""
        if self._held:
            self._held = False
            durable.remove(self._steps, self._lock)
            with suppress(FileNotFoundError):
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
