"""Whatever is damaged in reports, elements, skeletons or meshes is found, without any digest."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engram.connectome.proving.told import Unproven, Wrong
from tests.integration.connectome.test_shapes import ShapeLab
from tests.integration.connectome.test_snapshot_check import (
    append,
    change,
    checked,
    double_row,
    drop_row,
    more,
    read,
    replace,
    some_always,
    truncate,
    write,
    wrong_in,
)

#: Mitochondria of two bodies with synapses and of one without, of two kinds, in and out of ROIs.
MITO: dict[str, Any] = {
    "x": [1001, 1002, 1003, 1004],
    "y": [7] * 4,
    "z": [5] * 4,
    "body": [10, 10, 20, 77],
    "type": ["mito"] * 4,
    "form": ["long", "round", "long", "long"],
    "big": ["A", None, "B", "A"],
}
NEAR: dict[str, Any] = {
    "source_x": [1001, 1002],
    "target_x": [1002, 1003],
    **{f"{side}_{axis}": [7 if axis == "y" else 5] * 2 for side in ("source", "target") for axis in "yz"},
    "distance": [1.5, 2.5],
}
TOTALS = {
    "compute-segment-totals-with-name": "mitos",
    "compute-roi-totals-with-name": "mitos",
    "compute-kind-totals-for-column": "form",
}


class FullLab(ShapeLab):
    """A small connectome with reports, elements, skeletons and meshes."""

    def build(self) -> Path:
        self.points["big"] = ["A", "B", "A", "B", "A", "B"]
        self.roi_sets = {"big": {"rois": [], "source": "point-table"}}
        self.synapses["roi-set-names"] = ["big"]
        self.flat = {"roi-set": "big"}
        self.write("mito", MITO)
        self.write("near", NEAR)
        table = {"point-table": "mito.feather", "distance-table": "near.feather", "roi-set-names": ["big"]}
        self.inputs = {"elements": {"mito": table}}
        self.neuprint = {"element-totals": {"mito": TOTALS}, "element-labels": {"mito": ":Mito"}}
        return super().build()

    def build_as_it_is(self, *given: Any) -> Path:
        config = self.folder / "config.yaml"
        reports = [{"name": "all of it"}, {"rois": ["A"]}, {"rois": ["A", "B"]}]
        asked = {"roiset": "big", "reports": reports, "capture-summary-subsets": {"one": ["A"]}}
        text = config.read_text()
        config.write_text(text.replace("outputs:\n", f"outputs:\n  connectivity-reports: [{asked}]\n", 1))
        return super().build_as_it_is(*given)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with every part, and without any digest."""
    out = FullLab(tmp_path_factory.mktemp("full")).build()
    (out / "provenance.json").unlink()
    (out / "ro-crate-metadata.json").unlink(missing_ok=True)
    shutil.rmtree(out / ".engram")
    return out


def test_a_snapshot_with_every_part_is_accepted(full: Path) -> None:
    told = checked(full)
    assert [one for one in told if isinstance(one, Wrong)] == []
    assert [one.path for one in told if isinstance(one, Unproven)] == ["provenance.json", "reports"]


REPORT = "reports/big/reports/{0}/{0}-{1}-small.feather"
SYNAPSES, BODIES, CAPTURE = (
    REPORT.format("all-of-it", one) for one in ("conn_df", "syn_counts_df", "downstream-capture")
)
OF_A = REPORT.format("A", "conn_df")
STATS, ALL_STATS, COUNTS = (
    f"reports/big/big-{one}" for one in ("all-status-stats.csv", "all_status_stats.parquet", "all_syncounts.parquet")
)
WIDE = "reports/big/big/csv/big-{}traced_conn_frac-by-status.csv"
ELEMENTS = "neuprint/Neuprint_Elements/mito/000000.csv"
SETS, TO_SET, TO_ELEMENT, CLOSE = (
    f"neuprint/{one}.csv"
    for one in (
        *("Neuprint_ElementSets/Neuprint_ElementSet_mito", "Neuprint_Neuron_to_ElementSet_mito"),
        *("Neuprint_ElementSet_to_Element_mito", "Neuprint_Elements_CloseTo_mito"),
    )
)
SWC, MADE, SWC_INFO, SWC_TABLE = (
    f"skeletons-main/{one}"
    for one in ("skeletons-swc/10.swc", "skeletons-precomputed/10", "skeletons-precomputed/info", "skeletons.csv")
)
MESH, FRAGMENT, MESH_INFO, MESH_TABLE = (
    f"meshes-main/{one}"
    for one in (*("single-res-meshes/10.ngmesh", "single-res-meshes/10:0", "single-res-meshes/info"), "meshes.csv")
)


def swap(path: Path) -> None:
    """The first two rows in each other's place."""
    table = read(path)
    write(table.take([1, 0, *range(2, table.num_rows)]), path)


def less(value: float) -> float:
    return value / 2


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


