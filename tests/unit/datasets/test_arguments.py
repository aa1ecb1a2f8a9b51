"""Paths as users type them: what they stand for, and what is refused."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.arguments import scopes_of
from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.model.errors import NoDataset, OutsideDataset, PathNotFound


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    top = tmp_path / "top"
    (top / "d").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    for name in ("a.txt", "d/b.txt", "d/[c].txt", "gone"):
        (top / name).touch()
    subprocess.run(["git", "add", "gone", "d/b.txt"], cwd=top, check=True)
    (top / "gone").unlink()
    return open_dataset(str(top), Surroundings(environment=dict(os.environ)))


def scopes(dataset: Dataset, *paths: str, folder: str = "") -> tuple[bytes, ...]:
    found, problems = scopes_of(dataset, os.path.join(dataset.work_tree, folder), paths)
    if problems:
        raise problems[0]
    return found


@pytest.mark.parametrize(
    ("said", "folder", "meant"),
    [
        (".", "", (b"",)),
        ("./", "d", (b"d",)),
        ("..", "d", (b"",)),
        ("a.txt", "", (b"a.txt",)),
        ("d/", "", (b"d",)),
        ("d//b.txt", "", (b"d/b.txt",)),
        ("../a.txt", "d", (b"a.txt",)),
        ("gone", "", (b"gone",)),
        ("*.txt", "", (b"a.txt",)),
        ("d/*", "", (b"d/b.txt", b"d/[c].txt")),
        ("d/[c].txt", "", (b"d/[c].txt",)),
    ],
)
def test_a_path_stands_for_what_is_there_or_was_recorded(
    dataset: Dataset, said: str, folder: str, meant: tuple[bytes, ...]
) -> None:
    assert scopes(dataset, said, folder=folder) == meant


@pytest.mark.parametrize(("said", "folder"), [(".git", ""), (".git/config", ""), (".", ".git"), ("config", ".git")])
def test_what_is_gits_own_is_no_part_of_the_dataset(dataset: Dataset, said: str, folder: str) -> None:
    with pytest.raises(OutsideDataset, match="git's own folder"):
        scopes(dataset, said, folder=folder)


def test_a_name_that_only_begins_like_gits_own_is_a_files(dataset: Dataset) -> None:
    (Path(dataset.work_tree) / ".gitattributes").touch()
    assert scopes(dataset, ".gitattributes") == (b".gitattributes",)


def test_an_absolute_path_and_one_through_a_link_to_the_dataset_are_the_same(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("top")
    assert scopes(dataset, os.path.join(dataset.work_tree, "a.txt")) == (b"a.txt",)
    assert scopes(dataset, str(tmp_path / "link" / "a.txt")) == (b"a.txt",)


def test_a_link_is_itself_and_what_lies_beyond_it_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret").touch()
    os.symlink("../out", os.path.join(dataset.work_tree, "l"))
    os.symlink("d", os.path.join(dataset.work_tree, "inside"))
    assert scopes(dataset, "l") == (b"l",)
    for beyond in ("l/secret", "inside/b.txt", "l/nothing"):
        with pytest.raises(OutsideDataset):
            scopes(dataset, beyond)


@pytest.mark.parametrize("said", ["nothing", "*.none", "d/nothing", "[", "-x"])
def test_what_matches_nothing_is_named(dataset: Dataset, said: str) -> None:
    with pytest.raises(PathNotFound) as refused:
        scopes(dataset, said)
    assert said in refused.value.what


@pytest.mark.parametrize("said", ["..", "/", "../top2/x"])
def test_what_lies_outside_is_refused(dataset: Dataset, said: str) -> None:
    with pytest.raises(OutsideDataset):
        scopes(dataset, said)


def test_what_lies_in_a_subdataset_is_refused(dataset: Dataset) -> None:
    subprocess.run(["git", "init", "-q", "sub"], cwd=dataset.work_tree, check=True)
    Path(dataset.work_tree, "sub", "f").touch()
    assert scopes(dataset, "sub") == (b"sub",)
    with pytest.raises(OutsideDataset):
        scopes(dataset, "sub/f")


def test_every_problem_is_told_and_the_rest_is_found(dataset: Dataset) -> None:
    found, problems = scopes_of(dataset, dataset.work_tree, ["a.txt", "no", "a.txt", "..", "d"])
    assert found == (b"a.txt", b"d")
    assert [type(problem) for problem in problems] == [PathNotFound, OutsideDataset]


def test_names_that_are_not_text_are_found(dataset: Dataset) -> None:
    Path(os.fsdecode(os.fsencode(dataset.work_tree) + b"/\xff")).touch()
    assert scopes(dataset, os.fsdecode(b"\xff")) == (b"\xff",)


def test_a_bare_repository_and_no_repository_are_no_dataset(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", "bare"], cwd=tmp_path, check=True)
    for folder in (tmp_path / "bare", tmp_path):
        with pytest.raises(NoDataset):
            open_dataset(str(folder), Surroundings(environment={}))
