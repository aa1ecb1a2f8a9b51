"""Who may be in a snapshot's folder: one build, or those who read. What builds keep for themselves git does not see."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile

from engram import durable
from engram.connectome.files import read_small_file
from engram.durable import Steps
from engram.model.errors import SnapshotBusy, StorageFailed

#: Where builds work.
PRIVATE = ".engram"
#: What keeps that out of git, and what it says.
_HIDING, _HIDES = ".gitignore", b"*\n"
_LOCK = "lock"
#: How a lock is opened that anybody may have put there: a link is not followed, a FIFO not waited for.
_TO_LOCK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def held(steps: Steps, path: str) -> Iterator[None]:
    """Keep other builds out of a folder, which is made where it is missing.

    Where this ends with an error and nothing was made in it, no folder is left that was not there before.

    Raises `SnapshotBusy`, `StorageFailed`.
    """
    private = os.path.join(path, PRIVATE)
    new = _not_there(private)
    try:
        durable.make_folders(steps, private)
    except (FileNotFoundError, NotADirectoryError) as error:  # /proc and its like, where nobody makes a folder
        raise StorageFailed(path, error.strerror or "") from error
    try:
        _remove_links(steps, private, (_LOCK, _HIDING))
        _hide(steps, private)
        lock = durable.open_lock(steps, place := os.path.join(private, _LOCK))
    except FileNotFoundError as error:  # another build is taking back what it had made
        raise SnapshotBusy(path) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SnapshotBusy(path) from error
        if not _lies_at(lock, place):  # it took that back, and a third one may hold a new lock
            raise SnapshotBusy(path)
        for folder, folders, names in os.walk(private):
            _remove_links(steps, folder, (*folders, *names))
        with _taken_back(steps, private, new):
            yield
    finally:
        os.close(lock)


@contextmanager
def looked_at(path: str) -> Iterator[None]:
    """Keep builds out while the snapshot is read; it may lie where nobody may write. Raises `SnapshotBusy`."""
    try:
        lock = os.open(os.path.join(path, PRIVATE, _LOCK), _TO_LOCK)
    except OSError:  # nobody builds where there is none
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise SnapshotBusy(path) from error
    finally:
        os.close(lock)


def _not_there(folder: str) -> list[str]:
    """Of a folder and those above it, those that are not there; the innermost first."""
    found = []
    while folder and not os.path.lexists(folder):
        found.append(folder)
        folder = os.path.dirname(folder)
    return found


def _remove_links(steps: Steps, folder: str, names: Iterable[str]) -> None:
    """Remove links where builds work: a stranger's dataset may bring some along, and they lead anywhere."""
    for place in (os.path.join(folder, name) for name in names):
        if os.path.islink(place):
            durable.remove(steps, place)


def _hide(steps: Steps, private: str) -> None:
    """Keep the private folder out of everybody's git, from its first file on: git passes empty folders over."""
    place = os.path.join(private, _HIDING)
    if os.path.isfile(place) and read_small_file(place, most_bytes=len(_HIDES)) != _HIDES:  # a stranger's
        durable.remove(steps, place)
    if not os.path.lexists(place):
        with suppress(FileExistsError):  # another build was faster
            durable.write_whole(steps, place, _HIDES)
            durable.sync_folder(steps, private)


def _lies_at(descriptor: int, place: str) -> bool:
    """Whether an opened file still has its name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(place, follow_symlinks=False))
    except FileNotFoundError:
        return False


@contextmanager
def _taken_back(steps: Steps, private: str, made: Sequence[str]) -> Iterator[None]:
    """Take folders back, the innermost first, that were made for a build which fails and has made nothing."""
    try:
        yield
    except BaseException:
        if private in made and set(os.listdir(private)) <= {_LOCK, _HIDING}:
            for name in (_LOCK, _HIDING):  # what hides the others goes last
                durable.remove(steps, os.path.join(private, name))
            for folder in takewhile(lambda folder: not os.listdir(folder), made):
                durable.remove_folder(steps, folder)
        raise
