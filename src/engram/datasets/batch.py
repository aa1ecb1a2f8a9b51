"""A program at work on a batch of requests: it is asked and listened to at once, so that neither side waits."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from engram.datasets.complaints import last_words

_KEPT_LINES = 20


class Batch:
    """What a program answers, line by line, as it comes; `status` and `said` once it has ended."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes], requests: bytes) -> None:
        self._stdout = stdout
        self._complaints: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._threads = (
            threading.Thread(target=_ask, args=(stdin, requests), daemon=True),
            threading.Thread(target=self._complaints.extend, args=(stderr,), daemon=True),
        )
        for thread in self._threads:
            thread.start()
        #: Its exit status; ``None`` while it works.
        self.status: int | None = None
        #: Whether it may still have something to say.
        self.left_early = True

    def lines(self) -> Iterator[bytes]:
        """Each line, without its end."""
        for line in self._stdout:
            yield line.rstrip(b"\n")
        self.left_early = False

    def ended(self, status: int) -> None:
        """Take down how it ended."""
        for thread in self._threads:
            thread.join()
        self.status = status

    @property
    def said(self) -> str:
        """The last line of what it complained about, '' for nothing."""
        return last_words(line.decode(errors="replace") for line in self._complaints)


def _ask(stdin: IO[bytes], requests: bytes) -> None:
    with suppress(BrokenPipeError), stdin:
        stdin.write(requests)
