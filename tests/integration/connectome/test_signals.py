"""A signal ends what the engine of snapshots does, though its threads hear of none, and leaves nothing behind."""

import signal
import sys
import time
from pathlib import Path

import pytest

from engram.testing.processes import STOP_SIGNALS, Command, Ended, run, started

pytestmark = pytest.mark.integration

_SAID = "Interrupted.\nNothing that was reported is lost. Run the same command again: it does the rest.\n"
_PATIENCE_S = 60


def engram(folder: Path, *words: str, spill: Path | None = None) -> Command:
    """A call of this very engram; *spill* is where what does not fit into memory lies."""
    environment = {"TMPDIR": str(spill)} if spill else {}
    return Command(arguments=(sys.executable, "-m", "engram", *words), folder=folder, environment=environment)


def told_to_stop(command: Command, number: int, *, once: Path) -> Ended:
    """How a command ends when a signal comes shortly after a place is there."""
    with started(command) as running:
        give_up_s = time.monotonic() + _PATIENCE_S
        while not (once.exists() and (once.is_file() or any(once.iterdir()))):
            assert time.monotonic() < give_up_s
            assert running.process.poll() is None
            time.sleep(0.005)
        time.sleep(0.7)
        return running.end(number, patience_s=_PATIENCE_S)


_WITHOUT_END = "SELECT count(*) FROM range(10000000000) a, range(10000000000) b WHERE hash(a, b) = 3"


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_question_without_an_end_is_ended_by_a_signal(number: int, ours: Path, tmp_path: Path) -> None:
    """The engine's threads went on for ever: it does not tell them that the call is over."""
    command = engram(tmp_path, "snapshot", "query", str(ours), _WITHOUT_END, spill=tmp_path)
    ended = told_to_stop(command, number, once=tmp_path)
    assert (ended.exit_code, ended.errors) == (128 + number, _SAID)
    assert not any(tmp_path.iterdir())


def test_in_python_ctrl_c_comes_out_as_itself(ours: Path, tmp_path: Path) -> None:
    """The engine said RuntimeError, and its threads went on for ever."""
    program = f"import engram; engram.snapshot.query({str(ours)!r}, {_WITHOUT_END!r})"
    command = Command(arguments=(sys.executable, "-c", program), folder=tmp_path, environment={"TMPDIR": str(tmp_path)})
    ended = told_to_stop(command, signal.SIGINT, once=tmp_path)
    assert ended.errors.splitlines()[-1] == "KeyboardInterrupt"
    assert ended.exit_code == -signal.SIGINT
    assert not any(tmp_path.iterdir())


def test_a_build_that_is_ended_by_a_signal_says_so_and_goes_on_later(golden: Path, tmp_path: Path) -> None:
    """It was told as a bug: the engine has an error of its own for a statement that a signal ended."""
    words = ("snapshot", "build", "-c", str(golden / "input" / "config.yaml"), "-o", "release", "--no-plots")
    with started(engram(tmp_path, *words)) as running:
        while not (tmp_path / "release" / ".engram" / "work").exists() and running.process.poll() is None:
            time.sleep(0.001)
        ended = running.end(signal.SIGINT)
    assert (ended.exit_code, ended.errors.endswith(_SAID)) == (128 + signal.SIGINT, True)
    assert "bug" not in ended.errors
    assert not (tmp_path / "release" / "provenance.json").exists()
    assert run(engram(tmp_path, *words)).exit_code == 0
