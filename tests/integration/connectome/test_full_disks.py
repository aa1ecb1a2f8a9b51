"""A disk that fills up while a snapshot is built: in the work file, in a part, while parts get their place."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.connectome.building import Begun, Limits, build
from engram.connectome.config.reading import read_config
from engram.durable import Steps
from engram.model.errors import StorageFailed
from engram.testing.disks import Disk
from tests.integration.connectome.test_building import files_in, is_whole

pytestmark = [
    pytest.mark.integration,
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.usefixtures("loop_mounts"),
]

#: Room that is left, and the step that finds the disk full.
ROOMS = {256 << 10: "points", 1 << 20: "bodies", 5 << 20: "neuprint", 11 << 20: "reports"}


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk.new(size_bytes=96 << 20) as disk:
        yield disk


@pytest.fixture
def config(golden: Path, tmp_path: Path) -> Path:
    """The configuration of the sample, in a folder of its own."""
    shutil.copytree(golden / "input", tmp_path / "input")
    return tmp_path / "input" / "config.yaml"


def build_onto(disk: Disk, config: Path) -> Iterator[str]:
    """Build the sample; gives the name of each step as it begins."""
    read = read_config(str(config), here=str(disk.folder), output_dir=str(disk.folder / "out"))
    limits = Limits(memory_bytes=1 << 29, threads=2)
    told = build(read, Steps(), limits, version="1", now=lambda: "", plots=False)
    yield from (one.step for one in told if isinstance(one, Begun))


def fails(disk: Disk, config: Path) -> str:
    """The step in which a build fails for want of room."""
    begun: list[str] = []
    with pytest.raises(StorageFailed) as full:
        begun.extend(build_onto(disk, config))
    assert "No space left on device" in full.value.what
    assert len(full.value.what.splitlines()) == len(full.value.next_step.splitlines()) == 1
    assert "{" not in full.value.what
    return begun[-1]


@pytest.mark.parametrize("room_bytes", ROOMS)
def test_a_first_build_leaves_nothing_that_looks_whole_and_goes_on_with_more_room(
    room_bytes: int, disk: Disk, config: Path
) -> None:
    disk.fill_to(room_bytes)
    assert fails(disk, config) == ROOMS[room_bytes]
    assert not (disk.folder / "out" / "provenance.json").exists()
    disk.empty()
    list(build_onto(disk, config))
    assert is_whole(disk.folder / "out")


@pytest.mark.parametrize("room_bytes", list(ROOMS)[1:])
def test_what_was_built_before_stays_whole(room_bytes: int, disk: Disk, config: Path) -> None:
    list(build_onto(disk, config))
    before = files_in(disk.folder / "out")
    config.write_text(config.read_text().replace("min-confidence: 0.4", "min-confidence: 0.5"))
    disk.fill_to(room_bytes)
    step = fails(disk, config)
    after = files_in(disk.folder / "out")
    assert after == before or (step == "reports" and not (disk.folder / "out" / "provenance.json").exists())
    disk.empty()
    list(build_onto(disk, config))
    assert is_whole(disk.folder / "out")
    assert files_in(disk.folder / "out").keys() != before.keys(), "names tell the confidence"
