"""The index: read what git wrote, write what git reads."""

import os
from pathlib import Path

import pytest

from engram.datasets.git.index import (
    INTENT_TO_ADD,
    SKIP_WORKTREE,
    STAT_BLOCK,
    Entry,
    GitIndex,
    StatRules,
    entry_from_stat,
    entry_without_stat,
)
from engram.datasets.git.index_write import complete_changes, write_index
from engram.datasets.git.objects import object_id
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.trees import build_trees
from engram.model.errors import DamagedRepository, UnsupportedFile
from tests.unit.datasets.git.conftest import Git

FILES = ["a", "a.b/c", "b/c/d", "b/c0", "b/cc/é x", "z" * 250, "b.txt", "long/" + "n" * 200 + "/x"]


def fill(work: Path, git: Git, version: int) -> None:
    for name in FILES:
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, (1_600_000_000, 1_600_000_000))
    (work / "link").symlink_to("a")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "m")
    git("update-index", f"--index-version={version}", "--force-write-index")
    if version == 3:
        (work / "ita").write_text("x")
        git("add", "-N", "ita")
        git("update-index", "--skip-worktree", "a")


def index_of(work: Path) -> GitIndex:
    return GitIndex.read(os.fsencode(work / ".git/index"))


def aged(index: GitIndex) -> GitIndex:
    """The index as if it were written long after every file in it, so that no entry is racy."""
    index.mtime_ns = 4_000_000_000 * 10**9
    return index


def ls_files(git: Git) -> list[tuple[bytes, ...]]:
    found = []
    for line in git("ls-files", "-s", "-z").split(b"\0")[:-1]:
        meta, path = line.split(b"\t", 1)
        found.append((*meta.split(b" "), path))
    return found


def as_git_says(index: GitIndex) -> list[tuple[bytes, ...]]:
    return [(b"%06o" % e.mode, e.oid.hex().encode(), b"%d" % e.stage, e.path) for e in index.entries()]


@pytest.mark.parametrize("version", [2, 3, 4])
def test_an_index_that_git_wrote_reads_as_git_lists_it(work: Path, git: Git, version: int) -> None:
    fill(work, git, version)
    index = index_of(work)
    assert index.version == version
    assert as_git_says(index) == ls_files(git)
    assert index.by_path[b"a"] == index.find(b"a") == 0
    assert index.find(b"nothing") is None
    for i, path in enumerate(index.paths):
        assert index.mode(i) == index.entry(i).mode
        assert index.oid(i) == index.entry(i).oid
        if path != b"ita":
            assert index.stat_matches(i, os.lstat(os.fsencode(work) + b"/" + path))


@pytest.mark.parametrize("version", [2, 3, 4])
def test_an_index_written_unchanged_is_the_same_bytes(work: Path, git: Git, version: int) -> None:
    fill(work, git, version)
    index = aged(index_of(work))
    assert write_index(index, {}, index.cache_tree) == index.data


@pytest.mark.parametrize("version", [2, 3, 4])
def test_every_entry_written_anew_is_the_same_bytes(work: Path, git: Git, version: int) -> None:
    fill(work, git, version)
    index = aged(index_of(work))
    changes = {entry.path: entry for entry in index.entries()}
    assert write_index(index, changes, index.cache_tree) == index.data
    (work / ".git/index").unlink()
    if version < 4:
        assert write_index(index_of(work), changes, index.cache_tree) == index.data


@pytest.mark.parametrize("version", [2, 3, 4])
def test_git_takes_a_changed_index_and_reads_no_file(work: Path, git: Git, version: int) -> None:
    fill(work, git, version)
    git("config", "filter.canary.clean", "touch canary; cat")
    (work / ".git/info/attributes").write_text("* filter=canary\n")
    new = {b"b/c/new": b"1", b"b": None, b"aa/b": b"2", b"zz": b"3"}
    changes: dict[bytes, Entry | None] = {b"a.b/c": None}
    for path, content in new.items():
        target = work / os.fsdecode(path)
        if content is None:
            continue
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
        os.utime(target, (1_600_000_000, 1_600_000_000))
        changes[path] = entry_from_stat(path, target.lstat(), 0o100644, object_id(b"blob", content))
        git("hash-object", "-w", "--stdin", stdin=content)
    (work / "a.b/c").unlink()
    index = index_of(work)
    changes = complete_changes(index, changes)
    built = build_trees(index, changes)
    (work / ".git/index").write_bytes(write_index(index, changes, built.cache_tree, checked=index.paths))
    expected = set(index.paths) - {b"a.b/c"} | {b"b/c/new", b"aa/b", b"zz"}
    assert {line[3] for line in ls_files(git)} == expected
    for _, data in built.objects:
        git("hash-object", "-w", "-t", "tree", "--stdin", stdin=data)
    before = (work / ".git/index").read_bytes()
    status = git("--no-optional-locks", "status", "--porcelain", "-uno")
    assert all(not line or line[1:2] == b" " or b" ita" in line for line in status.splitlines()), status
    assert not (work / "canary").exists()
    assert (work / ".git/index").read_bytes() == before
    git("fsck", "--strict")
    assert git("write-tree").strip() == built.root.hex().encode()


