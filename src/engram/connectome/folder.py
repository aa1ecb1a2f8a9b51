"""A snapshot's folder: what is built appears in it whole, or not at all.

Everything is made in ``.engram`` inside of it. When all is there and on the disk, it is renamed into its place, and
``provenance.json``, which says what belongs to the snapshot, comes last: a folder without it is no snapshot.
"""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from hashlib import sha256
from pathlib import PurePosixPath
from shlex import quote
from typing import Any

import msgspec

from engram import durable
from engram.connectome.crate import CRATE, is_ours
from engram.connectome.files import read_small_file
from engram.connectome.holding import PRIVATE, held, looked_at
from engram.connectome.linked import seal_of
from engram.durable import Steps
from engram.model.errors import TargetExists, UsageError, WrongSnapshot

#: The mark of a whole snapshot.
PROVENANCE = "provenance.json"
#: What builds make in a snapshot's folder.
PARTS = (
    *("flat-connectome", "neuprint", "nt", "reports", "tables"),
    *("final-config.yaml", "neuprint-meta.yaml"),
)
#: What they make beside these, under names that the configuration chooses.
_NAMED_PART = re.compile(r"(?:skeletons|meshes)-[^/]+")
#: A larger crate is none of ours: it has some hundred bytes for each file.
_LARGEST_CRATE_BYTES = 1 << 30


def is_part(name: str) -> bool:
    """Whether a name is that of a part of a snapshot."""
    return name in PARTS or bool(_NAMED_PART.fullmatch(name))


def is_inside(path: str) -> bool:
    """Whether a path names a part of a snapshot, or something in one."""
    named = PurePosixPath(path)
    return bool(named.parts) and is_part(named.parts[0]) and ".." not in named.parts and "\0" not in path


def read_provenance(folder: str) -> bytes:
    """The text of a folder's ``provenance.json``, whoever wrote it. Raises `OSError`, also where it is no file."""
    return read_small_file(os.path.join(folder, PROVENANCE), most_bytes=_LARGEST_CRATE_BYTES)


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
    #: '' in a snapshot of an older engram.
    step: str = ""


class Provenance(msgspec.Struct, frozen=True):
    """What is read of ``provenance.json``: anybody may have written it."""

    steps: tuple[ToldStep, ...] = ()
    tables: tuple[ToldFile, ...] = ()
    findings: tuple[ToldFinding, ...] = ()
    #: The crate that was made of it; ``None`` in a snapshot of an older engram.
    crate: ToldFile | None = None


class Left(msgspec.Struct, frozen=True):
    """What an interrupted build says of a step that it had finished."""

    name: str
    key: str
    files: tuple[ToldFile, ...] = ()
    findings: tuple[ToldFinding, ...] = ()


class _Next(msgspec.Struct, frozen=True):
    """What a build was about to put into its place: written when all of it is on the disk."""

    #: Parts that stay as they are, and parts that were made.
    keep: tuple[str, ...]
    made: tuple[str, ...]
    #: The text of the new provenance.
    provenance: str
    #: The text of the crate; '' where an older engram noted all of this.
    crate: str = ""
    #: Parts whose names a configuration chose, old ones and new ones.
    named: tuple[str, ...] = ()


#: What is said where it is engram's folder, and provenance is not in it.
UNFINISHED = "is missing: a build was interrupted here, or somebody took it away"


