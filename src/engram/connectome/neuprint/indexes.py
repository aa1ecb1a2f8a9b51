"""The script that makes a database quick: what is unique, and what is looked up by value.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/indexes.py``;
https://neo4j.com/docs/cypher-manual/4.4/indexes-for-search-performance/ and the same of version 5
"""

from collections.abc import Iterator, Mapping, Sequence

from engram.connectome.config.outputs import Indexes
from engram.connectome.outputs import TextOutput

#: Seconds that indexes may take to be filled.
_PATIENCE_S = 86400


def index_outputs(
    dataset: str,
    indexes: Indexes,
    *,
    properties: Sequence[str],
    rois: Sequence[str],
    of_elements: Mapping[str, Sequence[str]],
) -> Iterator[TextOutput]:
    """The script for neo4j 4.4, and that for 5.

    Args:
        properties: of bodies; those that are not to be looked up are left out here.
        rois: that bodies have as properties.
        of_elements: ROIs of elements by their label.
    """
    excluded = set(indexes.exclude_properties)
    wanted = sorted(set(properties) - excluded - {"bodyId"})
    regions = sorted(set(rois) - excluded)
    for path, statements in (
        ("neuprint/create-indexes.cypher", _for_4),
        ("neuprint/create-indexes-neo4j5.cypher", _for_5),
    ):
        lines = statements(dataset, wanted, regions, of_elements, indexes.find_neurons_fulltext_index_properties)
        yield TextOutput(path=path, text="\n".join(lines) + "\n")


def _quoted(word: str) -> str:
    return "`" + word.replace("`", "``") + "`"


def _pairs(
    dataset: str, properties: Sequence[str], rois: Sequence[str], of_elements: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Labels and the properties by which their nodes are looked up."""
    for label in ("Segment", "Neuron", "Synapse"):
        yield label, "type"
    yield f"{dataset}_Synapse", "bodyId"
    for label, regions in of_elements.items():
        for prop in ("bodyId", *regions):
            yield f"{dataset}_{label.lstrip(':')}", prop
    for prop in (*properties, *rois):
        yield f"{dataset}_Segment", prop
        yield f"{dataset}_Neuron", prop


def _places(dataset: str) -> str:
    name, label = _quoted(f"{dataset}ElementLocation"), _quoted(f"{dataset}_Element")
    return f"CREATE POINT INDEX {name} FOR (n:{label}) ON (n.location);"


def _for_4(
    dataset: str,
    properties: Sequence[str],
    rois: Sequence[str],
    of_elements: Mapping[str, Sequence[str]],
    searched: Sequence[str],
) -> Iterator[str]:
    for label in ("Segment", "Neuron"):
        node = _quoted(f"{dataset}{label.lower()}")
        yield f"CREATE CONSTRAINT ON ( {node}:{_quoted(f'{dataset}_{label}')} ) ASSERT {node}.bodyId IS UNIQUE;"
    yield _places(dataset)
    for label, prop in _pairs(dataset, properties, rois, of_elements):
        yield f"CREATE INDEX ON :{_quoted(label)}({_quoted(prop)});"
    yield from _ending(dataset, searched)


def _for_5(
    dataset: str,
    properties: Sequence[str],
    rois: Sequence[str],
    of_elements: Mapping[str, Sequence[str]],
    searched: Sequence[str],
) -> Iterator[str]:
    for label in ("Segment", "Neuron"):
        yield f"CREATE CONSTRAINT FOR (n:{_quoted(f'{dataset}_{label}')}) REQUIRE n.bodyId IS UNIQUE;"
    yield _places(dataset)
    for label, prop in _pairs(dataset, properties, rois, of_elements):
        yield f"CREATE INDEX FOR (n:{_quoted(label)}) ON (n.{_quoted(prop)});"
    yield from _ending(dataset, searched)


def _ending(dataset: str, searched: Sequence[str]) -> Iterator[str]:
    if searched:
        listed = ", ".join(f"n.{_quoted(prop)}" for prop in searched)
        label = _quoted(f"{dataset}_Neuron")
        yield f"CREATE FULLTEXT INDEX find_neurons_fulltext_properties_index FOR (n:{label}) ON EACH [{listed}];"
    yield f"CALL db.awaitIndexes({_PATIENCE_S});"
    yield "SHOW INDEXES;"
