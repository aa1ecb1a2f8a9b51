"""Small connectomes: the sample that flyem-snapshot built, and what of its tables counts.

Of a feather file the names, types and order of columns count, and the rows; of a CSV file its columns and rows. Order
of rows does not, but where flyem-snapshot sorts. Neurons and synapses may be spread over files in any way.
"""

import csv
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import feather

from engram.connectome.neo4j.rows import opened_rows

_PACKED = Path(__file__).parent / "data" / "connectome" / "golden_5k.tar.xz"

#: One row: a value for each column.
Row = tuple[Any, ...]


def unpack_golden(folder: Path) -> Path:
    """The folder ``golden_5k`` below *folder*, unpacked once, whoever else asks at the same time."""
    whole = folder / "golden_5k"
    if not whole.exists():
        partial = folder / f"golden_5k.{os.getpid()}"
        with tarfile.open(_PACKED) as packed:
            packed.extractall(partial, filter="data")
        with suppress(OSError):  # another worker was quicker
            (partial / "golden_5k").rename(whole)
        shutil.rmtree(partial)
    return whole


def feather_columns(path: Path) -> list[tuple[str, str]]:
    """Names and types of its columns; a category's list of texts does not count, but whether it has an order."""
    return [(field.name, _kind(field.type)) for field in feather.read_table(path).schema]


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return f"category of {kind.index_type}, {'ordered' if kind.ordered else 'in no order'}"
    return str(kind).replace("element:", "item:")


def feather_rows(path: Path, columns: Sequence[str] = ()) -> list[Row]:
    """Its rows, or only some of their columns, sorted."""
    table = feather.read_table(path)
    table = table.select(columns) if columns else table
    return in_order(zip(*(column.to_pylist() for column in table.columns), strict=True))


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order that their values alone decide."""
    return sorted((tuple(map(_plain, row)) for row in rows), key=repr)


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, list) else None if value != value else value


def csv_rows(*paths: Path) -> Iterator[dict[str, str]]:
    """The rows of CSV files, without what is empty."""
    for path in paths:
        with opened_rows(str(path)) as rows:
            header = next(rows)
            for row in rows:
                yield {name: value for name, value in zip(header, row, strict=True) if value != ""}


def csv_header(path: Path) -> list[str]:
    """The names of its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))
