"""Feather files: how a query's rows become one, with the promise of its table inside.

The same rows give the same bytes: batches have one size however the rows arrive, and nothing of the time or the machine
stands in the file.

Source: https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format (feather, version 2)
"""

import json
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
from duckdb import DuckDBPyRelation
from pyarrow import ipc

from engram.connectome.tables import AS_GIVEN, CATEGORY, ORDERED, Column, Table

#: Rows of a batch, as pyarrow writes feather files unless told otherwise.
_BATCH_ROWS = 1 << 16
#: The same of tables with many columns, which would take 2 KB a row, several times over.
_BATCH_ROWS_OF_WIDE = 1 << 13
_WIDE_COLUMNS = 32
#: Rows that are asked of the engine at once: it makes several such batches ahead.
_ASKED_ROWS = 1 << 13

#: Types in a file by those of DuckDB.
TYPES = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "UTINYINT": pa.uint8(),
    "USMALLINT": pa.uint16(),
    "UINTEGER": pa.uint32(),
    "UBIGINT": pa.uint64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
}
#: What pandas calls them where that differs. Source: https://pandas.pydata.org/docs/development/developer.html
_IN_PANDAS = {"string": "unicode", "float": "float32", "double": "float64"}


class PromiseBroken(AssertionError):
    """A query gave what its table does not promise: a mistake in engram."""


def write_feather(rows: DuckDBPyRelation, path: str, promise: Table, *, index: str = "") -> int:
    """Write a new file; how many rows it has.

    Args:
        index: the column that pandas makes the index of its frame; '' for none.
    """
    schema = _schema(rows, promise, index)
    with ipc.new_file(path, schema, options=ipc.IpcWriteOptions(compression="lz4")) as file:
        return _write(rows, schema, promise, file.write_table)


def write_parquet(rows: DuckDBPyRelation, path: str, promise: Table, *, index: str = "") -> int:
    """The same as a Parquet file, with a row group for each batch."""
    from pyarrow import parquet  # here, because few snapshots have one

    schema = _schema(rows, promise, index)
    with parquet.ParquetWriter(path, schema, compression="zstd") as file:
        return _write(rows, schema, promise, file.write_table)


def _write(rows: DuckDBPyRelation, schema: pa.Schema, promise: Table, write: Callable[[pa.Table], None]) -> int:
    count = 0
    batch_rows = _BATCH_ROWS if len(schema) < _WIDE_COLUMNS else _BATCH_ROWS_OF_WIDE
    for batch in _even(rows.to_arrow_reader(_ASKED_ROWS), batch_rows):
        write(_kept(batch, schema, promise))
        count += batch.num_rows
    return count


def _even(rows: Iterable[pa.RecordBatch], batch_rows: int) -> Iterator[pa.Table]:
    """The rows in tables of one size, but for the last one."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in rows:
        held.append(batch)
        count += batch.num_rows
        while count >= batch_rows:
            whole = pa.Table.from_batches(held)
            yield whole.slice(0, batch_rows).combine_chunks()
            held = whole.slice(batch_rows).to_batches()
            count -= batch_rows
    if count:
        yield pa.Table.from_batches(held).combine_chunks()


def _schema(rows: DuckDBPyRelation, promise: Table, index: str) -> pa.Schema:
    promised = [column.name for column in promise.columns]
    if rows.columns != promised:
        raise PromiseBroken(f"{promise.name}: {rows.columns} instead of {promised}")
    kinds = zip(promise.columns, rows.types, strict=True)
    schema = pa.schema([pa.field(column.name, _type(column, kind)) for column, kind in kinds])
    metadata = {"engram.table": promise.as_json()} | ({"pandas": _for_pandas(schema, index)} if index else {})
    return schema.with_metadata(metadata)


def _type(column: Column, found: object) -> pa.DataType:
    if column.sql_type in (CATEGORY, ORDERED):
        ((_, categories),) = found.children  # type: ignore[attr-defined]  # DuckDB's types have none in its stubs
        return pa.dictionary(_index(len(categories)), pa.string(), ordered=column.sql_type == ORDERED)
    kind = str(found) if column.sql_type == AS_GIVEN else column.sql_type
    if kind.endswith("[]"):
        return pa.list_(pa.field("item", TYPES[kind.removesuffix("[]")]))
    return TYPES[kind]


def _index(categories: int) -> pa.DataType:
    """The narrowest type of numbers, as pandas chooses it."""
    return next(kind for bits, kind in ((7, pa.int8()), (15, pa.int16()), (31, pa.int32())) if categories <= 1 << bits)


def _kept(batch: pa.Table, schema: pa.Schema, promise: Table) -> pa.Table:
    columns = []
    for place, column in enumerate(promise.columns):
        values = batch.column(place).chunk(0)
        if not column.optional and values.null_count:
            raise PromiseBroken(f"{promise.name}: {values.null_count} empty values in {column.name}")
        columns.append(_cast(values, schema.field(place).type))
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        numbers = values.indices.cast(kind.index_type)
        return pa.DictionaryArray.from_arrays(numbers, values.dictionary, ordered=kind.ordered)
    return values.cast(kind)


def _for_pandas(schema: pa.Schema, index: str) -> str:
    """What pandas needs to make a column the index: it looks for the others' types in the schema itself."""
    columns = [
        {"name": field.name, "field_name": field.name, "metadata": None, **_in_pandas(field.type)} for field in schema
    ]
    return json.dumps({"index_columns": [index], "column_indexes": [], "columns": columns, "pandas_version": "2.0.0"})


def _in_pandas(kind: pa.DataType) -> dict[str, str]:
    if pa.types.is_dictionary(kind):
        return {"pandas_type": "categorical", "numpy_type": str(kind.index_type)}
    named = _IN_PANDAS.get(str(kind), str(kind))
    return {"pandas_type": named, "numpy_type": "object" if named == "unicode" or named.startswith("list") else named}
