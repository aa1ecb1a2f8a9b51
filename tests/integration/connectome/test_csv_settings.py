"""Files of nodes and edges as a configuration wants them: compressed, fewer, or many."""

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest
import yaml

from engram.connectome.building import Kept
from engram.connectome.neo4j.checking import Checked, check_import
from engram.connectome.neo4j.sources import sources_of
from tests.integration.connectome.test_settings import Lab

#: A row without what is empty.
Row = frozenset[tuple[str, str]]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    lab.points["r"] = ["A", "B", "A", "A", None, "B"]
    lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
    lab.write("mito", {"x": [1, 2], "y": [7, 7], "z": [5, 5], "body": [10, 20], "type": ["mito"] * 2, "r": ["A", None]})
    lab.inputs = {"elements": {"mito": {"point-table": "mito.feather"}}}
    return lab


def rows(lab: Lab, **neuprint: Any) -> dict[str, set[Row]]:
    """The rows of every file of nodes and edges, after a build."""
    lab.neuprint = neuprint
    folder = lab.build() / "neuprint"
    found: dict[str, set[Row]] = {}
    for path in folder.rglob("*.csv*"):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", newline="") as file:
            kept = {frozenset((name, value) for name, value in row.items() if value) for row in csv.DictReader(file)}
        found[str(path.relative_to(folder)).removesuffix(".gz")] = kept
    return found


def checked(lab: Lab) -> Checked:
    found = check_import(sources_of(str(lab.out / "neuprint")), str(lab.out))
    assert not found.problems
    return found


class TestCompression:
    def test_compressed_files_hold_the_same(self, lab: Lab) -> None:
        plain = rows(lab)
        assert rows(lab, **{"csv-compression": "gzip"}) == plain
        files = {path.name for path in (lab.out / "neuprint").rglob("*.csv*")}
        assert {name for name in files if not name.endswith(".gz")} == {"Neuprint_Meta.csv"}
        checked(lab)

    def test_threads_change_no_byte_and_files_are_kept(self, lab: Lab) -> None:
        rows(lab, **{"csv-compression": "gzip"})
        first = {path: path.read_bytes() for path in (lab.out / "neuprint").rglob("*.gz")}
        rows(lab, **{"csv-compression": "gzip"})
        assert all(isinstance(one, Kept) for one in lab.told)
        lab.threads = 4
        next(iter(first)).unlink()
        rows(lab, **{"csv-compression": "gzip"})
        assert {path: path.read_bytes() for path in first} == first


def test_sets_of_synapses_may_be_left_out(lab: Lab) -> None:
    whole, less = rows(lab), rows(lab, **{"synapse-sets": False})
    gone = {name for name in whole if "SynapseSet" in name}
    assert len(gone) == 4
    assert less == {name: found for name, found in whole.items() if name not in gone}
    assert checked(lab).relationships["SynapsesTo"] == 4


class TestSplitting:
    def test_split_nodes_are_the_same_nodes(self, lab: Lab) -> None:
        whole = rows(lab)
        split = rows(lab, **{"split-nodes": True})
        for kind, files in (("Neuprint_Synapses/", 3), ("Neuprint_Elements/", 2), ("Neuprint_Neurons/", 2)):
            parts = [found for name, found in split.items() if name.startswith(kind)]
            assert len(parts) == files, kind
            (all_of_it,) = (found for name, found in whole.items() if name.startswith(kind))
            assert set().union(*parts) == all_of_it
            for part in parts:
                flags = [{pair for pair in row if pair[0].endswith(":boolean")} for row in part]
                assert all(one == flags[0] for one in flags), "nodes in one file lie in the same ROIs"
        checked(lab)

    def test_bodies_are_in_at_most_so_many_files(self, lab: Lab) -> None:
        split = rows(lab, **{"split-nodes": True, "max-segment-files": 1})
        parts = [found for name, found in split.items() if name.startswith("Neuprint_Neurons/")]
        assert list(map(len, parts)) == [4]
        checked(lab)


def test_a_completed_configuration_has_own_keys_only_where_they_say_something(lab: Lab) -> None:
    """flyem-snapshot refuses keys that it does not know: what it takes is still taken after a build."""
    own = {"csv-compression", "synapse-sets", "split-nodes"}
    rows(lab)
    assert not own & set(completed(lab)["outputs"]["neuprint"])
    rows(lab, **{"synapse-sets": False})
    assert own & set(completed(lab)["outputs"]["neuprint"]) == {"synapse-sets"}


def completed(lab: Lab) -> dict[str, Any]:
    found = yaml.safe_load((lab.out / "final-config.yaml").read_text())
    assert isinstance(found, dict)
    return found
