"""Rows of CSV files whose fields are as long as they like: the ``roiInfo`` of a large body is longer than Python's
reader takes, which has one limit for the whole process.
"""

import csv
import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock


class _Limit:
    """It is lifted with the first file that is opened, and back with the last one that is closed, in whatever order."""

    def __init__(self) -> None:
        self._lock = RLock()  # a reader that nobody reads to its end is closed at any moment
        self._readers = 0
        self._before = 0

    @contextmanager
    def lifted(self) -> Iterator[None]:
        with self._lock:
            if not self._readers:
                self._before = csv.field_size_limit(sys.maxsize)
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                if not self._readers:
                    csv.field_size_limit(self._before)


_LIMIT = _Limit()


@contextmanager
def opened_rows(path: str) -> Iterator[Iterator[list[str]]]:
    """The rows of a file, packed by gzip if its name says so.

    Raises:
        OSError, EOFError, UnicodeDecodeError, csv.Error: it cannot be read; this may show when rows are asked for.
    """
    with (
        _LIMIT.lifted(),
        (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="") as file,
    ):
        yield csv.reader(file, strict=True)
