"""Tables that others made: feather, Parquet and CSV files, opened for the engine and looked at before anything is read.

Nothing is held in memory: the engine reads what it needs of them, when it needs it.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath

import duckdb
import pyarrow as pa
from pyarrow import dataset

from engram.connectome.batches import opened_batches
from engram.connectome.engine import Work, disk_failure
from engram.connectome.sql import name, selected, text
from engram.model.errors import Malformed, Unreadable

#: Texts of a CSV file that stand for nothing, as pandas reads them.
#: Source: https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html (na_values)
_NOTHING = (
    " #N/A #N/A_N/A #NA -1.#IND -1.#QNAN -NaN -nan 1.#IND 1.#QNAN <NA> N/A NA NULL NaN None n/a nan null"
).split(" ")


#: What is not guessed: a row that lacks fields would make the engine take another character for the delimiter.
_CSV_DIALECT = """delim = ',', quote = '"', escape = '"', null_padding = true, parallel = false"""
_LONGEST_HEADER = 1 << 20
#: What the columns of a CSV file may be: text that looks like a date stays as it is.
_CSV_TYPES = "['BOOLEAN', 'BIGINT', 'DOUBLE', 'VARCHAR']"
_WITH_ZONE = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")
#: Whole numbers of so many digits fit into 64 bits.
_DIGITS = 18
_VERSION_2 = "write it as feather of version 2, as pyarrow.feather.write_feather does"
#: What a file is that begins with such bytes, by the ending that names it, and what to do where it has another.
#: Source: https://arrow.apache.org/docs/format/Columnar.html (IPC streaming and file format), feather's FEA1,
#: https://parquet.apache.org/docs/file-format/, RFC 1952
_KINDS = {
    b"PAR1": ("parquet", "it is Parquet: give it a name that ends in .parquet"),
    b"ARROW1": ("feather", "it is feather: give it a name that ends in .feather"),
    b"FEA1": ("", f"it is feather of version 1, which is not read: {_VERSION_2}"),
    b"\xff\xff\xff\xff": ("", f"it is a stream of Arrow, not a file: {_VERSION_2}"),
    b"\x1f\x8b": ("", "it is packed by gzip: unpack it"),
}
#: Within so many lines the engine says what is wrong with a CSV file.
_LINES_OF_CSV = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of a table, which the engine knows by a name."""

    #: Its path, as messages tell it.
    path: str
    #: What the engine calls it.
    view: str
    #: What it calls the rows as they lie in the file, where it reads some columns as another type; else the same.
    rows: str
    #: Names of its columns, as the file has them; the engine takes no two that differ in upper and lower case only.
    names: tuple[str, ...]
    #: Types of its columns, as DuckDB spells them, in the file's order.
    columns: Mapping[str, str]
    #: Columns of categories: their texts, in their order.
    categories: Mapping[str, tuple[str, ...]]
    #: Those of them whose order means something.
    ordered: frozenset[str]


def open_table(work: Work, view: str, path: str) -> Source:
    """A table's file as something to select from. Raises `Unreadable`, `Malformed`."""
    with told(path):
        if _kind(path) == "csv":
            return _csv(work, view, path)
        found = dataset.dataset(path, format=_kind(path))
        categories, ordered = _categories(found)
        if half := [field.name for field in found.schema if pa.types.is_float16(field.type)]:
            raise Malformed(path, f"column {half[0]} holds numbers of 16 bits, which are not read: write 32 bits")
        rows, columns = _registered(work, view, found)
        names = tuple(found.schema.names)
    return Source(path=path, view=view, rows=rows, names=names, columns=columns, categories=categories, ordered=ordered)


def _registered(work: Work, view: str, found: dataset.Dataset) -> tuple[str, dict[str, str]]:
    """Make it known to the engine: the name of its rows as they lie in the file, and the columns of *view*."""
    work.connection.register(view, found)
    columns = work.columns(view)
    plain = {column: _plain(name(column), kind) for column, kind in columns.items()}
    if all(plain[column] == name(column) for column in columns):
        return view, columns
    work.connection.unregister(view)
    work.connection.register(rows := f"{view} in its file", found)
    work.view(view, f"SELECT {selected(plain)} FROM {name(rows)}")
    return rows, work.columns(view)


