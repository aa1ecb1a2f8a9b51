"""Where a file system can let files share their blocks, a content costs no room, and is verified all the same."""

import os
from pathlib import Path

import pytest

from engram.datasets.annex.receiving import Receiving, object_here
from engram.durable import AnyPath, Steps
from engram.model.errors import ChecksumMismatch
from engram.testing.disks import Disk, why_no_disks
from tests.conftest import NOT_HERE
from tests.unit.datasets.annex.test_receiving import key_of

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.slow, pytest.mark.usefixtures("loop_mounts")]
SPIKES = os.urandom(5 << 20)


class Written(Steps):
    """Notes the sizes of files that are written into."""

    def __init__(self) -> None:
        self.writes = 0

    def take(self, kind: str, path: AnyPath) -> None:
        self.writes += kind == "write"


def received(folder: Path, held: bytes) -> tuple[bytes, int]:
    git_dir = folder / "git"
    (git_dir / "annex" / "objects").mkdir(parents=True)
    (folder / "source").write_bytes(held)
    os.sync()
    steps = Written()
    receiving = Receiving(steps, git_dir=os.fsencode(git_dir))
    receiving.clear_what_a_crash_left()
    receiving.take(key_of(SPIKES), os.fsencode(folder / "source"), "lab")
    receiving.settle()
    return object_here(os.fsencode(git_dir), key_of(SPIKES)), steps.writes


@pytest.fixture
def reason() -> None:
    if why := why_no_disks("xfs"):
        pytest.skip(f"{why}: ./dev services" if "installed" in why else f"{NOT_HERE} {why}")


@pytest.mark.usefixtures("reason")
def test_a_content_shares_the_blocks_of_its_source() -> None:
    with Disk.new(kind="xfs", size_bytes=512 << 20) as disk:
        before = os.statvfs(disk.folder).f_bavail
        place, writes = received(disk.folder, SPIKES)
        assert Path(os.fsdecode(place)).read_bytes() == SPIKES
        assert writes == 1  # the request to share
        used_bytes = (before - os.statvfs(disk.folder).f_bavail) * os.statvfs(disk.folder).f_frsize
        assert used_bytes < 2 * len(SPIKES)


@pytest.mark.usefixtures("reason")
def test_wrong_bytes_are_not_shared() -> None:
    with Disk.new(kind="xfs", size_bytes=512 << 20) as disk, pytest.raises(ChecksumMismatch):
        received(disk.folder, SPIKES[:-1] + b"?")
