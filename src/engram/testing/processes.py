"""Kill, interrupt and pause whole commands, with everything that they started.

Each `Command` runs in a session of its own, so that a signal reaches its children (git, git-annex) as it does from a
terminal or from ``kill -9 -PGID``. Times are measured and given, never judged here.
"""

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engram.testing.faults import noted

State = TypeVar("State")

#: What a terminal, a service manager and a closed window send.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Long enough for a command, and for what was told to end, on a busy machine: only what hangs takes longer.
PATIENCE_S = 200
_WAIT_FOR_THE_GROUP_S = 20
_BETWEEN_LOOKS_S = 0.005
_TRIES_PER_KILL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start, and where."""

    arguments: tuple[str, ...]
    folder: Path
    #: Set beside the variables of this process.
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    #: As `subprocess` gives it: negative for the signal that ended it.
    exit_code: int
    output: str
    errors: str
    duration_s: float
    #: From the signal to the end of the command; 0 when it had ended before, or none was sent.
    stopping_s: float = 0.0
    #: Whether a signal still met it alive.
    was_running: bool = False
    #: Whether something that it had started outlived it (and was killed then).
    left_running: bool = False


class Running:
    """A command that has been started by `started`."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, errors: Path) -> None:
        self.process = process
        self._output = output
        self._errors = errors
        self._began_s = time.monotonic()

    def send(self, number: int) -> bool:
        """Send a signal to the command and all that it started; whether it was still running."""
        if self.process.poll() is not None:
            return False
        os.killpg(self.process.pid, number)
        return True

    def wait_for_output(self, text: str, *, patience_s: float = PATIENCE_S) -> None:
        """Return as soon as it has printed *text*. `TimeoutError` after *patience_s*, or when it ended without."""
        give_up_s = time.monotonic() + patience_s
        while text not in self._output.read_text(errors="surrogateescape"):
            if time.monotonic() > give_up_s or self.process.poll() is not None:
                raise TimeoutError(f"{self.process.args!r} did not print {text!r}")
            time.sleep(_BETWEEN_LOOKS_S)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing of it runs within, except for what a system call has yet to finish."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    def end(
        self,
        number: int | None = None,
        *,
        patience_s: float = PATIENCE_S,
        group_patience_s: float = _WAIT_FOR_THE_GROUP_S,
    ) -> Ended:
        """Send a signal if one is given, wait for the end, and say how it came. `TimeoutError` after *patience_s*.

        What it had started may take *group_patience_s* longer to end.
        """
        was_running = number is not None and self.send(number)
        sent_s = time.monotonic()
        try:
            exit_code = self.process.wait(patience_s)
        except subprocess.TimeoutExpired as error:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise TimeoutError(f"{self.process.args!r} still ran after {patience_s} s") from error
        ended_s = time.monotonic()
        return Ended(
            exit_code=exit_code,
            output=self._output.read_text(errors="surrogateescape"),
            errors=self._errors.read_text(errors="surrogateescape"),
            duration_s=ended_s - self._began_s,
            stopping_s=ended_s - sent_s if was_running else 0.0,
            was_running=was_running,
            left_running=self._end_what_is_left(group_patience_s),
        )

    def _end_what_is_left(self, patience_s: float) -> bool:
        give_up_s = time.monotonic() + patience_s
        while time.monotonic() < give_up_s:
            if not _lives(self.process.pid):
                return False
            time.sleep(_BETWEEN_LOOKS_S)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return True


def _lives(group: int) -> bool:
    """Whether a process of that group runs; one that only waits for its parent to notice its end does not.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (fields 3 and 5)
    """
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, process_group = entry.read_text().rpartition(") ")[2].split(" ", 3)[:3]
            if int(process_group) == group and state != "Z":
                return True
    return False


def _as_in_a_terminal() -> None:
    """Signals end what is started, though they were ignored here (``nohup``, or a shell's ``&``)."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def started(command: Command) -> Iterator[Running]:
    """The command, running; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="engram-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        with output.open("wb") as to_output, errors.open("wb") as to_errors:
            process = subprocess.Popen(
                command.arguments,
                cwd=command.folder,
                env={**os.environ, **(command.environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=to_output,
                stderr=to_errors,
                start_new_session=True,
                preexec_fn=_as_in_a_terminal,  # noqa: PLW1509 - it takes no lock
            )
        try:
            yield Running(process, output, errors)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(command: Command, *, patience_s: float = PATIENCE_S) -> Ended:
    """How the command ends when nobody disturbs it."""
    with started(command) as running:
        return running.end(patience_s=patience_s)


def signalled(command: Command, number: int, *, after_s: float, patience_s: float = PATIENCE_S) -> Ended:
    """How the command ends when a signal comes *after_s* seconds."""
    with started(command) as running:
        time.sleep(after_s)
        return running.end(number, patience_s=patience_s)


def paused(command: Command, *, after_s: float, pause_s: float, patience_s: float = PATIENCE_S) -> Ended:
    """How the command ends when it is stopped (Ctrl-Z, a laptop that sleeps) and goes on later."""
    with started(command) as running:
        time.sleep(after_s)
        with running.paused():
            time.sleep(pause_s)
        return running.end(patience_s=patience_s)


def kill_at_random_times(
    command: Callable[[State], Command],
    prepare: Callable[[], State],
    check: Callable[[State], object],
    *,
    count: int,
    seed: int,
    when_killed: Callable[[State], object] | None = None,
) -> tuple[float, ...]:
    """After how many seconds it was killed: *count* times, spread evenly at random over its run time.

    The run time is measured first, and taken to be shorter once a kill came too late; such kills do not count. After
    each kill *when_killed* looks at the state; then the same command must finish with 0, and *check* hold.
    """
    random_times = random.Random(seed)
    state = prepare()
    longest_s = finished(command(state)).duration_s
    check(state)
    killed_after_s: list[float] = []
    for _ in range(count * _TRIES_PER_KILL):
        if len(killed_after_s) == count:
            return tuple(killed_after_s)
        after_s = random_times.uniform(0, longest_s)
        if _kill_and_repeat(command, prepare(), check, after_s, when_killed):
            killed_after_s.append(after_s)
        else:
            longest_s = after_s
    raise AssertionError(f"only {len(killed_after_s)} of {count} kills came before the end")


def _kill_and_repeat(
    command: Callable[[State], Command],
    state: State,
    check: Callable[[State], object],
    after_s: float,
    when_killed: Callable[[State], object] | None,
) -> bool:
    killed = signalled(command(state), signal.SIGKILL, after_s=after_s)
    with noted(f"killed after {after_s:.4f} s"):
        if when_killed is not None:
            when_killed(state)
        finished(command(state))
        check(state)
    return killed.was_running


def finished(command: Command) -> Ended:
    """How the command ended, which must be with 0."""
    ended = run(command)
    if ended.exit_code != 0:
        raise AssertionError(f"{' '.join(command.arguments)} ended with {ended.exit_code}:\n{ended.errors}")
    return ended
