"""Tables of a snapshot, read batch by batch: beside the memory of the engine there is never more than one batch.

Readers that look ahead hold several, and the allocator that Arrow has by default keeps what they gave back: together
that was a third of the memory that a check of a million synapses took.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import ipc, parquet

from engram.connectome.engine import Work
from engram.connectome.sql import name

#: Rows of a Parquet file that are read at once.
_ROWS = 1 << 16
_ARRIVING = "arriving rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """A table's file that is being read."""

    schema: pa.Schema
    #: Its rows, from the first on; they are read once.
    rows: Iterator[pa.RecordBatch]


@contextmanager
def opened_batches(place: str, only: Collection[str] = ()) -> Iterator[Batches]:
    """A feather or Parquet file, or *only* some of its columns.

    Raises:
        OSError, pa.ArrowException: it cannot be read; this may show when rows are asked for.
    """
    if place.lower().endswith(".parquet"):
        with parquet.ParquetFile(place) as file:
            yield Batches(schema=file.schema_arrow, rows=file.iter_batches(_ROWS))
        return
    pool = pa.system_memory_pool()
    with pa.OSFile(place) as source:
        options = _chosen(source, only) if only else ipc.IpcReadOptions()
        with ipc.open_file(source, options=options, memory_pool=pool) as reader:
            rows = (reader.get_batch(number) for number in range(reader.num_record_batches))
            yield Batches(schema=reader.schema, rows=rows)


def _chosen(source: pa.NativeFile, only: Collection[str]) -> ipc.IpcReadOptions:
    with ipc.open_file(source) as reader:
        places = [place for place, column in enumerate(reader.schema.names) if column in only]
    return ipc.IpcReadOptions(included_fields=places)


def looked_at(place: str) -> tuple[pa.Schema, int, dict[str, int]]:
    """What a file holds if each of its values is one: its schema, how many rows, and how many empty values by column.

    Raises:
        OSError, pa.ArrowException: it cannot be read, or holds values that are none.
    """
    with opened_batches(place) as found:
        rows, empty = 0, dict.fromkeys(found.schema.names, 0)
        for batch in found.rows:
            batch.validate(full=True)
            rows += batch.num_rows
            for column, values in zip(batch.schema.names, batch.columns, strict=True):
                empty[column] += values.null_count
        return found.schema, rows, empty


def add_table(work: Work, table: str, place: str, *, only: Collection[str] = ()) -> dict[str, str]:
    """Make *table* of a file's rows: its columns and their types, as the engine spells them.

    Args:
        only: columns of a feather file that are wanted, those that it has; none for all.
    """
    with opened_batches(place, only) as found:
        reader = pa.RecordBatchReader.from_batches(found.schema, found.rows)
        work.connection.register(_ARRIVING, reader)
        try:
            work.make(table, f"SELECT * FROM {name(_ARRIVING)}")
        finally:
            work.connection.unregister(_ARRIVING)
    return work.columns(table)
