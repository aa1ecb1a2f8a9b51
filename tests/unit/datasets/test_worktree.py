"""A walk sees what ``git status`` sees."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.datasets.git.ignore import Ignore
from engram.datasets.git.index import GitIndex
from engram.datasets.worktree import Differences, Untracked, link_above, walk
from engram.durable import Steps, remove_tree
from engram.testing.changing import Change, Tree, changes, trees, write_tree

RULES = st.lists(
    st.sampled_from(["*.dat", "!keep.dat", "/a", "b/", "**/c", "#note", "a/*", "!a/b", "?", "[ab]*", " ", "\\!x"]),
    max_size=4,
)


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True).stdout


def looked_at(folder: Path, untracked: Untracked = Untracked.ALL, scopes: tuple[bytes, ...] = (b"",)) -> Differences:
    index = GitIndex.read(os.fsencode(folder / ".git" / "index"))
    git_dir = os.fsencode(folder / ".git")
    ignore = Ignore.for_work_tree(os.fsencode(folder), git_dir=git_dir, excludes_file=None)
    return walk(os.fsencode(folder), index, ignore, untracked=untracked, scopes=scopes)


def told_by_git(folder: Path, how: str) -> tuple[set[bytes], set[bytes]]:
    """What is untracked, and what is deleted or became something else."""
    lines = git(folder, "status", "--porcelain", "-z", f"-u{how}", "--no-renames").split(b"\0")
    untracked = {line[3:].rstrip(b"/") for line in lines if line[:2] == b"??"}
    return untracked, {line[3:] for line in lines if line[1:2] == b"D"}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(trees(8), st.lists(changes(), max_size=5), RULES, st.sampled_from(["all", "normal", "no"]))
def test_on_any_tree_after_any_changes_git_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, tree: Tree, acts: list[Change], rules: list[str], how: str
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    git(folder, "init", "-q")
    write_tree(folder, tree)
    git(folder, "add", "-A")
    (folder / ".git" / "info" / "exclude").write_text("\n".join(rules) + "\n")
    for act in acts:
        act.on_disk(folder, tree)
        tree = act.in_model(tree)
    seen = looked_at(folder, Untracked(how))
    index = GitIndex.read(os.fsencode(folder / ".git" / "index"))
    untracked, deleted = told_by_git(folder, how)
    assert {found.path for found in seen.untracked} == untracked
    assert {index.paths[i] for i in seen.missing} == deleted
    remove_tree(Steps(), str(folder))


def test_a_clean_tree_has_nothing_to_tell(work: Path) -> None:
    (work / "a").mkdir()
    (work / "a" / "f").write_text("x")
    git(work, "add", "-A")
    os.utime(work / ".git" / "index", (2e9, 2e9))  # written long after the files
    assert looked_at(work) == Differences()


@pytest.mark.parametrize("kind", ["folder", "git file", "empty git folder"])
def test_a_folder_that_only_looks_like_a_repository_is_an_ordinary_one(work: Path, kind: str) -> None:
    (work / "inner").mkdir()
    (work / "inner" / "f").touch()
    if kind == "git file":
        (work / "inner" / ".git").write_text("gitdir: nowhere\n")
    elif kind == "empty git folder":
        (work / "inner" / ".git").mkdir()
    assert [(found.path, found.kind) for found in looked_at(work).untracked] == [(b"inner/f", "file")]


def test_a_repository_inside_is_one_thing(work: Path) -> None:
    git(work, "init", "-q", "inner")
    (work / "inner" / "f").touch()
    for untracked in (Untracked.ALL, Untracked.NORMAL):
        assert [(f.path, f.kind) for f in looked_at(work, untracked).untracked] == [(b"inner", "repository")]


def test_what_lies_beyond_a_link_is_no_part_of_the_work_tree(work: Path) -> None:
    (work / "d").mkdir()
    (work / "d" / "f").touch()
    git(work, "add", "-A")
    (work / "d").rename(work / "moved")
    (work / "d").symlink_to("moved")
    seen = looked_at(work, scopes=(b"d/f", b"d/g"))
    assert (len(seen.missing), seen.doubtful, seen.untracked) == (1, [], [])
    assert link_above(os.fsencode(work), b"d/f") == b"d"
    assert link_above(os.fsencode(work), b"d") == b""
    assert link_above(os.fsencode(work), b"") == b""


def test_pipes_are_told_apart(work: Path) -> None:
    os.mkfifo(work / "pipe")
    seen = looked_at(work)
    assert ([found.path for found in seen.special], seen.untracked) == ([b"pipe"], [])


def test_a_scope_counts_once_however_often_it_is_named(work: Path) -> None:
    (work / "a").mkdir()
    (work / "a" / "f").touch()
    seen = looked_at(work, scopes=(b"a", b"a/f", b"a"))
    assert [found.path for found in seen.untracked] == [b"a/f"]


class TestAnUnreadableFolder:
    @pytest.fixture
    def folder(self, as_root: None, tmp_path: Path) -> Iterator[Path]:
        """A work tree whose folder ``d`` holds a recorded file; looked at by somebody who may not."""
        for above in (tmp_path, *tmp_path.parents[:3]):
            above.chmod(0o755)
        git(tmp_path, "init", "-q")
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / "f").touch()
        git(tmp_path, "add", "-A")
        os.seteuid(65534)
        try:
            yield tmp_path
        finally:
            os.seteuid(0)

    @pytest.mark.parametrize("mode", [0o000, 0o744, 0o711])
    @pytest.mark.parametrize("scope", [b"", b"d", b"d/f"])
    def test_is_never_called_empty(self, folder: Path, mode: int, scope: bytes) -> None:
        os.seteuid(0)
        (folder / "d").chmod(mode)
        os.seteuid(65534)
        seen = looked_at(folder, scopes=(scope,))
        assert seen.missing == []
        if not (mode == 0o711 and scope == b"d/f"):  # that one may be reached by name
            assert len(seen.problems) == 1


@pytest.mark.parametrize("scope", [b"", b"a", b"a/new"])
def test_after_a_walk_the_index_names_the_same_entries_as_too_young_as_before(work: Path, scope: bytes) -> None:
    (work / "a").mkdir()
    for name in ("a/new", "a/old", "b", "old"):
        (work / name).write_text(name)
        os.utime(work / name, (1e9, 1e9))
    git(work, "add", ".")
    for name in ("a/new", "b"):
        os.utime(work / name, (2e9, 2e9))
    git(work, "update-index", "--refresh")
    index = GitIndex.read(os.fsencode(work / ".git" / "index"))
    young = index.racy_entries()
    assert [index.paths[i] for i in young] == [b"a/new", b"b"]
    ignore = Ignore.for_work_tree(os.fsencode(work), git_dir=os.fsencode(work / ".git"), excludes_file=None)
    assert not walk(os.fsencode(work), index, ignore, scopes=(scope,)).untracked
    assert index.racy_entries() == young
