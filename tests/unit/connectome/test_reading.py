"""Tables of others: CSV files as pandas reads them, nothing of the dialect is guessed, and columns of categories."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from engram.connectome.engine import Work
from engram.connectome.reading import open_table
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


@pytest.mark.parametrize("ending", ["feather", "parquet"])
def test_a_column_of_categories_without_any_is_no_reason_to_hold_a_table_in_memory(ending: str, tmp_path: Path) -> None:
    rows, path = 300_000, str(tmp_path / f"bodies.{ending}")
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
