"""Elements of small connectomes: a snapshot says of them what plain Python says, and Neo4j would take it."""

import json
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.connectome.neo4j.checking import check_import
from engram.connectome.neo4j.sources import sources_of
from engram.durable import Steps
from tests.connectomes import csv_rows
from tests.integration.connectome.test_snapshot_check import wrong_in
from tests.naive_elements import Element, ElementTable, NaiveElements, Scene, write_scene
from tests.property.connectome.test_builds import bodies, connectomes, odd_names

#: Elements never lie where synapses do: these have another z.
elements = st.builds(
    Element,
    x=st.integers(-50, 50),
    y=st.integers(-5, 5),
    z=st.integers(10, 12),
    body=bodies,
    type=st.sampled_from(["mito", "odd/type", "so ma", 'a "b", c']),
    big=st.sampled_from(odd_names),
    small=st.sampled_from(["s1", "s3", None]),
    kind=st.sampled_from(["dark", "light, or so", None]),
    radius=st.sampled_from([1.0, 2.0, 300.5, None]),
    good=st.sampled_from([True, False, None]),
)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    connectome = draw(connectomes())
    drawn = draw(st.lists(elements, min_size=1, max_size=20, unique_by=lambda one: one.point_id))
    cut = draw(st.integers(0, len(drawn)))
    tables = {
        name: ElementTable(
            elements=tuple(part),
            type=draw(st.sampled_from(["", "mito"])),
            permit_body_0=draw(st.booleans()),
            label=draw(st.sampled_from(["", "Mito"])),
            of_bodies=draw(st.sampled_from(["", f"{name}Count"])),
            of_rois=draw(st.sampled_from(["", f"{name}Count"])),
            by_kind=name == "mito" and draw(st.booleans()),
            is_csv=name == "soma" and bool(part) and draw(st.booleans()),
        )
        for name, part in {"mito": drawn[:cut], "soma": drawn[cut:]}.items()
    }
    ids = [*(one.point_id for one in connectome.points), *(one.point_id for one in drawn)]
    edge = st.tuples(st.sampled_from(ids), st.sampled_from(ids), st.sampled_from([0.5, 1.25]))
    return Scene(
        connectome=connectome,
        tables=tables,
        close={"mito": tuple(draw(st.lists(edge, max_size=8)))},
        inside_info=draw(st.sampled_from(["", "", "big"])),
        inside_elements=draw(st.sampled_from(["", "small"])),
    )


@settings(max_examples=12)  # each builds a whole snapshot
@given(scenes())
def test_a_snapshot_says_of_elements_what_plain_python_says(scene: Scene) -> None:
    naive = NaiveElements(scene)
    with tempfile.TemporaryDirectory() as folder:
        config = read_config(str(write_scene(scene, Path(folder) / "in")), here=folder)
        list(build(config, Steps(), Limits(memory_bytes=1 << 29, threads=2), version="0", now=lambda: ""))
        out = Path(folder) / "naive" / "neuprint"
        assert wrong_in(out.parent) == [], "its own check takes it for sound"
        nodes = {
            int(row[":ID(Element-ID)"]): (
                row["type:string"],
                int(row["bodyId:long"]),
                row["location:point{srid:9157}"],
                frozenset(row[":Label"].split(";")),
                frozenset(column.removesuffix(":boolean") for column, value in row.items() if value == "true")
                - {"good"},
            )
            for row in csv_rows(*out.glob("Neuprint_Elements/*/*.csv"))
        }
        assert nodes == naive.nodes()
        members: dict[str, set[int]] = {}
        for row in csv_rows(*out.glob("Neuprint_ElementSet_to_Element_*.csv")):
            members.setdefault(row[":START_ID(ElementSet-ID)"], set()).add(int(row[":END_ID(Element-ID)"]))
        sets = {
            row[":ID(ElementSet-ID)"]: (row["type:string"], frozenset(members[row[":ID(ElementSet-ID)"]]))
            for row in csv_rows(*out.glob("Neuprint_ElementSets/*.csv"))
        }
        assert sets == naive.sets()
        contained = {
            (int(row[":START_ID(Body-ID)"]), row[":END_ID(ElementSet-ID)"])
            for row in csv_rows(*out.glob("Neuprint_Neuron_to_ElementSet_*.csv"))
        }
        assert contained == naive.contained_sets()
        close = Counter(
            (int(row[":START_ID(Element-ID)"]), int(row[":END_ID(Element-ID)"]), float(row["distance:float"]))
            for row in csv_rows(out / "Neuprint_Elements_CloseTo_mito.csv")
        )
        assert close == naive.close()["mito"]
        check_bodies(out, naive)
        assert not check_import(sources_of(str(out)), str(out), multiline=True).problems


def check_bodies(out: Path, naive: NaiveElements) -> None:
    names = {name for table in naive.scene.tables.values() for name in (table.of_bodies, table.of_rois) if name}
    names |= {"dark", "light, or so"}
    for row in csv_rows(*out.glob("Neuprint_Neurons/*.csv")):
        body = int(row["bodyId:long"])
        totals = {name: int(row.get(f"{name}:int", 0)) for name in names}
        assert {name: count for name, count in totals.items() if count} == naive.totals()[body]
        info = json.loads(row["roiInfo:string"])
        assert info == naive.roi_info()[body]
        flags = {column.removesuffix(":boolean") for column, value in row.items() if value == "true"}
        assert flags == set(info)
