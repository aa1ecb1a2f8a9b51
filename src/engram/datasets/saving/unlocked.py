"""Unlocked files whose content was not here, and came with a save: they get it, as git-annex would give it to them."""

import os
import stat
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO

from engram import durable
from engram.datasets.annex.hashdirs import log_path, object_path
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in
from engram.datasets.annex.receiving import object_here
from engram.datasets.annex.store import ContentStore
from engram.datasets.annex.writers import Writers, hold_off_writers
from engram.datasets.annexed import AnnexedFile
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import Entry, GitIndex, entry_from_stat
from engram.datasets.git.objects import EXECUTABLE_MODE, FILE_MODE
from engram.datasets.recorded import Recorded
from engram.durable import Steps
from engram.model.errors import ChangedWhileSaved

_COPY_BYTES = 1 << 22
_ENOUGH = MAX_POINTER_BYTES + 1
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def fill_unlocked(
    dataset: Dataset, index: GitIndex, store: ContentStore, taken: Iterable[Recorded]
) -> Iterator[Recorded]:
    """Give pointer files in the work tree their content, for keys that came back with *taken*.

    Cost: nothing for keys that the git-annex branch never heard of, which is every key of new content.
    """
    if not dataset.has_annex:
        return
    came_back = {
        recorded.key for recorded in taken if recorded.here and dataset.branch.read(log_path(recorded.key)) is not None
    }
    if not came_back:
        return
    yield from fill_pointers(dataset, index, store, came_back, but={recorded.path for recorded in taken})


def fill_pointers(
    dataset: Dataset, index: GitIndex, store: ContentStore, keys: Container[bytes], *, but: Container[bytes] = ()
) -> Iterator[Recorded]:
    """Give the pointer files in the work tree whose *keys* are here now their content.

    Cost: every file small enough to be a pointer is read.
    """
    for position, path in enumerate(index.paths):
        if index.mode(position) not in (FILE_MODE, EXECUTABLE_MODE) or path in but:
            continue
        key = _pointer_at(os.path.join(os.fsencode(dataset.work_tree), path))
        if key in keys:
            # what was written to or deleted meanwhile is no pointer any more, and for the next save
            with suppress(ChangedWhileSaved, FileNotFoundError):
                yield _fill(dataset, index, position, key, store)


def _pointer_at(place: bytes) -> bytes:
    """The key that a pointer file in the work tree names, b"" if there is none."""
    try:
        status = os.lstat(place)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_POINTER_BYTES:
            return b""
        with open(place, "rb") as file:
            return key_in(file.read(_ENOUGH)) or b""
    except OSError:
        return b""


def _fill(dataset: Dataset, index: GitIndex, position: int, key: bytes, store: ContentStore) -> Recorded:
    path = index.paths[position]
    place = os.path.join(os.fsencode(dataset.work_tree), path)
    try:
        descriptor = os.open(place, _READ)
    except OSError as error:
        raise ChangedWhileSaved(os.fsdecode(place), os.strerror(error.errno or 0)) from error
    try:
        was = os.fstat(descriptor)
        aside = store.aside_name()
        content = os.path.join(os.fsencode(dataset.git_dir), object_path(key))
        _copy(dataset.steps, content, aside, stat.S_IMODE(was.st_mode))
        quiet = hold_off_writers(descriptor) is not Writers.SOME and stat.S_ISREG(was.st_mode)
        is_pointer = quiet and key_in(os.pread(descriptor, _ENOUGH, 0)) == key
        status = durable.rename_over(dataset.steps, aside, place, was) if is_pointer else None
        if status is None:
            durable.remove(dataset.steps, aside)
            raise ChangedWhileSaved(os.fsdecode(place), "somebody wrote to it")
    finally:
        os.close(descriptor)
    store.to_sync.folder(os.path.dirname(place))
    entry = entry_from_stat(path, status, index.mode(position), index.oid(position))
    return Recorded(path, entry, key)


def _copy(steps: Steps, source: bytes, target: bytes, mode: int) -> None:
    out = durable.open_new(steps, target, mode=mode)
    try:
        with open(source, "rb") as file:
            while data := file.read(_COPY_BYTES):
                durable.write_all(steps, out, data, target)
        durable.change_mode(steps, out, mode, target)
        durable.sync_descriptor(steps, out, target)
    finally:
        os.close(out)


def filled_entry(dataset: Dataset, index: GitIndex, file: AnnexedFile) -> Entry | None:
    """What the index should say of an unlocked file that holds its content already; ``None`` when it holds another.

    Cost: both are read, byte by byte.
    """
    place = os.path.join(os.fsencode(dataset.work_tree), file.path)
    content = object_here(os.fsencode(dataset.git_dir), file.key)
    try:
        with open(os.open(place, _READ), "rb") as lies, open(content, "rb") as belongs:
            status = os.fstat(lies.fileno())
            if (
                not stat.S_ISREG(status.st_mode)
                or not _alike(lies, belongs)
                or _identity(os.lstat(place)) != _identity(status)
            ):
                return None
    except OSError:  # another get will see
        return None
    return entry_from_stat(file.path, status, index.mode(file.position), index.oid(file.position))


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _alike(one: BinaryIO, other: BinaryIO) -> bool:
    while (data := one.read(_COPY_BYTES)) == other.read(_COPY_BYTES):
        if not data:
            return True
    return False
