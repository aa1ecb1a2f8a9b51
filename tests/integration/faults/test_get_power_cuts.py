"""What a get has reported survives the plug being pulled; what it has not, can be done again."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.durable import Steps
from engram.testing.disks import Disk
from engram.testing.processes import run, started
from engram.testing.soundness import complaints_of_git, complaints_of_git_annex
from tests.integration.faults.operations import command, git
from tests.integration.faults.test_getting import CLONE, LARGE, ORIGIN, all_is_here, get, nothing_wrong_is_visible

pytestmark = [
    pytest.mark.integration,
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.usefixtures("loop_mounts", "git_annex"),
]

#: ext4 writes its journal this often here.
COMMIT_S = 1


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk.new(size_bytes=128 << 20, commit_s=COMMIT_S) as disk:
        yield disk


@pytest.fixture
def cloned(disk: Disk) -> Path:
    """A dataset and an empty clone of it on the disk; all of it is durable."""
    origin = disk.folder / ORIGIN
    origin.mkdir()
    git(origin, "init", "-q")
    git(origin, "annex", "init", "-q", "origin")
    for name, data in {"small.bin": b"small", "empty.bin": b"", "large.bin": LARGE, "free.bin": b"unlocked"}.items():
        (origin / name).write_bytes(data)
    git(origin, "annex", "add", "-q", "--force-large", ".")
    git(origin, "annex", "unlock", "-q", "free.bin")
    git(origin, "commit", "-qm", "first")
    git(disk.folder, "clone", "-q", ORIGIN, CLONE)
    git(disk.folder / CLONE, "annex", "init", "-q", "clone")
    git(disk.folder / CLONE, "remote", "set-url", "origin", f"../{ORIGIN}")
    git(disk.folder / CLONE, "config", "annex.diskreserve", "1MB")
    os.sync()
    return disk.folder


@pytest.mark.parametrize("later_s", [0, 1.5])
def test_what_a_get_reported_is_there_after_a_power_cut(disk: Disk, cloned: Path, later_s: float) -> None:
    ended = run(command(cloned / CLONE, "get", "."))
    assert ended.exit_code == 0, ended.errors
    time.sleep(later_s)
    with disk.power_cut() as after:
        all_is_here(after.folder)
        assert complaints_of_git(after.folder / CLONE) == complaints_of_git_annex(after.folder / CLONE) == ""


@pytest.mark.parametrize("seed", range(6))
def test_a_get_whose_power_was_cut_can_be_repeated(disk: Disk, cloned: Path, seed: int) -> None:
    after_s = random.Random(seed).uniform(0.1, 0.8)
    with started(command(cloned / CLONE, "get", ".")) as running:
        time.sleep(after_s)
        with running.paused():
            after = disk.power_cut()
    with after:
        nothing_wrong_is_visible(after.folder)
        assert get(after.folder, Steps()) == 0
        all_is_here(after.folder)
