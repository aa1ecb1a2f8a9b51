"""A user's own command at work: signals that come meanwhile are its own, and how it ended."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NamedTuple, Self

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
#: Of those, the ones after which nobody wants engram to go on, however well the command ended.
_FINAL = {signal.SIGTERM, signal.SIGHUP}
#: What shells say of a command whose folder is gone, or whose program cannot be started.
_CANNOT_START = 126
_BY_SIGNAL = 128


class Ended(NamedTuple):
    """How a command ended."""

    #: 0 when it says that all is well; 128 + n when signal *n* ended it.
    exit_code: int
    #: As the system says it, and as DataLad records it: -n when signal *n* ended it.
    status: int = 0
    #: Why it could not even be started, '' when it was.
    problem: str = ""

    @classmethod
    def of(cls, status: int, came: Sequence[int]) -> Self:
        """From what the system says (-n for signal *n*), and the signals that came to engram meanwhile."""
        if status < 0:
            return cls(_BY_SIGNAL - status, status)
        final = next((number for number in came if number in _FINAL), None)
        return cls(_BY_SIGNAL + final if final else status, status)

    @classmethod
    def unstarted(cls, error: OSError) -> Self:
        """For one that could not be started."""
        return cls(_CANNOT_START, _CANNOT_START, f"{error.filename or 'the shell'}: {error.strerror}")


class PassedOn:
    """Signals to engram, while a command runs that they are meant for."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self._child = 0

    def go_to(self, child: int) -> None:
        """From now on to this process; those that came before now, too."""
        self._child = child
        for number in self.came:
            self._pass_on(number)

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Take signals instead of whoever took them; only Python's main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in _PASSED_ON}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # a command that nohup protects stays protected
                signal.signal(number, self._take)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, number: int, _: FrameType | None) -> None:
        self.came.append(number)
        if self._child:
            self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        """Send it on, but for what the terminal has sent to both: to everything in its foreground."""
        if number in (signal.SIGINT, signal.SIGQUIT) and _in_foreground():
            return
        with suppress(ProcessLookupError):
            os.kill(self._child, number)


def _in_foreground() -> bool:
    """Whether a key on the terminal would reach this process."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
