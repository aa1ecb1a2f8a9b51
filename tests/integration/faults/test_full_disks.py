"""A disk that runs full, out of inodes, or allows no larger file: refused in two lines, nothing lost, done later."""

import os
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engram.datasets.git.objects import BLOB, object_id
from engram.datasets.git.odb import ObjectStore
from engram.datasets.new_objects import NewObjects
from engram.durable import Steps
from engram.model.errors import StorageFailed
from engram.testing.disks import Disk
from engram.testing.places import Template
from engram.testing.processes import Ended, run
from engram.testing.soundness import sound
from tests.integration.faults.operations import (
    DATASET,
    LARGE,
    Expected,
    command,
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


def _entries(folder: Path) -> dict[str, tuple[int, int]]:
    """Everything below a folder: which file it is, and the room that it takes."""
    found = {}
    for place in folder.rglob("*"):
        status = place.lstat()
        found[str(place)] = (status.st_ino, status.st_blocks)
    return found


@pytest.mark.root
@pytest.mark.usefixtures("loop_mounts")
def test_a_drop_on_a_full_disk_says_by_what_it_will_work_and_then_it_works() -> None:
    with Disk.new(size_bytes=600 << 20) as disk:  # from 512 MiB on a block has 4 KiB
        origin, clone = disk.folder / "origin", disk.folder / "clone"
        git(disk.folder, "init", "-q", "origin")
        git(origin, "annex", "init", "-q", "origin")
        for number in range(40):
            (origin / f"{number}.dat").write_bytes(b"%d " % number * 3000)
        git(origin, "annex", "add", "-q", ".")
        git(origin, "commit", "-q", "-m", "x")
        git(disk.folder, "clone", "-q", "origin", "clone")
        git(clone, "annex", "init", "-q", "clone")
        git(clone, "annex", "get", "--force", "-q", ".")
        for number in range(16):  # as many as git has, whatever its templates are here
            (clone / f".git/hooks/{number}.sample").write_text("#!/bin/sh\n")
        os.sync()
        disk.fill_to(0)
        before = _entries(clone)
        for _ in range(2):
            ended = run(command(clone, "drop", "."))
            what, advice = ended.errors.splitlines()
            assert ended.exit_code == 31
            assert "No space left on device. What was not reported as dropped is still here." in what
            assert re.match(r"\d\d KiB are enough\. Remove git's examples: rm \S+/hooks/\*\.sample, then run ", advice)
            assert _entries(clone) == before
        subprocess.run(["sh", "-c", re.findall(r"rm \S+", advice)[0].rstrip(",")], check=True)
        ended = run(command(clone, "drop", "."))
        assert (ended.exit_code, ended.errors) == (0, "")
        assert git(clone, "annex", "find") == ""
        assert f"{clone}" not in git(clone, "annex", "whereis")
        sound(clone, annex=True)


@pytest.mark.root
@pytest.mark.usefixtures("loop_mounts")
def test_what_fails_for_want_of_room_leaves_what_little_there_is_to_who_comes_next() -> None:
    with Disk.new(size_bytes=600 << 20) as disk:
        objects = disk.folder / "objects"
        objects.mkdir()
        (objects / "pack").mkdir()
        disk.fill_to(12 << 10)
        free_bytes = disk.free_bytes
        new = NewObjects(Steps(), ObjectStore(os.fsencode(objects)), os.fsencode(objects))
        for number in range(40):
            data = random.Random(number).randbytes(1000)
            new.put(BLOB, data, object_id(BLOB, data))
        with pytest.raises(StorageFailed):
            new.store()
        os.sync()
        assert (disk.free_bytes, os.listdir(objects), os.listdir(objects / "pack")) == (free_bytes, ["pack"], [])
