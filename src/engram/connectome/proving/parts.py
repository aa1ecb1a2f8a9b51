"""Which files a snapshot has, and which of them belong to it: told by its provenance, or by what cannot be missing."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from engram.connectome import flat
from engram.connectome.crate import CRATE
from engram.connectome.folder import PROVENANCE, Provenance, ToldFile, is_part
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
    #: Names in the folder that are no part of a snapshot.
    others: list[str] = field(default_factory=list)


def files_in(folder: str, provenance: Provenance | None) -> Files:
    """What is there, what is missing, and what should not be there."""
    found = Files()
    there: dict[str, int] = {}
    for name in sorted(os.listdir(folder)):
        if is_part(name):
            there.update(_below(folder, name))
        elif not name.startswith(".") and name not in (PROVENANCE, CRATE):
            found.others.append(name)
    for path, mode in there.items():
        if not stat.S_ISREG(mode):
            what = "a link" if stat.S_ISLNK(mode) else "no file"
            found.wrong.append(Wrong(path=path, message=f"is {what}: a snapshot holds files alone", kind=Kind.FOREIGN))
    regular = {path for path, mode in there.items() if stat.S_ISREG(mode)}
    if provenance is None:
        found.told = dict.fromkeys(sorted(regular))
        found.wrong += _lacking(regular)
        return found
    told = {one.path: one for one in provenance.tables}
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
        for path in sorted(regular - told.keys())
    ]
    return found


def paths_in(folder: str) -> list[str]:
    """The files of a snapshot, unproven: those that its provenance tells of, or all. Raises `NoSnapshot`."""
    provenance = None
    with suppress(OSError, msgspec.MsgspecError), open(os.path.join(folder, PROVENANCE), "rb") as file:
        provenance = msgspec.json.decode(file.read(), type=Provenance)
    found = list(files_in(folder, provenance).told)
    if not found:
        raise NoSnapshot(folder)
    return found


def _below(folder: str, name: str) -> Iterator[tuple[str, int]]:
    place = os.path.join(folder, name)
    mode = os.lstat(place).st_mode
    if not stat.S_ISDIR(mode):
        yield name, mode
        return
    for inner in sorted(os.listdir(place)):
        yield from _below(folder, f"{name}/{inner}")


def _lacking(paths: set[str]) -> Iterator[Wrong]:
    """Tables that cannot be missing where others are there."""
    seen: Mapping[Table | None, str] = {promise_of(path)[0]: path for path in paths}
    for tables in _TOGETHER:
        known = [table for table in tables if table in seen]
        for table in tables if known else ():
            if table not in seen:
                yield Wrong(path=table.file, message=f"is missing, though {seen[known[0]]} is there", kind=Kind.DAMAGED)