def _plain(column: str, kind: str) -> str:
    """How a column is read: as it is, but for types that no table of a snapshot has.

    >>> _plain("seen", "DATE"), _plain("size", "DECIMAL(9,2)"), _plain("body", "BIGINT")
    ('CAST(seen AS VARCHAR)', 'CAST(size AS DOUBLE)', 'body')
    """
    if kind in _WITH_ZONE:  # told in no zone of this machine
        return f"CAST(make_timestamp(epoch_us(CAST({column} AS {_WITH_ZONE[0]}))) AS VARCHAR) || '+00'"
    if kind.startswith(("TIMESTAMP", "DATE", "TIME")) or kind.strip('"') == "NULL":
        return f"CAST({column} AS VARCHAR)"
    if kind == '"NULL"[]':
        return f"CAST({column} AS VARCHAR[])"
    if match := re.fullmatch(r"(\w+)\[\d+\]", kind):
        return f"CAST({column} AS {match[1]}[])"
    if match := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind):
        if int(match[2]):
            return f"CAST({column} AS DOUBLE)"
        return f"CAST({column} AS {'BIGINT' if int(match[1]) <= _DIGITS else 'HUGEINT'})"
    return column


@contextmanager
def read_once(work: Work, source: Source) -> Iterator[None]:
    """While this holds, a table can be read a single time, and no more of it is in memory than a batch.

    Otherwise it may be read as often as anybody likes, and Arrow reads far ahead: half a gigabyte of 10 million rows.
    """
    if _kind(source.path) == "csv":
        yield
        return
    with opened_batches(source.path) as found:
        work.connection.register(source.rows, pa.RecordBatchReader.from_batches(found.schema, found.rows))
        try:
            yield
        finally:
            work.connection.register(source.rows, dataset.dataset(source.path, format=_kind(source.path)))


def _kind(path: str) -> str:
    """What a file is, by its name: ``csv``, ``parquet``, or else ``feather``."""
    ending = PurePath(path).suffix.lower()
    return ending[1:] if ending in (".csv", ".parquet") else "feather"


@contextmanager
def told(path: str) -> Iterator[None]:
    """What is wrong with a file, as an error that names it: `Unreadable`, `Malformed`."""
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise Unreadable(path, error.strerror or str(error)) from error
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except (pa.ArrowException, csv.Error, OSError, duckdb.Error) as error:
        if isinstance(error, duckdb.Error) and disk_failure(error):  # of the work file, not of the table
            raise
        raise Malformed(path, _other_kind(path) or _one_line(error)) from error


def _other_kind(path: str) -> str:
    """What a file is that its name does not say, and what to do; '' for one that is what it is called, or unknown."""
    try:
        with open(path, "rb") as file:
            start = file.read(max(map(len, _KINDS)))
    except OSError:
        return ""
    kind, told_of = next((found for magic, found in _KINDS.items() if start.startswith(magic)), ("", ""))
    return told_of if kind != _kind(path) else ""


def _one_line(error: Exception) -> str:
    lines = (str(error).strip() or type(error).__name__).splitlines()
    what = [
        line for line in lines[:_LINES_OF_CSV] if line.startswith(("Invalid Input Error: CSV Error", "Invalid unicode"))
    ]
    return " ".join(what) or lines[0]


def _csv(work: Work, view: str, path: str) -> Source:
    """Rows may lack fields at their end, as pandas reads them. Raises `Malformed` where one has more than the head."""
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:  # tells what is wrong in few words
        header = next(csv.reader(io.StringIO(file.read(_LONGEST_HEADER), newline="")), [])
    nothing = ", ".join(map(text, _NOTHING))
    how = f"header = true, sample_size = -1, auto_type_candidates = {_CSV_TYPES}, nullstr = [{nothing}], {_CSV_DIALECT}"
    work.view(view, f"SELECT * FROM read_csv({text(path)}, {how})")
    columns = work.columns(view)
    if len(columns) > len(header):
        raise Malformed(path, f"a row has {len(columns)} fields, and the header names {len(header)} columns")
    names = tuple(columns)
    return Source(path=path, view=view, rows=view, names=names, columns=columns, categories={}, ordered=frozenset())


def _categories(found: dataset.Dataset) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """The texts of its categories. They may differ between batches: then all, in the order of their first batch.

    A column of categories of which there is none is one of texts: the engine has no such type.
    """
    of_text = [field for field in found.schema if pa.types.is_dictionary(field.type)]
    texts: dict[str, dict[str, None]] = {field.name: {} for field in of_text if _is_text(field.type.value_type)}
    for batch in found.to_batches(columns=list(texts)) if texts else ():
        for column, seen in texts.items():
            seen.update(dict.fromkeys(one for one in batch.column(column).dictionary.to_pylist() if one is not None))
    ordered = frozenset(field.name for field in of_text if field.type.ordered)
    return {column: tuple(seen) for column, seen in texts.items() if seen}, ordered


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def distinct(work: Work, source: Source, column: str) -> tuple[str, ...]:
    """The texts of a column, its own list of categories if it has one, else in alphabetical order."""
    if column in source.categories:
        return source.categories[column]
    query = f"SELECT DISTINCT CAST({name(column)} AS VARCHAR) AS one FROM {name(source.view)} ORDER BY one"
    return tuple(one for (one,) in work.rows(query) if one is not None)
