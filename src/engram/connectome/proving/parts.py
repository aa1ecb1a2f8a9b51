"""Which files a snapshot has, and which of them belong to it: told by its provenance, or by what cannot be missing."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

import msgspec

from engram.connectome import flat
from engram.connectome.contents import NOT_HERE, Contents, Presence, not_here
from engram.connectome.crate import CRATE
from engram.connectome.folder import PROVENANCE, Provenance, ToldFile, is_part, read_provenance
from engram.connectome.neuprint import connections, meta, neurons, synapse_sets, synapses
from engram.connectome.overview import ANNOTATIONS, STATUS_COUNTS
from engram.connectome.proving.schema import promise_of
from engram.connectome.proving.told import Kind, Wrong
from engram.connectome.tables import Table
from engram.model.errors import NoSnapshot

_NEURONS, _SYNAPSES = neurons.NEURON_NODES, synapses.SYNAPSES
#: Tables of which none may be missing when there is another of the same line.
_TOGETHER: tuple[tuple[Table, ...], ...] = (
    (flat.PARTNERS, flat.POINTS, flat.CONNECTIONS, flat.BODY_STATS, flat.BODY_ANNOTATIONS),
    (flat.PARTNERS_SIGNIFICANT, flat.CONNECTIONS_SIGNIFICANT),
    (flat.PARTNERS_TRACED, flat.CONNECTIONS_TRACED),
    (
        *(*meta.TABLES, neurons.NEURONS, _NEURONS, connections.CONNECTIONS, connections.CONNECTION_EDGES),
        *(_SYNAPSES, synapse_sets.SYNAPSE_TO_SYNAPSE),
    ),
    (synapse_sets.SETS, synapse_sets.NEURON_TO_SET, synapse_sets.SET_TO_SET, synapse_sets.SET_TO_SYNAPSE),
    (ANNOTATIONS, STATUS_COUNTS),
)


@dataclass(slots=True)
class Files:
    """The files of a snapshot that are there and belong to it, in the order of their paths."""

    #: What provenance tells of each; ``None`` where there is none.
    told: dict[str, ToldFile | None] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)
    #: Files that belong to it and whose content is not here.
    absent: list[str] = field(default_factory=list)
    #: Names in the folder that are no part of a snapshot.
    others: list[str] = field(default_factory=list)

    def told_absent(self) -> Iterator[tuple[str, str]]:
        """What is not here, and a sentence about it: a part of which nothing is here is told once."""
        here = {path.partition("/")[0] for path in self.told}
        for part, paths in groupby(self.absent, key=lambda path: path.partition("/")[0]):
            absent = list(paths)
            if part in here or len(absent) == 1:
                yield from ((path, NOT_HERE) for path in absent)
            else:
                yield part, f"the content of its {len(absent)} files is not here"


def files_in(folder: str, provenance: Provenance | None) -> Files:
    """What is there, what is missing, and what should not be there."""
    found, contents = Files(), Contents(folder)
    told = {one.path: one for one in provenance.tables} if provenance else {}
    there: dict[str, Presence] = {}
    for name in sorted(os.listdir(folder)):
        if is_part(name):
            there.update((path, _look(contents, folder, path, told.get(path))) for path in _below(folder, name))
        elif not name.startswith(".") and name not in (PROVENANCE, CRATE):
            found.others.append(name)
    foreign = {path for path, presence in there.items() if presence is Presence.FOREIGN}
    for path in sorted(foreign):
        message = f"is {_no_file(os.path.join(folder, path))}: a snapshot holds files alone"
        replaces = path in told if provenance else promise_of(path)[0] is not None
        found.wrong.append(Wrong(path=path, message=message, kind=Kind.DAMAGED if replaces else Kind.FOREIGN))
    regular = {path for path, presence in there.items() if presence is Presence.HERE}
    absent = {path for path, presence in there.items() if presence is Presence.ABSENT}
    if provenance is None:
        found.told, found.absent = dict.fromkeys(sorted(regular)), sorted(absent)
        found.wrong += _lacking(regular | absent | foreign)
        return found
    found.absent = sorted(absent & told.keys())
    found.told = {path: told[path] for path in sorted(regular & told.keys())}
    found.wrong += [
        Wrong(path=path, message="is missing", kind=Kind.DAMAGED) for path in sorted(told.keys() - there.keys())
    ]
    found.wrong += [
        Wrong(
            path=path,
            message="does not belong to the snapshot: provenance.json does not tell of it",
            kind=Kind.FOREIGN,
        )
        for path in sorted((regular | absent) - told.keys())
    ]
    return found


def paths_in(folder: str) -> tuple[list[str], list[str]]:
    """The files of a snapshot, unproven: those that its provenance tells of, or all; and those that are not here.

    Raises `NoSnapshot`.
    """
    provenance = None
    with suppress(OSError, msgspec.MsgspecError):
        provenance = msgspec.json.decode(read_provenance(folder), type=Provenance)
    found = files_in(folder, provenance)
    if not (found.told or found.absent):
        raise NoSnapshot(folder)
    return list(found.told), found.absent


def refuse_absent(folder: str, part: str) -> None:
    """Refuse to go on where the content of a file of a part is not here. Raises `NotHere`."""
    contents, place = Contents(folder), os.path.join(folder, part)
    for path in _below(folder, part) if os.path.isdir(place) else ():
        if contents.look(os.path.join(folder, path)) is Presence.ABSENT:
            raise not_here(folder, part)


def _look(contents: Contents, folder: str, path: str, known: ToldFile | None) -> Presence:
    return contents.look(os.path.join(folder, path), size_bytes=known.size_bytes if known else None)


def _below(folder: str, name: str) -> Iterator[str]:
    place = os.path.join(folder, name)
    if not stat.S_ISDIR(os.lstat(place).st_mode):
        yield name
        return
    for inner in sorted(os.listdir(place)):
        yield from _below(folder, f"{name}/{inner}")


#: What is no file, in words.
_NO_FILES = {
    stat.S_IFIFO: "a pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _no_file(place: str) -> str:
    """What lies at *place*, where no file does."""
    if os.path.islink(place):
        return "a link" if os.path.exists(place) else "a link that leads nowhere"
    return _NO_FILES.get(stat.S_IFMT(os.lstat(place).st_mode), "no file")


def _lacking(paths: set[str]) -> Iterator[Wrong]:
    """Tables that cannot be missing where others are there."""
    seen: Mapping[Table | None, str] = {promise_of(path)[0]: path for path in paths}
    for tables in _TOGETHER:
        known = [table for table in tables if table in seen]
        for table in tables if known else ():
            if table not in seen:
                yield Wrong(path=table.file, message=f"is missing, though {seen[known[0]]} is there", kind=Kind.DAMAGED)
