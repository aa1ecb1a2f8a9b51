"""What a call writes and asks beside its results: tracebacks of bugs, questions."""

import os
import sys
import time
import traceback
from contextlib import suppress

from engram.cli.render import Screen
from engram.cli.text import printable
from engram.durable import Steps, make_folders, write_new
from engram.model.errors import EngramError


def answer(screen: Screen, question: str) -> bool:
    """Whether the user said yes; without a terminal to ask on, no."""
    screen.flush()
    if not (sys.stdin.isatty() and screen.err.isatty()):
        return False
    screen.message(f"{printable(question)} [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def traceback_of(error: BaseException) -> str:
    """The traceback of a bug, as a developer wants to read it."""
    return "".join(traceback.format_exception(error))


def save_traceback(text: str) -> str:
    """Keep the traceback of a bug for a report; gives the file's path, or '' where none could be written."""
    folder = _state_folder()
    path = os.path.join(folder, time.strftime("bug-%Y%m%dT%H%M%S") + f"-{os.getpid()}.txt")
    with suppress(OSError, EngramError):
        make_folders(Steps(), folder)
        write_new(Steps(), path, text.encode("utf-8", "backslashreplace"), mode=0o600, sync=False)
        return path
    return ""


def _state_folder() -> str:
    from platformdirs import user_state_path

    return str(user_state_path("engram", appauthor=False))
