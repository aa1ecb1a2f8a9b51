"""Tables of a snapshot answer questions, and whatever a question says, nothing else is read and nothing is written."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.connectome.asking.querying import Asking
from engram.connectome.proving.parts import paths_in
from engram.model.errors import Malformed, QueryFailed, QueryRefused, TooLittleMemory
from engram.workspace.context import Context
from engram.workspace.memory import held_to
from engram.workspace.snapshot_asking import Columns, Row, SnapshotAsking


def opened(folder: Path) -> Asking:
    return Asking(str(folder), *paths_in(str(folder)), memory_bytes=1 << 29, threads=1, spill=str(folder.parent))


@pytest.fixture(scope="module")
def asking(ours: Path) -> Iterator[Asking]:
    found = opened(ours)
    yield found
    found.close()


def test_tables_are_named_after_their_files(asking: Asking) -> None:
    found = {one.name: one for one in asking.tables}
    assert {"syn_points", "connectome_weights_significant_only", "body_stats", "neuprint_synapses"} <= found.keys()
    assert found["body_annotations"].path.startswith("flat-connectome/")
    assert found["tables_body_annotations"].path.startswith("tables/")
    assert found["neuprint_neurons"].path == "neuprint/Neuprint_Neurons.feather"
    assert found["neuprint_synapses"].columns["AL(L)"] == "BOOLEAN"
    assert list(found["neuprint_neuron_connections"].columns)[:3] == ["start_id", "end_id", "weightHR"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT count(*) FROM syn_partners", [(4826,)]),
        ("SELECT sum(weight) = (SELECT count(*) FROM syn_partners) FROM connectome_weights", [(True,)]),
        ("SELECT count(*) FROM neuprint_synapses WHERE type = 'pre' AND \"FB\"", [(22,)]),
        ("WITH one AS (FROM body_stats) SELECT min(rank) FROM one;", [(1,)]),
        ("SELECT dataset, totalPreCount FROM neuprint_meta", [("synth", 651)]),
    ],
)
def test_questions_are_answered(asking: Asking, query: str, rows: list) -> None:
    found = list(asking.ask(query).rows)
    assert found == rows or "FB" in query
    assert len(found) == len(rows)


def test_columns_of_one_name_are_told_apart(asking: Asking) -> None:
    """A join of a table with itself was told as a bug."""
    one = "(SELECT body_pre, body_post FROM connectome_weights)"
    answer = asking.ask(f"SELECT * FROM {one} a JOIN {one} b ON a.body_pre = b.body_post LIMIT 1")
    assert list(answer.columns) == ["body_pre", "body_post", "body_pre_1", "body_post_1"]
    (row,) = answer.rows
    assert row[0] == row[3]


def test_a_table_that_is_not_there_is_told_with_the_nearest_that_is(asking: Asking) -> None:
    with pytest.raises(QueryFailed, match=r'syn_point does not exist! Did you mean "syn_points"\?'):
        asking.ask("SELECT * FROM syn_point")
    with pytest.raises(QueryFailed, match=r'Did you mean "neuprint_meta"\?'):
        asking.ask('SELECT * FROM "file of neuprint_met"')


def test_what_flyem_snapshot_wrote_is_asked_in_the_same_way(golden: Path, asking: Asking) -> None:
    theirs = opened(golden / "expected")
    for query in (
        'SELECT count(*), sum("bodyId") FROM neuprint_synapses WHERE "FB"',
        "SELECT sum(synweight) FROM body_stats",
    ):
        assert list(theirs.ask(query).rows) == list(asking.ask(query).rows)
    theirs.close()


ATTACKS = (
    "COPY (SELECT 1) TO '{out}'",
    "COPY body_stats TO '{out}'",
    "ATTACH '{out}' AS other",
    "ATTACH ':memory:' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{out}'",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE VIEW body_stats AS SELECT 1",
    "CREATE MACRO one() AS 1",
    "CREATE SECRET one (TYPE s3)",
    "DROP VIEW body_stats",
    "INSERT INTO body_stats SELECT * FROM body_stats",
    "DELETE FROM body_stats",
    "EXPORT DATABASE '{out}'",
    "IMPORT DATABASE '{out}'",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "USE memory",
    "EXPLAIN ANALYZE COPY body_stats TO '{out}'",
    "PREPARE one AS SELECT 1",
    "SELECT 1; COPY body_stats TO '{out}'",
    "SELECT 1; SELECT 2",
    "",
    "-- nothing",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_parquet('{secret}')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM read_ndjson_objects('{secret}')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM '{secret}'",
    'SELECT * FROM "{secret}"',
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM parquet_metadata('{secret}')",
    "SELECT * FROM 'https://example.org/x.csv'",
    "SELECT getenv('HOME')",
    "SELECT current_setting('temp_directory')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('body_stats')",
    "SELECT * FROM secret",
    "SELECT write_log('x')",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "MATCH (n:Neuron) RETURN n",
    "  optional match (n) return n",
    "SELECT no_such_column FROM body_stats",
    "SELEC 1",
    "\x00",
    "SELECT '\ud800'",
)


@pytest.mark.parametrize("query", ATTACKS)
def test_nothing_else_is_read_and_nothing_is_written(
    asking: Asking, query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, out = tmp_path / "secret.csv", tmp_path / "out"
    secret.write_text("told,you\n1,2\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises((QueryRefused, QueryFailed)) as refused:
        list(asking.ask(query.format(out=out, secret=secret)).rows)
    assert "\n" not in refused.value.what
    assert "root:" not in refused.value.what
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert list(asking.ask("SELECT count(*) FROM body_stats").rows) == [(1019,)], "it goes on"


def test_the_type_of_nothing_has_a_name(asking: Asking) -> None:
    assert dict(asking.ask("SELECT NULL AS a, 1.5 AS b").columns) == {"a": "NULL", "b": "DECIMAL(2,1)"}


def test_a_python_variable_is_no_table(asking: Asking) -> None:
    import pyarrow as pa

    hidden = pa.table({"a": [1]})
    with pytest.raises(QueryFailed):
        asking.ask("SELECT * FROM hidden")
    assert hidden.num_rows == 1


class TestRecords:
    def rows(self, folder: Path, query: str) -> list[Columns | Row]:
        context = Context(folder=str(folder.parent), environment={"TMPDIR": str(folder.parent)})
        return list(SnapshotAsking(context).query(folder.name, query, memory="512MB", threads=1))

    def test_columns_come_first_and_values_are_json(self, ours: Path) -> None:
        query = "SELECT 1 AS a, 'b' AS b, [1.5, 'nan'::DOUBLE] AS c, NULL AS d, DATE '2026-01-02' AS e, {'x': 2} AS f"
        columns, row = self.rows(ours, query)
        assert isinstance(columns, Columns)
        assert list(columns.columns) == ["a", "b", "c", "d", "e", "f"]
        told = json.loads(json.dumps(row.as_json(), allow_nan=False))
        assert told["values"] == {"a": 1, "b": "b", "c": [1.5, None], "d": None, "e": "2026-01-02", "f": {"x": 2}}

    def test_a_number_with_a_point_is_a_number(self, ours: Path) -> None:
        """The engine has 1.5 for a decimal, which Python has for no number that JSON knows."""
        _, row = self.rows(ours, "SELECT 1.5 AS a, 2 * 1.5 AS b")
        assert row.as_json()["values"] == {"a": 1.5, "b": 3.0}

    def test_a_text_that_a_question_makes_does_not_take_all_memory(self, ours: Path) -> None:
        """The engine counts what it keeps, not what its functions make."""
        with pytest.raises(TooLittleMemory, match="query needs more memory"), held_to(512 << 20, "query"):
            self.rows(ours, "SELECT repeat('x', 3000000000)")

    def test_nothing_is_left_behind(self, ours: Path) -> None:
        before = sorted(os.listdir(ours.parent))
        self.rows(ours, "SELECT count(*) FROM syn_points")
        assert sorted(os.listdir(ours.parent)) == before


def test_a_table_that_is_none_is_told(ours: Path, tmp_path: Path) -> None:
    (tmp_path / "flat-connectome").mkdir()
    (tmp_path / "flat-connectome" / "syn-points-x.feather").write_bytes(b"no table")
    with pytest.raises(Malformed, match=r"syn-points-x\.feather"):
        opened(tmp_path)
