"""Whole commands are killed, interrupted and paused, with what they started."""

import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engram.testing.places import fresh_folder, scratch
from engram.testing.processes import (
    STOP_SIGNALS,
    Command,
    kill_at_random_times,
    paused,
    run,
    started,
)

#: A seed whose first times are all near the end.
LATE = 92_377

SAFE = """
import os, time
open("table.new", "w").write("new" * 50_000)
time.sleep(0.05)
os.replace("table.new", "table")
"""
UNSAFE = """
import os, time
file = open("table", "w")
for _ in range(50):
    file.write("new" * 1000)
    time.sleep(0.002)
"""
WITH_A_CHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], {extra})
print("ready", flush=True)
time.sleep({own_s})
"""


@pytest.fixture
def scene() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture
def prepare(scene: Path) -> Callable[[], Path]:
    def with_an_old_file() -> Path:
        folder = fresh_folder(scene)
        (folder / "table").write_text("old")
        return folder

    return with_an_old_file


def python(script: str, folder: Path) -> Command:
    return Command(arguments=(sys.executable, "-c", script), folder=folder, environment={"MARK": "set"})


def whole(folder: Path) -> None:
    assert (folder / "table").read_text() in {"old", "new" * 50_000}


def test_an_undisturbed_command_says_all_of_itself(scene: Path) -> None:
    script = "import os, sys; print(os.environ['MARK'], os.getcwd()); sys.stderr.write('so'); sys.exit(7)"
    ended = run(python(script, scene))
    assert (ended.exit_code, ended.output, ended.errors) == (7, f"set {scene}\n", "so")
    assert not ended.was_running
    assert not ended.left_running
    assert ended.stopping_s == 0 < ended.duration_s


def test_a_safe_command_survives_kills_at_random_times(prepare: Callable[[], Path]) -> None:
    kills = kill_at_random_times(
        lambda folder: python(SAFE, folder), prepare, whole, count=10, seed=1, when_killed=whole
    )
    assert len(kills) == 10
    assert all(after_s > 0 for after_s in kills)


def test_kills_that_always_come_too_late_prove_nothing_and_are_refused(prepare: Callable[[], Path]) -> None:
    runs: list[Path] = []

    def slow_only_once(folder: Path) -> Command:
        runs.append(folder)
        return Command(arguments=("sleep", "1") if len(runs) == 1 else ("true",), folder=folder)

    with pytest.raises(AssertionError, match="only 0 of 1 kills came before the end"):
        kill_at_random_times(slow_only_once, prepare, whole, count=1, seed=LATE)


def test_a_command_that_writes_in_place_is_caught(prepare: Callable[[], Path]) -> None:
    with pytest.raises(AssertionError) as caught:
        kill_at_random_times(lambda folder: python(UNSAFE, folder), prepare, whole, count=40, seed=1, when_killed=whole)
    assert re.fullmatch(r"killed after \d+\.\d{4} s", caught.value.__notes__[0])


def test_a_command_that_cannot_be_repeated_is_caught(prepare: Callable[[], Path]) -> None:
    script = "import os, time; os.mkdir('lock'); time.sleep(0.2); os.rmdir('lock')"
    with pytest.raises(AssertionError, match="ended with 1:\n"):
        kill_at_random_times(lambda folder: python(script, folder), prepare, whole, count=40, seed=1)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_reaches_what_the_command_started(scene: Path, number: signal.Signals) -> None:
    script = WITH_A_CHILD.format(extra="", own_s=100)
    with started(python(script, scene)) as running:
        running.wait_for_output("ready")
        ended = running.end(number)
    assert ended.was_running
    assert ended.exit_code in {-number, 1}
    assert not ended.left_running
    assert ended.stopping_s > 0


def test_a_signal_reaches_it_though_it_is_ignored_here(scene: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with started(python("import time; print('ready', flush=True); time.sleep(100)", scene)) as running:
            running.wait_for_output("ready")
            assert running.end(signal.SIGHUP).exit_code == -signal.SIGHUP
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_outlives_a_command_is_told_and_ended(scene: Path) -> None:
    with started(python(WITH_A_CHILD.format(extra="", own_s=0), scene)) as running:
        assert running.end(group_patience_s=0.2).left_running


def test_a_command_that_ignores_a_signal_is_given_up_on_after_the_patience(scene: Path) -> None:
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(100)"
    with started(python(script, scene)) as running:
        running.wait_for_output("ready")
        with pytest.raises(TimeoutError, match="still ran after"):
            running.end(signal.SIGTERM, patience_s=0.2)


def test_a_signal_after_the_end_is_told_as_such(scene: Path) -> None:
    with started(python("", scene)) as running:
        running.process.wait()
        ended = running.end(signal.SIGINT)
    assert (ended.exit_code, ended.was_running) == (0, False)


def test_a_paused_command_goes_on(scene: Path) -> None:
    ended = paused(python(SAFE, scene), after_s=0.02, pause_s=0.3)
    assert ended.exit_code == 0
    assert ended.duration_s > 0.3
