"""Reports on small connectomes say what plain Python says of them."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from engram.connectome.building import Limits, build
from engram.connectome.config.outputs import STATUSES
from engram.connectome.config.reading import read_config
from engram.durable import Steps
from tests.connectomes import csv_header, csv_rows
from tests.integration.connectome.test_snapshot_check import wrong_in
from tests.naive_reports import FRACTIONS, NaiveReport, Place, summaries

BODIES = (0, 3, 17, (1 << 32) - 1, 1 << 40)
ROIS = ("A", "B(L)", 'odd "name", é', "<unspecified>")
KNOWN = ("Traced", "Leaves", "Sensory Anchor", "0.5assign", "", "Orphan", "Glia")
places = st.builds(Place, body=st.sampled_from(BODIES), roi=st.sampled_from(ROIS), is_tbar=st.just(True))


@st.composite
def reports(draw: st.DrawFn) -> dict[str, Any]:
    """A connectome, and a set of reports on it."""
    tbars, psds = draw(st.lists(places, min_size=1, max_size=6)), draw(st.lists(places, min_size=1, max_size=12))
    points = {1 + number: one for number, one in enumerate(tbars)}
    points |= {100 + number: Place(body=one.body, roi=one.roi, is_tbar=False) for number, one in enumerate(psds)}
    pair = st.tuples(st.sampled_from(range(1, 1 + len(tbars))), st.sampled_from(range(100, 100 + len(psds))))
    pairs = draw(st.lists(pair, min_size=1, max_size=30, unique=True))
    named = {one.roi for one in points.values()} - {"<unspecified>"}
    rois = st.lists(st.sampled_from(sorted(named)), max_size=3, unique=True) if named else st.just([])
    report = st.fixed_dictionaries(
        {"rois": rois, "non-synaptic-bodies": st.sampled_from(["", "element-presence", "all", "none"])}
    )
    status = st.sampled_from(draw(st.sampled_from([KNOWN, (*KNOWN, "of our own")])))
    return {
        "points": points,
        "pairs": pairs,
        "elements": draw(st.lists(places, max_size=3)),
        "statuses": draw(st.dictionaries(st.sampled_from([3, 17, 1 << 40, 99, 98]), status | st.none())),
        "reports": draw(st.lists(report, min_size=1, max_size=3)),
        "stop-at-rank": draw(st.sampled_from([1, 2, 1_000_000])),
        "non-synaptic-bodies": draw(st.sampled_from(["element-presence", "all", "none"])),
        "capture-statuses": draw(st.lists(st.sampled_from(KNOWN), unique=True)),
        "threads": draw(st.sampled_from([1, 3])),
    }


def built(made: dict[str, Any], folder: Path) -> Path:
    points: dict[int, Place] = made["points"]
    columns = {
        "x": pa.array(list(points), pa.int32()),
        **{axis: pa.array([0] * len(points), pa.int32()) for axis in "yz"},
        "kind": ["PreSyn" if one.is_tbar else "PostSyn" for one in points.values()],
        "conf": pa.array([1.0] * len(points), pa.float32()),
        "body": pa.array([one.body for one in points.values()], pa.uint64()),
        "sets": [one.roi for one in points.values()],
    }
    feather.write_feather(pa.table(columns), str(folder / "points.feather"))
    pairs = zip(("pre_id", "post_id"), zip(*made["pairs"], strict=True), strict=True)
    feather.write_feather(
        pa.table({name: pa.array(ids, pa.uint64()) for name, ids in pairs}), str(folder / "partners.feather")
    )
    known = {
        "body": pa.array(list(made["statuses"]), pa.uint64()),
        "status": pa.array(made["statuses"].values(), pa.string()),
    }
    feather.write_feather(pa.table(known), str(folder / "annotations.feather"))
    elements: list[Place] = made["elements"]
    columns = {
        "x": pa.array(range(1000, 1000 + len(elements)), pa.int32()),
        **{axis: pa.array([0] * len(elements), pa.int32()) for axis in "yz"},
        "body": pa.array([one.body for one in elements], pa.uint64()),
        "sets": pa.array([one.roi for one in elements], pa.string()),
    }
    feather.write_feather(pa.table(columns), str(folder / "elements.feather"))
    named = [{"name": f"report  {place}", **one} for place, one in enumerate(made["reports"])]
    wanted = {key: made[key] for key in ("stop-at-rank", "non-synaptic-bodies", "capture-statuses")}
    groups = {"Some of them": [named[-1]["name"]]}
    config = {
        "inputs": {
            "synapses": {
                "synapse-points": "points.feather",
                "synapse-partners": "partners.feather",
                "permit-body-0": True,
            },
            "elements": {"mito": {"point-table": "elements.feather", "type": "mito"}},
            "annotations": {"body-annotations-table": "annotations.feather"},
            "rois": {"roi-sets": {"sets": {"rois": {}, "source": "point-table"}}},
        },
        "outputs": {
            "flat-connectome": {"export-connectome": True, "roi-set": "sets"},
            "connectivity-reports": [{"roiset": "sets", "reports": named, "capture-summary-subsets": groups, **wanted}],
        },
        "job-settings": {"snapshot-tag": "t", "output-dir": "out"},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    read = read_config(str(folder / "config.yaml"), here=str(folder))
    limits = Limits(memory_bytes=1 << 29, threads=made["threads"])
    list(build(read, Steps(), limits, version="0", now=lambda: "", plots=False))
    return folder / "out" / "reports" / "sets"


def order_of(statuses: Sequence[str | None]) -> Sequence[str]:
    return STATUSES if {one or "" for one in statuses} <= set(STATUSES) else ()


def rows(path: Path) -> list[dict[str, Any]]:
    return feather.read_table(path).to_pylist()


@settings(max_examples=25)  # each builds a whole snapshot
@given(reports())
def test_reports_say_what_plain_python_says(made: dict[str, Any]) -> None:
    order = order_of(list(made["statuses"].values()))
    used = {point for pair in made["pairs"] for point in pair}
    points = {point: place for point, place in made["points"].items() if point in used}
    naive = {}
    if unknown := {roi for one in made["reports"] for roi in one["rois"]} - {one.roi for one in points.values()}:
        made["reports"] = [
            {**one, "rois": [roi for roi in one["rois"] if roi not in unknown]} for one in made["reports"]
        ]
    for place, one in enumerate(made["reports"]):
        rois = one["rois"]
        more = {
            "all": set(made["statuses"]),
            "none": set(),
            "element-presence": {element.body for element in made["elements"] if not rois or element.roi in rois}
            & set(made["statuses"]),
        }[one["non-synaptic-bodies"] or made["non-synaptic-bodies"]]
        naive[f"report  {place}"] = NaiveReport(
            points=points,
            pairs=made["pairs"],
            statuses={body: status or "" for body, status in made["statuses"].items()},
            order=order,
            rois=rois,
            stop_at_rank=made["stop-at-rank"],
            more_bodies=more,
            capture_statuses=made["capture-statuses"],
        )
    with tempfile.TemporaryDirectory() as folder:
        out = built(made, Path(folder))
        assert wrong_in(out.parents[1]) == [], "its own check takes it for sound"
        for place, report in enumerate(naive.values()):
            tables = out / "reports" / f"report-{place}" / f"report-{place}"
            assert rows(Path(f"{tables}-syn_counts_df-t.feather")) == report.bodies
            assert rows(Path(f"{tables}-conn_df-t.feather")) == report.rows
            found = rows(Path(f"{tables}-downstream-capture-t.feather"))
            assert [{**row, "capture_frac": row["captured"] / row["downstream"]} for row in found] == report.capture()
        check_summaries(out, naive, order)


def check_summaries(out: Path, naive: dict[str, NaiveReport], order: Sequence[str]) -> None:
    path = out / "sets-all-status-stats.csv"
    assert path.exists() == bool(order)
    if not order:
        return
    expected = summaries(naive, order)
    assert [
        {key: float(row[key]) if key in FRACTIONS else row[key] for key in row} for row in csv_rows(path)
    ] == expected
    statuses = list(dict.fromkeys(row["status"] for row in expected))
    last = list(naive)[-1]
    for group, members in (("sets", list(naive)), ("Some of them", [last])):
        for key in FRACTIONS:
            cumulative, added = (
                out / group / "csv" / f"{group}-{start}{key}-by-status.csv" for start in ("cumulative-", "")
            )
            assert csv_header(cumulative) == ["name", *statuses, "PostSyn", "PreSyn", "report_index"]
            for place, (one, other) in enumerate(zip(csv_rows(cumulative), csv_rows(added), strict=True)):
                told = [row[key] for row in expected if row["name"] == members[place]]
                assert [float(one[status]) for status in statuses] == told
                steps = [value - before for value, before in zip(told, [0.0, *told], strict=False)]
                assert [float(other[status]) for status in statuses] == steps
                kinds = naive[members[place]].kinds()
                assert (float(one["PreSyn"]), float(one["PostSyn"])) == (
                    kinds.get("PreSyn", 0),
                    kinds.get("PostSyn", 0),
                )
                assert (one["name"], int(one["report_index"])) == (members[place], place)
