"""The git-annex branch, written and read without git-annex beside clones that git-annex writes."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets import logbook
from engram.datasets.annex.logs import DEAD_REPOSITORY, UNTRUSTED
from engram.datasets.annexed import annexed_files
from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.locks import only_engram
from engram.datasets.logbook import change_branch, note_presence
from engram.datasets.whereabouts import Whereabouts
from tests.interop.peers import git


def annex(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "annex", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def opened(folder: Path) -> Dataset:
    return open_dataset(str(folder), Surroundings(environment=dict(os.environ)))


@pytest.fixture
def clones(copy: Callable[[], Path], tmp_path: Path) -> tuple[Path, Path]:
    """A dataset, and a clone of it in which git-annex got one file and the branch of which was fetched back."""
    ours, theirs = copy(), tmp_path / "theirs"
    git(tmp_path, "clone", "-q", str(ours), str(theirs))
    annex(theirs, "init", "theirs")
    annex(theirs, "get", "a.txt")
    git(ours, "remote", "add", "theirs", str(theirs))
    git(ours, "fetch", "-q", "theirs")
    return ours, theirs


def key_of(dataset: Dataset, path: bytes) -> bytes:
    (file,) = annexed_files(dataset, dataset.read_index(), [path])
    return file.key


def test_what_another_clone_said_is_read_before_it_is_merged(clones: tuple[Path, Path]) -> None:
    ours, theirs = clones
    dataset = opened(ours)
    found = Whereabouts(dataset)
    uuids = {git(folder, "config", "annex.uuid").strip().encode() for folder in clones}
    assert set(found.holders(key_of(dataset, b"a.txt"))) == uuids
    assert found.descriptions[git(theirs, "config", "annex.uuid").strip().encode()].startswith(b"theirs")


def test_prefetching_changes_no_answer(clones: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = opened(clones[0])
    keys = [file.key for file in annexed_files(dataset, dataset.read_index(), [b""])]
    one_by_one = [Whereabouts(dataset).holders(key) for key in keys]
    found = Whereabouts(dataset)
    found.prefetch(keys * 500)
    assert [found.holders(key) for key in keys] == one_by_one


def test_what_is_written_about_many_keys_is_what_would_be_written_about_few(
    copy: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = set()
    for many in (1, 1000):
        monkeypatch.setattr(logbook, "_MANY", many)
        dataset = opened(copy())
        keys = [file.key for file in annexed_files(dataset, dataset.read_index(), [b""])]
        with only_engram(dataset.steps, dataset.git_dir):
            note_presence(dataset, dict.fromkeys(keys, False), now_s=time.time() + 3600)
        trees.add(re.sub(r"\b\d{10}s\b", "", git(Path(dataset.work_tree), "grep", "", "git-annex", "--", "*/*.log")))
    assert len(trees) == 1


def test_both_clones_logs_are_one_after_writing_and_git_annex_agrees(clones: tuple[Path, Path]) -> None:
    ours, _ = clones
    _apart(ours)
    dataset = opened(ours)
    key = key_of(dataset, b"d/b.bin")
    with only_engram(dataset.steps, dataset.git_dir):
        note_presence(dataset, {key: False}, now_s=time.time())
    assert git(ours, "log", "-2", "--format=%s", "git-annex").split("\n")[:2] == [
        "update",
        "merging theirs/git-annex into git-annex",
    ]
    before = git(ours, "rev-parse", "git-annex")
    assert "1 copy" not in annex(ours, "whereis", "a.txt")
    found = subprocess.run(["git", "annex", "whereis", "d/b.bin"], cwd=ours, capture_output=True, text=True)
    assert "0 copies" in found.stdout
    assert git(ours, "rev-parse", "git-annex") == before, "git-annex found nothing left to merge"


def test_several_clones_that_say_different_things_are_all_heard(clones: tuple[Path, Path], tmp_path: Path) -> None:
    ours, _ = clones
    third = tmp_path / "third"
    git(tmp_path, "clone", "-q", str(ours), str(third))
    annex(third, "init", "third")
    annex(third, "get", "d/b.bin")
    git(ours, "remote", "add", "third", str(third))
    _apart(ours)
    git(ours, "fetch", "-q", "third")
    dataset = opened(ours)
    with only_engram(dataset.steps, dataset.git_dir):
        change_branch(dataset, lambda _: {}, now_s=time.time())
    subjects = git(ours, "log", "--first-parent", "-2", "--format=%s", "git-annex").splitlines()
    assert sorted(subjects) == ["merging theirs/git-annex into git-annex", "merging third/git-annex into git-annex"]
    before = git(ours, "rev-parse", "git-annex")
    assert "2 copies" in annex(ours, "whereis", "a.txt")
    assert "2 copies" in annex(ours, "whereis", "d/b.bin")
    assert git(ours, "rev-parse", "git-annex") == before, "git-annex found nothing left to merge"


def test_a_branch_that_only_lags_behind_is_moved_forward(copy: Callable[[], Path], tmp_path: Path) -> None:
    ours, behind = copy(), tmp_path / "behind"
    git(tmp_path, "clone", "-q", str(ours), str(behind))
    git(behind, "branch", "git-annex", "origin/git-annex")
    annex(ours, "describe", "here", "renamed")
    annex(ours, "merge")
    git(behind, "fetch", "-q")
    dataset = opened(behind)
    with only_engram(dataset.steps, dataset.git_dir):
        os.makedirs(behind / ".git" / "annex", exist_ok=True)
        change_branch(dataset, lambda _: {}, now_s=time.time())
    assert git(behind, "rev-parse", "git-annex") == git(ours, "rev-parse", "git-annex")


def test_what_git_annex_left_in_its_journal_is_taken_in(clones: tuple[Path, Path]) -> None:
    ours, theirs = clones
    annex(ours, "untrust", "theirs", "-c", "annex.alwayscommit=false")
    assert os.listdir(ours / ".git" / "annex" / "journal")
    dataset = opened(ours)
    uuid = git(theirs, "config", "annex.uuid").strip().encode()
    assert Whereabouts(dataset).trust_of(uuid) == UNTRUSTED
    with only_engram(dataset.steps, dataset.git_dir):
        change_branch(dataset, lambda _: {}, now_s=time.time())
    assert not os.listdir(ours / ".git" / "annex" / "journal")
    assert Whereabouts(opened(ours)).trust_of(uuid) == UNTRUSTED
    assert "theirs" in annex(ours, "info", "--fast")


def test_a_history_that_was_forgotten_is_git_annexes_to_merge(clones: tuple[Path, Path]) -> None:
    ours, theirs = clones
    annex(theirs, "forget", "--force")
    git(ours, "fetch", "-q", "theirs")
    dataset = opened(ours)
    with only_engram(dataset.steps, dataset.git_dir), pytest.raises(NotUnderstood, match=r"transitions\.log"):
        note_presence(dataset, {key_of(dataset, b"a.txt"): True}, now_s=time.time())


def test_settings_of_all_clones_are_those_git_annex_knows(clones: tuple[Path, Path], tmp_path: Path) -> None:
    ours, _ = clones
    (tmp_path / "a b&c").mkdir()
    annex(ours, "numcopies", "3")
    annex(ours, "mincopies", "2")
    annex(ours, "dead", "theirs")
    annex(ours, "group", "here", "backup")
    annex(ours, "required", "here", "include=*.nii")
    annex(ours, "wanted", "here", "standard")
    annex(ours, "initremote", "store", "type=rsync", f"rsyncurl={tmp_path}/a b&c", "encryption=none")
    found = Whereabouts(opened(ours))
    here, there = (git(folder, "config", "annex.uuid").strip().encode() for folder in clones)
    assert (found.numcopies(b"a.txt"), found.mincopies(b"a.txt")) == (3, 2)
    assert found.trust_of(there) == DEAD_REPOSITORY
    assert (found.groups[here], found.required(here), found.wanted(here)) == (
        (b"backup",),
        b"include=*.nii",
        b"standard",
    )
    assert f"{tmp_path}/a b&c" in [settings.get("rsyncurl") for settings in found.remotes.values()]


def test_an_attribute_holds_before_what_the_clones_agreed_on(dataset: Path) -> None:
    annex(dataset, "numcopies", "3")
    git(dataset, "config", "annex.numcopies", "5")
    assert Whereabouts(opened(dataset)).numcopies(b"a.txt") == 3
    (dataset / ".gitattributes").write_text("*.txt annex.numcopies=4\n* annex.backend=SHA256E\n")
    assert Whereabouts(opened(dataset)).numcopies(b"a.txt") == 4
    assert "out of 4 necessary copies" in _refusal(dataset)


def test_changing_nothing_makes_no_commit(dataset: Path) -> None:
    one = opened(dataset)
    before = git(dataset, "rev-parse", "git-annex")
    with only_engram(one.steps, one.git_dir):
        change_branch(one, lambda read: {b"uuid.log": read(b"uuid.log")}, now_s=time.time())
    assert git(dataset, "rev-parse", "git-annex") == before


def _refusal(folder: Path) -> str:
    return subprocess.run(["git", "annex", "drop", "a.txt"], cwd=folder, capture_output=True, text=True).stdout


def _apart(folder: Path) -> None:
    """Write something that only this clone knows, without merging what it fetched."""
    git(folder, "update-ref", "-d", "refs/remotes/theirs/git-annex")
    annex(folder, "numcopies", "1")
    git(folder, "fetch", "-q", "theirs")
