"""The fault kit finds what it is made to find: each tool is shown an operation that it must not let pass."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from engram import durable
from engram.durable import Steps
from engram.model.errors import StorageFailed
from engram.testing.faults import (
    DISK_ERRORS,
    Counting,
    Crash,
    CrashingAt,
    DyingAt,
    FailingAt,
    act_at_every_step,
    die_at_every_step,
    fail_at_every_step,
    in_child,
)
from engram.testing.places import fresh_folder, scratch

OLD, NEW = b"old" * 1000, b"new" * 2000


@pytest.fixture
def scene() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture
def prepare(scene: Path) -> Callable[[], Path]:
    def with_an_old_file() -> Path:
        folder = fresh_folder(scene)
        (folder / "table").write_bytes(OLD)
        return folder

    return with_an_old_file


def safely(folder: Path, steps: Steps) -> None:
    durable.replace(steps, str(folder / "table"), NEW)


def in_place(folder: Path, steps: Steps) -> None:
    with suppress(FileNotFoundError):
        durable.remove(steps, str(folder / "table"))
    durable.write_new(steps, str(folder / "table"), NEW)


def old_or_new(folder: Path) -> None:
    assert (folder / "table").read_bytes() in {OLD, NEW}


def new_alone(folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == ["table"]
    assert (folder / "table").read_bytes() == NEW


def test_a_safe_operation_survives_death_at_each_of_its_steps(prepare: Callable[[], Path]) -> None:
    died_at = die_at_every_step(safely, prepare, new_alone, when_dead=old_or_new)
    assert [step.kind for step in died_at] == ["remove", "create", "write", "sync", "rename", "sync"]
    assert [step.number for step in died_at] == [1, 2, 3, 4, 5, 6]


def test_an_operation_that_removes_the_old_first_is_caught_and_the_step_is_named(prepare: Callable[[], Path]) -> None:
    with pytest.raises((AssertionError, FileNotFoundError)) as caught:
        die_at_every_step(in_place, prepare, new_alone, when_dead=old_or_new)
    assert caught.value.__notes__[0].startswith("died at step 2: create ")


def test_an_operation_that_leaves_its_temporary_file_is_caught(prepare: Callable[[], Path]) -> None:
    def untidy(folder: Path, steps: Steps) -> None:
        durable.write_new(steps, str(folder / f"table.{os.getpid()}"), NEW)
        durable.rename(steps, str(folder / f"table.{os.getpid()}"), str(folder / "table"))

    with pytest.raises(AssertionError):
        die_at_every_step(untidy, prepare, new_alone)


def test_an_operation_that_cannot_be_repeated_is_caught(prepare: Callable[[], Path]) -> None:
    def once_only(folder: Path, steps: Steps) -> None:
        durable.make_folder(steps, str(folder / "lock"))
        durable.replace(steps, str(folder / "table"), NEW)
        durable.remove_folder(steps, str(folder / "lock"))

    with pytest.raises(AssertionError, match="the second time it ended with 1"):
        die_at_every_step(once_only, prepare, new_alone)


def test_an_operation_without_steps_proves_nothing_and_is_refused(prepare: Callable[[], Path]) -> None:
    def around_the_steps(folder: Path, steps: Steps) -> None:
        (folder / "table").write_bytes(NEW)

    with pytest.raises(AssertionError, match="no durable step"):
        die_at_every_step(around_the_steps, prepare, new_alone)


def test_a_stride_and_a_limit_try_fewer_steps(prepare: Callable[[], Path]) -> None:
    died_at = die_at_every_step(safely, prepare, new_alone, stride=2, limit=4)
    assert [step.number for step in died_at] == [1, 3]


def test_it_dies_at_a_kind_of_step_that_a_stride_passes_over(prepare: Callable[[], Path]) -> None:
    died_at = die_at_every_step(safely, prepare, new_alone, when_dead=old_or_new, stride=1000)
    assert {step.kind for step in died_at} == {"create", "write", "sync", "rename", "remove"}
    died_at = die_at_every_step(safely, prepare, new_alone, when_dead=old_or_new, limit=1, also=("rename",))
    assert [step.kind for step in died_at][1:] == ["rename"]
    with pytest.raises(AssertionError, match="no step never"):
        die_at_every_step(safely, prepare, new_alone, when_dead=old_or_new, stride=1000, also=("never",))


def test_death_runs_no_finally_block_and_a_crash_does(scene: Path) -> None:
    def with_a_last_will(folder: Path, steps: Steps) -> None:
        try:
            durable.make_folder(steps, str(folder / "made"))
        finally:
            (folder / "will").touch()

    died, crashed = fresh_folder(scene), fresh_folder(scene)
    assert in_child(with_a_last_will, died, DyingAt(1)).exit_code is None
    assert list(died.iterdir()) == []
    with pytest.raises(Crash, match="step 1: mkdir"):
        with_a_last_will(crashed, CrashingAt(1))
    assert [path.name for path in crashed.iterdir()] == ["will"]


def test_after_a_crash_no_later_step_happens_either(scene: Path) -> None:
    steps = CrashingAt(2)
    durable.make_folder(steps, str(scene / "1"))
    for name in ("2", "3"):
        with pytest.raises(Crash):
            durable.make_folder(steps, str(scene / name))
    assert [path.name for path in scene.iterdir()] == ["1"]
    assert steps.stopped_at is not None
    assert steps.stopped_at.number == 2


def test_death_in_one_thread_ends_them_all(scene: Path) -> None:
    def in_threads(folder: Path, steps: Steps) -> None:
        with ThreadPoolExecutor(4) as pool:
            for number in range(100):
                pool.submit(durable.make_folder, steps, str(folder / str(number)))

    ending = in_child(in_threads, scene, DyingAt(50))
    assert ending.stopped_at is not None
    assert ending.stopped_at.number == 50
    assert len(list(scene.iterdir())) <= 49


def test_what_an_operation_started_ends_with_it(scene: Path) -> None:
    def with_a_child(folder: Path, steps: Steps) -> None:
        if os.fork() == 0:
            threading.Event().wait()
        durable.make_folder(steps, str(folder / "made"))

    assert in_child(with_a_child, scene, DyingAt(1)).stopped_at is not None
    assert in_child(with_a_child, scene).exit_code == 0


@pytest.mark.parametrize("error", DISK_ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("once", [True, False])
def test_a_safe_operation_says_what_the_disk_refused_and_finishes_later(
    prepare: Callable[[], Path], error: int, once: bool
) -> None:
    failed_at = fail_at_every_step(safely, prepare, new_alone, error=error, once=once, when_failed=old_or_new)
    assert {step.kind for step in failed_at} >= {"create", "write", "sync", "rename"}


def test_success_after_a_failed_sync_is_caught(prepare: Callable[[], Path]) -> None:
    def hopeful(folder: Path, steps: Steps) -> None:
        durable.replace(steps, str(folder / "table"), NEW)
        with suppress(StorageFailed):
            durable.sync_folder(steps, str(folder))

    with pytest.raises(AssertionError, match="success was reported") as caught:
        fail_at_every_step(hopeful, prepare, new_alone, error=errno.EIO, once=True)
    assert caught.value.__notes__[0].startswith("EIO at step 7: sync ")


def test_an_error_without_plain_words_is_caught(prepare: Callable[[], Path]) -> None:
    def in_programmers_words(folder: Path, steps: Steps) -> None:
        try:
            safely(folder, steps)
        except StorageFailed as error:
            raise RuntimeError("0x80070070") from error

    with pytest.raises(AssertionError, match="says nothing to a user"):
        fail_at_every_step(in_programmers_words, prepare, new_alone)


def test_a_full_disk_still_lets_go(scene: Path) -> None:
    (scene / "old").touch()
    steps = FailingAt(1, errno.ENOSPC)
    durable.remove(steps, str(scene / "old"))
    with pytest.raises(StorageFailed, match="No space left"):
        durable.make_folder(steps, str(scene / "new"))
    with pytest.raises(StorageFailed, match="Input/output error"):
        durable.remove_folder(FailingAt(1, errno.EIO), str(scene))


def test_counting_keeps_every_step_in_order(scene: Path) -> None:
    steps = Counting()
    durable.replace(steps, str(scene / "table"), NEW)
    assert [str(step) for step in steps.taken][-1] == f"step 6: sync {scene}"


def test_steps_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        DyingAt(0)


def test_a_sick_disk_is_met_by_other_programs_themselves(scene: Path) -> None:
    steps = FailingAt(1, errno.EIO)
    steps.take("run", "git status")
    steps.take("update-ref", "refs/heads/main")
    with pytest.raises(OSError, match="Input/output error"):
        steps.take("chmod", str(scene))


def test_an_operation_that_reads_a_file_twice_is_caught_when_it_changes_between(prepare: Callable[[], Path]) -> None:
    def copy_with_size(folder: Path, steps: Steps) -> None:
        size = (folder / "table").stat().st_size
        durable.replace(steps, str(folder / "size"), b"%d" % size)
        durable.replace(steps, str(folder / "copy"), (folder / "table").read_bytes())

    def consistent(folder: Path) -> None:
        assert int((folder / "size").read_bytes()) == (folder / "copy").stat().st_size

    def append(folder: Path) -> None:
        with (folder / "table").open("ab") as table:
            table.write(b"more")

    acted_at = act_at_every_step(copy_with_size, prepare, append, consistent)
    assert len(acted_at) == 12
    with pytest.raises(AssertionError) as caught:
        act_at_every_step(copy_with_size, prepare, append, consistent, when_ended=consistent)
    assert caught.value.__notes__[0].startswith("somebody interfered at step 1: remove ")


def test_an_operation_that_cannot_say_what_disturbed_it_is_caught(prepare: Callable[[], Path]) -> None:
    def renames(folder: Path, steps: Steps) -> None:
        if (folder / "table").exists():
            durable.rename(steps, str(folder / "table"), str(folder / "moved"))

    with pytest.raises(AssertionError, match="says nothing to a user"):
        act_at_every_step(renames, prepare, lambda folder: (folder / "table").unlink(), lambda folder: None)
