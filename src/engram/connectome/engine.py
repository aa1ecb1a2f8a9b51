"""The engine of a build: one DuckDB work file, one memory limit, one order."""

import re
from contextlib import suppress
from typing import Any

import duckdb
import pyarrow as pa

from engram.connectome.sql import name
from engram.model.stopping import is_stopped_by_signals

#: DuckDB's own limit is not that of the process: what is read, written and handed over lies beside it.
OF_MEMORY_RATIO = 0.7
#: Less than this DuckDB cannot work with.
_LEAST_BYTES = 64 << 20
#: Rows that an ordered aggregate of texts takes at once: it cannot spill, so that it is done in parts.
_ROWS_OF_A_PART = 4_000_000
#: What a row of a part may take: of 4 million rows 800 MiB were too little, of a million 360 MiB enough.
_BYTES_OF_A_ROW = 600

#: What the engine says of a file that takes no more, in plain words or within JSON.
_NOT_WRITTEN = re.compile(r'Could not write file \\*"(?P<path>.+?)\\*": (?P<why>[^"\\\n]+)')
_OF_DISKS = ("No space left", "quota exceeded", "Input/output error", "File too large")


def disk_failure(error: duckdb.Error) -> tuple[str, str] | None:
    """The file that a disk did not take, '' if that is not known, and why; None for what is no fault of a disk.

    The engine calls it an error of a transaction, of input and output, or of itself.

    >>> disk_failure(duckdb.TransactionException('Failed to commit: Could not write file "w": No space left on device'))
    ('w', 'No space left on device')
    """
    said = str(error)
    if match := _NOT_WRITTEN.search(said):
        return match["path"], match["why"].strip()
    return ("", said.splitlines()[0]) if any(one in said for one in _OF_DISKS) else None


def stop(connection: duckdb.DuckDBPyConnection) -> None:
    """End what a connection carries out. Without that, the engine waits for its threads to come to their ends."""
    with suppress(duckdb.ConnectionException):  # it is closed
        connection.interrupt()


def give_back() -> None:
    """Give the system the memory that Arrow and Python need no more. The engine gives back its own."""
    pa.default_memory_pool().release_unused()
    pa.system_memory_pool().release_unused()


class Work:
    """A work file: tables may be larger than memory, and no result depends on how many threads work."""

    def __init__(
        self, path: str, *, memory_bytes: int, threads: int, spill: str = "", engine_bytes: int | None = None
    ) -> None:
        """Make the file *path*, which belongs to one build alone.

        Args:
            path: ``:memory:`` for none: what does not fit into memory lies in *spill*, and is gone afterwards.
            memory_bytes: what the whole process may take.
            spill: a folder for what does not fit; '' for one beside the file.
            engine_bytes: what of the memory the engine may take at most, where `OF_MEMORY_RATIO` would be too much.
        """
        limit = int(memory_bytes * OF_MEMORY_RATIO)
        limit = max(limit if engine_bytes is None else min(limit, engine_bytes), _LEAST_BYTES)
        #: How many rows an ordered aggregate of texts may take at once.
        self.rows_of_a_part = min(_ROWS_OF_A_PART, limit // _BYTES_OF_A_ROW)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{limit // 1024}KiB",
            "threads": str(threads),
            "preserve_insertion_order": "true",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        if spill:
            settings["temp_directory"] = spill
        #: How many threads work.
        self.threads = threads
        self.connection = duckdb.connect(path, config=settings)
        is_stopped_by_signals(self)

    def stop(self) -> None:
        """End the statement that it carries out: a signal came."""
        stop(self.connection)

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()

    def run(self, sql: str) -> None:
        """Carry out one statement."""
        self.connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query that has few."""
        return self.connection.execute(sql).fetchall()

    def count(self, sql: str) -> int:
        """The one number of a query."""
        ((count,),) = self.rows(sql)
        return int(count)

    def relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        """A query that is carried out when it is read."""
        return self.connection.sql(sql)

    def make(self, table: str, query: str) -> None:
        """Keep what a query gives as a table of the work file, in its order."""
        self.run(f"CREATE TABLE {name(table)} AS {query}")
        give_back()

    def pass_on(self, table: str, query: str) -> None:
        """The same for a table that is soon dropped: it is not packed, and goes to the disk only for want of memory."""
        self.run(f"CREATE TEMP TABLE {name(table)} AS {query}")

    def view(self, view: str, query: str) -> None:
        """Give a query a name."""
        self.run(f"CREATE VIEW {name(view)} AS {query}")

    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table and their types, in its order."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {name(table)}")}
