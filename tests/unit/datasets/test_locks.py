"""Who may write: one engram at a time, git's own locks respected, stale ones of our own removed."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engram.datasets.locks import annex_journal, clear_what_a_crash_left, config_lock, index_lock, only_engram
from engram.durable import Steps
from engram.model.errors import DatasetBusy, StorageFailed
from engram.testing.faults import FailingAt, Lacking, in_child

STEPS = Steps()
_HOLD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o666)
getattr(fcntl, sys.argv[2])(descriptor, fcntl.LOCK_EX)
os.write(descriptor, b"4711\\n")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path, how: str) -> Iterator[None]:
    """Another process holds a lock."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield


@pytest.fixture
def git_dir(tmp_path: Path) -> str:
    (tmp_path / "annex").mkdir()
    (tmp_path / "engram").mkdir()
    return str(tmp_path)


def test_one_engram_waits_for_another_and_says_for_whom(git_dir: str) -> None:
    told: list[str] = []
    lock = Path(git_dir, "engram", "lock")
    waiting = only_engram(STEPS, git_dir, patience_s=0.1, waiting=told.append)
    with held_elsewhere(lock, "flock"), pytest.raises(DatasetBusy), waiting:
        pass
    assert told == ["engram, process 4711"]
    with only_engram(STEPS, git_dir, patience_s=0.1):
        assert Path(git_dir, "engram", "lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_goes_with_whatever_ends_the_block(git_dir: str) -> None:
    for error in (KeyboardInterrupt, GeneratorExit, ValueError):
        with pytest.raises(error), only_engram(STEPS, git_dir):
            raise error
    with only_engram(STEPS, git_dir, patience_s=0):
        pass


def test_a_generator_that_nobody_finishes_lets_go_of_the_lock(git_dir: str) -> None:
    def work() -> Generator[int, None, None]:
        with only_engram(STEPS, git_dir):
            yield 1
            yield 2

    going = work()
    next(going)
    going.close()
    with only_engram(STEPS, git_dir, patience_s=0):
        pass


def test_git_annexs_journal_is_locked_as_git_annex_locks_it(git_dir: str) -> None:
    path = Path(git_dir, "annex", "journal.lck")
    with held_elsewhere(path, "lockf"), pytest.raises(DatasetBusy), annex_journal(STEPS, git_dir, patience_s=0.1):
        pass
    with annex_journal(STEPS, git_dir, patience_s=0.1):
        probe = f"import fcntl,os; fcntl.lockf(os.open({str(path)!r}, os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        assert subprocess.run([sys.executable, "-c", probe], stderr=subprocess.DEVNULL, check=False).returncode
    with annex_journal(STEPS, str(path / "none"), wanted=False):
        pass


class TestFileLock:
    def test_a_file_is_replaced_whole_and_no_lock_stays(self, git_dir: str) -> None:
        lock = index_lock(STEPS, git_dir)
        lock.take()
        assert Path(git_dir, "index.lock").exists()
        lock.put_in_place(b"new")
        lock.release()
        assert Path(git_dir, "index").read_bytes() == b"new"
        assert sorted(os.listdir(git_dir)) == ["annex", "engram", "index"]
        assert os.listdir(Path(git_dir, "engram")) == []

    def test_letting_go_changes_nothing(self, git_dir: str) -> None:
        Path(git_dir, "index").write_bytes(b"old")
        lock = index_lock(STEPS, git_dir)
        lock.take()
        lock.release()
        lock.release()
        assert Path(git_dir, "index").read_bytes() == b"old"
        assert not Path(git_dir, "index.lock").exists()

    def test_gits_lock_is_waited_for_and_never_removed(self, git_dir: str) -> None:
        Path(git_dir, "index.lock").write_bytes(b"git's")
        with pytest.raises(DatasetBusy):
            index_lock(STEPS, git_dir).take(patience_s=0.1)
        clear_what_a_crash_left(STEPS, git_dir)
        assert Path(git_dir, "index.lock").read_bytes() == b"git's"
        assert os.listdir(Path(git_dir, "engram")) == []

    @pytest.mark.parametrize("make", [index_lock, config_lock])
    def test_a_lock_that_a_crash_left_is_known_for_ours(
        self, git_dir: str, make: Callable[[Steps, str], "object"]
    ) -> None:
        lock = make(STEPS, git_dir)
        lock.take()  # type: ignore[attr-defined]  # both make a FileLock
        clear_what_a_crash_left(STEPS, git_dir)
        assert sorted(os.listdir(git_dir)) == ["annex", "engram"]
        assert os.listdir(Path(git_dir, "engram")) == []

    def test_a_lock_that_git_took_after_our_crash_stays(self, git_dir: str) -> None:
        index_lock(STEPS, git_dir).take()
        Path(git_dir, "index.lock").unlink()
        Path(git_dir, "index.lock").write_bytes(b"git's")
        clear_what_a_crash_left(STEPS, git_dir)
        assert Path(git_dir, "index.lock").read_bytes() == b"git's"

    @pytest.mark.parametrize("at", range(1, 4))
    def test_a_full_disk_leaves_the_old_file_and_no_lock(self, git_dir: str, at: int) -> None:
        Path(git_dir, "config").write_bytes(b"old")
        lock = config_lock(STEPS, git_dir)
        lock.take()
        failing = config_lock(FailingAt(at, once=True), git_dir)
        failing._held = lock._held
        with pytest.raises(StorageFailed):
            failing.put_in_place(b"new")
        failing.release()
        assert Path(git_dir, "config").read_bytes() == b"old"
        assert not Path(git_dir, "config.lock").exists()

    def test_permissions_can_be_kept(self, git_dir: str) -> None:
        lock = config_lock(STEPS, git_dir)
        lock.take()
        lock.put_in_place(b"secret", mode=0o600)
        assert Path(git_dir, "config").stat().st_mode & 0o777 == 0o600


#: File systems on which a lock can have no second name, nor (the last one) be renamed to a name that must be free.
WITHOUT_LINKS = [
    *(pytest.param(Lacking({"link": error}), id=errno.errorcode[error]) for error in (errno.EPERM, errno.EOPNOTSUPP)),
    pytest.param(Lacking({"link": errno.EPERM, "rename": errno.EINVAL}, only="index.lock"), id="nor exclusive renames"),
]


@pytest.mark.parametrize("steps", WITHOUT_LINKS)
class TestFileLockWithoutHardLinks:
    def test_a_file_is_replaced_whole_and_no_lock_stays(self, git_dir: str, steps: Steps) -> None:
        lock = index_lock(steps, git_dir)
        lock.take()
        assert Path(git_dir, "index.lock").stat().st_size
        lock.put_in_place(b"new", mode=0o640)
        lock.release()
        assert Path(git_dir, "index").read_bytes() == b"new"
        assert stat.S_IMODE(Path(git_dir, "index").stat().st_mode) == 0o640
        assert sorted(os.listdir(git_dir)) == ["annex", "engram", "index"]
        assert os.listdir(Path(git_dir, "engram")) == []

    def test_letting_go_changes_nothing(self, git_dir: str, steps: Steps) -> None:
        lock = index_lock(steps, git_dir)
        lock.take()
        lock.release()
        assert sorted(os.listdir(git_dir)) == ["annex", "engram"]

    def test_gits_lock_is_waited_for_and_never_removed(self, git_dir: str, steps: Steps) -> None:
        Path(git_dir, "index.lock").write_bytes(b"")
        with pytest.raises(DatasetBusy):
            index_lock(steps, git_dir).take(patience_s=0.1)
        clear_what_a_crash_left(steps, git_dir)
        assert Path(git_dir, "index.lock").read_bytes() == b""
        assert os.listdir(Path(git_dir, "engram")) == []

    def test_a_lock_that_a_crash_left_is_known_for_ours(self, git_dir: str, steps: Steps) -> None:
        index_lock(steps, git_dir).take()
        clear_what_a_crash_left(STEPS, git_dir)
        assert sorted(os.listdir(git_dir)) == ["annex", "engram"]
        assert os.listdir(Path(git_dir, "engram")) == []

    def test_a_full_disk_leaves_the_old_file_and_no_lock(self, git_dir: str, steps: Lacking) -> None:
        for at in range(1, 30):
            Path(git_dir, "index").write_bytes(b"old")
            failing = FailingAt(at)
            lock = index_lock(Lacking(steps.errors, failing, only=steps.only), git_dir)
            try:
                lock.take()
                lock.put_in_place(b"new")
            except StorageFailed:
                lock.release()
                clear_what_a_crash_left(STEPS, git_dir)
                assert Path(git_dir, "index").read_bytes() in {b"old", b"new"}
                assert sorted(os.listdir(git_dir)) == ["annex", "engram", "index"]
            if failing.stopped_at is None:
                return
        raise AssertionError("it never came to its end")


@pytest.mark.root
@pytest.mark.usefixtures("as_root")
def test_a_journal_lock_that_may_not_be_written_is_the_disks_refusal(git_dir: str) -> None:
    lock = Path(git_dir, "annex/journal.lck")
    lock.touch()
    lock.chmod(0o444)

    def as_nobody(_: object, steps: Steps) -> int:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with annex_journal(steps, git_dir, patience_s=0):
            return 77

    for above in (Path(git_dir), *Path(git_dir).parents):
        above.chmod(stat.S_IMODE(above.stat().st_mode) | 0o755)
    ending = in_child(as_nobody, None)
    assert (ending.exit_code, ending.what, ending.bug) == (31, f"{lock} could not be written: Permission denied.", "")


class TestSharedRepositories:
    """What git makes in a repository that a group shares, the group may write to; so it is with engram's lock."""

    @pytest.mark.parametrize(
        ("mode", "lock", "folder"), [(0o775, 0o664, 0o2775), (0o777, 0o666, 0o2777), (0o755, 0o644, 0o755)]
    )
    def test_whoever_may_write_to_the_repository_may_lock_it(
        self, git_dir: str, mode: int, lock: int, folder: int
    ) -> None:
        os.rmdir(Path(git_dir, "engram"))
        os.chmod(git_dir, mode)
        before = os.umask(0o022)
        try:
            with only_engram(STEPS, git_dir):
                assert stat.S_IMODE(Path(git_dir, "engram/lock").stat().st_mode) == lock
                assert stat.S_IMODE(Path(git_dir, "engram").stat().st_mode) == folder
        finally:
            os.umask(before)

    @pytest.mark.root
    @pytest.mark.usefixtures("as_root")
    @pytest.mark.parametrize("mode", [0o644, 0o600])
    def test_a_lock_that_only_its_owner_may_write_to_is_taken_or_refused_in_plain_words(
        self, git_dir: str, mode: int
    ) -> None:
        lock = Path(git_dir, "engram/lock")
        lock.write_text("4711\n")
        lock.chmod(mode)

        def as_nobody(_: object, steps: Steps) -> int:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            with only_engram(steps, git_dir, patience_s=0):
                return 77

        for above in (Path(git_dir), *Path(git_dir).parents):
            above.chmod(stat.S_IMODE(above.stat().st_mode) | 0o755)
        ending = in_child(as_nobody, None)
        assert ending.bug == ""
        if mode == 0o600:
            assert (ending.exit_code, str(lock) in ending.what) == (2, True)
            assert ending.next_step == f"Ask him to: chmod a+rw {lock}"
        else:
            assert ending.exit_code == 77
        assert lock.read_text() == "4711\n"


def test_unfinished_objects_of_a_crash_are_removed_and_others_are_not(git_dir: str) -> None:
    packs = Path(git_dir, "objects", "pack")
    packs.mkdir(parents=True)
    for name in ("tmp_engram_1", "tmp_pack_of_git", "pack-1.pack"):
        (packs / name).touch()
    clear_what_a_crash_left(STEPS, git_dir)
    assert sorted(os.listdir(packs)) == ["pack-1.pack", "tmp_pack_of_git"]
