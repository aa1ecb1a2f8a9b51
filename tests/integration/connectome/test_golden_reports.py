"""Reports are row for row what flyem-snapshot writes, but for the order of what is equal to it."""

from collections import Counter
from pathlib import Path

import pytest
from pyarrow import feather, parquet

from tests.connectomes import csv_header, csv_rows, feather_columns

TAG = "synth-v1.0"
PRIMARY = Path("reports") / "primary"
REPORTS = ("all", "AL(L)", "AL(R)", "LO(L)", "LO(R)", "ME(L)", "ME(R)", "FB", "mushroom-body")
#: What tells which of several synapses between two bodies a row of ``conn_df`` is: they become captured at once.
OF_SYNAPSE = {"pre_id", "post_id", "roi", "body_pre", "body_post", "body_pre_rank", "body_post_rank"}
#: The first of several ROIs with one weight.
TOPS = {"top_output_roi", "top_input_roi"}


def table_of(report: str, table: str) -> Path:
    return PRIMARY / "reports" / report / f"{report}-{table}-{TAG}.feather"


def rows_of(path: Path, without: set[str] = frozenset()) -> list[dict]:  # type: ignore[assignment]
    return [
        {key: value for key, value in row.items() if key not in without} for row in feather.read_table(path).to_pylist()
    ]


@pytest.mark.parametrize("report", REPORTS)
class TestReport:
    def test_bodies_are_ranked_as_theirs(self, report: str, golden: Path, ours: Path) -> None:
        theirs, mine = (folder / table_of(report, "syn_counts_df") for folder in (golden / "expected", ours))
        assert feather_columns(mine) == feather_columns(theirs)
        assert rows_of(mine, TOPS) == rows_of(theirs, TOPS)

    def test_a_top_roi_is_the_first_by_name_of_those_with_most(self, report: str, golden: Path, ours: Path) -> None:
        """flyem-snapshot takes any of them."""
        synapses = rows_of(golden / "expected" / table_of(report, "conn_df"))
        for side, body_of in (("output", "body_pre"), ("input", "body_post")):
            counts = Counter((row[body_of], row["roi"]) for row in synapses)
            best: dict[int, tuple[int, str]] = {}
            for (body, roi), count in counts.items():
                best[body] = min(best.get(body, (0, "")), (-count, roi))
            for row in rows_of(ours / table_of(report, "syn_counts_df")):
                weight, roi = best.get(row["body"], (0, None))
                assert (row[f"top_{side}_roi"], row[f"top_{side}_roi_weight"]) == (roi, -weight)

    def test_synapses_are_captured_as_theirs(self, report: str, golden: Path, ours: Path) -> None:
        theirs, mine = (folder / table_of(report, "conn_df") for folder in (golden / "expected", ours))
        assert feather_columns(mine) == feather_columns(theirs)
        assert rows_of(mine, OF_SYNAPSE | TOPS) == rows_of(theirs, OF_SYNAPSE | TOPS)
        which = [*sorted(OF_SYNAPSE), "max_rank", "min_rank"]
        assert sorted(map(repr, feather.read_table(mine, which).to_pylist())) == sorted(
            map(repr, feather.read_table(theirs, which).to_pylist())
        )

    def test_synapses_that_are_captured_at_once_have_an_order(self, report: str, ours: Path) -> None:
        """flyem-snapshot leaves them as they came."""
        keys = ("max_rank", "min_rank", "body_pre", "body_post", "pre_id", "post_id")
        found = [tuple(row[key] for key in keys) for row in rows_of(ours / table_of(report, "conn_df"))]
        assert found == sorted(found)

    def test_downstream_capture_is_the_same(self, report: str, golden: Path, ours: Path) -> None:
        theirs, mine = (folder / table_of(report, "downstream-capture") for folder in (golden / "expected", ours))
        assert feather_columns(mine) == feather_columns(theirs)
        assert rows_of(mine) == rows_of(theirs)


def test_every_csv_file_is_the_same_byte_for_byte(golden: Path, ours: Path) -> None:
    theirs = sorted((golden / "expected" / "reports").rglob("*.csv"))
    assert len(theirs) == 17
    for path in theirs:
        assert (ours / path.relative_to(golden / "expected")).read_bytes() == path.read_bytes(), path.name


def test_what_was_pickled_is_a_table(ours: Path) -> None:
    """flyem-snapshot pickles two dictionaries of pandas' frames: opening one runs what stands in it."""
    stats = parquet.read_table(ours / PRIMARY / "primary-all_status_stats.parquet")
    of_all = [row for row in stats.to_pylist() if row["name"] == "all"]
    assert [row["status"] for row in of_all][:2] == ["Traced", "Roughly traced"]
    assert of_all[-1]["traced_conn_frac"] == 1.0
    assert b"engram.table" in stats.schema.metadata
    rows = list(csv_rows(ours / PRIMARY / "primary-all-status-stats.csv"))
    better = {row["status"] for row in rows}
    assert [row["traced_conn_frac"] for row in of_all if row["status"] in better] == [
        float(row["traced_conn_frac"]) for row in rows if row["name"] == "all"
    ]
    counts = parquet.read_table(ours / PRIMARY / "primary-all_syncounts.parquet").to_pylist()
    assert {(row["name"], row["kind"]): row["count"] for row in counts}["LO(L)", "PostSyn"] == 679


def test_a_group_has_its_reports_in_its_order(ours: Path) -> None:
    path = ours / PRIMARY / "optic" / "csv" / "optic-traced_conn_frac-by-status.csv"
    assert [row["name"] for row in csv_rows(path)] == ["LO(L)", "LO(R)", "ME(L)", "ME(R)"]
    assert csv_header(path)[-3:] == ["PostSyn", "PreSyn", "report_index"]
