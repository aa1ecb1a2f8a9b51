"""Locks of single contents, as git-annex takes them: whoever drops one holds it alone, whoever counts on it shares it.

The lock is a POSIX record lock on ``KEY.lck`` beside the object, which is there only while somebody holds it. The
folder of a key may not be written to; its permissions are given back. The locks taken here belong to an open file and
not to the process, so that two operations in one process exclude each other, too.

Source: runs of git-annex 10.20261026 under strace, repositories of version 10; fcntl(2), "Open file description
locks".
"""

import fcntl
import os
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from engram import durable
from engram.durable import Steps
from engram.model.errors import EngramError

#: Until when somebody far away counts on a content, without a lock: then only git-annex may drop it.
RETENTION = b".rtm"

_WRITABLE = 0o755
#: As git-annex leaves the folder of a key, so that nobody removes what is in it by accident.
_SEALED = 0o555
#: How often to begin anew when who had the lock removes the file at the same moment.
_TRIES = 5
#: As fcntl(2) wants it: type, whence, start, length (0: to the end), process (none).
_WHOLE_FILE = {kind: struct.pack("hhqqi", kind, os.SEEK_SET, 0, 0, 0) for kind in (fcntl.F_RDLCK, fcntl.F_WRLCK)}
#: Ends the name of the file that is locked.
_LOCK = b".lck"
#: Descriptors that are left to everybody else.
_SPARE = 128
_MOST_OPEN = 1 << 15


class ContentLock(NamedTuple):
    """A lock that is held. Give it back with `let_go`."""

    #: The object.
    place: bytes
    #: The folder of its key.
    folder: bytes
    #: Of the file beside the object that is locked.
    descriptor: int
    #: The device that they lie on.
    device: int


def lock_alone(steps: Steps, place: bytes) -> ContentLock | None:
    """Hold the object at *place* against everybody, as who drops it must; ``None`` when somebody else holds it."""
    return _lock(steps, place, fcntl.F_WRLCK)


def lock_shared(steps: Steps, place: bytes) -> ContentLock | None:
    """Keep everybody from dropping the object at *place*; ``None`` when somebody drops it, or it may not be locked."""
    try:
        lock = _lock(steps, place, fcntl.F_RDLCK)
        if lock is not None:
            durable.change_mode(steps, lock.folder, _SEALED)  # should we die, its owner finds it sealed
        return lock
    except (OSError, EngramError):  # somebody else's, or read-only: then it is no proof
        return None


def let_go(steps: Steps, lock: ContentLock) -> None:
    """Give a lock back, and leave no trace of it unless somebody else holds it, too."""
    try:
        with suppress(FileNotFoundError):
            if _take(lock.descriptor, fcntl.F_WRLCK):
                durable.change_mode(steps, lock.folder, _WRITABLE)
                durable.remove(steps, lock.place + _LOCK)
            durable.change_mode(steps, lock.folder, _SEALED)
    finally:
        os.close(lock.descriptor)


def remove_content(steps: Steps, lock: ContentLock) -> None:
    """Remove the object that `lock_alone` holds, its lock, and the folders of its key that are empty then.

    Its outer hash folder, which other keys share, is left: `remove_if_empty` is for many of them at once. Raises
    `OSError` when the object cannot be removed; the lock is held then as before.
    """
    durable.remove(steps, lock.place)
    try:
        durable.remove(steps, lock.place + _LOCK)
    finally:
        os.close(lock.descriptor)
    if remove_if_empty(steps, lock.folder):
        remove_if_empty(steps, lock.folder[: lock.folder.rindex(b"/")])
    elif os.path.lexists(lock.folder):  # something else lies in it
        durable.change_mode(steps, lock.folder, _SEALED)


def remove_if_empty(steps: Steps, folder: bytes) -> bool:
    """Remove a folder. False when there is none, or it has to stay, which harms nobody."""
    try:
        durable.remove_folder(steps, folder)
    except OSError:
        return False
    return True


def _lock(steps: Steps, place: bytes, kind: int) -> ContentLock | None:
    folder = place[: place.rindex(b"/")]
    for _ in range(_TRIES):
        durable.change_mode(steps, folder, _WRITABLE)
        descriptor = durable.open_lock(steps, place + _LOCK)
        taken = False
        try:
            taken = _take(descriptor, kind)
            if taken and (status := os.fstat(descriptor)).st_nlink:
                return ContentLock(place, folder, descriptor, status.st_dev)
        except OSError:  # a file system without locks
            durable.change_mode(steps, folder, _SEALED)
            os.close(descriptor)
            raise
        os.close(descriptor)
        if not taken:
            break
    durable.change_mode(steps, folder, _SEALED)
    return None


def _take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _WHOLE_FILE[kind])
    except (BlockingIOError, PermissionError):
        return False
    return True


@contextmanager
def room_for_locks(wanted: int) -> Iterator[int]:
    """How many locks may be held at once, at most *wanted*; as many files may be open as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN)
    raised = min(limit, wanted + 2 * _SPARE)
    try:
        if soft != resource.RLIM_INFINITY and raised > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        yield max(2, min(wanted, (raised if soft != resource.RLIM_INFINITY else limit) - _SPARE))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
