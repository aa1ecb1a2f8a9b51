"""What `engram snapshot check` and `engram snapshot query` show."""

from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator

from engram.cli.schemas import schemas
from engram.model.outcome import Outcome, Status
from engram.workspace.context import Context
from engram.workspace.snapshot_asking import Columns, Queryable, Row
from tests.cli.conftest import Engram


class FakeAsking:
    def __init__(self, context: Context) -> None:
        pass

    def tables(self, folder: str) -> list[Queryable]:
        return [Queryable(name="body_stats", path=f"{folder}/x.feather", columns={"body": "UINTEGER"})]

    def query(self, folder: str, query: str, *, memory: str, threads: int) -> Iterator[Columns | Row]:
        yield Columns(columns={"type": "VARCHAR", "weight": "BIGINT", "ok": "BOOLEAN"})
        yield Row(values={"type": "KC, left", "weight": 12, "ok": True})
        yield Row(values={"type": None, "weight": 3456, "ok": None})


class FakeProving:
    def __init__(self, context: Context) -> None:
        pass

    def check(self, folder: str, *, memory: str, threads: int) -> Iterator[Outcome]:
        said = f"{folder} {memory} {threads}"
        yield Outcome(action="check", item="nt/a.feather", status=Status.OK, note=said)
        yield Outcome(action="check", item="b", status=Status.ERROR, message="m", error="WrongSnapshot", remedy="r")


ROOMS = {"SnapshotAsking": FakeAsking, "SnapshotProving": FakeProving}


def test_a_check_tells_each_file_and_ends_with_3(engram: Engram) -> None:
    shown = engram("snapshot", "check", "out", "--memory", "8GB", "-J", "3", rooms=ROOMS)
    assert shown.code == 3
    assert shown.out.splitlines()[:3] == ["check(ok): nt/a.feather [out 8GB 3]", "check(error): b [m]", "  r"]


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        (
            (),
            [
                "type      weight  ok",
                "--------  ------  ----",
                "KC, left      12  true",
                "            3456",
                "2 rows",
            ],
        ),
        (("--csv",), ["type,weight,ok", '"KC, left",12,true', ",3456,"]),
    ],
)
def test_an_answer_is_a_table_or_comma_separated(engram: Engram, more: tuple[str, ...], lines: list[str]) -> None:
    assert engram("snapshot", "query", "out", "SELECT 1", *more, rooms=ROOMS).out.splitlines() == lines


def test_records_are_as_published(engram: Engram) -> None:
    records = engram("--json", "snapshot", "query", "out", "SELECT 1", rooms=ROOMS).records
    records += engram("--json", "snapshot", "query", "out", rooms=ROOMS).records
    assert [record["record"] for record in records] == ["columns", "row", "row", "queryable"]
    for record in records:
        Draft202012Validator(schemas()[record["record"]]).validate(record)


def test_without_a_query_tables_are_listed(engram: Engram) -> None:
    assert engram("snapshot", "query", "out", rooms=ROOMS).out.splitlines() == [
        "body_stats (out/x.feather)",
        "  body UINTEGER",
    ]


def test_a_folder_that_is_not_there_is_named(engram: Engram) -> None:
    shown = engram("snapshot", "query", "none")
    assert shown.code == 2
    assert "none" in shown.err