CUMULATED = "cumulative_traced_{}"
DAMAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    **{f"{path} loses a row": (path, drop_row) for path in (SYNAPSES, OF_A, BODIES, CAPTURE)},
    **{f"{path} has a row twice": (path, double_row) for path in (SYNAPSES, BODIES, CAPTURE, STATS)},
    "two synapses are out of order": (SYNAPSES, swap),
    "a body of a synapse of a report": (SYNAPSES, change("body_pre", 0, more)),
    "a point of a synapse of a report": (OF_A, change("post_id", 0, more)),
    "the rank of a synapse": (SYNAPSES, change("max_rank", 0, more)),
    "the body with the rank": (SYNAPSES, change("body_max_rank", 0, more)),
    **{
        f"a sum of {one}": (SYNAPSES, change(CUMULATED.format(one), 1, more)) for one in ("presyn", "synweight", "conn")
    },
    "a fraction along the ranking": (SYNAPSES, change("traced_postsyn_frac", 0, less)),
    "T-bars of a body of a report": (BODIES, change("presyn", 0, more)),
    "outputs of a body of a report": (BODIES, change("outputpartners", 0, more)),
    "a rank of a report": (BODIES, change("rank", 1, more)),
    "what is captured": (CAPTURE, change("captured", 0, more)),
    "a part that is captured": (CAPTURE, change("capture_frac", 0, lambda one: 0.25)),
    "outputs of a captured body": (CAPTURE, change("presyn", 0, lambda one: 1 if one > 1 else 2)),
    "a fraction of a status": (STATS, replace(r",1\.0,", ",0.75,")),
    "a fraction of a status above 1": (STATS, replace(r",1\.0,", ",1.5,")),
    "a fraction of a status in the other table": (ALL_STATS, change("traced_conn_frac", 0, less)),
    "a report of the other table": (ALL_STATS, change("name", 0, lambda _: "mine")),
    "a count of points": (COUNTS, change("count", 0, more)),
    "a fraction of a group": (WIDE.format("cumulative-"), replace(r",1\.0,", ",0.5,")),
    "what a status adds": (WIDE.format(""), replace(r",0\.\d+,", ",0.125,")),
    "PSDs of a group": (WIDE.format(""), replace(r",4\.0,", ",5.0,")),
    "the place of a report": (WIDE.format("cumulative-"), replace(r",1\n", ",7\n")),
    "a report of a group": (WIDE.format("cumulative-"), replace(r"\nall of it", "\nall of them")),
    "a body of an element": (ELEMENTS, replace(",10,", ",20,")),
    "a type of an element": (ELEMENTS, replace(",mito,", ",lyso,")),
    "a kind of an element": (ELEMENTS, replace(",round,", ",long,")),
    "a flag of an element": (ELEMENTS, replace("true", "")),
    **{f"{path} loses a row": (path, drop_row) for path in (ELEMENTS, SETS, TO_SET, TO_ELEMENT)},
    **{f"{path} has a row twice": (path, double_row) for path in (ELEMENTS, SETS, TO_SET, TO_ELEMENT)},
    "the type of a set of elements": (SETS, replace(",mito,", ",lyso,")),
    "a body with a set of elements": (TO_SET, replace(r"\n10,", "\n20,")),
    "an end of a pair": (CLOSE, replace(r",(\d)(\d+)\n", r",1\2\n")),
    "a total of elements": ("neuprint/body_elements.feather", change("mitos", 0, more)),
    "a total of a kind": ("neuprint/body_elements.feather", change("long", 0, more)),
    "a total of elements in a ROI": ("neuprint/roi_elements.feather", change("mitos", 0, more)),
    "a total of elements in roiInfo": ("neuprint/Neuprint_Neurons/0.csv", replace(r'""mitos"":1', '""mitos"":2')),
    **{f"{path} is gone": (path, Path.unlink) for path in (SWC, MADE, SWC_INFO, MESH, FRAGMENT)},
    **{f"{path} is another one": (path, flip) for path in (SWC, MADE, MESH, FRAGMENT, SWC_INFO, MESH_INFO)},
    **{f"{path} is cut off": (path, truncate) for path in (MADE, MESH)},
    "a skeleton that nobody listed": ("skeletons-main/skeletons-precomputed/11", append("x")),
    "a mesh that nobody listed": ("meshes-main/single-res-meshes/11.ngmesh", append("x")),
    "a body of a table of skeletons": (SWC_TABLE, replace(r"\n20,", "\n21,")),
    "a state of a table of meshes": (MESH_TABLE, replace(",ok,", ",missing,")),
    "a state that is none": (SWC_TABLE, replace(",ok,", ",fine,")),
    "a digest of a table of meshes": (MESH_TABLE, replace(r",[0-9a-f]{8}", ",00000000")),
}


@pytest.mark.parametrize("damage", some_always(list(DAMAGES)))
def test_what_contradicts_something_is_found_in_every_part(damage: str, full: Path, tmp_path: Path) -> None:
    path, carry_out = DAMAGES[damage]
    folder = tmp_path / "out"
    shutil.copytree(full, folder)
    carry_out(folder / path)
    found = wrong_in(folder)
    assert found, "nothing was found"
    named = " ".join(f"{one.path} {one.message}" for one in found)
    assert any(one in named for one in (path, path.rpartition("/")[0], "neuprint/Neuprint_Elements"))
