"""Pointer files get their content, and whatever takes their place meanwhile stays."""

import os
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from engram.datasets.annex.hashdirs import object_path
from engram.datasets.annex.store import ContentStore
from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.saving.unlocked import fill_pointers
from engram.datasets.syncing import ToSync
from engram.durable import AnyPath, Steps

KEY = b"SHA256E-s7--a.dat"
POINTER = b"/annex/objects/SHA256E-s7--a.dat\n"


class Acting(Steps):
    """Does something just before the first step of one kind."""

    def __init__(self, kind: str, act: Callable[[], object]) -> None:
        self._kind, self._act = kind, act
        self.done = False

    def take(self, kind: str, path: AnyPath) -> None:
        if kind == self._kind and not self.done:
            self.done = True
            self._act()


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Two pointer files, recorded, and the content they name."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for name in ("a.dat", "b.dat"):
        (tmp_path / name).write_bytes(POINTER)
    (tmp_path / "b.dat").chmod(0o755)
    (tmp_path / "text").write_text("no pointer")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    place = tmp_path / ".git" / os.fsdecode(object_path(KEY))
    place.parent.mkdir(parents=True)
    place.write_bytes(b"content")
    return tmp_path


def fill(top: Path, steps: Steps | None = None, **options: set[bytes]) -> list[bytes]:
    dataset: Dataset = open_dataset(str(top), Surroundings(environment=dict(os.environ), steps=steps or Steps()))
    git_dir = os.fsencode(top / ".git")
    store = ContentStore(dataset.steps, git_dir=git_dir, to_sync=ToSync(git_dir, os.fsencode(top)))
    store.clear_what_a_crash_left()
    filled: Iterator[bytes] = (
        recorded.path for recorded in fill_pointers(dataset, dataset.read_index(), store, {KEY}, **options)
    )
    try:
        return list(filled)
    finally:
        assert os.listdir(top / ".git/engram/tmp") == []


def test_each_gets_the_content_and_keeps_its_permissions(top: Path) -> None:
    mode = (top / "a.dat").stat().st_mode
    assert fill(top) == [b"a.dat", b"b.dat"]
    assert [(top / name).read_bytes() for name in ("a.dat", "b.dat", "text")] == [b"content", b"content", b"no pointer"]
    assert ((top / "a.dat").stat().st_mode, (top / "b.dat").stat().st_mode & 0o777) == (mode, 0o755)


def test_one_that_is_to_be_left_out_stays_a_pointer(top: Path) -> None:
    assert fill(top, but={b"a.dat"}) == [b"b.dat"]
    assert (top / "a.dat").read_bytes() == POINTER


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        *(product(["create", "sync", "rename"], ["replaced", "deleted", "a link", "its folder"])),
        ("sync", "written to"),  # at the rename whoever wants to write waits
    ],
)
def test_what_takes_its_place_meanwhile_stays(top: Path, kind: str, change: str) -> None:
    (top / "outside").mkdir()
    (top / "d").mkdir()
    for name in ("a.dat", "b.dat"):
        (top / name).rename(top / "d" / name)
    subprocess.run(["git", "add", "-A", "."], cwd=top, check=True)
    file = top / "d" / "a.dat"

    def act() -> None:
        if change == "its folder":
            (top / "d").rename(top / "aside")
            (top / "d").symlink_to("outside")
            return
        if change != "written to":
            file.unlink()
        if change == "a link":
            file.symlink_to("../text")
        elif change != "deleted":
            file.write_bytes(b"theirs, and longer than a pointer would ever be")

    steps = Acting(kind, act)
    filled = fill(top, steps)
    assert steps.done
    assert b"d/a.dat" not in filled or change == "its folder"
    assert (top / "text").read_text() == "no pointer"
    assert os.listdir(top / "outside") == []
    if change == "replaced":
        assert file.read_bytes().startswith(b"theirs")
    elif change == "a link":
        assert os.readlink(file) == "../text"
    elif change == "deleted":
        assert not file.exists()


def test_one_that_a_program_writes_to_is_left_alone(top: Path) -> None:
    with (top / "a.dat").open("ab"):
        assert fill(top) == [b"b.dat"]
    assert (top / "a.dat").read_bytes() == POINTER
