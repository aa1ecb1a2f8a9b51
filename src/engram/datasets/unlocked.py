"""Unlocked files whose content was not here, and came with a save: they get it, as git-annex would give it to them."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress

from engram import durable
from engram.datasets.annex.hashdirs import log_path, object_path
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in
from engram.datasets.annex.store import ContentStore
from engram.datasets.contents import Recorded
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import GitIndex, entry_from_stat
from engram.datasets.git.objects import EXECUTABLE_MODE, FILE_MODE
from engram.durable import Steps
from engram.model.errors import ChangedWhileSaved

_COPY_BYTES = 1 << 22


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
    done = {recorded.path for recorded in taken}
    for position, path in enumerate(index.paths):
        if index.mode(position) in (FILE_MODE, EXECUTABLE_MODE) and path not in done:
            key = _pointer_at(os.path.join(os.fsencode(dataset.work_tree), path))
            if key in came_back:
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
            return key_in(file.read(MAX_POINTER_BYTES + 1)) or b""
    except OSError:
        return b""


def _fill(dataset: Dataset, index: GitIndex, position: int, key: bytes, store: ContentStore) -> Recorded:
    path = index.paths[position]
    place = os.path.join(os.fsencode(dataset.work_tree), path)
    was = os.lstat(place)
    mode = stat.S_IMODE(was.st_mode)
    aside = store.aside_name()
    _copy(dataset.steps, os.path.join(os.fsencode(dataset.git_dir), object_path(key)), aside, mode)
    now = os.lstat(place)
    if (now.st_ino, now.st_mtime_ns, now.st_size) != (was.st_ino, was.st_mtime_ns, was.st_size):
        durable.remove(dataset.steps, aside)
        raise ChangedWhileSaved(os.fsdecode(place), "somebody wrote to it")
    durable.rename(dataset.steps, aside, place)
    store.to_sync.folder(os.path.dirname(place))
    entry = entry_from_stat(path, os.lstat(place), index.mode(position), index.oid(position))
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
