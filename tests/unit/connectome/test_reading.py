"""Tables of others: CSV files as pandas reads them, nothing of the dialect is guessed; categories, and other types."""

import gzip
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, ipc, parquet

from engram.connectome.engine import Work
from engram.connectome.reading import open_table, read_once
from engram.model.errors import Malformed


def rows_of(folder: Path, content: bytes) -> list[tuple[Any, ...]]:
    (folder / "bodies.csv").write_bytes(content)
    work = Work(":memory:", memory_bytes=1 << 28, threads=1)
    try:
        source = open_table(work, "given", str(folder / "bodies.csv"))
        return [source.names, *work.rows("SELECT * FROM given")]
    finally:
        work.close()


def test_a_row_may_lack_fields_at_its_end(tmp_path: Path) -> None:
    content = b'body,status,type\n1,Traced,a\n3074106,Anchor\n5,Leaves,"b, c\nd"\n'
    head, *rows = rows_of(tmp_path, content)
    assert head == ("body", "status", "type")
    assert rows == [(1, "Traced", "a"), (3074106, "Anchor", None), (5, "Leaves", "b, c\nd")]


def test_a_mark_of_byte_order_and_quotes_are_no_part_of_names_or_values(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfbody,status\n1,"a ""q"" b"\n\n2,\n'
    assert rows_of(tmp_path, content) == [("body", "status"), (1, 'a "q" b'), (2, None)]


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b"body,status\n") == [("body", "status")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"body,status,type\n1,Traced,a\n2,Anchor,x,extra\n", "a row has 4 fields, and the header names 3 columns"),
        (b"body,status\n1,Traced\n2,\xe9\xe8\n", "CSV Error on Line: 3 Invalid unicode"),
        (b'body,status\n1,"Traced\n2,Anchor\n', "Error when sniffing"),
    ],
    ids=["a row is too long", "it is not UTF-8", "a quote is not closed"],
)
def test_what_is_no_table_is_told_in_one_line(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=says) as told:
        rows_of(tmp_path, content)
    assert "\n" not in told.value.what


def _stream(table: pa.Table, path: str) -> None:
    with ipc.new_stream(path, table.schema) as stream:
        stream.write_table(table)


def _version_1(table: pa.Table, path: str) -> None:
    with pytest.warns(DeprecationWarning, match="V1 files are deprecated"):
        feather.write_feather(table, path, version=1)


@pytest.mark.parametrize(
    ("ending", "write", "says"),
    [
        ("feather", parquet.write_table, "it is Parquet: give it a name that ends in .parquet"),
        ("csv", parquet.write_table, "it is Parquet: give it a name that ends in .parquet"),
        ("parquet", feather.write_feather, "it is feather: give it a name that ends in .feather"),
        ("feather", _version_1, "it is feather of version 1, which is not read: write it as feather of version 2"),
        ("feather", _stream, "it is a stream of Arrow, not a file: write it as feather of version 2"),
        ("csv", lambda _, path: Path(path).write_bytes(gzip.compress(b"body\n1\n")), "it is packed by gzip: unpack it"),
        ("feather", lambda _, path: Path(path).write_bytes(b"body\n1\n"), "File is too small"),
        ("feather", lambda _, path: Path(path).write_bytes(b"ARROW1\0\0 and no more"), "Not an Arrow file"),
    ],
)
def test_what_a_file_is_that_has_the_name_of_another_kind_is_told(
    ending: str, write: Callable[[pa.Table, str], Any], says: str, tmp_path: Path
) -> None:
    path = str(tmp_path / f"bodies.{ending}")
    write(pa.table({"body": [1, 2]}), path)
    work = Work(":memory:", memory_bytes=1 << 28, threads=1)
    try:
        with pytest.raises(Malformed, match=re.escape(says)) as told:
            open_table(work, "given", path)
    finally:
        work.close()
    assert "\n" not in told.value.what


@pytest.mark.parametrize("ending", ["feather", "parquet"])
def test_a_column_of_categories_without_any_is_no_reason_to_hold_a_table_in_memory(ending: str, tmp_path: Path) -> None:
    rows, path = 2_000_000, str(tmp_path / f"bodies.{ending}")
    status = pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int8()), pa.array([], pa.string()))
    table = pa.table({"body": pa.array(range(rows), pa.uint64()), "status": status})
    (feather.write_feather if ending == "feather" else parquet.write_table)(table, path)
    size_bytes = table.nbytes
    del table, status
    work = Work(":memory:", memory_bytes=1 << 28, threads=1)
    try:
        before = pa.total_allocated_bytes()
        source = open_table(work, "given", path)
        assert pa.total_allocated_bytes() - before < size_bytes / 4
        assert (dict(source.columns), source.categories) == ({"body": "UBIGINT", "status": "VARCHAR"}, {})
        assert work.rows("SELECT count(*), count(status), max(body) FROM given") == [(rows, 0, rows - 1)]
    finally:
        work.close()


def test_what_looks_like_a_date_is_the_text_that_it_is(tmp_path: Path) -> None:
    content = b"body,seen,at,when\n1,2026-01-02,10:11:12,2026-01-02 10:11:12\n"
    assert rows_of(tmp_path, content)[1] == (1, "2026-01-02", "10:11:12", "2026-01-02 10:11:12")


NOON = datetime(2026, 1, 2, 12, 30, tzinfo=UTC)
ODD: dict[str, tuple[pa.Array, list[object]]] = {
    "nothing at all": (pa.nulls(1), [None]),
    "lists of nothing": (pa.array([[None]]), [[None]]),
    "a date": (pa.array([date(2026, 1, 2)]), ["2026-01-02"]),
    "a time": (pa.array([time(12, 30)]), ["12:30:00"]),
    "a time stamp": (pa.array([NOON], pa.timestamp("ns")), ["2026-01-02 12:30:00"]),
    "a time stamp of a zone": (pa.array([NOON], pa.timestamp("us", "Europe/Oslo")), ["2026-01-02 12:30:00+00"]),
    "a finer one of a zone": (pa.array([NOON], pa.timestamp("ns", "UTC")), ["2026-01-02 12:30:00+00"]),
    "a decimal": (pa.array([Decimal("1.5")]), [1.5]),
    "a whole decimal": (pa.array([Decimal(5)], pa.decimal128(9, 0)), [5]),
    "an id as a decimal": (pa.array([Decimal(1 << 62)], pa.decimal128(20, 0)), [1 << 62]),
    "three numbers": (pa.array([[1, 2, 3]], pa.list_(pa.int64(), 3)), [[1, 2, 3]]),
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("once", [False, True])
def test_types_that_no_table_of_a_snapshot_has_are_read_as_those_that_it_has(
    what: str, once: bool, tmp_path: Path
) -> None:
    given, expected = ODD[what]
    feather.write_feather(pa.table({"body": [1], "odd": given}), path := str(tmp_path / "bodies.feather"))
    work = Work(":memory:", memory_bytes=1 << 28, threads=1)
    try:
        source = open_table(work, "given", path)
        if once:
            with read_once(work, source):
                assert work.rows("SELECT odd FROM given") == [tuple(expected)]
        assert work.rows("SELECT odd FROM given") == [tuple(expected)]
        assert source.columns["body"] == "BIGINT"
    finally:
        work.close()