def test_flags_are_kept(work: Path, git: Git) -> None:
    fill(work, git, 3)
    git("update-index", "--assume-unchanged", "b.txt")
    index = index_of(work)
    assert index.flags(index.by_path[b"a"]) == SKIP_WORKTREE
    assert index.flags(index.by_path[b"ita"]) == INTENT_TO_ADD
    assert index.flags(index.by_path[b"b.txt"]) == 0x8000


def test_a_version_2_index_becomes_3_for_an_entry_that_needs_it(work: Path, git: Git) -> None:
    fill(work, git, 2)
    index = aged(index_of(work))
    entry = entry_without_stat(b"later", 0o100644, object_id(b"blob", b""), INTENT_TO_ADD)
    (work / ".git/index").write_bytes(write_index(index, {b"later": entry}, None))
    git("hash-object", "-w", "--stdin")
    assert index_of(work).version == 3
    assert b"later" in git("ls-files")
    assert b"later" not in git("ls-tree", "--name-only", git("write-tree").strip())


def test_an_entry_as_old_as_the_index_makes_git_look_again(work: Path, git: Git) -> None:
    fill(work, git, 2)
    path = work / "b.txt"
    git("update-index", "--refresh")
    index = index_of(work)
    index.mtime_ns = path.stat().st_mtime_ns
    assert index.is_racy(index.by_path[b"b.txt"])
    assert b"b.txt" in {index.paths[i] for i in index.racy_entries()}
    written = GitIndex.from_bytes(write_index(index, {}, None))
    assert STAT_BLOCK.unpack(written.entry(written.by_path[b"b.txt"]).stat_block)[9] == 0
    written = GitIndex.from_bytes(write_index(index, {}, None, checked=index.paths))
    assert STAT_BLOCK.unpack(written.entry(written.by_path[b"b.txt"]).stat_block)[9] == len("b.txt")


def test_an_index_that_is_not_there_is_empty(tmp_path: Path) -> None:
    index = GitIndex.read(os.fsencode(tmp_path / "index"))
    assert (len(index), index.version, index.cache_tree) == (0, 2, None)
    assert GitIndex.from_bytes(write_index(index, {}, None)).paths == []


def test_a_digest_of_zeros_is_accepted(work: Path, git: Git) -> None:
    fill(work, git, 2)
    data = (work / ".git/index").read_bytes()
    assert GitIndex.from_bytes(data[:-20] + bytes(20)).paths == index_of(work).paths


@pytest.mark.parametrize("position", [0, 5, 11, 30, 100, -25, -1])
def test_a_changed_byte_is_noticed(work: Path, git: Git, position: int) -> None:
    fill(work, git, 2)
    data = bytearray((work / ".git/index").read_bytes())
    data[position] ^= 1
    with pytest.raises((DamagedRepository, NotUnderstood)):
        GitIndex.from_bytes(bytes(data))


def test_a_split_index_is_left_to_git(work: Path, git: Git) -> None:
    fill(work, git, 2)
    git("update-index", "--split-index")
    with pytest.raises(NotUnderstood, match="link"):
        index_of(work)


def test_a_sparse_index_is_left_to_git(work: Path, git: Git) -> None:
    fill(work, git, 2)
    git("sparse-checkout", "set", "--cone", "--sparse-index", "b")
    with pytest.raises(NotUnderstood, match="sdir"):
        index_of(work)


def test_entries_in_conflict_keep_their_stages(work: Path, git: Git) -> None:
    fill(work, git, 2)
    blob = git("rev-parse", ":a").strip()
    lines = [b"0 %b\ta" % (b"0" * 40), *[b"100644 %b %d\ta" % (blob, stage) for stage in (1, 2, 3)]]
    git("update-index", "--index-info", stdin=b"\n".join(lines) + b"\n")
    index = index_of(work)
    assert [entry.stage for entry in index.entries() if entry.path == b"a"] == [1, 2, 3]
    assert write_index(aged(index), {}, index.cache_tree) == index.data
    with pytest.raises(NotUnderstood, match="conflict"):
        build_trees(index, {})
    resolved = {b"a": entry_without_stat(b"a", 0o100644, bytes.fromhex(blob.decode()))}
    (work / ".git/index").write_bytes(write_index(index, resolved, None))
    assert git("write-tree").strip() == build_trees(index, resolved).root.hex().encode()


