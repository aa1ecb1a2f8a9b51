"""Tables that a check reads: one batch at a time lies in memory, and none stays there."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from engram.connectome.batches import add_table, looked_at, opened_batches
from engram.connectome.engine import Work

ROWS, OF_A_BATCH = 400_000, 20_000
TABLE = pa.table({"body": pa.array(range(ROWS), pa.uint64()), "type": pa.array(["a", None] * (ROWS // 2))})


@pytest.fixture(params=["feather", "parquet"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = str(tmp_path / f"table.{request.param}")
    if request.param == "feather":
        feather.write_feather(TABLE, path, chunksize=OF_A_BATCH)
    else:
        parquet.write_table(TABLE, path, row_group_size=OF_A_BATCH)
    return path


def test_of_a_file_its_schema_its_rows_and_its_empty_values_are_told(place: str) -> None:
    schema, rows, empty = looked_at(place)
    assert (schema.names, rows, empty) == (["body", "type"], ROWS, {"body": 0, "type": ROWS // 2})


def test_of_a_feather_file_two_batches_at_most_are_held(tmp_path: Path) -> None:
    path = str(tmp_path / "table.feather")
    feather.write_feather(TABLE, path, chunksize=OF_A_BATCH)
    pools = {pool.backend_name: pool for pool in (pa.system_memory_pool(), pa.default_memory_pool())}.values()
    before = sum(pool.bytes_allocated() for pool in pools)
    with opened_batches(path) as found:
        held = [sum(pool.bytes_allocated() for pool in pools) - before for _ in found.rows]
    assert 0 < max(held) < 3 * TABLE.nbytes * OF_A_BATCH / ROWS
    assert sum(pool.bytes_allocated() for pool in pools) - before < TABLE.nbytes / ROWS * OF_A_BATCH * 2


def test_a_table_gets_the_rows_of_a_file_in_their_order(place: str) -> None:
    work = Work(":memory:", memory_bytes=1 << 28, threads=2)
    try:
        assert add_table(work, "one", place) == {"body": "UBIGINT", "type": "VARCHAR"}
        assert work.count("SELECT count(*) FROM one WHERE body = rowid AND (type IS NULL) = (body % 2 = 1)") == ROWS
    finally:
        work.close()
