"""Plots of reports say what the tables say, need no network, and can be left out."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import vl_convert
import yaml
from pyarrow import feather

from engram.connectome.building import Finding, Limits, build, plan
from engram.connectome.config.reading import read_config
from engram.connectome.config.records import Config
from engram.connectome.engine import Work
from engram.connectome.reports.plots.bars import counts_chart
from engram.connectome.reports.plots.curves import CURVES, MOST_POINTS, Curve, curve_chart
from engram.connectome.reports.plots.drawing import page_of
from engram.connectome.reports.plots.histograms import Histogram, histogram_chart
from engram.connectome.reports.plotting import curve_rows
from engram.durable import Steps
from engram.model.errors import BadSnapshotConfig, BadTables
from tests.connectomes import csv_rows

TAG = "synth-v1.0"
LIMITS = Limits(memory_bytes=1 << 30, threads=2)
VIEW = {"selectedLayer": {"layer": "seg"}, "layers": [{"name": "grey"}, {"name": "seg", "segments": ["5"]}]}
REPORTS = [{"name": "all"}, {"rois": ["LO(L)"]}]
GROUPS = {"Two of them": ["LO(L)", "all"]}


def read(golden: Path, folder: Path, **reports: Any) -> Config:
    """The sample's configuration, with reports alone."""
    given = yaml.safe_load((golden / "input" / "config.yaml").read_text())
    given["inputs"]["synapses"]["syndir"] = str(golden / "input")
    given["inputs"]["annotations"]["body-annotations-table"] = str(golden / "input" / "body-annotations.feather")
    del given["inputs"]["neurotransmitters"], given["inputs"]["body-sizes"]
    wanted = {"roiset": "primary", "reports": REPORTS, "capture-summary-subsets": GROUPS, **reports}
    given["outputs"] = {"flat-connectome": {"export-connectome": False}, "connectivity-reports": [wanted]}
    (folder / "config.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
    return read_config(str(folder / "config.yaml"), here=str(folder), output_dir=str(folder / "out"))


def build_all(config: Config, *, plots: bool) -> list[Any]:
    return list(build(config, Steps(), LIMITS, version="1", now=lambda: "", plots=plots))


@pytest.fixture(scope="module")
def config(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("plots")
    (folder / "view.json").write_text(json.dumps(VIEW))
    return read(golden, folder, **{"neuroglancer-base-state": "view.json"})


@pytest.fixture(scope="module")
def reports(config: Config) -> Path:
    build_all(config, plots=True)
    return Path(config.job_settings.output_dir) / "reports"


def spec_of(page: Path) -> dict[str, Any]:
    (text,) = re.findall(r"const spec = (.*);\n", page.read_text())
    spec: dict[str, Any] = json.loads(text)
    return spec


def pages(reports: Path) -> list[Path]:
    return sorted(reports.rglob("*.html"))


def test_each_plot_is_a_page_and_a_picture(reports: Path) -> None:
    of_reports = {
        f"primary/reports/{report}/html/{report}-{kind}-{TAG}.html"
        for report in ("all", "LO(L)")
        for kind in ("cumulative-connectivity-with-links", "downstream-capture")
    }
    of_groups = {
        f"primary/{group}/html/{start}-captured-{word}-by-status-and-roi{end}.html"
        for group, start in (("primary", "primary"), ("Two of them", "two-of-them"))
        for word in ("presyn", "postsyn", "connectivity", "synweight")
        for end in ("", "-sorted")
    }
    found = {page.relative_to(reports).as_posix() for page in pages(reports)}
    assert found == of_reports | of_groups | {f"html/body-status-counts-{TAG}.html"}
    for page in pages(reports):
        picture = page.parent.parent / "png" / f"{page.stem}.png"
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_page_loads_nothing(reports: Path) -> None:
    for page in pages(reports):
        text = page.read_text()
        assert "default-src &#x27;none&#x27;; script-src &#x27;unsafe-inline&#x27;" in text
        ours = re.sub(r"<script>.*?</script>", "", text, count=1, flags=re.DOTALL)  # without Vega itself
        assert not re.search(r"<script[^>]+src|<link|<img|@import|https?://(?!clio-ng|vega.github.io/schema)", ours)
        assert text.count("<script>") == 2


def test_what_moves_in_a_page_can_be_drawn(reports: Path) -> None:
    """Pictures are made of charts in which nothing moves: a page could be empty beside them."""
    for page in sorted((reports / "primary" / "reports" / "LO(L)" / "html").iterdir()):
        assert vl_convert.vegalite_to_svg(spec_of(page), vl_version="6.4").startswith("<svg")


class TestWhatPlotsSay:
    def test_the_curve_has_every_body_that_completes_a_synapse(self, reports: Path) -> None:
        folder = reports / "primary" / "reports" / "LO(L)"
        shown = spec_of(folder / "html" / f"LO(L)-cumulative-connectivity-with-links-{TAG}.html")["datasets"]["bodies"]
        last = {row["max_rank"]: row for row in feather.read_table(folder / f"LO(L)-conn_df-{TAG}.feather").to_pylist()}
        assert [row["rank"] for row in shown] == list(last)
        for row, told in zip(shown, last.values(), strict=True):
            assert (row["body"], row["status"]) == (str(told["body_max_rank"]), told["status"])
            assert row["synweight"] == told["synweight_max_rank"]
            for column in ("traced_presyn_frac", "traced_postsyn_frac", "traced_synweight_frac", "traced_conn_frac"):
                assert row[column] == pytest.approx(told[column], abs=1e-6)

    def test_each_status_begins_where_the_one_before_ended(self, reports: Path) -> None:
        """Else a status of one body would be no line at all."""
        page = (
            reports / "primary" / "reports" / "LO(L)" / "html" / f"LO(L)-cumulative-connectivity-with-links-{TAG}.html"
        )
        shown = spec_of(page)["datasets"]
        turns = [pair for pair in pairwise(shown["bodies"]) if pair[0]["status"] != pair[1]["status"]]
        assert turns
        ends = [
            {**end, "status": pair[1]["status"], "joint": place} for place, pair in enumerate(turns) for end in pair
        ]
        assert shown["joints"] == ends

    def test_bars_are_the_rows_of_the_csv_file(self, reports: Path) -> None:
        folder = reports / "primary" / "Two of them"
        told = list(csv_rows(folder / "csv" / "Two of them-traced_conn_frac-by-status.csv"))
        shown = spec_of(folder / "html" / "two-of-them-captured-connectivity-by-status-and-roi.html")["datasets"]
        assert [bar["report"] for bar in shown["bars"]] == ["LO(L)", "all"]
        assert [bar["count"] for bar in shown["bars"]] == ["679", "4,826"]
        for row in told:
            added = {one["status"]: one["added"] for one in shown["segments"] if one["report"] == row["name"]}
            assert added == {key: float(row[key]) for key in row if key in added}
            assert sum(added.values()) == pytest.approx(float(row["0.5assign"]) + sum(list(added.values())[:-1]))
        by_total = spec_of(folder / "html" / "two-of-them-captured-connectivity-by-status-and-roi-sorted.html")
        ends = [bar["end"] for bar in by_total["datasets"]["bars"]]
        assert ends == sorted(ends)

    def test_bins_hold_every_captured_body(self, reports: Path) -> None:
        folder = reports / "primary" / "reports" / "all"
        told = feather.read_table(folder / f"all-downstream-capture-{TAG}.feather").to_pylist()
        shown = spec_of(folder / "html" / f"all-downstream-capture-{TAG}.html")["datasets"]
        for one in shown["bins"]:
            parts = [row["captured"] / row["downstream"] for row in told]
            inside = [part for part in parts if one["from"] <= part < one["to"] or part == one["to"] == 1]
            assert one["bodies"] == len(inside)
        assert sum(one["bodies"] for one in shown["bins"]) == len(told)

    def test_statuses_are_counted_as_in_their_table(self, reports: Path) -> None:
        told = csv_rows(reports.parent / "tables" / f"body-status-counts-{TAG}.csv")
        shown = spec_of(reports / "html" / f"body-status-counts-{TAG}.html")["datasets"]["statuses"]
        assert [(one["status"], str(one["count"])) for one in shown] == [(row["status"], row["count"]) for row in told]

    def test_a_click_leads_to_the_body(self, reports: Path) -> None:
        page = reports / "primary" / "reports" / "all" / "html" / f"all-cumulative-connectivity-with-links-{TAG}.html"
        (link,) = re.findall(r'const link = "(.*)";', page.read_text())
        assert link.startswith("https://clio-ng.janelia.org/#!%7B")
        assert link.count("BODY") == 2
        (other,) = re.findall(
            r'const link = "(.*)";', (reports / "html" / f"body-status-counts-{TAG}.html").read_text()
        )
        assert other == ""


def test_plots_are_made_again_where_they_are_not_wanted_any_more(config: Config, reports: Path) -> None:
    same = {one.step.name: one.why for one in plan(config, Steps(), plots=True)}
    without = {one.step.name: one.why for one in plan(config, Steps(), plots=False)}
    assert (same["reports"], without["reports"]) == ("nothing has changed", "options.plots changed")
    assert reports.is_dir()


def test_without_plots_nothing_that_draws_is_loaded(golden: Path, tmp_path: Path) -> None:
    read(golden, tmp_path, reports=[{"rois": ["FB"]}], **{"capture-summary-subsets": {}})
    code = (
        "import sys, engram; engram.snapshot.build('config.yaml', output='out', plots=False);"
        "print({'altair', 'vl_convert'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("set()\n", 0), done.stderr
    assert not list((tmp_path / "out").rglob("*.png"))
    assert list((tmp_path / "out" / "reports").rglob("*.feather"))


def test_statuses_without_an_order_are_left_out_of_plots(golden: Path, tmp_path: Path) -> None:
    config = read(golden, tmp_path, reports=[{"rois": ["FB"]}], **{"capture-summary-subsets": {}})
    (tmp_path / "known.csv").write_text("body,status\n10172,done\n10283,begun\n")
    text = (tmp_path / "config.yaml").read_text().replace(config.inputs.annotations.body_annotations_table, "known.csv")
    (tmp_path / "config.yaml").write_text(text)
    config = read_config(str(tmp_path / "config.yaml"), here=str(tmp_path), output_dir=str(tmp_path / "out"))
    told = build_all(config, plots=True)
    found = {path.stem for path in (tmp_path / "out" / "reports").rglob("*.png")}
    assert found == {f"FB-cumulative-connectivity-{TAG}", f"body-status-counts-{TAG}"}
    assert not list((tmp_path / "out" / "reports").rglob("*.csv"))
    assert any(isinstance(one, Finding) and one.table == "reports" for one in told)


def test_a_roi_that_no_table_has_is_told_with_the_nearest(golden: Path, tmp_path: Path) -> None:
    config = read(golden, tmp_path, reports=[{"rois": ["F B"]}], **{"capture-summary-subsets": {}})
    with pytest.raises(BadTables, match="report F B: ROI set primary has no ROI F B; the nearest is FB"):
        build_all(config, plots=False)


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        ("{", "it is no JSON"),
        ("[]", "none of its layers is the one that selectedLayer names"),
        ('{"selectedLayer": {"layer": "a"}, "layers": [{"name": "b"}, 3]}', "none of its layers is the one"),
        ('{"selectedLayer": "a", "layers": 3}', "none of its layers is the one"),
    ],
)
def test_a_view_that_shows_no_bodies_is_refused(view: str, problem: str, golden: Path, tmp_path: Path) -> None:
    (tmp_path / "view.json").write_text(view)
    with pytest.raises(BadSnapshotConfig, match=problem):
        read(golden, tmp_path, **{"neuroglancer-base-state": "view.json"})


def test_a_curve_of_one_body_is_a_point() -> None:
    """A line through one point is nothing, and the plot of a small ROI would be empty."""
    row = {"rank": 2, "body": "5", "status": "Traced", "presyn": 1, "postsyn": 1, "synweight": 2}
    fractions = dict.fromkeys(CURVES, 1.0)
    for rows, points in (([row | fractions], 4), ([row | fractions, row | fractions | {"rank": 3}], 0)):
        chart = curve_chart(Curve(rows=rows, title="a", lines=["b"], colours={"Traced": "#440154"}))
        drawn = vl_convert.vegalite_to_svg(dict(chart.picture), vl_version="6.4")
        assert len(re.findall(r'aria-roledescription="point"', drawn)) == points + bool(points)


def test_where_statuses_are_mixed_the_curve_is_one_line_all_the_same() -> None:
    """A line for each status would lead back and forth between bodies that are traced in turn."""
    rows = [
        {"rank": rank, "body": "5", "status": "AB"[rank % 2], "presyn": 1, "postsyn": 1, "synweight": 2}
        | dict.fromkeys(CURVES, rank / 4)
        for rank in range(1, 5)
    ]
    for colours, lines in (({}, 1), ({"A": "#440154", "B": "#d3e124"}, 2 + 3)):
        chart = curve_chart(Curve(rows=rows, title="a", lines=["b"], colours=colours))
        drawn = vl_convert.vegalite_to_svg(dict(chart.picture), vl_version="6.4")
        assert len(re.findall(r'aria-roledescription="line mark"', drawn)) == lines * (len(CURVES) + 1)


@pytest.mark.parametrize(("counts", "said"), [([0, 1], "1 captured body"), ([1, 1], "2 captured bodies")])
def test_one_body_is_called_one(counts: list[int], said: str) -> None:
    chart = histogram_chart(Histogram(counts=counts, median_fraction=0.5, title="a", lines=["b"]))
    assert chart.picture["title"]["subtitle"] == ["b", said]


def test_no_name_ends_the_script_of_a_page() -> None:
    name = "</script><script>alert(1)</script>"
    page = page_of(counts_chart({name: 1}, {}, title=name, lines=[name]))
    assert name not in page
    assert "alert(1)" in page


def test_a_page_has_no_more_bodies_than_it_may(tmp_path: Path) -> None:
    work = Work(str(tmp_path / "work"), memory_bytes=1 << 29, threads=2)
    work.run(
        "CREATE TABLE \"report body\" AS SELECT i AS body, if(i <= 60001, 'A', 'B') AS status, i AS rank,"
        " 1 AS presyn, 1 AS postsyn, 2 AS synweight FROM range(1, 90001) AS t(i)"
    )
    work.run(
        'CREATE TABLE "report curve" AS SELECT rank AS max_rank, rank AS presyn, rank AS postsyn, 2 * rank AS'
        ' synweight, rank AS number FROM "report body"'
    )
    work.run('CREATE TABLE "report synapse" AS SELECT * FROM range(90000)')
    rows = curve_rows(work)
    work.close()
    assert MOST_POINTS * 0.8 < len(rows) <= MOST_POINTS
    ranks = [row["rank"] for row in rows]
    assert {1, 60001, 60002, 90000} <= set(ranks)
    assert ranks == sorted(ranks)
    assert rows[-1]["traced_conn_frac"] == 1
