"""Ask the tables of a finished snapshot in SQL: read-only, whatever the question says.

The engine has no file system, no network, no extensions and no way to change its settings; one statement is taken, and
only one that selects. Tables are handed to it as streams that we opened.

Source: https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import duckdb

from engram.connectome.asking.tables import Named, Readable, absent_tables, selected_from, tables_of
from engram.connectome.contents import not_here
from engram.connectome.engine import OF_MEMORY_RATIO, stop
from engram.connectome.reading import told
from engram.connectome.sql import name
from engram.model.errors import NoSnapshot, QueryFailed, QueryRefused
from engram.model.stopping import is_stopped_by_signals

#: Rows that are handed on at once.
_BATCH_ROWS = 10_000
_LONGEST = 1_000_000
#: What the name of a table's file begins with.
_SOURCE = "file of "
_CYPHER = re.compile(r"\s*(?:MATCH|OPTIONAL\s+MATCH|UNWIND|MERGE|CALL\s+(?:db|apoc)\b)", re.IGNORECASE)
#: Functions that tell of the machine, or that carry out text.
_REFUSED = frozenset(
    "duckdb_settings duckdb_secrets duckdb_extensions duckdb_logs duckdb_temporary_files duckdb_memory current_setting"
    " query query_table getenv parse_duckdb_log_message enable_logging write_log pragma_database_list duckdb_databases"
    " checkpoint force_checkpoint python_map_function pandas_scan arrow_scan arrow_scan_dumb seq_scan".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rows of a question, as they come."""

    #: Names and types of its columns, as SQL spells them.
    columns: Mapping[str, str]
    rows: Iterator[tuple[Any, ...]]


class Asking:
    """A snapshot that can be asked."""

    def __init__(
        self,
        folder: str,
        paths: Sequence[str],
        absent: Sequence[str] = (),
        *,
        memory_bytes: int,
        threads: int,
        spill: str,
    ) -> None:
        """Open its tables.

        Args:
            paths: POSIX paths of its files.
            absent: of those whose content is not here.
            memory_bytes: what the process may take.
            spill: a folder for what does not fit into memory.

        Raises:
            NoSnapshot: there is no table.
            Unreadable, Malformed: a table that is none.
        """
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{int(memory_bytes * OF_MEMORY_RATIO) // 1024}KiB",
            "threads": str(threads),
            "temp_directory": spill,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
        }
        found = list(tables_of(folder, list(paths), absent))
        self._folder, self._absent = folder, absent_tables(paths, absent)
        if not (found or self._absent):
            raise NoSnapshot(folder)
        self._connection = duckdb.connect(":memory:", config=settings)
        is_stopped_by_signals(self)
        self._tables: dict[str, Readable] = {}
        for table in found:
            self._tables[table.name] = table
            source = f"{_SOURCE}{table.name}"
            with told(table.path):
                self._connection.register(source, table.source)
                self._connection.execute(f"CREATE VIEW {name(table.name)} AS {selected_from(source, table.columns)}")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def stop(self) -> None:
        """End the question that is being answered: a signal came."""
        stop(self._connection)

    def close(self) -> None:
        """Let the files go."""
        self._connection.close()

    @property
    def tables(self) -> Iterator[Named]:
        """Its tables, in the order of their names, and those that cannot be read because they are not here."""
        for table, path in sorted([*((one.name, one.path) for one in self._tables.values()), *self._absent.items()]):
            is_here = table in self._tables
            rows = self._connection.execute(f"DESCRIBE {name(table)}").fetchall() if is_here else []
            yield Named(name=table, path=path, columns={row[0]: _shown_type(row[1]) for row in rows}, is_here=is_here)

    def ask(self, query: str) -> Answer:
        """Ask one question. Raises `QueryRefused`; `QueryFailed` when it cannot be answered, `NotHere` not now."""
        self._refuse(query)
        try:
            found = self._connection.execute(query)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            self._refuse_absent(query)
            raise QueryFailed(_first_lines(error)) from error
        described = found.description or ()
        kinds = (_shown_type(str(column[1])) for column in described)
        columns = dict(zip(told_apart([column[0] for column in described]), kinds, strict=True))
        return Answer(columns=columns, rows=self._rows(found))

    def _rows(self, found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
        try:
            while rows := found.fetchmany(_BATCH_ROWS):
                yield from rows
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise QueryFailed(_first_lines(error)) from error

    def _refuse_absent(self, query: str) -> None:
        """Say which table of a question is not here. Raises `NotHere`."""
        for word in re.findall(r"\w+", query.lower()):
            if word in self._absent:
                raise not_here(self._folder, self._absent[word])

    def _refuse(self, query: str) -> None:
        """What no question may be. Raises `QueryRefused`, `QueryFailed`."""
        if _CYPHER.match(query):
            raise QueryRefused(
                "Cypher is not understood yet", "Ask in SQL; tables and columns: engram snapshot query DIR"
            )
        if len(query) > _LONGEST or not _is_text(query):
            raise QueryRefused(f"it has more than {_LONGEST} characters, or some that are none", "Ask in UTF-8.")
        try:
            statements = self._connection.extract_statements(query)
        except duckdb.Error as error:
            raise QueryFailed(_first_lines(error)) from error
        if len(statements) != 1:
            several = f"{len(statements)} statements at once" if statements else "there is no statement in it"
            raise QueryRefused(several, "Ask one after the other." if statements else "Begin it with SELECT.")
        if statements[0].type is not duckdb.StatementType.SELECT:
            kind = statements[0].type.name.lower()
            raise QueryRefused(f"{kind}: a snapshot is read only", "Begin it with SELECT, WITH, DESCRIBE or SHOW.")
        for word in re.findall(r"\w+", query.lower()):
            if word in _REFUSED:
                raise QueryRefused(f"{word}: only the tables of the snapshot can be asked", "Leave it out.")


def told_apart(names: Sequence[str]) -> list[str]:
    """Names of columns, each once: of two tables that are joined, several columns may have one name.

    >>> told_apart(["body", "type", "body", "body_1", "body"])
    ['body', 'type', 'body_2', 'body_1', 'body_3']
    """
    found: list[str] = []
    for place, one in enumerate(names):
        free = (f"{one}_{number}" for number in count(1))
        taken = {*names, *found}
        found.append(next(other for other in free if other not in taken) if one in names[:place] else one)
    return found


def _is_text(query: str) -> bool:
    try:
        query.encode()
    except UnicodeEncodeError:
        return False
    return True


def _first_lines(error: duckdb.Error) -> str:
    """What the engine says, in one line, with the names that a question may use."""
    return " ".join(str(error).partition("\n\n")[0].replace(_SOURCE, "").split())


def _shown_type(kind: str) -> str:
    return "ENUM" if kind.startswith("ENUM") else kind.strip('"')  # that of NULL stands in quotes
