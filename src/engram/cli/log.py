"""The developers' log, when somebody asks for it with ``-l``."""

import logging

from engram.cli.render import Screen
from engram.cli.text import printable


class _Lines(logging.Handler):
    """Log records as lines on the screen, beside the results."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.message(printable(f"[{record.levelname}] {record.name}: {record.getMessage()}"))


def listen(screen: Screen, level: str) -> bool:
    """Show the log from a level on (a name, or 1 to 9); gives whether that includes debugging."""
    number = int(level) if level.isdigit() else int(logging.getLevelNamesMapping()[level.upper()])
    logger = logging.getLogger("engram")
    logger.handlers[:] = [_Lines(screen)]
    logger.setLevel(number)
    logger.propagate = False
    return number <= logging.DEBUG
