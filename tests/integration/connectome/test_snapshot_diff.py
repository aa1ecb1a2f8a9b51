"""What changed between two snapshots is told as plain Python finds it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather

from engram.cli.diff_view import DiffReport, difference_line
from engram.connectome.asking.changes import SnapshotChange, SnapshotDifference
from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.durable import Steps
from engram.model.errors import Malformed, NoSnapshot, UsageError, WrongSnapshot
from engram.workspace.context import Context
from engram.workspace.snapshot_asking import SnapshotAsking
from tests.naive_connectome import Connectome, Naive, Point, write_connectome

TYPES = ({5: "a", 6: "b", 7: "b"}, {5: "a", 6: "c", 7: "b", 9: "d"})


def point(number: int, kind: str, body: int) -> Point:
    big = "A" if number % 2 else "B"
    return Point(x=number, y=0, z=0, kind=kind, conf=0.9, body=body, big=big, small=None, compartment="axon")


def versions() -> tuple[Connectome, Connectome]:
    tbars = (point(1, "PreSyn", 5), point(2, "PreSyn", 6))
    psds = tuple(point(10 + number, "PostSyn", body) for number, body in enumerate((6, 7, 7, 8, 5)))
    old = Connectome(points=(*tbars, *psds), partners=((0, 2), (0, 3), (0, 4), (0, 5), (1, 6)))
    moved = (*tbars, *(replace(one, body=9) if one.body == 8 else one for one in psds))
    return old, Connectome(points=moved, partners=((0, 2), (0, 3), (0, 5), (1, 6)))


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("versions")
    for number, connectome in enumerate(versions()):
        config = write_connectome(connectome, folder / f"in{number}")
        known = TYPES[number]
        bodies = pa.table({"body": list(known), "status": ["Traced"] * len(known), "type": list(known.values())})
        feather.write_feather(bodies, str(folder / f"in{number}" / "annotations.feather"))
        read = read_config(str(config), here=str(folder), output_dir=str(folder / f"v{number}"))
        list(build(read, Steps(), Limits(memory_bytes=1 << 29, threads=1), version="0", now=lambda: ""))
    return folder


def told(folder: Path, *, most: int = 0) -> list[SnapshotChange | SnapshotDifference]:
    asking = SnapshotAsking(Context(folder=str(folder)))
    return list(asking.diff("v0", "v1", most=most, memory="512MB", threads=1))


def in_rois(naive: Naive) -> dict[str, tuple[int, int, int]]:
    """PSDs, T-bars and bodies of each ROI."""
    found: dict[str, tuple[int, int, int]] = {}
    for info in naive.roi_info().values():
        for roi, counts in info.items():
            post, pre, bodies = found.get(roi, (0, 0, 0))
            found[roi] = (post + counts.get("post", 0), pre + counts.get("pre", 0), bodies + 1)
    return found


def test_connections_bodies_types_and_rois_are_compared(snapshots: Path) -> None:
    old, new = (Naive(connectome=one) for one in versions())
    found = told(snapshots)
    differences = [one for one in found if isinstance(one, SnapshotDifference)]
    of = {one.part: [each for each in differences if each.part == one.part] for one in found}
    weights = [{f"{pre} -> {post}": weight for (pre, post), weight in one.weights().items()} for one in (old, new)]
    expected = {
        item: (weights[0].get(item), weights[1].get(item))
        for item in weights[0].keys() | weights[1].keys()
        if weights[0].get(item) != weights[1].get(item)
    }
    assert {one.item: (one.old.get("weight"), one.new.get("weight")) for one in of["connections"]} == expected
    assert {one.item: one.change for one in of["bodies"]} == {
        "5": "changed",
        "6": "changed",
        "7": "changed",
        "8": "removed",
        "9": "added",
    }
    by_body = {one.item: one for one in of["bodies"]}
    assert (by_body["6"].old, by_body["6"].new) == ({"type": "b"}, {"type": "c"})
    assert {one.item: one.change for one in of["types"]} == {"a": "changed", "b": "changed", "c": "added", "d": "added"}
    rois = [in_rois(one) for one in (old, new)]
    assert {one.item for one in of["rois"]} == {roi for roi in "AB" if rois[0].get(roi) != rois[1].get(roi)} != set()
    counts = {one.part: one for one in found if isinstance(one, SnapshotChange)}
    assert list(counts) == ["bodies", "types", "connections", "rois"]
    for part, one in counts.items():
        kinds = [each.change for each in of[part]]
        assert (one.added, one.removed, one.changed) == tuple(map(kinds.count, ("added", "removed", "changed")))
        assert one.new - one.old == one.added - one.removed
    assert (counts["connections"].old, counts["connections"].new) == (len(weights[0]), len(weights[1]))


def test_the_largest_come_first_and_the_same_has_none(snapshots: Path) -> None:
    (largest,) = (
        one for one in told(snapshots, most=1) if isinstance(one, SnapshotDifference) and one.part == "bodies"
    )
    assert largest.item == "5"
    asking = SnapshotAsking(Context(folder=str(snapshots)))
    same = list(asking.diff("v1", "v1", most=0, memory="512MB", threads=1))
    assert [one for one in same if isinstance(one, SnapshotDifference)] == []
    assert all(one.added == one.removed == one.changed == 0 for one in same if isinstance(one, SnapshotChange))


def test_flyem_snapshots_own_is_compared(ours: Path, golden: Path) -> None:
    """The statuses and totals are the same; of bodies nothing differs."""
    asking = SnapshotAsking(Context(folder=str(golden)))
    found = list(asking.diff("expected", str(ours), most=3, memory="512MB", threads=1))
    assert [difference_line(one) for one in found if isinstance(one, SnapshotDifference)] == []
    assert len(found) == 4


def test_a_page_tells_the_same(snapshots: Path) -> None:
    report = DiffReport("v0", "<b>v1</b>")
    lines = [difference_line(one) for one in report.watch(told(snapshots))]
    assert lines[0] == "Bodies: 4 -> 4 (1 added, 1 removed, 3 changed)"
    assert "  ~ 6 [type b -> c]" in lines
    page = report.page()
    assert "&lt;b&gt;v1&lt;/b&gt;" in page
    assert "<b>v1" not in page
    assert "<script" not in page
    assert page.count("<svg") == 5
    assert "type b -&gt; c" in page
    assert "+0" not in page, "what has as many synapses as before has no bar"


@pytest.mark.parametrize("name", ["", "syn-points.feather"])
def test_a_folder_without_a_snapshot_is_refused(name: str, snapshots: Path, tmp_path: Path) -> None:
    """Nothing would be told of it, as of a snapshot in which nothing changed."""
    if name:
        shutil.copy(next((snapshots / "v0" / "flat-connectome").glob("syn-points*")), tmp_path / name)
    asking = SnapshotAsking(Context(folder=str(snapshots)))
    for old, new in (("v0", str(tmp_path)), (str(tmp_path), "v0")):
        with pytest.raises(NoSnapshot):
            list(asking.diff(old, new, most=0, memory="512MB", threads=1))
    with pytest.raises(NoSnapshot):
        list(asking.query(str(tmp_path), "SELECT 1", memory="512MB", threads=1))


def differences(old: Path, new: Path) -> list[SnapshotChange | SnapshotDifference]:
    asking = SnapshotAsking(Context(folder=str(old.parent)))
    return list(asking.diff(str(old), str(new), most=1, memory="512MB", threads=1))


def test_a_snapshot_that_lacks_a_table_is_not_called_changed(ours: Path, tmp_path: Path) -> None:
    shutil.copytree(ours, new := tmp_path / "new")
    lost = next((new / "flat-connectome").glob("body-stats*"))
    lost.unlink()
    with pytest.raises(WrongSnapshot, match=f"{lost.name} is not there as it was built"):
        differences(ours, new)


def test_what_both_have_is_compared_and_not_two_tables_that_count_otherwise(ours: Path, tmp_path: Path) -> None:
    """Bodies of a database count what is confident enough: against body_stats, they would all have changed."""
    new = tmp_path / "new"
    shutil.copytree(ours / "neuprint", new / "neuprint")
    assert {one.changed for one in differences(ours, new) if isinstance(one, SnapshotChange)} == {0}


def test_snapshots_without_a_table_in_common_are_refused(ours: Path, tmp_path: Path) -> None:
    old, new, other = tmp_path / "old", tmp_path / "new", tmp_path / "other"
    shutil.copytree(ours / "flat-connectome", old / "flat-connectome")
    shutil.copytree(ours / "neuprint", new / "neuprint")
    with pytest.raises(UsageError, match="bodies are in body_stats of one and in neuprint_neurons of the other"):
        differences(old, new)
    (other / "flat-connectome").mkdir(parents=True)
    for path in (old / "flat-connectome").glob("connectome-weights*"):
        shutil.move(path, other / "flat-connectome")
    with pytest.raises(UsageError, match="one has body_stats and one has connectome_weights"):
        differences(old, other)


def test_a_table_of_other_types_is_named(ours: Path, tmp_path: Path) -> None:
    shutil.copytree(ours, new := tmp_path / "new")
    table = next((new / "flat-connectome").glob("body-stats*"))
    feather.write_feather(pa.table({"body": [["x"]], "synweight": [1]}), table)
    with pytest.raises(Malformed, match=table.name):
        differences(ours, new)
