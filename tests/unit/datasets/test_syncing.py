"""What is synced: everything named, each alone while few, every file system when many."""

import os
from pathlib import Path

import pytest

from engram import durable
from engram.datasets.syncing import ToSync
from engram.durable import AnyPath, Steps


class Noting(Steps):
    def __init__(self) -> None:
        self.synced: list[str] = []

    def take(self, kind: str, path: AnyPath) -> None:
        self.synced.append(os.fsdecode(path))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / ".git" / "annex" / "objects" / "k").mkdir(parents=True)
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path


def to_sync(work: Path) -> ToSync:
    return ToSync(os.fsencode(work / ".git"), os.fsencode(work))


def test_a_file_is_synced_with_every_folder_up_to_the_repository(work: Path) -> None:
    path = work / ".git" / "annex" / "objects" / "k" / "key"
    path.touch()
    steps, waiting = Noting(), to_sync(work)
    waiting.file(os.fsencode(path))
    waiting.folder(os.fsencode(work / "a" / "b"))
    waiting.sync(steps)
    assert steps.synced[0] == str(path)
    above = [path.parent, path.parents[1], path.parents[2], work / ".git", work / "a" / "b"]
    assert set(map(str, above)) <= set(steps.synced[1:])


def test_each_is_synced_once(work: Path) -> None:
    steps, waiting = Noting(), to_sync(work)
    for _ in range(3):
        waiting.folder(os.fsencode(work / "a"))
    waiting.sync(steps)
    assert len(steps.synced) == len(set(steps.synced))


def test_what_was_taken_back_or_removed_needs_no_sync(work: Path) -> None:
    waiting = to_sync(work)
    waiting.file(os.fsencode(work / ".git" / "gone"))
    waiting.forget(os.fsencode(work / ".git" / "gone"))
    waiting.folder(os.fsencode(work / "never"))
    waiting.sync(Steps())


@pytest.mark.parametrize(("count", "few"), [(durable.SYNC_EACH_BELOW, True), (durable.SYNC_EACH_BELOW + 1, False)])
def test_many_files_are_synced_with_their_file_systems(work: Path, count: int, few: bool) -> None:
    objects = work / ".git" / "annex" / "objects"
    for number in range(count):
        (objects / str(number)).touch()
    steps, waiting = Noting(), to_sync(work)
    for number in range(count):
        waiting.file(os.fsencode(objects / str(number)))
    waiting.folder(os.fsencode(work / "a"))
    if not few:
        waiting.sync(steps)
        assert steps.synced == [str(work / ".git")]
    else:
        assert waiting._files is not None


def test_a_third_file_system_is_synced_too(work: Path) -> None:
    folders = [folder for folder in (Path("/dev/shm"), Path("/tmp"), Path(__file__).parent) if folder.is_dir()]
    other = next((folder for folder in folders if folder.stat().st_dev != work.stat().st_dev), None)
    if other is None:
        pytest.skip("not on this machine: a second file system")
    steps, waiting = Noting(), to_sync(work)
    waiting._files = None
    waiting.folder(os.fsencode(other))
    waiting.sync(steps)
    assert steps.synced == [str(work / ".git"), str(other)]