class Folder:
    """One build's hold on a snapshot's folder."""

    def __init__(self, steps: Steps, path: str) -> None:
        self._steps = steps
        self.path = path
        private = os.path.join(path, PRIVATE)
        #: Where the new files are made, under the paths that they will have.
        self.new = os.path.join(private, "new")
        self._old = os.path.join(private, "old")
        #: Where it is noted which steps are finished, and what is about to be put in its place.
        self._made = os.path.join(private, "made")
        self._next = os.path.join(private, "next.json")
        #: The work file.
        self.work = os.path.join(private, "work", "work.duckdb")

    @contextmanager
    def held(self) -> "Iterator[Folder]":
        """Keep other builds out; what an interrupted one was putting in its place is put there.

        A build that fails before it has made anything leaves no folder that was not there before.

        Raises `SnapshotBusy`, `TargetExists`, `StorageFailed`.
        """
        self._refuse_foreign(os.path.dirname(self.new))
        with held(self._steps, self.path), self._cleared():
            yield self

    def looked_at(self) -> AbstractContextManager[None]:
        """Keep builds out while the snapshot is read; it may lie where nobody may write. Raises `SnapshotBusy`."""
        return looked_at(self.path)

    def refuse_half(self) -> None:
        """Refuse what a build that was interrupted left half in its place. Raises `WrongSnapshot`."""
        place, is_ours = os.path.join(self.path, PROVENANCE), os.path.isdir(os.path.join(self.path, PRIVATE))
        if is_ours and not os.path.lexists(place) and any(map(is_part, os.listdir(self.path))):
            advice = f"Build it again, what is whole is kept: engram snapshot build -c CONFIG -o {quote(self.path)}"
            raise WrongSnapshot(place, UNFINISHED, advice)

    @contextmanager
    def _cleared(self) -> Iterator[None]:
        """Folders for what is made. They are gone afterwards, but for what of an interrupted build is finished."""
        self._finish()
        self._clear(self._old, os.path.dirname(self.work))
        try:
            for folder in (self.new, self._made, os.path.dirname(self.work)):
                durable.make_folders(self._steps, folder)
            yield
            self._clear(self.new, self._made)
        finally:
            self._clear(self._old, os.path.dirname(self.work))
            if os.path.isdir(self._made) and not os.listdir(self._made):
                self._clear(self.new, self._made)

    def _clear(self, *folders: str) -> None:
        for folder in folders:
            if os.path.isdir(folder):
                durable.remove_tree(self._steps, folder)

    def note_made(self, step: str, key: str, files: list[dict[str, Any]], findings: list[dict[str, str]]) -> None:
        """Note that a step is finished: when the build ends before the rest is, its files need not be made again."""
        data = json.dumps({"name": step, "key": key, "files": files, "findings": findings}).encode()
        durable.write_new(self._steps, os.path.join(self._made, f"{step}.json"), data, sync=False)

    def left(self) -> dict[str, Left]:
        """What of an interrupted build says that it is finished, by step. It may have lost bytes: look at them."""
        found = {}
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(self._made)):
                with suppress(OSError, msgspec.MsgspecError):  # a FIFO that a stranger put there
                    data = read_small_file(os.path.join(self._made, name), most_bytes=_LARGEST_CRATE_BYTES)
                    one = msgspec.json.decode(data, type=Left)
                    if all(is_inside(told.path) for told in one.files):
                        found[one.name] = one
        return found

    def forget(self, kept: Mapping[str, Collection[str]]) -> None:
        """Remove what an interrupted build left, but for *kept*: the files of steps."""
        for name in os.listdir(self._made) if os.path.isdir(self._made) else ():
            if name.removesuffix(".json") not in kept:
                durable.remove(self._steps, os.path.join(self._made, name))
        wanted = {os.path.join(self.new, path) for paths in kept.values() for path in paths}
        for folder, _, names in os.walk(self.new, topdown=False):
            for name in names:
                place = os.path.join(folder, name)
                if place not in wanted:
                    durable.remove(self._steps, place)

    def _refuse_foreign(self, private: str) -> None:
        """What engram did not make is not replaced."""
        there = filter(is_part, os.listdir(self.path) if os.path.isdir(self.path) else ())
        for place in (os.path.join(self.path, name) for name in there):
            if os.path.lexists(os.path.join(place, ".git")):
                raise TargetExists(place, "is a repository of its own", "Move it, or build elsewhere: -o DIR")
        if (os.path.isdir(private) and not os.path.islink(private)) or self._came_along():
            return
        for name in (*PARTS, PROVENANCE, CRATE, PRIVATE):
            place = os.path.join(self.path, name)
            if os.path.lexists(place):
                raise TargetExists(place, "is there, and engram did not build it", "Build into another folder: -o DIR")

    def _came_along(self) -> bool:
        """Whether all that is here was built by an engram elsewhere: a clone, or a copy, has no private folder."""
        if os.path.lexists(os.path.join(self.path, PRIVATE)):
            return False
        try:
            said = json.loads(read_provenance(self.path))
            is_ours = said["seal"] == seal_of(said)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return False
        told = {one.path.partition("/")[0] for one in self.provenance().tables}
        return is_ours and set(filter(is_part, os.listdir(self.path))) <= told

    def make_room(self, path: str) -> str:
        """The place where a new file is to be made; the folders above it are made.

        Raises `UsageError` for a name, made of what a configuration says, that leads out of the snapshot.
        """
        if not is_inside(path):
            raise UsageError(
                f"{path!r} is no name for a file of a snapshot.", "Take '/' and '..' out of its tag and names."
            )
        part = path.partition("/")[0]
        if part not in PARTS and part not in self._told and os.path.lexists(os.path.join(self.path, part)):
            place = os.path.join(self.path, part)
            raise TargetExists(place, "is there, and engram did not build it", "Move it, or build elsewhere: -o DIR")
        place = os.path.join(self.new, path)
        durable.make_folders(self._steps, os.path.dirname(place))
        self._steps.take("write", place)
        return place

    def provenance(self) -> Provenance:
        """What the build that is there says of itself: nothing where there is none, or none that we wrote."""
        try:
            return msgspec.json.decode(read_provenance(self.path), type=Provenance)
        except (OSError, msgspec.MsgspecError):  # then all is built anew
            return Provenance()

    def parts(self) -> set[str]:
        """What of a snapshot is there."""
        return {name for name in (*PARTS, *self._told) if os.path.lexists(os.path.join(self.path, name))}

    @cached_property
    def _told(self) -> frozenset[str]:
        """The named parts that are ours: provenance tells of them, or they have the table of such a part."""
        found = {one.path.partition("/")[0] for one in self.provenance().tables}
        with suppress(OSError):
            there = [name for name in os.listdir(self.path) if _NAMED_PART.fullmatch(name)]
            tables = {name: os.path.join(self.path, name, f"{name.partition('-')[0]}.csv") for name in there}
            found.update(name for name, table in tables.items() if os.path.isfile(table))
        return frozenset(filter(_NAMED_PART.fullmatch, found))

    def has_crate(self) -> bool:
        """Whether the crate is there that provenance tells of. Raises `TargetExists` where somebody else's is there."""
        place, told = os.path.join(self.path, CRATE), self.provenance().crate
        if os.path.isdir(place):
            raise TargetExists(place, "is a folder, and engram did not make it", "Move it, or build elsewhere: -o DIR")
        if not os.path.lexists(place):
            return False
        try:
            data = read_small_file(place, most_bytes=_LARGEST_CRATE_BYTES)
        except OSError:  # no file, a link that leads nowhere
            data = b""
        if told is not None and (told.size_bytes, told.sha256) == (len(data), sha256(data).hexdigest()):
            return True
        if told is None and not is_ours(data):
            raise TargetExists(place, "is there, and engram did not write it", "Move it, or build elsewhere: -o DIR")
        return False

    def publish(self, provenance: dict[str, Any], crate: str, *, keep: Collection[str] = ()) -> None:
        """Put what was made into its place, for that which was there before; *keep* is left as it is.

        Once it is noted what goes where, the next build brings it to its end, whatever happens meanwhile.
        """
        durable.sync_file_system(self._steps, self.new)
        text = json.dumps(provenance, indent=1, ensure_ascii=False) + "\n"
        told = {table["path"].partition("/")[0] for table in provenance["tables"]}
        made = tuple(name for name in sorted(os.listdir(self.new)) if name in told)
        named = tuple(sorted({*self._told, *made} - {*PARTS}))
        data = msgspec.json.encode(_Next(keep=tuple(keep), made=made, named=named, provenance=text, crate=crate))
        durable.make_folders(self._steps, self._old)
        durable.replace(self._steps, self._next, data, aside=self._old)
        self._finish()

    def _finish(self) -> None:
        """Put in its place what is noted for it; nothing if nothing is."""
        if os.path.exists(self._next) and not os.path.isfile(self._next):  # a FIFO that a stranger put there
            durable.remove(self._steps, self._next)
        try:
            data = read_small_file(self._next, most_bytes=4 * _LARGEST_CRATE_BYTES)
            wanted = msgspec.json.decode(data, type=_Next)
        except FileNotFoundError:
            return
        except msgspec.MsgspecError:  # nothing that we wrote: it is built anew
            durable.remove(self._steps, self._next)
            return
        for name in (PROVENANCE, *([CRATE] if wanted.crate else [])):
            with suppress(FileNotFoundError):
                durable.remove(self._steps, os.path.join(self.path, name))
        durable.make_folders(self._steps, self._old)
        for name in [name for name in (*PARTS, *filter(is_part, wanted.named)) if name not in wanted.keep]:
            self._put(name, is_made=name in wanted.made)
        durable.sync_folder(self._steps, self.path)
        if wanted.crate:
            durable.replace(self._steps, os.path.join(self.path, CRATE), wanted.crate.encode(), aside=self._old)
        durable.replace(self._steps, os.path.join(self.path, PROVENANCE), wanted.provenance.encode(), aside=self._old)
        durable.remove(self._steps, self._next)

    def _put(self, name: str, *, is_made: bool) -> None:
        place, new, old = (os.path.join(folder, name) for folder in (self.path, self.new, self._old))
        if is_made and not os.path.lexists(new):  # it is there already
            return
        if os.path.lexists(place):
            durable.rename(self._steps, place, old)
        if is_made:
            durable.rename(self._steps, new, place)
