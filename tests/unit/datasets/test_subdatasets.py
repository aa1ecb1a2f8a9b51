"""Nested repositories: recorded by their commit, and none of them can harm the dataset that holds it."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.nesting import checked_out, installed
from engram.datasets.saving.decisions import Decisions
from engram.datasets.saving.subdatasets import Registration, dataset_id_of, record_subdatasets
from engram.datasets.worktree import Found
from engram.model.errors import DamagedRepository, NothingToRecord, UnsupportedFile


def git(folder: Path | str, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def opened(folder: Path) -> Dataset:
    return open_dataset(str(folder), Surroundings(environment=dict(os.environ)))


@pytest.fixture
def top(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / ".git" / "engram").mkdir()
    return tmp_path


def nested(top: Path, name: str = "sub", *options: str) -> Path:
    git(top, "init", "-q", *options, name)
    git(top / name, "commit", "-q", "--allow-empty", "-m", "one")
    return top / name


def recorded(top: Path, *names: str) -> Registration:
    dataset = opened(top)
    decisions = Decisions(repositories=[Found(os.fsencode(name), "repository") for name in names])
    return record_subdatasets(dataset, dataset.read_index(), decisions)


def test_a_new_one_is_recorded_by_its_commit_and_git_knows_it(top: Path) -> None:
    commit = git(nested(top), "rev-parse", "HEAD")
    made = recorded(top, "sub")
    assert [one.path for one in made.recorded] == [b"sub", b".gitmodules"]
    assert made.recorded[0].entry.oid.hex() == commit
    assert made.problems == []
    assert git(top, "config", "submodule.sub.active") == "true"
    assert git(top, "config", "-f", ".gitmodules", "submodule.sub.path") == "sub"


def test_the_secrets_of_where_it_came_from_are_not_recorded(top: Path) -> None:
    git(nested(top), "remote", "add", "origin", "https://ada:secret@example.org/sub.git")
    branch = git(top / "sub", "symbolic-ref", "--short", "HEAD")
    git(top / "sub", "config", f"branch.{branch}.remote", "origin")
    recorded(top, "sub")
    assert git(top, "config", "-f", ".gitmodules", "submodule.sub.url") == "https://example.org/sub.git"
    assert "secret" not in (top / ".git" / "config").read_text()


def test_one_of_another_hash_is_refused_and_nothing_is_recorded(top: Path) -> None:
    nested(top, "sub", "--object-format=sha256")
    made = recorded(top, "sub")
    assert [type(problem) for problem in made.problems] == [UnsupportedFile]
    assert made.recorded == []
    assert not (top / ".gitmodules").exists()


def test_a_damaged_or_empty_one_does_not_stop_the_others(top: Path) -> None:
    (nested(top, "damaged") / ".git" / "HEAD").write_text("garbage")
    git(top, "init", "-q", "empty")
    nested(top, "good")
    made = recorded(top, "damaged", "empty", "good")
    assert {type(problem) for problem in made.problems} == {DamagedRepository, NothingToRecord}
    assert [one.path for one in made.recorded] == [b"good", b".gitmodules"]


def test_a_folder_that_is_no_repository_never_gets_the_outer_commit(top: Path) -> None:
    git(top, "commit", "-q", "--allow-empty", "-m", "outer")
    (top / "sub" / ".git").mkdir(parents=True)
    assert checked_out(opened(top), b"sub") == ""
    assert checked_out(opened(top), b"nothing") == ""


def test_permissions_of_the_configuration_stay_and_no_lock_is_left(top: Path) -> None:
    nested(top)
    (top / ".git" / "config").chmod(0o600)
    recorded(top, "sub")
    assert (top / ".git" / "config").stat().st_mode & 0o777 == 0o600
    assert not (top / ".git" / "config.lock").exists()


def test_registering_twice_writes_one_section(top: Path) -> None:
    nested(top)
    recorded(top, "sub")
    recorded(top, "sub")
    assert (top / ".gitmodules").read_text().count("[submodule") == 1
    assert (top / ".git" / "config").read_text().count("[submodule") == 1


def test_installed_ones_come_with_the_deepest_first(top: Path) -> None:
    nested(nested(top, "a"), "b")
    git(top / "a", "-c", "advice.addEmbeddedRepo=false", "add", "b")
    git(top, "-c", "advice.addEmbeddedRepo=false", "add", "a")
    assert [os.path.relpath(one.work_tree, top) for one in installed(opened(top))] == ["a/b", "a"]
    assert [os.path.relpath(one.work_tree, top) for one in installed(opened(top), limit=1)] == ["a"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[datalad "dataset"]\n\tid = abc\n', "abc"),
        ("[datalad]\n", ""),
        ("not a configuration", ""),
        ('[DataLad "dataset"] ID = "a b"', "a b"),
    ],
)
def test_the_id_is_read_as_git_reads_it(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "config").write_text(text)
    assert dataset_id_of(str(tmp_path / "config")) == found


def test_what_is_no_file_holds_no_id(tmp_path: Path) -> None:
    assert dataset_id_of(str(tmp_path)) == ""
    assert dataset_id_of(str(tmp_path / "none")) == ""
