"""Nothing in a snapshot's folder that never ends, or never begins, is waited for: strangers make folders, too."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.connectome.crate import CRATE
from engram.connectome.folder import PROVENANCE
from tests.integration.connectome.test_building import CONNECTOME, build_into
from tests.naive_connectome import write_connectome

PLACES = (PROVENANCE, CRATE, ".engram/lock", ".engram/made/points.json", ".engram/next.json")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_connectome(CONNECTOME, tmp_path / "in")


@pytest.mark.parametrize("place", PLACES)
def test_a_pipe_in_a_snapshot_is_not_waited_for(place: str, config: Path, tmp_path: Path) -> None:
    build_into(config, tmp_path / "out")
    pipe = tmp_path / "out" / place
    pipe.parent.mkdir(exist_ok=True)
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    build_into(config, tmp_path / "out")
    assert (tmp_path / "out" / PROVENANCE).is_file()


@pytest.mark.parametrize("how", [os.mkfifo, lambda place: place.symlink_to("gone")], ids=["a pipe", "a link"])
def test_a_table_in_whose_place_is_no_file_is_made_again(
    how: Callable[[Path], None], config: Path, tmp_path: Path
) -> None:
    """A check advises that."""
    build_into(config, tmp_path / "out")
    table = tmp_path / "out" / "neuprint" / "Neuprint_Meta.csv"
    table.unlink()
    how(table)
    build_into(config, tmp_path / "out")
    assert (table.is_file(), table.is_symlink()) == (True, False)
