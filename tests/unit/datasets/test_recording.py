"""What was taken in becomes durable and known in the one order that no power cut can turn into a loss."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.git.index import entry_from_stat
from engram.datasets.git.objects import BLOB, FILE_MODE, object_id
from engram.datasets.locks import only_engram
from engram.datasets.recorded import Recorded
from engram.datasets.records import Made
from engram.datasets.saving.recording import Changes, CommitWish, Recorder
from engram.datasets.syncing import ToSync
from engram.durable import Steps
from engram.model.errors import MovedMeanwhile
from engram.testing.faults import Counting

WHO = b"Ada Tester <ada@example.org> 1700000000 +0000"


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def top(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / ".git/engram").mkdir()
    return tmp_path


def record(
    top: Path, path: str, *, steps: Steps | None = None, amend: bool = False, scopes: tuple[bytes, ...] = (b"",)
) -> Made:
    dataset: Dataset = open_dataset(str(top), Surroundings(environment=dict(os.environ), steps=steps or Steps()))
    place, recorder, changes = top / path, Recorder(dataset, dataset.objects), Changes()
    data = place.read_bytes()
    oid = object_id(BLOB, data)
    changes.add(Recorded(os.fsencode(path), entry_from_stat(os.fsencode(path), place.lstat(), FILE_MODE, oid)))
    recorder.new.put(BLOB, data, oid)
    wish = CommitWish(message=b"message\n", author=WHO, committer=WHO, amend=amend, scopes=scopes)
    to_sync = ToSync(dataset.repository.git_dir, dataset.repository.work_tree)
    with only_engram(dataset.steps, dataset.git_dir):
        return recorder.record(dataset.read_index(), changes, wish, to_sync)


def write(top: Path, path: str, text: str) -> Path:
    place = top / path
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    return place


def test_objects_come_before_the_index_and_this_before_the_branch(top: Path) -> None:
    write(top, "a", "a")
    steps = Counting()
    record(top, "a", steps=steps)
    told = [(step.kind, os.path.relpath(step.path, top)) for step in steps.taken]
    objects = [i for i, (kind, path) in enumerate(told) if path.startswith(".git/objects")]
    index = told.index(("rename", ".git/index"))
    synced = told.index(("sync", ".git"), index)
    branch = next(i for i, (kind, _) in enumerate(told) if kind == "update-ref")
    assert told[max(objects)][0] == "sync"
    assert max(objects) < index < synced < branch
    assert git(top, "status", "--porcelain") == ""


def test_a_commit_is_made_only_of_what_changed_something(top: Path) -> None:
    write(top, "a", "a")
    made = record(top, "a")
    assert (made.before, made.after) == ("", git(top, "rev-parse", "HEAD").strip())
    assert record(top, "a") == Made(made.after, made.after)
    assert git(top, "rev-list", "--count", "HEAD") == "1\n"


def test_what_else_is_staged_stays_so_when_only_some_paths_are_meant(top: Path) -> None:
    write(top, "d/a", "a")
    record(top, "d/a")
    write(top, "other", "staged")
    git(top, "add", "other")
    write(top, "d/a", "changed")
    record(top, "d/a", scopes=(b"d",))
    assert git(top, "status", "--porcelain") == "A  other\n"
    assert git(top, "show", "--format=", "--name-only") == "d/a\n"


def test_amending_keeps_the_parents_and_the_author(top: Path) -> None:
    for text in ("one", "two"):
        write(top, "a", text)
        record(top, "a")
    first = git(top, "rev-parse", "HEAD~1")
    git(top, "commit", "-q", "--amend", "--no-edit", "--author", "Somebody <s@example.org>")
    write(top, "a", "three")
    record(top, "a", amend=True)
    assert git(top, "rev-parse", "HEAD~1") == first
    assert git(top, "log", "-1", "--format=%an %cn") == "Somebody Ada Tester\n"


def test_who_keeps_moving_the_branch_is_given_way_to_in_plain_words(top: Path) -> None:
    write(top, "a", "a")
    record(top, "a")

    class Moving(Steps):
        def take(self, kind: str, path: object) -> None:
            if kind == "update-ref":
                theirs = git(top, "commit-tree", "-p", "HEAD", "-m", "theirs", "HEAD^{tree}").strip()
                git(top, "update-ref", "HEAD", theirs)

    write(top, "a", "changed")
    with pytest.raises(MovedMeanwhile):
        record(top, "a", steps=Moving())
    assert git(top, "status", "--porcelain") == "M  a\n"
    record(top, "a")
    assert git(top, "status", "--porcelain") == ""
