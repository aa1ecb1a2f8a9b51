"""What is missing of a snapshot, or was cut short, is not loaded, asked or compared as if it were all of it."""

import os
import shutil
from pathlib import Path

import pytest

from engram.model.errors import UsageError, WrongSnapshot
from engram.workspace.context import Context
from engram.workspace.snapshot_asking import SnapshotAsking
from engram.workspace.snapshot_loading import SnapshotLoading

NODES = "neuprint/Neuprint_SynapseSet.csv"


@pytest.fixture
def snapshot(ours: Path, tmp_path: Path) -> Path:
    shutil.copytree(ours, tmp_path / "copy")
    return tmp_path / "copy"


def script_of(folder: Path, version: str = "5") -> str:
    context = Context(folder=str(folder.parent), environment=dict(os.environ))
    return SnapshotLoading(context).script(folder.name, version=version, database="neo4j", memory="512MB", threads=1)


def test_a_whole_one_has_a_script(snapshot: Path) -> None:
    assert NODES in script_of(snapshot)


@pytest.mark.parametrize("version", ["6", "5.26", ""])
def test_a_version_of_neo4j_that_nobody_knows_is_refused(version: str, snapshot: Path) -> None:
    """It was taken for 4.4, from Python, where no option refuses it."""
    with pytest.raises(UsageError, match=f"Nobody knows how Neo4j {version} is loaded"):
        script_of(snapshot, version)


def test_one_that_lacks_a_file_is_refused(snapshot: Path) -> None:
    (snapshot / NODES).unlink()
    with pytest.raises(UsageError, match=f"{NODES} is not there as it was built"):
        script_of(snapshot)


def test_one_whose_file_was_cut_short_is_refused(snapshot: Path) -> None:
    with (snapshot / NODES).open("r+") as file:
        file.truncate(1000)
    with pytest.raises(UsageError, match=f"{NODES} is not there as it was built"):
        script_of(snapshot)


def test_one_that_a_killed_build_was_putting_in_its_place_is_not_taken_for_a_whole_one(snapshot: Path) -> None:
    (snapshot / "provenance.json").unlink()
    shutil.rmtree(snapshot / "flat-connectome")
    asking, whole = SnapshotAsking(Context(folder=str(snapshot.parent), environment=dict(os.environ))), snapshot.name
    for taken in (
        lambda: script_of(snapshot),
        lambda: asking.tables(whole),
        lambda: list(asking.query(whole, "SELECT 1", memory="512MB", threads=1)),
        lambda: list(asking.diff(whole, whole, most=0, memory="512MB", threads=1)),
    ):
        with pytest.raises(WrongSnapshot, match="a build was interrupted here"):
            taken()


def test_one_of_flyem_snapshot_tells_of_no_file_and_is_taken_as_it_is(snapshot: Path) -> None:
    (snapshot / "provenance.json").unlink()
    shutil.rmtree(snapshot / ".engram")
    (snapshot / NODES).unlink()
    assert NODES not in script_of(snapshot)
