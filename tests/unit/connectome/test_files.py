"""Small files that people write, and feather files that a build writes."""

import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import ipc

from engram.connectome.engine import Work
from engram.connectome.feather import write_feather
from engram.connectome.files import read_small_file
from engram.connectome.tables import AS_GIVEN, Column, Table


def test_a_small_file_takes_as_much_memory_as_it_has_bytes(tmp_path: Path) -> None:
    path = tmp_path / "provenance.json"
    path.write_bytes(b"{}")
    tracemalloc.start()
    try:
        assert read_small_file(str(path), most_bytes=1 << 30) == b"{}"
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1 << 20


def test_of_a_large_file_one_byte_too_many_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 100)
    assert [len(read_small_file(str(path), most_bytes=most)) for most in (50, 99, 100, 101)] == [51, 100, 100, 100]


@pytest.mark.parametrize(("columns", "batches"), [(3, [1 << 16, 4464]), (40, [1 << 13] * 8 + [4464])])
def test_batches_have_one_size_which_is_smaller_for_many_columns(
    tmp_path: Path, columns: int, batches: list[int]
) -> None:
    """Rows of 2 KB, 65,536 of them, lie in memory several times: when they come, as one table, and packed."""
    names = [f"c{number}" for number in range(columns)]
    promise = Table("t", "t.feather", "row", "c0", tuple(Column(one, AS_GIVEN, "A number") for one in names))
    work = Work(":memory:", memory_bytes=1 << 30, threads=2)
    path = str(tmp_path / "t.feather")
    try:
        listed = ", ".join(f"i + {number} AS {one}" for number, one in enumerate(names))
        rows = work.relation(f"SELECT {listed} FROM range(70000) AS t(i)")
        assert write_feather(rows, path, promise) == 70000
    finally:
        work.close()
    with ipc.open_file(path) as file:
        found = [file.get_batch(number) for number in range(file.num_record_batches)]
    assert [batch.num_rows for batch in found] == batches
    assert pa.Table.from_batches(found).column(columns - 1).to_pylist() == list(range(columns - 1, 70000 + columns - 1))