@pytest.mark.parametrize("path", [b".git/x", b"a/../b", b"a//b", b"/a", b"a/", b"a/.GIT/b", b"git~1", b".git /x", b"."])
def test_a_path_that_git_refuses_is_refused(path: bytes, git: Git, work: Path) -> None:
    entry = entry_without_stat(path, 0o100644, object_id(b"blob", b""))
    with pytest.raises(UnsupportedFile):
        build_trees(index_of(work), {path: entry})
    line = b"100644 %b\t%b\n" % (object_id(b"blob", b"").hex().encode(), path)
    git("update-index", "--index-info", stdin=line)
    assert git("ls-files") == b""


def test_a_file_takes_the_place_of_a_folder_and_back(work: Path, git: Git) -> None:
    fill(work, git, 2)
    index = aged(index_of(work))
    blob = object_id(b"blob", b"a")
    changes: dict[bytes, Entry | None] = {
        b"b": entry_without_stat(b"b", 0o100644, blob),
        b"a/deep/er": entry_without_stat(b"a/deep/er", 0o160000, blob),
    }
    complete = complete_changes(index, changes)
    assert {path for path, entry in complete.items() if entry is None} == {b"a", b"b/c/d", b"b/c0", "b/cc/é x".encode()}
    built = build_trees(index, complete)
    (work / ".git/index").write_bytes(write_index(index, complete, None))
    assert git("write-tree", "--missing-ok").strip() == built.root.hex().encode()
    with pytest.raises(ValueError, match="q"):
        complete_changes(index, {b"q": changes[b"b"], b"q/r": changes[b"b"]})


def test_a_path_may_be_deeper_than_the_interpreter_recurses(work: Path, git: Git) -> None:
    path = b"d/" * 1900 + b"f"
    index = index_of(work)
    changes = {path: entry_without_stat(path, 0o100644, object_id(b"blob", b""))}
    built = build_trees(index, changes)
    assert len(built.objects) == 1901
    (work / ".git/index").write_bytes(write_index(index, changes, built.cache_tree))
    again = index_of(work)
    assert again.cache_tree is not None
    assert build_trees(again, {}).root == built.root
    assert build_trees(again, {}).objects == []


def test_stat_data_decides_what_has_to_be_read(work: Path, git: Git) -> None:
    fill(work, git, 2)
    index = index_of(work)
    i = index.by_path[b"b.txt"]
    path = work / "b.txt"
    same = path.lstat()
    assert index.stat_matches(i, same)
    path.chmod(0o755)
    assert not index.stat_matches(i, path.lstat(), StatRules(trust_ctime=False))
    assert index.stat_matches(i, path.lstat(), StatRules(trust_ctime=False, file_mode=False))
    path.chmod(0o644)
    assert not index.stat_matches(i, path.lstat())
    assert index.stat_matches(i, path.lstat(), StatRules(trust_ctime=False))
    os.utime(path, ns=(0, same.st_mtime_ns + 1))
    assert not index.stat_matches(i, path.lstat(), StatRules(trust_ctime=False))
    assert index.stat_matches(i, path.lstat(), StatRules(check_all=False))
    path.write_text("longer text")
    assert not index.stat_matches(i, path.lstat(), StatRules(check_all=False))
    path.unlink()
    path.symlink_to("b.tx")
    assert not index.stat_matches(i, path.lstat(), StatRules(check_all=False))
    link = index.by_path[b"link"]
    assert index.stat_matches(link, (work / "link").lstat())
    assert not index.stat_matches(link, same)


def test_a_spoiled_entry_never_matches_an_emptied_file(work: Path) -> None:
    path = work / "f"
    path.write_bytes(b"")
    changes = {
        name: entry_from_stat(name, path.lstat(), 0o100644, object_id(b"blob", content))
        for name, content in ((b"emptied", b"text"), (b"empty", b""))
    }
    index = GitIndex.from_bytes(write_index(index_of(work), changes, None))
    assert [index.stat_matches(i, path.lstat()) for i in (0, 1)] == [False, True]


def test_a_submodule_matches_any_folder(work: Path) -> None:
    entry = entry_without_stat(b"sub", 0o160000, object_id(b"blob", b""))
    index = GitIndex.from_bytes(write_index(index_of(work), {b"sub": entry}, None))
    assert index.stat_matches(0, work.lstat())
    (work / "f").touch()
    assert not index.stat_matches(0, (work / "f").lstat())
