"""The makers of folders make what they say, and the same each time."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given

from engram.testing import trees
from engram.testing.changing import (
    Append,
    Change,
    Delete,
    File,
    Link,
    Put,
    Rename,
    Toggle,
    Tree,
    changes,
    tree_on_disk,
    with_content,
    write_tree,
)
from engram.testing.changing import trees as random_trees
from engram.testing.places import Template, contents, digests, remove_tree, scratch
from engram.testing.sessions_on_disk import neuroscience_files, write_neuroscience_tree


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as scene:
        (scene / "dataset").mkdir()
        (scene / "outside").mkdir()
        yield scene / "dataset"


MAKERS: list[Callable[[Path], tuple[bytes, ...]]] = [
    trees.odd_names,
    trees.deep_folder,
    trees.long_path,
    trees.extensions,
    lambda folder: trees.links(folder, folder.parent / "outside"),
    trees.sizes,
    trees.modes,
    lambda folder: trees.hard_links(folder, folder.parent / "outside"),
    trees.empty_folders,
    trees.ignored_files,
    trees.special_files,
    trees.unreadable_files,
    trees.nested_repositories,
    trees.names_git_refuses,
]


@pytest.mark.parametrize("make", MAKERS)
def test_all_that_a_maker_names_is_there(folder: Path, make: Callable[[Path], tuple[bytes, ...]]) -> None:
    made = make(folder)
    assert made
    assert len(set(made)) == len(made)
    if os.geteuid() == 0:
        assert set(made) <= set(contents(folder))


def test_git_keeps_everything_in_the_nasty_tree(folder: Path) -> None:
    made = trees.nasty_tree(folder, folder.parent / "outside")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"], ["fsck", "--strict"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, check=True).stdout
    assert set(kept.rstrip(b"\0").split(b"\0")) == set(made)


def test_git_refuses_the_names_that_are_said_to_be_refused(folder: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for name in trees.names_git_refuses(folder):
        subprocess.run(["git", "update-index", "--add", "--", name], cwd=folder, capture_output=True, check=False)
    assert subprocess.run(["git", "ls-files"], cwd=folder, capture_output=True, check=True).stdout == b""


def test_a_copy_of_a_template_has_the_same_times_links_holes_and_modes(folder: Path) -> None:
    trees.nasty_tree(folder, folder.parent / "outside")
    trees.special_files(folder)
    os.utime(folder / "sizes" / "0.bin", ns=(1, 123_456_789))
    template = Template(folder, folder.parent)
    first = template.fresh()
    assert contents(first) == contents(folder)
    assert (first / "sizes" / "0.bin").stat().st_mtime_ns == 123_456_789
    assert (first / "hard" / "one").samefile(first / "hard" / "two")
    assert (first / "sizes" / "sparse.bin").stat().st_blocks == 0
    second = template.fresh()
    assert not first.exists()
    assert contents(second) == contents(folder)


def test_digests_shrink_when_content_is_lost_and_not_when_it_moves(folder: Path) -> None:
    trees.sizes(folder)
    before = digests(folder)
    (folder / "sizes" / "1.bin").rename(folder / "moved")
    assert digests(folder) == before
    (folder / "moved").unlink()
    assert len(before - digests(folder)) == 1


def test_a_tree_of_whatever_permissions_can_be_removed(folder: Path) -> None:
    trees.unreadable_files(folder)
    trees.links(folder, folder.parent / "outside")
    trees.deep_folder(folder)
    for path, _, _ in os.walk(folder):
        os.chmod(path, 0o500)
    remove_tree(folder)
    assert not folder.exists()
    assert (folder.parent / "outside" / "outside").exists()


def test_the_neuroscience_tree_is_as_large_as_asked_and_the_same_each_time(folder: Path) -> None:
    files = list(neuroscience_files(34_000))
    assert files == list(neuroscience_files(34_000))
    names = {path for path, _ in files}
    assert len(names) == 34_000
    assert not names & {parent for path in names for parent in path.parents}
    assert {".gz", ".npy", ".json", ".tsv", ".bin", ".meta", ".tif"} <= {path.suffix for path in names}
    write_neuroscience_tree(folder, 500)
    assert {PurePosixPath(os.fsdecode(path)) for path in tree_on_disk(folder)} == {path for path, _ in files[:500]}


@given(random_trees())
def test_a_random_tree_is_on_disk_as_in_the_model(tree: Tree) -> None:
    with scratch() as folder:
        write_tree(folder, tree)
        assert tree_on_disk(folder) == tree


@given(random_trees(), changes(), changes())
def test_a_change_does_the_same_to_the_disk_and_to_the_model(tree: Tree, first: Change, second: Change) -> None:
    with scratch() as folder:
        write_tree(folder, tree)
        for change in (first, second):
            change.on_disk(folder, tree)
            tree = change.in_model(tree)
            assert tree_on_disk(folder) == tree


def test_the_changes_are_what_their_names_say() -> None:
    tree: Tree = {b"a": File(b"1"), b"b/c": Link(b"x"), b"b/d": File(b"2")}
    assert Put(b"b", File(b"3")).in_model(tree) == {b"a": File(b"1"), b"b": File(b"3")}
    assert Append(0, b"2").in_model(tree)[b"a"] == File(b"12")
    assert Append(1, b"2").in_model(tree) == tree
    assert Toggle(2).in_model(tree)[b"b/d"] == File(b"2", executable=True)
    assert Delete(1).in_model(tree) == {b"a": File(b"1"), b"b/d": File(b"2")}
    assert Delete(1, whole_folder=True).in_model(tree) == {b"a": File(b"1")}
    assert Rename(0, b"b/c/e").in_model(tree) == {b"b/c/e": File(b"1"), b"b/d": File(b"2")}
    assert Rename(2, b"b").in_model(tree) == {b"a": File(b"1"), b"b": File(b"2")}
    assert Append(7, b"").in_model({}) == Toggle(7).in_model({}) == Delete(7).in_model({}) == {}
    assert with_content(tree) == {b"1", b"2"}


def test_a_link_into_the_annex_is_seen_as_its_content(folder: Path) -> None:
    place = folder / ".git" / "annex" / "objects" / "00" / "11" / "key"
    place.mkdir(parents=True)
    (place / "key").write_bytes(b"content")
    (folder / "annexed").symlink_to(".git/annex/objects/00/11/key/key")
    (folder / "moved").symlink_to("../.git/annex/objects/00/11/key/key")
    (folder / "elsewhere").symlink_to(".git/annex/objects/00/11/other/other")
    (folder / "own").symlink_to("annexed")
    assert tree_on_disk(folder) == {
        b"annexed": File(b"content"),
        b"moved": File(b"content"),
        b"elsewhere": Link(b".git/annex/objects/00/11/other/other"),
        b"own": Link(b"annexed"),
    }
