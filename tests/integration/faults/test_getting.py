"""Get survives death at each of its durable steps, every refusal of the disk, and others at work in the same place."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from engram.durable import Steps
from engram.testing.faults import DISK_ERRORS, act_at_every_step, die_at_every_step, fail_at_every_step
from engram.testing.places import Template, contents, fresh_folder, scratch
from engram.testing.soundness import complaints_of_git, complaints_of_git_annex
from engram.workspace.getting import Getting
from tests.integration.faults.operations import context, exit_code, git

pytestmark = pytest.mark.integration

Stride: TypeAlias = Callable[[int], int]
CLONE, ORIGIN = "clone", "origin"
#: Larger than what is read in one piece.
LARGE = bytes(range(256)) * 5000


def get(folder: Path, steps: Steps) -> int:
    """Get everything in the clone in *folder*."""
    return exit_code(Getting(context(folder / CLONE), steps=steps).get(["."]))


@pytest.fixture(scope="module")
def scene() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture(scope="module")
def cloned(scene: Path, git_annex: Path) -> Template:
    """A folder with a dataset and a clone of it in which no content is."""
    folder = fresh_folder(scene)
    origin = folder / ORIGIN
    origin.mkdir()
    git(origin, "init", "-q")
    git(origin, "annex", "init", "-q", "origin")
    for name, data in {"small.bin": b"small", "empty.bin": b"", "large.bin": LARGE, "free.bin": b"unlocked"}.items():
        (origin / name).write_bytes(data)
    git(origin, "annex", "add", "-q", "--force-large", ".")
    git(origin, "annex", "unlock", "-q", "free.bin")
    git(origin, "commit", "-qm", "first")
    git(folder, "clone", "-q", ORIGIN, CLONE)
    git(folder / CLONE, "annex", "init", "-q", "clone")
    git(folder / CLONE, "remote", "set-url", "origin", f"../{ORIGIN}")
    template = Template(folder, scene)
    assert get(template.fresh(), Steps()) == 0  # children find all modules loaded
    return template


def nothing_wrong_is_visible(folder: Path) -> None:
    """After a fault: every content that has a name is whole, and the log claims none that is not here."""
    clone = folder / CLONE
    objects = clone / ".git" / "annex" / "objects"
    good = {b"small", b"", LARGE, b"unlocked"}
    for place in objects.rglob("*"):
        if place.is_file():
            assert place.read_bytes() in good, place
    uuid = git(clone, "config", "annex.uuid").strip()
    logged = [
        line.rpartition("/")[2].removesuffix(".log")
        for line in git(clone, "ls-tree", "-r", "--name-only", "git-annex").splitlines()
        if line.endswith(".log") and line.count("/") == 2
        if f" 1 {uuid}" in git(clone, "show", f"git-annex:{line}")
    ]
    here = {place.name for place in objects.rglob("*") if place.is_file()}
    assert set(logged) <= here


def all_is_here(folder: Path, *, annex: bool = False) -> None:
    """After the second run."""
    clone = folder / CLONE
    assert (clone / "small.bin").read_bytes() == b"small"
    assert (clone / "empty.bin").read_bytes() == b""
    assert (clone / "large.bin").read_bytes() == LARGE
    assert (clone / "free.bin").read_bytes() == b"unlocked"
    assert not list((clone / ".git" / "engram" / "tmp").iterdir())
    uuid = git(clone, "config", "annex.uuid").strip()
    logs = [
        line for line in git(clone, "ls-tree", "-r", "--name-only", "git-annex").splitlines() if line.count("/") == 2
    ]
    assert all(f" 1 {uuid}" in git(clone, "show", f"git-annex:{log}") for log in logs)
    if annex:
        assert complaints_of_git(clone) == complaints_of_git_annex(clone) == ""
        assert git(clone, "status", "--porcelain") == ""


def test_a_get_survives_death_at_every_step(cloned: Template, stride: Stride) -> None:
    kinds = ("write", "sync", "rename", "chmod", "update-ref")
    die_at_every_step(get, cloned.fresh, all_is_here, when_dead=nothing_wrong_is_visible, stride=stride(9), also=kinds)


def test_git_annex_has_no_complaint_after_a_death_either(cloned: Template, stride: Stride) -> None:
    die_at_every_step(get, cloned.fresh, lambda folder: all_is_here(folder, annex=True), stride=stride(57))


def test_git_annex_can_finish_what_died(cloned: Template, stride: Stride) -> None:
    def finished_by_git_annex(folder: Path) -> None:
        clone = folder / CLONE
        subprocess.run(["git", "annex", "get", "-q", "."], cwd=clone, check=True)
        subprocess.run(["git", "annex", "fsck", "-q", "."], cwd=clone, check=True, capture_output=True)
        assert (clone / "large.bin").read_bytes() == LARGE

    die_at_every_step(get, cloned.fresh, finished_by_git_annex, repeat=False, stride=stride(61))


@pytest.mark.parametrize("error", DISK_ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("once", [True, False], ids=["once", "from then on"])
def test_a_get_withstands_every_refusal_of_the_disk(cloned: Template, stride: Stride, error: int, once: bool) -> None:
    fail_at_every_step(
        get,
        cloned.fresh,
        all_is_here,
        error=error,
        once=once,
        when_failed=nothing_wrong_is_visible,
        stride=stride(21 if error == errno.ENOSPC else 57),
    )


def test_somebody_may_drop_at_the_source_at_any_moment(cloned: Template, stride: Stride) -> None:
    def drop(folder: Path) -> None:
        subprocess.run(
            ["git", "annex", "drop", "-q", "--force", "small.bin", "large.bin"], cwd=folder / ORIGIN, check=True
        )

    def back(folder: Path) -> None:
        nothing_wrong_is_visible(folder)
        for name, data in {"small.bin": b"small", "large.bin": LARGE}.items():
            place = folder / ORIGIN / name
            if not place.exists():
                place.unlink()
                place.write_bytes(data)
                git(folder / ORIGIN, "annex", "add", "-q", "--force-large", name)

    act_at_every_step(get, cloned.fresh, drop, all_is_here, when_ended=back, stride=stride(45))


def test_somebody_may_write_into_the_source_at_any_moment(cloned: Template, stride: Stride) -> None:
    def spoil(folder: Path) -> None:
        place = (folder / ORIGIN / "large.bin").resolve()
        place.chmod(0o644)
        with place.open("r+b") as file:
            file.seek(len(LARGE) - 10)
            file.write(b"??????????")

    def mend(folder: Path) -> None:
        nothing_wrong_is_visible(folder)
        (folder / ORIGIN / "large.bin").resolve().write_bytes(LARGE)

    act_at_every_step(get, cloned.fresh, spoil, all_is_here, when_ended=mend, stride=stride(33))


def test_git_annex_may_get_the_same_at_any_moment(cloned: Template, stride: Stride) -> None:
    def get_too(folder: Path) -> None:
        words = ("timeout", "-s", "KILL", "30", "git", "annex", "get", "-q", ".")  # it may have to wait for our locks
        subprocess.run(words, cwd=folder / CLONE, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    act_at_every_step(get, cloned.fresh, get_too, all_is_here, stride=stride(61))


def test_two_gets_at_once_both_end_well(cloned: Template) -> None:
    folder = cloned.fresh()
    before = contents(folder / ORIGIN)
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                code = get(folder, Steps())
            except BaseException:  # noqa: BLE001 - whatever it is, the parent sees that the child failed
                code = 1
            os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    all_is_here(folder, annex=True)
    assert contents(folder / ORIGIN) == before
