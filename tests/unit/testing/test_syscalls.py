"""System calls of whole commands are made to fail."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engram.testing.places import fresh_folder, scratch
from engram.testing.processes import Command, Ended, run
from engram.testing.syscalls import KILLS, REFUSALS, Fault, fault_at_every_call, most_calls, why_no_strace, with_fault
from tests.conftest import NOT_HERE

REPLACE = """
import os, sys
if not os.path.exists("table"):
    sys.exit("there is no table")
new = os.open("table.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
for _ in range(3):
    os.write(new, b"new")
os.fsync(new)
{before_the_rename}
os.rename("table.new", "table")
"""
OUT_OF_SPACE = Fault("write", "error=ENOSPC")
KILLED = Fault("/^rename", "signal=KILL")


@pytest.fixture(autouse=True)
def strace() -> None:
    if reason := why_no_strace():
        pytest.skip(f"{NOT_HERE} {reason}" if "ptrace" in reason else f"{reason}: ./dev services")


@pytest.fixture
def prepare() -> Iterator[Callable[[], Path]]:
    with scratch() as scene:

        def with_an_old_file() -> Path:
            folder = fresh_folder(scene)
            (folder / "table").write_text("old")
            return folder

        yield with_an_old_file


def replacing(folder: Path, before_the_rename: str = "") -> Command:
    script = REPLACE.format(before_the_rename=before_the_rename)
    return Command(arguments=(sys.executable, "-c", script), folder=folder)


def new(folder: Path) -> None:
    assert (folder / "table").read_text() == "newnewnew"


def test_the_calls_of_an_undisturbed_command_are_counted(prepare: Callable[[], Path]) -> None:
    assert most_calls(replacing(prepare()), "write") == 3
    assert most_calls(replacing(prepare()), "/^rename") == 1


def test_the_chosen_call_fails_and_no_other(prepare: Callable[[], Path]) -> None:
    folder = prepare()
    ended = run(with_fault(replacing(folder), OUT_OF_SPACE, at=2))
    assert "No space left on device" in ended.errors
    assert (folder / "table.new").read_text() == "new"


def test_a_command_that_replaces_by_renaming_withstands_every_fault(prepare: Callable[[], Path]) -> None:
    def old_or_new(folder: Path, ended: Ended) -> None:
        assert ended.exit_code != 0
        assert (folder / "table").read_text() == "old"

    assert fault_at_every_call(replacing, prepare, new, OUT_OF_SPACE, when_ended=old_or_new) == (1, 2, 3)
    assert fault_at_every_call(replacing, prepare, new, KILLED, when_ended=old_or_new) == (1,)
    assert fault_at_every_call(replacing, prepare, new, OUT_OF_SPACE, stride=2) == (1, 3)


def test_a_command_that_removes_the_old_file_first_is_caught(prepare: Callable[[], Path]) -> None:
    with pytest.raises(AssertionError, match="there is no table") as caught:
        fault_at_every_call(lambda folder: replacing(folder, 'os.unlink("table")'), prepare, new, KILLED)
    assert caught.value.__notes__ == ["/^rename:signal=KILL at call 1"]


def test_a_command_without_such_a_call_proves_nothing_and_is_refused(prepare: Callable[[], Path]) -> None:
    with pytest.raises(AssertionError, match="makes no call"):
        fault_at_every_call(replacing, prepare, new, Fault("/^link", "signal=KILL"))


@pytest.mark.parametrize("fault", [*KILLS, *REFUSALS], ids=str)
def test_strace_knows_the_words_of_every_fault(prepare: Callable[[], Path], fault: Fault) -> None:
    assert run(with_fault(replacing(prepare()), fault, at=99)).exit_code == 0
