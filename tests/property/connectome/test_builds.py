"""Snapshots of small connectomes say what plain Python says of them, and the same whatever the engine is given."""

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.durable import Steps
from tests.connectomes import csv_rows, feather_rows
from tests.naive_connectome import Connectome, Naive, Point, write_connectome

bodies = st.sampled_from([0, 1, 2, 3, 17, (1 << 32) - 1, 1 << 32, (1 << 40) + 1])
confidences = st.sampled_from([0.0, 0.4, 0.5, 0.7, 0.8999999, 1.0, float("nan")])
odd_names = ["A", "A b", "A(L)", 'with "quotes", and commas', "two\nlines", "Größe/µ", "<unspecified>", None]
points = st.builds(
    Point,
    x=st.integers(-50, 50),
    y=st.integers(-5, 5),
    z=st.integers(0, 3),
    kind=st.sampled_from(["PreSyn", "PostSyn", "PostSyn", "Fake"]),
    conf=confidences,
    body=bodies,
    big=st.sampled_from(odd_names),
    small=st.sampled_from(["s1", "s2", None]),
    compartment=st.sampled_from(["axon", "dendrite", "linker", None]),
)
thresholds = st.sampled_from([0.0, 0.4, 0.7])


@st.composite
def connectomes(draw: st.DrawFn) -> Connectome:
    drawn = draw(st.lists(points, min_size=1, max_size=25, unique_by=lambda point: point.point_id))
    places = {
        kind: [place for place, point in enumerate(drawn) if point.kind == kind] for kind in ("PreSyn", "PostSyn")
    }
    pairs = []
    if places["PreSyn"] and places["PostSyn"]:
        pair = st.tuples(st.sampled_from(places["PreSyn"]), st.sampled_from(places["PostSyn"]))
        pairs = draw(st.lists(pair, max_size=40, unique=True))
    return Connectome(
        points=tuple(drawn),
        partners=tuple(pairs),
        min_confidence=draw(thresholds),
        permit_body_0=draw(st.booleans()),
        enough=draw(thresholds),
        high=draw(thresholds),
    )


def built(connectome: Connectome, folder: Path) -> Path:
    config = read_config(str(write_connectome(connectome, folder / "in")), here=str(folder))
    list(build(config, Steps(), Limits(memory_bytes=1 << 29, threads=2), version="0", now=lambda: ""))
    return folder / "naive"


@settings(max_examples=25)  # each builds a whole snapshot
@given(connectomes())
def test_a_snapshot_says_what_plain_python_says(connectome: Connectome) -> None:
    naive = Naive(connectome=connectome)
    with tempfile.TemporaryDirectory() as folder:
        out = built(connectome, Path(folder))
        flat = out / "flat-connectome" / f"connectome-weights-naive-minconf-{connectome.min_confidence}.feather"
        weights = {(pre, post): weight for pre, post, weight in feather_rows(flat, ["body_pre", "body_post", "weight"])}
        assert weights == naive.weights()
        edges = csv_rows(out / "neuprint" / "Neuprint_Neuron_Connections.csv")
        assert dict(map(connection, edges)) == naive.connections()
        nodes = list(csv_rows(*(out / "neuprint" / "Neuprint_Neurons").glob("*.csv")))
        totals = {
            int(row["bodyId:long"]): {key: int(row[f"{key}:int"]) for key in ("post", "pre", "downstream")}
            for row in nodes
        }
        assert totals == naive.totals()
        info = {int(row["bodyId:long"]): json.loads(row["roiInfo:string"]) for row in nodes}
        assert info == naive.roi_info()
        for row in nodes:
            flags = {column.removesuffix(":boolean") for column, value in row.items() if value == "true"}
            assert flags == set(naive.roi_info()[int(row["bodyId:long"])])


def connection(row: dict[str, str]) -> tuple[tuple[int, int], tuple[int, int, int, dict[str, int]]]:
    weights = (int(row[f"{name}:int"]) for name in ("weightHR", "weight", "weightHP"))
    rois = {roi: counts["post"] for roi, counts in json.loads(row["roiInfo:string"]).items()}
    hr, weight, hp = weights
    return (int(row[":START_ID(Body-ID)"]), int(row[":END_ID(Body-ID)"])), (hr, weight, hp, rois)
