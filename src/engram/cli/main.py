"""Where the command line begins and ends: signals, errors, exit codes."""

import sys

try:
    import gc
    import os
    import signal
    from contextlib import suppress
except KeyboardInterrupt:  # nobody listens yet, and nothing was begun
    sys.exit(130)

TYPE_CHECKING = False  # as type checkers want it; typing would take longer than what is imported above
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

#: Signals that end a call in good order; ``nohup`` and background jobs may have switched some off.
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: So many new objects before garbage is looked for: a call makes little, and loads much.
_GARBAGE_FROM = 200_000
#: The signal that was heard.
_HEARD: "list[Interrupted]" = []
#: So long may the good order take.
_GRACE_S = 1.5
_A_MOMENT_S = 0.01


class Interrupted(KeyboardInterrupt):
    """A signal asks to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        #: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP: 128 + the number, as shells count.
        self.exit_code = 128 + number


def main() -> int:
    """Run the command line of this process; gives its exit code."""
    _listen()
    try:
        gc.disable()  # what is loaded now stays: looking through it for garbage takes a tenth of a short call
        from engram.cli.run import call_here, run

        gc.freeze()
        gc.set_threshold(_GARBAGE_FROM)
        gc.enable()
        code = run(call_here(), sys.argv[1:], heard=_HEARD)
        gc.freeze()  # nor is there anything to be gained at the end
        _stop_listening()
    except KeyboardInterrupt as interrupt:
        _leave(interrupt)
    return code


def _listen() -> None:
    for number in _ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _stop_listening() -> None:
    """From here on a signal ends the process without a word: Python's own end would show where it was."""
    for number in _ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, _: "FrameType | None") -> None:
    """The first signal unwinds, so that every `finally` is done; a second one, or too long a wait, ends at once."""
    _stop_listening()
    _HEARD.append(Interrupted(number))
    if stopping := sys.modules.get("engram.model.stopping"):  # nothing is imported within a handler
        stopping.stop_all()
    _unwind(_HEARD[0])


def _unwind(interrupt: Interrupted) -> "NoReturn":
    """Raise it. Where Python is just done with an object nobody hears that, so it is raised again a moment later."""

    def unheard(told: "sys.UnraisableHookArgs") -> None:
        if told.exc_value is not interrupt:
            sys.__unraisablehook__(told)
            return
        signal.signal(signal.SIGALRM, lambda *_: _unwind(interrupt))
        signal.setitimer(signal.ITIMER_REAL, _A_MOMENT_S)

    sys.unraisablehook = unheard
    signal.signal(signal.SIGALRM, lambda *_: _leave(interrupt))
    signal.setitimer(signal.ITIMER_REAL, _GRACE_S)
    raise interrupt


def _leave(interrupt: KeyboardInterrupt) -> "NoReturn":
    """End without waiting for threads: what they hold is either not begun or safe on the disk."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):  # RuntimeError: it was being written when the signal came
            stream.flush()
    os._exit(interrupt.exit_code if isinstance(interrupt, Interrupted) else 130)
