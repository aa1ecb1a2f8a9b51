"""Long fields are read, and nothing of that is left behind."""

import csv
import gzip
from contextlib import ExitStack
from pathlib import Path

import pytest

from engram.connectome.neo4j.checking import check_rows
from engram.connectome.neo4j.header import header_of
from engram.connectome.neo4j.rows import opened_rows

LONG = "x" * (csv.field_size_limit() + 1)


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = tmp_path / "nodes.csv"
    path.write_text(f":ID,roiInfo:string\n1,{LONG}\n2,{LONG}\n")
    return str(path)


def test_the_limit_is_what_it_was_in_whatever_order_readers_end(path: str) -> None:
    before = csv.field_size_limit()
    first, second = ExitStack(), ExitStack()
    rows, others = first.enter_context(opened_rows(path)), second.enter_context(opened_rows(path))
    assert [next(rows)[0], next(others)[0], next(others)] == [":ID", ":ID", ["1", LONG]]
    first.close()
    assert next(others) == ["2", LONG]
    second.close()
    assert csv.field_size_limit() == before


def test_a_reader_that_is_left_or_fails_leaves_no_limit_behind(path: str, tmp_path: Path) -> None:
    before = csv.field_size_limit()
    with opened_rows(path) as rows:
        next(rows)
    with pytest.raises(FileNotFoundError), opened_rows(str(tmp_path / "gone.csv")):
        pass
    assert header_of(path) == [":ID", "roiInfo:string"]
    assert check_rows(path, str(tmp_path), of_nodes=True) == []
    assert csv.field_size_limit() == before


def test_a_packed_file_has_the_same_rows(path: str) -> None:
    with gzip.open(f"{path}.gz", "wb") as packed:
        packed.write(Path(path).read_bytes())
    with opened_rows(path) as rows, opened_rows(f"{path}.gz") as others:
        assert list(rows) == list(others)
