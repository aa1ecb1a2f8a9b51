"""engram among strangers: little memory, little time, and on PATH what a careless user has there."""

import io
import os
import resource
import signal
import tempfile
from pathlib import Path

from engram.cli.call import Call
from engram.cli.render import Screen
from engram.cli.run import run
from engram.durable import Steps
from engram.testing.canary import Canary
from engram.testing.faults import Ending, in_child

#: Whoever unpacks a bomb into memory dies of this.
MOST_MEMORY_BYTES = 800 << 20
#: No verb takes longer, however busy the machine.
LONGEST_S = 200


def engram(folder: Path, canary: Canary, *words: str) -> tuple[Ending, str]:
    """How a call of engram ended in a child of its own, and all that it printed."""
    with tempfile.TemporaryFile() as printed:

        def call(place: Path, _: Steps) -> int:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LONGEST_S)  # whoever waits for a pipe dies of this
            most_bytes = _memory_now_bytes() + MOST_MEMORY_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
            code, said = said_by_engram(place, canary, *words)
            os.write(printed.fileno(), said.encode(errors="surrogateescape"))
            return code

        ending = in_child(call, folder)
        return ending, os.fsdecode(os.pread(printed.fileno(), 1 << 20, 0))


def said_by_engram(folder: Path, canary: Canary, *words: str) -> tuple[int, str]:
    """The exit code, and what was printed, in this process."""
    environment = {**os.environ, "PATH": f"{canary.cage / 'bin'}:{os.environ['PATH']}"}
    said = io.StringIO()
    code = run(Call(screen=Screen(said, said, environment), environment=environment, folder=str(folder)), words)
    assert "bug in engram" not in said.getvalue(), said.getvalue()
    return code, said.getvalue()


def _memory_now_bytes() -> int:
    """What this process has mapped already: tests that ran before in it may have left much.

    Source: proc_pid_statm(5)
    """
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
