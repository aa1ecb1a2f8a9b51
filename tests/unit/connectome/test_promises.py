"""What tables promise: names, files, words, and the form that it takes in one snapshot."""

import json
from collections import Counter

import pytest

from engram.connectome.flat import BODY_STATS, PARTNERS, POINTS
from engram.connectome.promises import TABLES
from engram.connectome.tables import CATEGORY, Table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_promise_says_all_that_a_reader_needs(table: Table) -> None:
    assert table.row
    assert table.order
    assert table.file.endswith((".feather", ".csv", ".parquet"))
    for column in table.columns:
        assert column.meaning[0].isupper() or column.meaning[0] == "<" or column.name == "type:string", column
        assert not column.meaning.endswith("."), column


def test_no_two_tables_have_one_name_or_one_file() -> None:
    assert max(Counter(table.name for table in TABLES).values()) == 1
    assert max(Counter(table.file for table in TABLES).values()) == 1


def test_a_promise_becomes_that_of_one_snapshot() -> None:
    promise = PARTNERS.concrete(body="UBIGINT", roisets=("primary",), compartments=False)
    kinds = {column.name: column.sql_type for column in promise.columns}
    assert kinds["body_pre"] == "UBIGINT"
    assert kinds["primary_post"] == CATEGORY
    assert "compartment_pre" not in kinds


def test_columns_of_the_input_stand_where_the_promise_has_its_dots() -> None:
    promise = POINTS.concrete(given={"x": "INTEGER", "point_id": "UBIGINT", "odd name": "VARCHAR"})
    assert [(column.name, column.sql_type) for column in promise.columns] == [
        ("x", "INTEGER"),
        ("odd name", "VARCHAR"),
        ("point_id", "UBIGINT"),
    ]


def test_a_column_that_is_not_given_is_left_out() -> None:
    names = [column.name for column in BODY_STATS.concrete(given={"type": "VARCHAR"}).columns]
    assert names == ["body", "pre", "post", "type", "downstream", "synweight", "rank"]


def test_metadata_is_json_that_tells_every_column() -> None:
    told = json.loads(PARTNERS.concrete(roisets=("r",), compartments=True).as_json())
    assert told["name"] == "syn-partners"
    assert {column["name"]: column["unit"] for column in told["columns"]}["x_pre"] == "voxel"
