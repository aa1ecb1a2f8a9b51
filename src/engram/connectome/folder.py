"""A snapshot's folder: what is built appears in it whole, or not at all.

Everything is made in ``.engram`` inside of it. When all is there and on the disk, it is renamed into its place, and
``provenance.json``, which says what belongs to the snapshot, comes last: a folder without it is no snapshot.
"""

import fcntl
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import Any

import msgspec

from engram import durable
from engram.durable import Steps
from engram.model.errors import SnapshotBusy, TargetExists, UsageError

#: The mark of a whole snapshot.
PROVENANCE = "provenance.json"
#: What builds make in a snapshot's folder.
PARTS = (
    *("flat-connectome", "neuprint", "nt", "reports", "tables"),
    *("final-config.yaml", "neuprint-meta.yaml"),
)
#: Where builds work.
PRIVATE = ".engram"


def is_inside(path: str) -> bool:
    """Whether a path names a part of a snapshot, or something in one."""
    named = PurePosixPath(path)
    return bool(named.parts) and named.parts[0] in PARTS and ".." not in named.parts and "\0" not in path


class ToldStep(msgspec.Struct, frozen=True):
    """A step, as provenance tells it."""

    name: str
    key: str
    grounds: dict[str, str] = {}


class ToldFile(msgspec.Struct, frozen=True):
    """A file, as provenance tells it."""

    path: str
    size_bytes: int
    sha256: str
    rows: int | None = None
    columns: int | None = None


class ToldFinding(msgspec.Struct, frozen=True):
    """A finding, as provenance tells it."""

    table: str
    message: str


class Provenance(msgspec.Struct, frozen=True):
    """What is read of ``provenance.json``: anybody may have written it."""

    steps: tuple[ToldStep, ...] = ()
    tables: tuple[ToldFile, ...] = ()
    findings: tuple[ToldFinding, ...] = ()


class Folder:
    """One build's hold on a snapshot's folder."""

    def __init__(self, steps: Steps, path: str) -> None:
        self._steps = steps
        self.path = path
        private = os.path.join(path, PRIVATE)
        #: Where the new files are made, under the paths that they will have.
        self.new = os.path.join(private, "new")
        self._old = os.path.join(private, "old")
        #: The work file.
        self.work = os.path.join(private, "work", "work.duckdb")

    @contextmanager
    def held(self) -> "Iterator[Folder]":
        """Keep other builds out; what an interrupted one left is cleared. Raises `SnapshotBusy`, `TargetExists`."""
        private = os.path.dirname(self.new)
        self._refuse_foreign(private)
        durable.make_folders(self._steps, private)
        lock = durable.open_lock(self._steps, os.path.join(private, "lock"))
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SnapshotBusy(self.path) from error
            with self._cleared():
                yield self
        finally:
            os.close(lock)

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Keep builds out while the snapshot is read; it may lie where nobody may write. Raises `SnapshotBusy`."""
        try:
            lock = os.open(os.path.join(self.path, PRIVATE, "lock"), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:  # nobody builds where there is none
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise SnapshotBusy(self.path) from error
        finally:
            os.close(lock)

    @contextmanager
    def _cleared(self) -> Iterator[None]:
        """Empty folders for what is made, which are gone afterwards."""
        self._clear()
        try:
            for folder in (self.new, os.path.dirname(self.work)):
                durable.make_folders(self._steps, folder)
            yield
        finally:
            self._clear()

    def _clear(self) -> None:
        for folder in (self.new, self._old, os.path.dirname(self.work)):
            if os.path.isdir(folder):
                durable.remove_tree(self._steps, folder)

    def _refuse_foreign(self, private: str) -> None:
        """What engram did not make is not replaced."""
        if os.path.isdir(private) and not os.path.islink(private):
            return
        for name in (*PARTS, PROVENANCE, PRIVATE):
            place = os.path.join(self.path, name)
            if os.path.lexists(place):
                raise TargetExists(place, "is there, and engram did not build it", "Build into another folder: -o DIR")

    def make_room(self, path: str) -> str:
        """The place where a new file is to be made; the folders above it are made.

        Raises `UsageError` for a name, made of what a configuration says, that leads out of the snapshot.
        """
        if not is_inside(path):
            raise UsageError(
                f"{path!r} is no name for a file of a snapshot.", "Take '/' and '..' out of its tag and names."
            )
        place = os.path.join(self.new, path)
        durable.make_folders(self._steps, os.path.dirname(place))
        self._steps.take("write", place)
        return place

    def provenance(self) -> Provenance:
        """What the build that is there says of itself: nothing where there is none, or none that we wrote."""
        try:
            with open(os.path.join(self.path, PROVENANCE), "rb") as file:
                return msgspec.json.decode(file.read(), type=Provenance)
        except (OSError, msgspec.MsgspecError):  # then all is built anew
            return Provenance()

    def parts(self) -> set[str]:
        """What of a snapshot is there."""
        return {name for name in PARTS if os.path.lexists(os.path.join(self.path, name))}

    def publish(self, provenance: dict[str, Any], *, keep: Collection[str] = ()) -> None:
        """Put what was made into its place, for that which was there before; *keep* is left as it is."""
        durable.sync_file_system(self._steps, self.new)
        with suppress(FileNotFoundError):
            durable.remove(self._steps, os.path.join(self.path, PROVENANCE))
        durable.make_folders(self._steps, self._old)
        for name in [name for name in PARTS if name not in keep]:
            place, new = os.path.join(self.path, name), os.path.join(self.new, name)
            if os.path.lexists(place):
                durable.rename(self._steps, place, os.path.join(self._old, name))
            if os.path.lexists(new):
                durable.rename(self._steps, new, place)
        durable.sync_folder(self._steps, self.path)
        text = json.dumps(provenance, indent=1, ensure_ascii=False) + "\n"
        durable.replace(self._steps, os.path.join(self.path, PROVENANCE), text.encode(), aside=self._old)
