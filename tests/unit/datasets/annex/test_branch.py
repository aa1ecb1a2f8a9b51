"""The git-annex branch: extended without git-annex, read back by git."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.datasets.annex.branch import AnnexBranch, journal_files, presence_logs, read_journal
from engram.datasets.annex.hashdirs import log_path
from engram.datasets.git.objects import object_id
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.pack import write_loose
from engram.durable import Steps
from engram.model.errors import DamagedRepository

KEY = b"SHA256E-s5--2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.bin"
UUID = b"11111111-2222-3333-4444-555555555555"
PATHS = st.lists(st.sampled_from([b"a1", b"b2", b"uuid.log", b"x.log", b"\xff"]), min_size=1, max_size=3).map(b"/".join)
FILES = st.dictionaries(PATHS, st.binary(max_size=20), max_size=6).map(
    lambda files: {
        path: text for path, text in files.items() if not any(other.startswith(path + b"/") for other in files)
    }
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True).stdout


def written(folder: Path, tree: bytes | None, files: Mapping[bytes, bytes]) -> bytes:
    objects = ObjectStore(os.fsencode(folder / ".git" / "objects"))
    new: list[tuple[bytes, bytes]] = []
    root = AnnexBranch(objects, tree).with_files(files, lambda kind, data, _: new.append((kind, data)))
    write_loose(Steps(), os.fsencode(folder / ".git" / "objects"), new)
    return root


def read_by_git(folder: Path, tree: bytes) -> dict[bytes, bytes]:
    lines = git(folder, "ls-tree", "-r", "-z", tree.hex()).split(b"\0")
    heads = [line.split(b"\t", 1) for line in lines if line]
    return {path: git(folder, "cat-file", "blob", head.split()[2].decode()) for head, path in heads}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(FILES, FILES)
def test_git_reads_what_was_there_and_what_was_added(
    repository: Path, first: Mapping[bytes, bytes], second: Mapping[bytes, bytes]
) -> None:
    clashing = {a for a in first for b in second if a.startswith(b + b"/") or b.startswith(a + b"/")}
    first = {path: text for path, text in first.items() if path not in clashing}
    before = written(repository, None, first) if first else None
    after = written(repository, before, {**second, b"always": b""})
    assert read_by_git(repository, after) == {**first, **second, b"always": b""}
    branch = AnnexBranch(ObjectStore(os.fsencode(repository / ".git" / "objects")), after)
    assert {path: branch.read(path) for path in second} == dict(second)
    assert branch.read(b"never/was") is None


def test_writing_the_same_again_changes_no_tree(repository: Path) -> None:
    tree = written(repository, None, {b"a/b/c.log": b"1"})
    assert written(repository, tree, {b"a/b/c.log": b"1"}) == tree


def test_of_what_git_listed_no_tree_is_read_again(repository: Path, tmp_path: Path) -> None:
    files = {b"uuid.log": b"1", b"a/b/c.log": b"2", b"a/b/d.log": b"2", b"a/e/c.log": b"2", b"f/b/c.log": b"3"}
    tree = written(repository, None, files)
    listed = AnnexBranch(ObjectStore(os.fsencode(tmp_path)), tree)  # nothing is there to be read
    listed.know_trees(git(repository, "ls-tree", "-r", "-t", "-z", tree.hex()).split(b"\0")[:-1])
    more = {b"a/b/d.log": b"4", b"a/g/h.log": b"2"}
    root = listed.with_files(more, lambda kind, data, oid: None)
    assert root == written(repository, tree, more)


@pytest.mark.parametrize("folders", [1, 40])
def test_how_many_keys_it_is_about_is_told_by_a_few_of_its_folders(repository: Path, folders: int) -> None:
    files = {b"%03x/%03x/c.log" % (outer, inner): b"1" for outer in range(folders) for inner in range(3)}
    tree = written(repository, None, {b"uuid.log": b"1", **files})
    assert AnnexBranch(ObjectStore(os.fsencode(repository / ".git" / "objects")), tree).keys_about() == len(files)


@pytest.mark.parametrize("name", [b"..", b"a/.git"])
def test_a_listing_that_would_lead_outside_is_refused(tmp_path: Path, name: bytes) -> None:
    lines = [b"040000 tree " + b"1" * 40 + b"\ta", b"100644 blob " + b"2" * 40 + b"\t" + name]
    with pytest.raises(DamagedRepository):
        AnnexBranch(ObjectStore(os.fsencode(tmp_path)), b"\0" * 20).know_trees(lines)


def _reader(branch: AnnexBranch) -> Callable[[bytes], bytes]:
    return lambda path: branch.read(path) or b""


def test_a_key_that_is_here_gets_one_line_and_none_when_that_is_known(repository: Path) -> None:
    objects = ObjectStore(os.fsencode(repository / ".git" / "objects"))
    logs = presence_logs(_reader(AnnexBranch(objects, None)), [KEY, KEY], uuid=UUID, present=True, now_s=5)
    assert logs == {log_path(KEY): b"5s 1 " + UUID + b"\n"}
    objects.refresh()
    tree = written(repository, None, logs)
    fresh = ObjectStore(os.fsencode(repository / ".git" / "objects"))
    assert presence_logs(_reader(AnnexBranch(fresh, tree)), [KEY], uuid=UUID, present=True, now_s=9) == {}


def test_what_the_journal_holds_rules_over_the_branch() -> None:
    pending = {log_path(KEY): b"7s 1 other\n"}
    logs = presence_logs(lambda path: pending.get(path, b""), [KEY], uuid=UUID, present=True, now_s=9)
    assert sorted(logs[log_path(KEY)].splitlines()) == [b"7s 1 other", b"9s 1 " + UUID]


@given(st.sets(st.text(st.sampled_from("ab_/."), min_size=1, max_size=10).map(str.encode), max_size=4))
def test_the_journals_names_stand_for_paths_and_back(
    tmp_path_factory: pytest.TempPathFactory, paths: set[bytes]
) -> None:
    paths = {path for path in paths if not path.startswith(b"/") and path.strip(b".")}
    # no key begins with an underscore: git-annex could not tell these apart either
    paths = {path for path in paths if b"/_" not in path and b"//" not in path}
    git_dir = os.fsencode(tmp_path_factory.mktemp("git"))
    os.makedirs(os.path.join(git_dir, b"annex", b"journal"))
    for place, path in zip(journal_files(git_dir, paths), paths, strict=True):
        Path(os.fsdecode(place)).write_bytes(path)
    assert read_journal(git_dir) == {path: path for path in paths}


def test_without_a_journal_nothing_is_pending(tmp_path: Path) -> None:
    assert read_journal(os.fsencode(tmp_path)) == {}


@pytest.mark.parametrize("mode", ["100644", "100755", "120000"])
@pytest.mark.parametrize("names", [("x.log",), ("x.log", "y.log"), ("x",), ("x.log.web",)])
def test_a_tree_of_one_file_is_read_as_any_other(repository: Path, mode: str, names: tuple[str, ...]) -> None:
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=repository, input=b"1", capture_output=True, check=True
    ).stdout.decode()[:40]
    lines = "".join(f"{mode} blob {blob}\t{name}\n" for name in names).encode()
    made = subprocess.run(["git", "mktree"], cwd=repository, input=lines, capture_output=True, check=True).stdout
    branch = AnnexBranch(ObjectStore(os.fsencode(repository / ".git" / "objects")), bytes.fromhex(made.decode()))
    assert branch.entries(branch.tree) == {name.encode(): (int(mode, 8), bytes.fromhex(blob)) for name in names}


@pytest.mark.parametrize("name", [b"../x.log", b"..", b"a/.git"])
def test_a_tree_that_would_lead_outside_is_refused(repository: Path, name: bytes) -> None:
    tree = b"100644 %b\0" % name + b"1" * 20
    objects = os.fsencode(repository / ".git" / "objects")
    write_loose(Steps(), objects, [(b"tree", tree)])
    branch = AnnexBranch(ObjectStore(objects), object_id(b"tree", tree))
    with pytest.raises(DamagedRepository):
        branch.entries(branch.tree)
