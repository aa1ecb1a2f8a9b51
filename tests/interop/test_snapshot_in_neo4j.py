"""A real Neo4j takes a snapshot, and holds what its tables say."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import feather

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.durable import Steps
from engram.workspace.context import Context
from engram.workspace.snapshot_loading import SnapshotLoading
from tests.connectomes import unpack_golden
from tests.neo4j_server import Server

JARS = os.environ.get("ENGRAM_NEO4J_JARS", "")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not JARS, reason="not on this machine: no Neo4j 5 (ENGRAM_NEO4J_JARS)"),
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    golden, folder = unpack_golden(tmp_path_factory.getbasetemp().parent), tmp_path_factory.mktemp("neo4j")
    out = folder / "out"
    config = read_config(str(golden / "input" / "config.yaml"), here=str(folder), output_dir=str(out))
    list(build(config, Steps(), Limits(memory_bytes=1 << 30, threads=2), version="1", now=lambda: ""))
    server = Server(JARS, folder / "home")
    environment = {**os.environ, "PATH": f"{server.bin}:{os.environ['PATH']}", "TMPDIR": str(folder)}
    loading = SnapshotLoading(Context(folder=str(folder), environment=environment))
    try:
        (outcome,) = loading.load("out", version="5", database="neo4j", memory="2GB", threads=2)
        assert outcome.note == "into the database neo4j"
        yield server, out
    finally:
        server.stop()


def test_every_node_and_relationship_is_there(loaded: tuple[Server, Path]) -> None:
    server, out = loaded
    told = {one["path"]: one["rows"] for one in json.loads((out / "provenance.json").read_text())["tables"]}
    for label, path in (
        ("Segment", "Neurons/0.csv"),
        ("Synapse", "Synapses/000000.csv"),
        ("SynapseSet", "SynapseSet.csv"),
    ):
        assert server.ask(f"MATCH (n:{label}) RETURN count(n)") == [[told[f"neuprint/Neuprint_{path}"]]]
    for ends, kind, path in (
        ("(:Segment)-[e]->(:Segment)", "ConnectsTo", "Neuron_Connections.csv"),
        ("(:Synapse)-[e]->(:Synapse)", "SynapsesTo", "Synapse_Connections.csv"),
        ("(:SynapseSet)-[e]->(:Synapse)", "Contains", "SynapseSet_to_Synapses.csv"),
    ):
        rows = told[f"neuprint/Neuprint_{path}"]
        assert server.ask(f"MATCH {ends.replace('[e]', f'[e:{kind}]')} RETURN count(e)") == [[rows]]


def test_properties_have_their_own_names(loaded: tuple[Server, Path]) -> None:
    """Neo4j 5 imports a column ``AL(L):boolean`` as ``AL``."""
    server, out = loaded
    rois = feather.read_table(out / "neuprint" / "roi_elements.feather").to_pydict()
    wanted = {roi: rois["roi"].count(roi) for roi in ("AL(L)", "FB", "LO_layer1(L)")}
    for roi, bodies in wanted.items():
        assert server.ask(f"MATCH (n:Segment) WHERE n.`{roi}` RETURN count(n)") == [[bodies]]
    assert server.ask("MATCH (n:Segment) WHERE any(k IN keys(n) WHERE k =~ '.*[\ue000-\ue003].*') RETURN count(n)") == [
        [0]
    ]


def test_weights_and_places_are_numbers(loaded: tuple[Server, Path]) -> None:
    server, _ = loaded
    assert server.ask("MATCH ()-[e:ConnectsTo]->(:Segment) RETURN sum(e.weightHR)") == [[4826]]
    assert server.ask("MATCH (n:Synapse) WHERE n.location.x >= 0 RETURN count(n)") == [[5477]]
    ((total,),) = server.ask("MATCH (m:Meta) RETURN m.totalPostCount")
    assert total == 4826


def test_indexes_are_there(loaded: tuple[Server, Path]) -> None:
    server, _ = loaded
    rows = server.ask("SHOW INDEXES YIELD labelsOrTypes, properties RETURN labelsOrTypes, properties")
    names = {(tuple(labels or ()), tuple(properties or ())) for labels, properties in rows}
    assert (("synth_Neuron",), ("bodyId",)) in names
    assert (("synth_Element",), ("location",)) in names
    assert (("synth_Neuron",), ("AL(L)",)) in names
