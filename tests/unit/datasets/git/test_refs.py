"""Repositories and refs, as git finds and reads them."""

import os
from pathlib import Path

import pytest

from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import Refs, Repository, find_repository, holds_repository, repository_in
from engram.model.errors import DamagedRepository
from tests.unit.datasets.git.conftest import Git, make_git


def repository(work: Path) -> Repository:
    found = find_repository(os.fsencode(work))
    assert found is not None
    return found


def commit(git: Git, message: str = "one") -> bytes:
    git("commit", "-q", "--allow-empty", "-m", message)
    return git("rev-parse", "HEAD").strip()


def test_before_the_first_commit_there_is_a_branch_and_no_commit(work: Path) -> None:
    head = Refs(repository(work)).head()
    assert (head.name, head.oid) == (b"refs/heads/main", None)


def test_loose_packed_and_symbolic_refs_are_what_git_says(work: Path, git: Git) -> None:
    commit(git)
    git("tag", "early")
    git("tag", "-m", "annotated", "deep/er")
    git("pack-refs", "--all")
    commit(git, "two")
    git("branch", "feature/a")
    git("update-ref", "refs/remotes/origin/git-annex", "HEAD")
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/git-annex")
    refs = Refs(repository(work))
    said = [line.split() for line in git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()]
    assert {name: (refs.resolve(name) or b"").hex().encode() for _, name in said} == {name: oid for oid, name in said}
    assert list(refs.names(b"refs/")) == sorted(name for _, name in said)
    assert list(refs.names(b"refs/heads/")) == [b"refs/heads/feature/a", b"refs/heads/main"]


def test_a_ref_that_is_not_there_is_none(work: Path, git: Git) -> None:
    commit(git)
    refs = Refs(repository(work))
    for name in (b"refs/heads/none", b"refs/heads/main/below", b"refs/heads", b"refs/none/at/all"):
        assert refs.resolve(name) is None
    assert list(refs.names(b"refs/none/")) == []


def test_a_detached_head_is_a_commit_without_a_branch(work: Path, git: Git) -> None:
    oid = commit(git)
    git("checkout", "-q", "--detach")
    head = Refs(repository(work)).head()
    assert (head.name, (head.oid or b"").hex().encode()) == (None, oid)


def test_a_linked_work_tree_has_its_own_head_and_shares_the_branches(work: Path, git: Git, tmp_path: Path) -> None:
    oid = commit(git)
    git("worktree", "add", "-q", "-b", "other", str(tmp_path / "linked"))
    found = repository(tmp_path / "linked")
    assert found.common_dir == os.fsencode(work / ".git")
    refs = Refs(found)
    assert refs.head().name == b"refs/heads/other"
    assert refs.resolve(b"refs/heads/main") == bytes.fromhex(oid.decode())


def test_the_nearest_repository_above_is_found(work: Path) -> None:
    deep = work / "a" / "b"
    deep.mkdir(parents=True)
    assert repository(deep).work_tree == os.fsencode(work)
    assert find_repository(os.fsencode(work / ".git" / "refs")) is not None


def test_a_bare_repository_has_no_work_tree(tmp_path: Path) -> None:
    make_git(tmp_path)("init", "-q", "--bare", "bare.git")
    assert repository(tmp_path / "bare.git").work_tree == b""


def test_no_repository_is_none(tmp_path: Path) -> None:
    assert repository_in(os.fsencode(tmp_path)) is None


@pytest.mark.parametrize("content", [b"", b"gitdir: nowhere\n", b"gitdir: /\n", b"\xff\x00", b"gitdir:x"])
def test_a_git_file_that_leads_nowhere_makes_no_repository(work: Path, git: Git, content: bytes) -> None:
    inner = work / "inner"
    inner.mkdir()
    (inner / ".git").write_bytes(content)
    assert not holds_repository(os.fsencode(inner))


@pytest.mark.parametrize("part", ["HEAD", "objects", "refs"])
def test_a_git_folder_that_lacks_a_part_makes_no_repository(work: Path, git: Git, part: str) -> None:
    inner = work / "inner"
    make_git(work)("init", "-q", "inner")
    assert holds_repository(os.fsencode(inner))
    (inner / ".git" / part).rename(work / "away")
    (inner / "file").touch()
    assert not holds_repository(os.fsencode(inner))
    assert b"inner/file" in git("ls-files", "--others")


def test_an_absorbed_submodule_is_found_where_its_git_file_points(work: Path, git: Git) -> None:
    (work / ".git" / "modules").mkdir()
    make_git(work)("init", "-q", "--separate-git-dir", str(work / ".git" / "modules" / "sub"), "sub")
    found = repository_in(os.fsencode(work / "sub"))
    assert found is not None
    assert found.git_dir == os.fsencode(work / ".git" / "modules" / "sub")


@pytest.mark.parametrize("text", [b"", b"garbage", b"ref: ../../outside\n", b"ref: refs/../../x\n", b"ref: \n"])
def test_a_head_that_makes_no_sense_is_damage(work: Path, text: bytes) -> None:
    (work / ".git" / "HEAD").write_bytes(text)
    with pytest.raises(DamagedRepository, match="HEAD"):
        Refs(repository(work)).head()


@pytest.mark.parametrize("name", ["HEAD", "packed-refs", "config"])
def test_a_fifo_in_place_of_a_ref_or_of_a_list_of_them_is_waited_for_by_nobody(work: Path, name: str) -> None:
    (work / ".git" / name).unlink(missing_ok=True)
    os.mkfifo(work / ".git" / name)
    with pytest.raises(DamagedRepository, match=f"{name} is damaged: it is no file"):
        Refs(repository(work)).head()


@pytest.mark.parametrize("name", ["HEAD", "packed-refs", "config"])
def test_a_link_to_itself_in_place_of_a_ref_or_of_a_list_of_them_is_damage(work: Path, name: str) -> None:
    (work / ".git" / name).unlink(missing_ok=True)
    (work / ".git" / name).symlink_to(name)
    with pytest.raises(DamagedRepository, match=f"{name} is damaged"):
        Refs(repository(work)).head()


def test_refs_that_point_at_each_other_are_damage(work: Path) -> None:
    (work / ".git" / "refs" / "heads" / "a").write_bytes(b"ref: refs/heads/b\n")
    (work / ".git" / "refs" / "heads" / "b").write_bytes(b"ref: refs/heads/a\n")
    with pytest.raises(DamagedRepository):
        Refs(repository(work)).resolve(b"refs/heads/a")


@pytest.mark.parametrize(
    "text",
    [
        "[extensions]\n\tobjectformat = sha256\n",
        "[extensions] objectFormat = sha256\n",
        "[EXTENSIONS]\n\tRefStorage=reftable\n",
        "[core]\n\tbare = false\n[extensions]\n\tnewthing = 1\n",
        "[core]\n\tRepositoryFormatVersion = 2\n",
    ],
)
def test_a_format_that_is_not_read_here_is_left_to_git(work: Path, text: str) -> None:
    with (work / ".git" / "config").open("a") as file:
        file.write(text)
    with pytest.raises(NotUnderstood):
        Refs(repository(work))


@pytest.mark.parametrize("text", ["[extensions]\n\tworktreeConfig = true\n", "[extensions]\n\tobjectformat = sha1\n"])
def test_an_extension_that_changes_nothing_here_is_fine(work: Path, text: str) -> None:
    with (work / ".git" / "config").open("a") as file:
        file.write(text)
    assert Refs(repository(work)).head().oid is None
