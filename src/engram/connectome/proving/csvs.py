"""CSV files of a neuPrint database, read by the engine: what is surely right is proven there, the rest elsewhere.

The strict reader of `engram.connectome.neo4j` takes a microsecond for a value and says what is wrong in which line. The
engine takes a twentieth of that, within its memory, and knows only values in their plain form: what is not plain is
shown to the strict reader, which decides.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from engram.connectome.engine import Work
from engram.connectome.neo4j.checking import check_rows
from engram.connectome.neo4j.header import BadFile, Column, header_of, read_header
from engram.connectome.sql import name, selected, text

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_SMALL = "-?(?:0|[1-9][0-9]{0,8})"
_LARGE = "-?(?:0|[1-9][0-9]{0,17})"
_POINT = rf"\{{x: ?{_NUMBER}, ?y: ?{_NUMBER}, ?z: ?{_NUMBER}\}}"
#: What a value of a type looks like when it is surely one.
_PLAIN = {"int": _SMALL, "long": _LARGE, "float": _NUMBER, "double": _NUMBER}
_TEXTS = ("string", "IGNORE", "TYPE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Csv:
    """A CSV file that can be selected from."""

    #: POSIX path in the snapshot's folder.
    path: str
    #: Its header, as it stands there, and what each column is.
    columns: Mapping[str, Column]
    #: A table function that gives its rows, all columns as text.
    rows: str

    def named(self, kind: str) -> str:
        """The header of its column of a kind, as ``ID``; '' if it has none."""
        return next((head for head, column in self.columns.items() if column.kind == kind), "")


def open_csv(folder: str, path: str, *, of_nodes: bool) -> Csv:
    """A file by its header. Raises `BadFile`."""
    place = os.path.join(folder, path)
    heads = header_of(place)
    columns = dict(zip(heads, read_header(heads, of_nodes=of_nodes), strict=True))
    if len(columns) < len(heads) or len({head.lower() for head in heads}) < len(heads):
        raise BadFile("has two columns of one name")
    kinds = ", ".join(f"{text(head)}: 'VARCHAR'" for head in heads)
    packed = "gzip" if path.endswith(".gz") else "none"
    rows = (
        f"read_csv({text(place)}, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"',"
        f" compression = '{packed}', strict_mode = true, null_padding = false,"
        f" columns = {{{kinds}}})"
    )
    return Csv(path=path, columns=columns, rows=rows)


def add_checked(work: Work, file: Csv, table: str, wanted: Mapping[str, str], folder: str) -> tuple[int, list[str]]:
    """Add what is wanted of a file to *table*, or make it: how many rows that are, -1 for none; and what is wrong.

    Args:
        wanted: expressions over the file's columns by the names of the table's.
    """
    odd = " OR ".join(_odd(file)) or "false"
    query = f"SELECT {selected({**wanted, ODD: odd})} FROM {file.rows}"
    try:
        if work.count(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = {text(table)}"):
            before = work.count(f"SELECT count(*) FROM {name(table)}")
            work.run(f"INSERT INTO {name(table)} BY NAME {query}")
        else:
            before = 0
            work.make(table, query)
        after = f"FROM {name(table)} WHERE rowid >= {before}"
        rows, strange = work.rows(f"SELECT count(*), count(*) FILTER (WHERE {name(ODD)}) {after}")[0]
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        return -1, _strictly(file, folder) or [f"cannot be read: {'; '.join(str(error).splitlines()[:2])}"]
    return rows, _strictly(file, folder) if strange else []


#: The column that says of a row whether a value in it is not in its plain form.
ODD = "not plain"


class Gathered:
    """Small files of one table, read strictly one by one and handed to the engine together.

    flyem-snapshot writes thousands of them, and the engine takes longer to open one than to read it.
    """

    #: Values that are held before they are handed on.
    MOST_VALUES = 200_000
    SMALL_BYTES = 64 << 10

    def __init__(self) -> None:
        self.columns: dict[str, Column] = {}
        self.rows: list[dict[str, str]] = []
        self._values = 0

    @property
    def is_full(self) -> bool:
        """Whether they should be handed on."""
        return self._values > self.MOST_VALUES

    def add(self, file: Csv, folder: str) -> tuple[int, list[str]]:
        """Read one more: how many rows it has, and what is wrong with it."""
        rows: list[list[str]] = []
        problems = _strictly(file, folder, keep=rows)
        self.columns |= file.columns
        self.rows += [{head: cell for head, cell in zip(file.columns, row, strict=True) if cell} for row in rows]
        self._values += len(rows) * len(file.columns)
        return len(rows), problems

    def hand_on(self, work: Work, table: str, wanted: Callable[[Csv], Mapping[str, str]]) -> None:
        """Add them to *table*; *wanted* gives the expressions of its columns."""
        if self.rows:
            schema = pa.schema([(head, pa.string()) for head in self.columns])
            work.connection.register("gathered", pa.Table.from_pylist(self.rows, schema=schema))
            file = Csv(path=table, columns=self.columns, rows="gathered")
            work.run(f"INSERT INTO {table} BY NAME SELECT {selected(wanted(file))} FROM gathered")
            work.connection.unregister("gathered")
        self.rows, self._values = [], 0


def _strictly(file: Csv, folder: str, *, keep: list[list[str]] | None = None) -> list[str]:
    of_nodes = not file.named("START_ID")
    problems = check_rows(os.path.join(folder, file.path), folder, of_nodes=of_nodes, multiline=True, keep=keep)
    return [f"{f'line {one.line}: ' if one.line else ''}{one.message}" for one in problems]


def _odd(file: Csv) -> "Iterator[str]":
    """Conditions, one of which a row fulfils that may hold what cannot be imported."""
    for head, column in file.columns.items():
        value = name(head)
        if column.kind in ("ID", "START_ID", "END_ID"):
            yield f"{value} IS NULL"
        elif column.kind == "LABEL":
            yield f"coalesce(contains(concat(';', {value}, ';'), ';;'), true)"
        elif column.kind in _TEXTS:
            continue
        elif column.kind == "boolean" and not column.is_array:
            yield f"coalesce({value} NOT IN ('true', 'false'), false)"
        else:
            yield f"coalesce(NOT regexp_full_match({value}, {text(_plain(column))}), false)"


def _plain(column: Column) -> str:
    """What values of a column surely look like; nothing at all of those that only the strict reader knows."""
    if column.kind == "point" and not column.is_array and column.options.get("srid") == "9157":
        return _POINT
    one = _PLAIN.get(column.kind, "")
    return f"{one}(?:;{one})*" if one and column.is_array else one
