"""Create and save survive death at each of their durable steps, and every refusal of the disk."""

import errno
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from engram.durable import Steps
from engram.testing.changing import File, tree_on_disk, write_tree
from engram.testing.faults import DISK_ERRORS, Lacking, die_at_every_step, fail_at_every_step
from engram.testing.places import Template
from engram.testing.soundness import complaints_of_git, complaints_of_git_annex, contents_kept, sound
from tests.integration.faults.operations import DATASET, Expected, create, exit_code, git, save, verbs

pytestmark = pytest.mark.integration

Stride: TypeAlias = Callable[[int], int]


def test_a_save_survives_death_at_every_step(changed: Template, expected: Expected, stride: Stride) -> None:
    died_at = die_at_every_step(
        save,
        changed.fresh,
        expected.all_saved,
        when_dead=expected.nothing_lost,
        stride=stride(9),
    )
    assert {"write", "sync", "link", "rename", "update-ref", "run"} <= {step.kind for step in died_at}


def test_git_annex_has_no_complaint_after_a_death_either(changed: Template, expected: Expected, stride: Stride) -> None:
    def ask_git_annex_too(folder: Path) -> None:
        expected.all_saved(folder, annex=True)

    die_at_every_step(save, changed.fresh, ask_git_annex_too, stride=stride(57))


def test_datalad_can_finish_what_died(changed: Template, expected: Expected, datalad: Path, stride: Stride) -> None:
    def finished_by_datalad(folder: Path) -> None:
        if (folder / DATASET / ".git" / "index.lock").exists():
            return  # git itself waits for a person then; engram knows its own lock and goes on
        subprocess.run([str(datalad), "save", "-m", "finished"], cwd=folder / DATASET, check=True, capture_output=True)
        if git(folder / DATASET, "status", "--porcelain") == "M  text/made-executable.txt\n":
            git(folder / DATASET, "commit", "-qm", "staged permissions, which DataLad does not see")
        assert expected.contents <= contents_kept(folder / DATASET)
        assert complaints_of_git(folder / DATASET) == complaints_of_git_annex(folder / DATASET) == ""

    die_at_every_step(save, changed.fresh, finished_by_datalad, repeat=False, stride=stride(117))


