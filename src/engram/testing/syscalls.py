"""Make the *k*-th system call of a whole command fail, or kill it there: the long form, with strace.

It reaches what `engram.testing.faults` cannot: the steps of git and git-annex, and bytes that were half written. Slow
(a process of its own for each call), so it stands behind ``./dev test --long``.

strace counts calls in each process (and thread) on its own, and a kill ends the one that made the call; its parent
then has to cope, as it has to when the kernel runs out of memory.

Source: https://man7.org/linux/man-pages/man1/strace.1.html (``--inject``, ``when=``)
"""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from engram.testing.faults import noted
from engram.testing.places import scratch
from engram.testing.processes import Command, Ended, finished, run

State = TypeVar("State")

_LINE = re.compile(rb"(?P<process>\d+) +(?P<call>\w+)\(")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at a system call instead of the call."""

    #: A name, or what strace takes for a set of them: ``fsync``, ``/^rename``, ``write,pwrite64``.
    calls: str
    #: In the words of strace: ``error=EIO``, ``signal=KILL``, ``delay_enter=1000``.
    effect: str

    def __str__(self) -> str:
        return f"{self.calls}:{self.effect}"


#: Death and refusals at the calls that make things durable.
KILLS = tuple(
    Fault(calls, "signal=KILL") for calls in ("write", "/^fsync|^syncfs", "/^rename", "/^link", "/^symlink", "/^unlink")
)
REFUSALS = (
    Fault("write", "error=ENOSPC"),
    Fault("write", "error=EIO"),
    Fault("/^fsync|^syncfs", "error=EIO"),
    Fault("/^rename", "error=EIO"),
    Fault("/^link", "error=EMLINK"),
    Fault("/^mkdir", "error=EDQUOT"),
)


def why_no_strace() -> str:
    """Why system calls cannot be made to fail here, for the reason of a skipped test; empty when they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = ("strace", "-f", "-o", "/dev/null", "-e", "inject=getcwd:error=EIO", "true")
    done = subprocess.run(tried, capture_output=True, text=True, check=False)
    return done.stderr.strip()


def with_fault(command: Command, fault: Fault, *, at: int) -> Command:
    """The same command, but at its *at*-th such call (and no other) that happens; counted from 1."""
    inject = f"inject={fault.calls}:{fault.effect}:when={at}"
    prefix = ("strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={fault.calls}", "-e", inject)
    return replace(command, arguments=(*prefix, *command.arguments))


def most_calls(command: Command, calls: str) -> int:
    """The largest number of such calls that one process of an undisturbed run makes."""
    with scratch() as folder:
        log = folder / "log"
        prefix = ("strace", "-f", "-qqq", "-o", str(log), "-e", f"trace={calls}", "-e", "signal=none")
        finished(replace(command, arguments=(*prefix, *command.arguments)))
        return _most_by_one(log)


def _most_by_one(log: Path) -> int:
    by_process = Counter(match["process"] for line in log.read_bytes().splitlines() if (match := _LINE.match(line)))
    return max(by_process.values(), default=0)


def fault_at_every_call(
    command: Callable[[State], Command],
    prepare: Callable[[], State],
    check: Callable[[State], object],
    fault: Fault,
    *,
    when_ended: Callable[[State, Ended], object] | None = None,
    stride: int = 1,
    limit: int = 300,
) -> tuple[int, ...]:
    """At which calls it was tried: 1, 1 + *stride*, …, each in a fresh state.

    After each *when_ended* looks at the state and at how the command ended; then the undisturbed command must finish
    with 0, and *check* hold.
    """
    numbers = tuple(range(1, min(limit, most_calls(command(prepare()), fault.calls)) + 1, stride))
    if not numbers:
        raise AssertionError(f"the command makes no call {fault.calls}, so nothing was tried")
    for number in numbers:
        state = prepare()
        ended = run(with_fault(command(state), fault, at=number))
        with noted(f"{fault} at call {number}"):
            if when_ended is not None:
                when_ended(state, ended)
            finished(command(state))
            check(state)
    return numbers
