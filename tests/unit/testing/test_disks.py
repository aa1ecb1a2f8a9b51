"""Disks of our own lose what was not synced, run full, and leave nothing behind."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.durable import Steps, write_new
from engram.model.errors import StorageFailed
from engram.testing.disks import Disk, why_no_disks
from tests.conftest import NOT_HERE

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("loop_mounts")]

BYTES = os.urandom(300_000)


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk.new() as disk:
        yield disk


@pytest.fixture(params=["ext4", "xfs"])
def of_each_kind(request: pytest.FixtureRequest) -> Iterator[Disk]:
    if reason := why_no_disks(request.param):
        pytest.skip(f"{reason}: ./dev services" if "installed" in reason else f"{NOT_HERE} {reason}")
    with Disk.new(kind=request.param) as disk:
        yield disk


def test_a_power_cut_loses_what_was_not_synced_and_keeps_what_was(of_each_kind: Disk) -> None:
    disk = of_each_kind
    (disk.folder / "unsynced").write_bytes(BYTES)
    (disk.folder / "synced").write_bytes(BYTES)
    for name in ("synced", "."):
        descriptor = os.open(disk.folder / name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    with disk.power_cut() as after:
        assert (after.folder / "synced").read_bytes() == BYTES
        unsynced = after.folder / "unsynced"
        assert not unsynced.exists() or unsynced.read_bytes() != BYTES
    assert (disk.folder / "unsynced").read_bytes() == BYTES


def test_a_name_can_reach_the_disk_before_its_bytes(disk: Disk) -> None:
    folder = disk.folder / "first-synced"
    folder.mkdir()
    os.sync()
    (folder / "unsynced").write_bytes(BYTES)
    os.link(folder / "unsynced", folder / "linked")
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    with disk.power_cut() as after:
        assert (after.folder / "first-synced" / "linked").stat().st_size < len(BYTES)


def test_a_cut_disk_can_be_cut_again(disk: Disk) -> None:
    write_new(Steps(), str(disk.folder / "first"), BYTES)
    os.sync()
    with disk.power_cut() as after:
        (after.folder / "second").write_bytes(BYTES)
        with after.power_cut() as later:
            assert {path.name for path in later.folder.iterdir()} == {"first", "lost+found"}


def test_the_plug_can_be_pulled_while_a_command_writes(disk: Disk) -> None:
    script = "import os, itertools\nfor n in itertools.count():\n open(f'{n}', 'wb').write(b'x' * 9999); os.sync()"
    with subprocess.Popen([sys.executable, "-c", script], cwd=disk.folder) as writer:
        try:
            seen = 0
            while seen < 5:
                with disk.power_cut() as after:
                    seen = len(list(after.folder.iterdir()))
                    sizes = {path.stat().st_size for path in after.folder.glob("[0-9]*")}
                    assert sizes <= {0, 9999}
        finally:
            writer.kill()


def test_a_full_disk_refuses_and_is_well_again_when_it_is_emptied(disk: Disk) -> None:
    disk.fill_to(100_000)
    assert disk.free_bytes <= 104_096
    with pytest.raises(StorageFailed, match="No space left on device"):
        write_new(Steps(), str(disk.folder / "large"), BYTES)
    disk.empty()
    write_new(Steps(), str(disk.folder / "large again"), BYTES)


def test_inodes_run_out() -> None:
    with Disk.new(size_bytes=16 << 20, inodes=64) as disk:
        disk.use_up_inodes(left=2)
        for name in ("one", "two"):
            (disk.folder / name).touch()
        with pytest.raises(OSError, match="No space left") as caught:
            (disk.folder / "three").touch()
        assert caught.value.errno == errno.ENOSPC


def test_nothing_is_left_of_a_disk_that_was_closed_twice() -> None:
    disk = Disk.new()
    disk.close()
    disk.close()
    assert not disk.folder.exists()
    assert str(disk.folder) not in Path("/proc/mounts").read_text()


def test_a_disk_that_is_still_looked_at_goes_all_the_same(disk: Disk) -> None:
    (disk.folder / "open").touch()
    with open(disk.folder / "open"):
        disk.close()
        assert str(disk.folder) not in Path("/proc/mounts").read_text()


def test_a_forked_child_does_not_take_the_disk_away(disk: Disk) -> None:
    child = os.fork()
    if child == 0:
        disk.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert disk.folder.is_mount()


def test_what_a_killed_process_left_is_cleaned_by_the_next_disk() -> None:
    script = (
        "import os, signal\nfrom engram.testing.disks import Disk\n"
        "print(Disk.new().folder, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    source = Path(__file__).parents[3] / "src"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True
    )
    left = Path(done.stdout.strip())
    assert left.is_mount()
    give_up_s = time.monotonic() + 10
    while left.exists() and time.monotonic() < give_up_s:
        Disk.new().close()
    assert not left.exists()


def test_why_there_are_no_disks_is_empty_where_there_are() -> None:
    assert why_no_disks() == ""
