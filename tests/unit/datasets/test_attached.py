"""A user's command runs as if he had typed it, and its signals are its own."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.datasets.programs import Programs


def attached(folder: Path, command: str, **environment: str) -> tuple[int, int, str]:
    around = {"PATH": os.environ["PATH"], **environment}
    return tuple(Programs(environment=around).attached(str(folder), command))  # type: ignore[return-value]  # a record


def test_its_folder_and_environment_are_the_users_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert attached(tmp_path, 'pwd; echo "$GIT_DIR $LD_PRELOADED"', GIT_DIR="x", LD_PRELOADED="y") == (0, 0, "")
    assert capfd.readouterr().out == f"{tmp_path}\nx y\n"


@pytest.mark.parametrize(
    ("command", "code", "status"),
    [("true", 0, 0), ("exit 7", 7, 7), ("kill -9 $$", 137, -9), ("no-such-program-here", 127, 127)],
)
def test_how_it_ended(tmp_path: Path, command: str, code: int, status: int) -> None:
    assert attached(tmp_path, f"{command} 2>&1 >&-")[:2] == (code, status)


def test_a_folder_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    code, _, problem = attached(tmp_path / "gone", "true")
    assert code == 126
    assert "No such file or directory" in problem


def test_what_it_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    assert attached(tmp_path, "sleep 60 & echo $! > pid")[0] == 0
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # it is still there


class TestSignals:
    @pytest.fixture
    def told(self) -> Iterator[list[int]]:
        """Signals that reach Python's own handlers."""
        came: list[int] = []
        numbers = (signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
        yield came
        for number, handler in before.items():
            signal.signal(number, handler)

    def when(self, path: Path, number: int) -> threading.Thread:
        """Send this process a signal once a file is there."""

        def wait() -> None:
            while not path.exists():
                time.sleep(0.01)
            os.kill(os.getpid(), number)

        thread = threading.Thread(target=wait)
        thread.start()
        return thread

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
    def test_the_command_gets_them_and_engram_goes_on_to_say_so(
        self, tmp_path: Path, told: list[int], number: int, code: int
    ) -> None:
        thread = self.when(tmp_path / "ready", number)
        assert attached(tmp_path, "touch ready; exec sleep 60")[0] == code
        thread.join()
        assert told == []
        os.kill(os.getpid(), number)
        assert told == [number]

    def test_a_command_that_ends_well_after_one_was_ended_all_the_same(self, tmp_path: Path, told: list[int]) -> None:
        thread = self.when(tmp_path / "ready", signal.SIGTERM)
        words = "import signal,sys,time; signal.signal(15, lambda *_: sys.exit(0)); open('ready','w'); time.sleep(60)"
        assert attached(tmp_path, f'exec {sys.executable} -c "{words}"')[:2] == (143, 0)
        thread.join()

    def test_in_a_thread_nothing_is_caught(self, tmp_path: Path) -> None:
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(attached(tmp_path, "exit 3")[0]))
        thread.start()
        thread.join()
        assert found == [3]
