"""What create and save have reported survives the plug being pulled; what they have not, can be done again."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.testing.disks import Disk, why_no_disks
from engram.testing.processes import Command, run, started
from engram.testing.soundness import sound
from tests.conftest import NOT_HERE
from tests.integration.faults.operations import (
    DATASET,
    Expected,
    create_command,
    dataset_with_changes,
    git,
    save_command,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.usefixtures("loop_mounts", "git_annex"),
]

#: ext4 writes its journal this often here, so that a second holds as many of its moments as five usually do.
COMMIT_S = 1


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk.new(size_bytes=128 << 20, commit_s=COMMIT_S) as disk:
        yield disk


@pytest.fixture
def settled(disk: Disk) -> Path:
    """A folder on the disk with a dataset in which every kind of change waits; all of it is durable."""
    folder = dataset_with_changes(disk.folder)
    os.sync()
    return folder


@pytest.mark.parametrize("later_s", [0, 0.5, 1.5, 3.5])
def test_what_a_save_reported_is_there_after_a_power_cut(disk: Disk, settled: Path, later_s: float) -> None:
    expected = Expected(settled / DATASET)
    ended = run(save_command(settled))
    assert ended.exit_code == 0, ended.errors
    time.sleep(later_s)
    with disk.power_cut() as after:
        assert git(after.folder / DATASET, "log", "-1", "--format=%s") == "saved\n"
        expected.all_saved(after.folder, annex=True)


def test_it_is_there_on_another_file_system_too() -> None:
    if reason := why_no_disks("xfs"):
        pytest.skip(f"{reason}: ./dev services" if "installed" in reason else f"{NOT_HERE} {reason}")
    with Disk.new(kind="xfs") as disk:
        folder = dataset_with_changes(disk.folder)
        os.sync()
        test_what_a_save_reported_is_there_after_a_power_cut(disk, folder, 0)


@pytest.mark.long
@pytest.mark.parametrize("later_s", [7, 35])
def test_it_is_there_long_after_a_save_too(settled: Path, disk: Disk, later_s: float) -> None:
    test_what_a_save_reported_is_there_after_a_power_cut(disk, settled, later_s)


def _seeds(count: int, *, usually: int) -> list[Any]:
    """So many moments, most of them in a long run only."""
    return [pytest.param(seed, marks=pytest.mark.long if seed >= usually else ()) for seed in range(count)]


def _cut_during(disk: Disk, command: Command, after_s: float) -> Disk:
    with started(command) as running:
        time.sleep(after_s)
        with running.paused():
            return disk.power_cut()


@pytest.mark.parametrize("seed", _seeds(20, usually=8))
def test_a_save_whose_power_was_cut_can_be_repeated(settled: Path, disk: Disk, seed: int) -> None:
    expected = Expected(settled / DATASET)
    after_s = random.Random(seed).uniform(0.05, 0.6)
    with _cut_during(disk, save_command(settled), after_s) as after:
        expected.nothing_lost(after.folder)
        ended = run(save_command(after.folder))
        assert ended.exit_code == 0, ended.errors
        expected.all_saved(after.folder, annex=True)


@pytest.mark.parametrize("later_s", [0, 1.5])
def test_what_a_create_reported_is_there_after_a_power_cut(disk: Disk, later_s: float) -> None:
    ended = run(create_command(disk.folder))
    assert ended.exit_code == 0, ended.errors
    time.sleep(later_s)
    with disk.power_cut() as after:
        sound(after.folder / DATASET, annex=True)
        assert git(after.folder / DATASET, "log", "--format=%s") == "[DATALAD] new dataset\n"


@pytest.mark.parametrize("seed", _seeds(10, usually=5))
def test_a_create_whose_power_was_cut_can_be_repeated(disk: Disk, seed: int) -> None:
    with _cut_during(disk, create_command(disk.folder), random.Random(seed).uniform(0.05, 0.8)) as after:
        ended = run(create_command(after.folder))
        assert ended.exit_code == 0, ended.errors
        sound(after.folder / DATASET, annex=True)
