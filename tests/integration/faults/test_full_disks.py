"""A disk that runs full, out of inodes, or allows no larger file: refused in two lines, nothing lost, done later."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engram.testing.disks import Disk
from engram.testing.places import Template
from engram.testing.processes import Ended, run
from engram.testing.soundness import sound
from tests.integration.faults.operations import (
    DATASET,
    LARGE,
    Expected,
    create_command,
    dataset_with_changes,
    git,
    save_command,
)

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]


def _refused(ended: Ended, reason: str) -> None:
    assert ended.exit_code in {3, 31, 40}, (ended.exit_code, ended.output, ended.errors)
    assert "Traceback" not in ended.errors
    assert "bug" not in ended.errors
    assert reason in ended.errors + ended.output


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk.new(size_bytes=64 << 20) as disk:
        yield disk


@pytest.mark.root
@pytest.mark.usefixtures("loop_mounts")
@pytest.mark.parametrize("free_kib", [4, 8, 16, 32, 64, 128, 256, 512, 1024, 1200])
def test_a_save_on_a_full_disk_says_so_and_finishes_when_there_is_room(disk: Disk, free_kib: int) -> None:
    folder = dataset_with_changes(disk.folder)
    os.link(folder / DATASET / "new" / "large.dat", folder / DATASET / "second-name.dat")  # so that it is copied
    expected = Expected(folder / DATASET)
    disk.fill_to(free_kib << 10)
    ended = run(save_command(folder))
    _refused(ended, "No space left on device")
    expected.nothing_lost(folder)
    disk.empty()
    assert run(save_command(folder)).exit_code == 0
    expected.all_saved(folder, annex=True)


@pytest.mark.root
@pytest.mark.usefixtures("loop_mounts")
def test_content_that_only_gets_another_name_needs_no_room(disk: Disk) -> None:
    folder = dataset_with_changes(disk.folder)
    expected = Expected(folder / DATASET)
    disk.fill_to(len(LARGE) // 2)
    ended = run(save_command(folder))
    assert ended.exit_code == 0, ended.errors
    expected.all_saved(folder, annex=True)


@pytest.mark.root
@pytest.mark.usefixtures("loop_mounts")
@pytest.mark.parametrize("left", [0, 1, 2, 5, 10])
def test_a_save_without_inodes_says_so_and_finishes_when_there_are_some(left: int) -> None:
    with Disk.new(size_bytes=64 << 20, inodes=1024) as disk:
        folder = dataset_with_changes(disk.folder)
        expected = Expected(folder / DATASET)
        disk.use_up_inodes(left)
        _refused(run(save_command(folder)), "No space left on device")
        expected.nothing_lost(folder)
        disk.empty()
        assert run(save_command(folder)).exit_code == 0
        expected.all_saved(folder, annex=True)


@pytest.mark.root
@pytest.mark.usefixtures("loop_mounts")
@pytest.mark.parametrize("free_kib", [4, 16, 40, 64, 80, 100, 150])
def test_a_create_on_a_full_disk_says_so_and_finishes_when_there_is_room(disk: Disk, free_kib: int) -> None:
    disk.fill_to(free_kib << 10)
    ended = run(create_command(disk.folder))
    if ended.exit_code != 0:
        assert "Traceback" not in ended.errors
        assert "bug" not in ended.errors
    disk.empty()
    assert run(create_command(disk.folder)).exit_code == 0
    sound(disk.folder / DATASET)
    assert git(disk.folder / DATASET, "log", "--format=%s") == "[DATALAD] new dataset\n"


def test_a_save_that_may_write_no_large_file_says_so(changed: Template, expected: Expected) -> None:
    folder = changed.fresh()
    hard_link = folder / DATASET / "second-name.dat"
    os.link(folder / DATASET / "new" / "large.dat", hard_link)  # so that it has to be copied
    command = save_command(folder)
    limit = ("prlimit", f"--fsize={len(LARGE) // 2}", "--")
    _refused(run(replace(command, arguments=(*limit, *command.arguments))), "File too large")
    hard_link.unlink()
    expected.nothing_lost(folder)
    assert run(save_command(folder)).exit_code == 0
    expected.all_saved(folder)
