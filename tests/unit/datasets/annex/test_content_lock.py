"""Locks of contents exclude each other as git-annex's do, and leave no trace."""

import fcntl
import os
import resource
import stat
from pathlib import Path

import pytest

from engram.datasets.annex.content_lock import (
    ContentLock,
    let_go,
    lock_alone,
    lock_shared,
    remove_content,
    room_for_locks,
)
from engram.durable import Steps

STEPS = Steps()


@pytest.fixture
def place(tmp_path: Path) -> bytes:
    """An object in its sealed folder."""
    folder = tmp_path / "objects/aa/bb/KEY"
    folder.mkdir(parents=True)
    (folder / "KEY").write_text("content")
    (folder / "KEY").chmod(0o444)
    folder.chmod(0o555)
    return os.fsencode(folder / "KEY")


def held(lock: ContentLock | None) -> ContentLock:
    assert lock is not None
    return lock


def test_who_holds_it_alone_holds_it_against_everybody(place: bytes) -> None:
    lock = held(lock_alone(STEPS, place))
    assert lock_alone(STEPS, place) is None
    assert lock_shared(STEPS, place) is None
    let_go(STEPS, lock)
    let_go(STEPS, held(lock_alone(STEPS, place)))


def test_several_may_count_on_it_and_nobody_drops_it_meanwhile(place: bytes) -> None:
    first, second = held(lock_shared(STEPS, place)), held(lock_shared(STEPS, place))
    assert lock_alone(STEPS, place) is None
    let_go(STEPS, first)
    assert lock_alone(STEPS, place) is None, "the second counts on it still"
    let_go(STEPS, second)
    assert os.listdir(os.path.dirname(place)) == [b"KEY"]


def test_another_process_is_held_off_too(place: bytes) -> None:
    lock = held(lock_alone(STEPS, place))
    child = os.fork()
    if child == 0:
        descriptor = os.open(place + b".lck", os.O_RDWR)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    let_go(STEPS, lock)


def test_it_leaves_the_folder_sealed_and_no_lock_behind(place: bytes) -> None:
    for take in (lock_alone, lock_shared):
        let_go(STEPS, held(take(STEPS, place)))
        folder = os.path.dirname(place)
        assert os.listdir(folder) == [b"KEY"]
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o555


def test_a_lock_that_somebody_left_behind_is_taken_over(place: bytes) -> None:
    os.chmod(os.path.dirname(place), 0o755)
    Path(os.fsdecode(place + b".lck")).touch()
    remove_content(STEPS, held(lock_alone(STEPS, place)))
    assert not os.path.exists(os.path.dirname(place))


def test_a_lock_whose_file_went_meanwhile_protects_nothing_and_is_taken_anew(place: bytes) -> None:
    class Unlinking(Steps):
        """Somebody who had the lock removes its file, once, just when we open it."""

        def __init__(self) -> None:
            self.done = False

        def take(self, kind: str, path: str | bytes) -> None:
            if kind == "create" and not self.done:
                self.done = True
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
                os.unlink(path)
                os.close(descriptor)

    let_go(STEPS, held(lock_shared(Unlinking(), place)))


def test_a_link_in_the_place_of_the_lock_is_not_followed(place: bytes, tmp_path: Path) -> None:
    os.chmod(os.path.dirname(place), 0o755)
    os.symlink(tmp_path / "victim", place + b".lck")
    assert lock_shared(STEPS, place) is None
    assert not (tmp_path / "victim").exists()


def test_the_content_goes_with_its_lock_and_every_folder_that_is_empty_then(place: bytes, tmp_path: Path) -> None:
    (tmp_path / "objects/aa/other").mkdir()
    remove_content(STEPS, held(lock_alone(STEPS, place)))
    assert sorted(path.name for path in (tmp_path / "objects").rglob("*")) == ["aa", "other"]


def test_what_else_lies_in_the_folder_stays_there_sealed(place: bytes) -> None:
    folder = os.path.dirname(place)
    os.chmod(folder, 0o755)
    Path(os.fsdecode(folder), "KEY.map").touch()
    remove_content(STEPS, held(lock_alone(STEPS, place)))
    assert os.listdir(folder) == [b"KEY.map"]
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o555


def test_a_content_that_is_not_there_cannot_be_locked(tmp_path: Path) -> None:
    assert lock_shared(STEPS, os.fsencode(tmp_path / "KEY/KEY")) is None
    with pytest.raises(FileNotFoundError):
        lock_alone(STEPS, os.fsencode(tmp_path / "KEY/KEY"))


@pytest.mark.parametrize("wanted", [10, 20_000, 10_000_000])
def test_room_for_locks_is_what_the_system_gives_and_given_back(wanted: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with room_for_locks(wanted) as most:
        assert 2 <= most <= wanted
        assert most < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
