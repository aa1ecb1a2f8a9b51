"""What further verbs have reported survives the plug being pulled; what they have not, can be done again."""

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engram.testing.disks import Disk
from engram.testing.processes import run, started
from engram.testing.soundness import sound
from tests.integration.clones import FILES, object_of, rewrite, two_clones
from tests.integration.faults.operations import command, git

pytestmark = [
    pytest.mark.integration,
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.usefixtures("loop_mounts", "git_annex"),
]


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk.new(size_bytes=128 << 20, commit_s=1) as disk:
        yield disk


def engram(folder: Path, *words: str) -> None:
    ended = run(command(folder, *words))
    assert ended.exit_code == 0, ended.errors


@dataclass(frozen=True, slots=True)
class Deed:
    """A verb that is called in a folder, and what must be so once it has reported."""

    prepare: Callable[[Path], object]
    folder: str
    words: tuple[str, ...]
    check: Callable[[Path], None]


def _recorded_run(top: Path) -> None:
    engram(top, "create", "ds")
    dataset = top / "ds"
    (dataset / "in.bin").write_text("first")
    engram(dataset, "save")
    engram(dataset, "run", "-o", "out.bin", "cat in.bin in.bin > out.bin")
    git(dataset, "tag", "ran")
    (dataset / "in.bin").unlink()
    (dataset / "in.bin").write_text("second")
    engram(dataset, "save")


def _was_repeated(top: Path) -> None:
    assert (top / "ds/out.bin").read_text() == "secondsecond"
    assert git(top / "ds", "status", "--porcelain") == ""
    assert "RUNCMD" in git(top / "ds", "log", "-1", "--format=%s")
    sound(top / "ds", annex=True)


def _damaged(top: Path) -> None:
    two_clones(top)
    rewrite(object_of(top / "a", "a.dat"), "x" * len(FILES["a.dat"]))


def _was_restored(top: Path) -> None:
    assert (top / "a/a.dat").read_text() == FILES["a.dat"]
    (bad,) = (top / "a/.git/annex/bad").iterdir()
    assert bad.read_text() == "x" * len(FILES["a.dat"])
    sound(top / "a", annex=True)


def _two_copies_are_asked_for(top: Path) -> None:
    assert git(top / "a", "annex", "numcopies") == "2\n"
    sound(top / "a", annex=True)


def _unlocked(top: Path) -> None:
    engram(top, "create", "ds")
    (top / "ds/free.bin").write_text("before")
    engram(top / "ds", "save")
    git(top / "ds", "annex", "unlock", "-q", "free.bin")
    git(top / "ds", "commit", "-qam", "unlocked")
    (top / "ds/free.bin").write_text("after" * 1000)


def _unlocked_is_saved(top: Path) -> None:
    assert (top / "ds/free.bin").read_text() == "after" * 1000
    assert git(top / "ds", "status", "--porcelain") == ""
    assert object_of(top / "ds", "free.bin").read_text() == "after" * 1000
    sound(top / "ds", annex=True)


def _cloned_with_a_subdataset(top: Path) -> None:
    engram(top, "create", "original")
    engram(top / "original", "create", "-d", ".", "sub")
    (top / "original/sub/a.bin").write_text("kept")
    engram(top / "original", "save", "-r")
    engram(top, "clone", "original", "clone")
    engram(top / "clone", "get", "-r", ".")


def _subdataset_is_gone_here_alone(top: Path) -> None:
    assert git(top / "clone", "ls-files", "-s", "sub") == ""
    assert not (top / "clone/sub/.git").exists()
    assert git(top / "clone", "status", "--porcelain") == ""
    sound(top / "clone", annex=True)
    assert (top / "original/sub/a.bin").read_text() == "kept"
    sound(top / "original/sub", annex=True)


DEEDS = {
    "rerun": Deed(_recorded_run, "ds", ("rerun", "ran"), _was_repeated),
    "fsck": Deed(_damaged, "a", ("fsck", "--full"), _was_restored),
    "numcopies": Deed(two_clones, "a", ("numcopies", "2"), _two_copies_are_asked_for),
    "save": Deed(_unlocked, "ds", ("save",), _unlocked_is_saved),
    "remove": Deed(_cloned_with_a_subdataset, "clone", ("remove", "-d", ".", "sub"), _subdataset_is_gone_here_alone),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_what_was_reported_is_so_after_a_power_cut(disk: Disk, deed: Deed) -> None:
    deed.prepare(disk.folder)
    os.sync()
    ended = run(command(disk.folder / deed.folder, *deed.words))
    with disk.power_cut() as after:  # nothing is looked at before: git-annex would write what it does not sync
        deed.check(after.folder)
    assert ended.exit_code == 0, ended.errors


#: A rerun that was ended refuses to begin anew on what it left, until that is saved or taken back.
_REPEATABLE = [
    pytest.param(
        deed, seed, id=f"{name}-{seed}", marks=[] if name in ("fsck", "save") and seed == 0 else pytest.mark.long
    )
    for name, deed in DEEDS.items()
    for seed in range(4)
    if name != "rerun"
]


@pytest.mark.parametrize(("deed", "seed"), _REPEATABLE)
def test_what_a_power_cut_ended_can_be_repeated(disk: Disk, deed: Deed, seed: int) -> None:
    deed.prepare(disk.folder)
    os.sync()
    with started(command(disk.folder / deed.folder, *deed.words)) as running:
        time.sleep(random.Random(f"{deed.words} {seed}").uniform(0.1, 0.5))
        with running.paused():
            after = disk.power_cut()
    with after:
        run(command(after.folder / deed.folder, *deed.words))
        deed.check(after.folder)