@pytest.mark.parametrize("error", DISK_ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("once", [True, False], ids=["once", "from then on"])
def test_a_save_withstands_every_refusal_of_the_disk(
    changed: Template, expected: Expected, stride: Stride, error: int, once: bool
) -> None:
    usually = 25 if error == errno.ENOSPC else 73
    fail_at_every_step(
        save,
        changed.fresh,
        expected.all_saved,
        error=error,
        once=once,
        when_failed=expected.nothing_lost,
        stride=stride(usually),
    )


def test_an_amending_save_survives_death_at_every_step(changed: Template, expected: Expected, stride: Stride) -> None:
    def amend(folder: Path, steps: Steps) -> int:
        return exit_code(verbs(folder / DATASET, steps).save(message="amended", amend=True))

    def one_commit(folder: Path) -> None:
        expected.all_saved(folder)
        assert git(folder / DATASET, "log", "--format=%s") == "amended\n"

    die_at_every_step(amend, changed.fresh, one_commit, when_dead=expected.nothing_lost, stride=stride(33))


def test_a_save_of_some_paths_survives_death_at_every_step(
    changed: Template, expected: Expected, stride: Stride
) -> None:
    def save_some(folder: Path, steps: Steps) -> int:
        return exit_code(verbs(folder / DATASET, steps).save(["new", "text/changed.txt"], message="some"))

    def these_alone(folder: Path) -> None:
        assert git(folder / DATASET, "log", "--format=%s") == "some\nfirst\n"
        assert git(folder / DATASET, "status", "--porcelain", "-uall", "--", "new", "text/changed.txt") == ""
        assert "annexed/changed.bin" in git(folder / DATASET, "status", "--porcelain", "-uall")

    die_at_every_step(save_some, changed.fresh, these_alone, when_dead=expected.nothing_lost, stride=stride(17))


@pytest.mark.parametrize("error", [errno.EPERM, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_a_save_without_hard_links_survives_death_at_every_step(
    changed: Template, expected: Expected, stride: Stride, error: int
) -> None:
    def save_without(folder: Path, steps: Steps) -> int:
        return save(folder, Lacking({"link": error}, steps))

    died_at = die_at_every_step(
        save_without, changed.fresh, expected.all_saved, when_dead=expected.nothing_lost, stride=stride(57)
    )
    assert died_at


def test_a_save_to_git_survives_death_at_every_step(changed: Template, expected: Expected, stride: Stride) -> None:
    def to_git(folder: Path, steps: Steps) -> int:
        return exit_code(verbs(folder / DATASET, steps).save(message="saved", to_git=True))

    die_at_every_step(to_git, changed.fresh, expected.all_saved, when_dead=expected.nothing_lost, stride=stride(21))


def test_a_tagging_save_survives_death_at_every_step(changed: Template, expected: Expected, stride: Stride) -> None:
    def tagging(folder: Path, steps: Steps) -> int:
        return exit_code(verbs(folder / DATASET, steps).save(message="saved", tag="v1"))

    def tagged(folder: Path) -> None:
        expected.all_saved(folder)
        assert git(folder / DATASET, "rev-parse", "v1") == git(folder / DATASET, "rev-parse", "HEAD")

    die_at_every_step(tagging, changed.fresh, tagged, when_dead=expected.nothing_lost, stride=stride(37))


def test_the_outcome_of_one_save_is_one_commit_wherever_it_died(changed: Template, stride: Stride) -> None:
    def one_commit_more(folder: Path) -> None:
        assert git(folder / DATASET, "log", "--format=%s") == "saved\nfirst\n"

    die_at_every_step(save, changed.fresh, one_commit_more, stride=stride(33))


def _is_a_dataset(folder: Path) -> None:
    dataset = folder / DATASET
    sound(dataset, annex=True)
    assert git(dataset, "log", "--format=%s") == "[DATALAD] new dataset\n"
    assert (dataset / ".datalad" / "config").is_file()
    assert git(dataset, "config", "annex.uuid")


@pytest.mark.usefixtures("git_annex")
def test_a_create_survives_death_at_every_step(empty: Callable[[], Path], stride: Stride) -> None:
    died_at = die_at_every_step(create, empty, _is_a_dataset, stride=stride(13))
    assert died_at


@pytest.mark.usefixtures("git_annex")
@pytest.mark.parametrize("error", DISK_ERRORS, ids=errno.errorcode.get)
def test_a_create_withstands_every_refusal_of_the_disk(empty: Callable[[], Path], error: int, stride: Stride) -> None:
    fail_at_every_step(create, empty, _is_a_dataset, error=error, stride=stride(21 if error == errno.ENOSPC else 61))


@pytest.mark.usefixtures("git_annex")
def test_a_create_in_a_full_folder_touches_nothing_there(empty: Callable[[], Path], stride: Stride) -> None:
    tree = {b"raw/a.bin": File(b"raw data"), b"notes.txt": File(b"notes\n")}

    def full() -> Path:
        folder = empty()
        write_tree(folder / DATASET, tree)
        return folder

    def untouched(folder: Path) -> None:
        on_disk = tree_on_disk(folder / DATASET)
        assert {path: on_disk.get(path) for path in tree} == tree

    def made_beside_it(folder: Path) -> None:
        untouched(folder)
        assert git(folder / DATASET, "status", "--porcelain", "-uall") == "?? notes.txt\n?? raw/a.bin\n"

    die_at_every_step(create, full, made_beside_it, when_dead=untouched, stride=stride(25))


@pytest.mark.usefixtures("git_annex")
def test_a_create_in_a_git_repository_survives_death_at_every_step(empty: Callable[[], Path], stride: Stride) -> None:
    def with_a_repository() -> Path:
        folder = empty()
        git(folder, "init", "-q", DATASET)
        (folder / DATASET / "code.py").write_text("print()\n")
        git(folder / DATASET, "add", ".")
        git(folder / DATASET, "commit", "-qm", "code")
        (folder / DATASET / "staged.py").write_text("print(1)\n")
        git(folder / DATASET, "add", ".")
        return folder

    def one_commit_more(folder: Path) -> None:
        assert git(folder / DATASET, "log", "--format=%s") == "[DATALAD] new dataset\ncode\n"
        assert git(folder / DATASET, "status", "--porcelain") == "A  staged.py\n"
        assert git(folder / DATASET, "fsck", "--strict", "--no-dangling") == ""

    die_at_every_step(create, with_a_repository, one_commit_more, stride=stride(17))


@pytest.mark.usefixtures("git_annex")
def test_a_create_in_a_superdataset_survives_death_at_every_step(
    scene: Path, empty: Callable[[], Path], stride: Stride
) -> None:
    original = empty()
    assert create(original, Steps()) == 0

    def create_inside(folder: Path, steps: Steps) -> int:
        return exit_code(verbs(folder / DATASET, steps).create("sub", dataset=".", force=True))

    def registered(folder: Path) -> None:
        sound(folder / DATASET)
        sound(folder / DATASET / "sub")
        assert git(folder / DATASET, "submodule", "status").startswith(" ")

    die_at_every_step(create_inside, Template(original, scene).fresh, registered, stride=stride(29))
