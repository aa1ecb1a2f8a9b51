"""The files of a neuPrint snapshot as ``neo4j-admin`` is told of them: nodes, and relationships of a type.

Source: flyem-snapshot, ``ingest-neuprint-snapshot-within-neo4j-container.sh`` (which file is what), version 0.1.15.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

#: Files of nodes, relative to the folder neuprint/; ``.gz`` may follow.
_NODES = (
    "Neuprint_Meta.csv",
    "Neuprint_Neurons/*.csv",
    "Neuprint_Synapses/*.csv",
    "Neuprint_SynapseSet.csv",
    "Neuprint_Elements/*/*.csv",
    "Neuprint_ElementSets/*.csv",
)
#: Files of relationships, with their type.
_RELATIONSHIPS = {
    "Neuprint_Neuron_Connections.csv": "ConnectsTo",
    "Neuprint_SynapseSet_to_SynapseSet.csv": "ConnectsTo",
    "Neuprint_Synapse_Connections.csv": "SynapsesTo",
    "Neuprint_Neuron_to_SynapseSet.csv": "Contains",
    "Neuprint_SynapseSet_to_Synapses.csv": "Contains",
    "Neuprint_Neuron_to_ElementSet_*.csv": "Contains",
    "Neuprint_ElementSet_to_Element_*.csv": "Contains",
    "Neuprint_Elements_CloseTo_*.csv": "CloseTo",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Paths of the files of a database, in the order of their names."""

    nodes: tuple[str, ...]
    #: Path and type of each file of relationships.
    relationships: tuple[tuple[str, str], ...]
    #: CSV files that are neither.
    unknown: tuple[str, ...] = ()


def sources_of(folder: str) -> Sources:
    """The files of a snapshot's folder neuprint/."""
    nodes: list[str] = []
    relationships: list[tuple[str, str]] = []
    unknown: list[str] = []
    for path in sorted(_files(folder)):
        whole, name = os.path.join(folder, path), path.replace(os.sep, "/").removesuffix(".gz")
        kind = next((kind for pattern, kind in _RELATIONSHIPS.items() if fnmatchcase(name, pattern)), "")
        if kind:
            relationships.append((whole, kind))
        elif is_of_nodes(name):
            nodes.append(whole)
        elif name.endswith(".csv"):
            unknown.append(whole)
    return Sources(nodes=tuple(nodes), relationships=tuple(relationships), unknown=tuple(unknown))


def is_of_nodes(path: str) -> bool:
    """Whether a CSV file of a snapshot, by its path in it, holds nodes; otherwise relationships, or nothing known."""
    inner = path.removeprefix("neuprint/").removesuffix(".gz")
    return any(fnmatchcase(inner, pattern) and inner.count("/") == pattern.count("/") for pattern in _NODES)


def _files(folder: str) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(place, name), folder)
