"""Skeletons and meshes of a snapshot: which bodies have them, what failed, and what is not done twice."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from engram.connectome.building import Finding, Kept
from engram.connectome.shapes.swc import precomputed
from engram.durable import Steps
from engram.model.errors import BadSnapshotConfig, TargetExists, Unreadable
from engram.testing.faults import in_child
from tests.integration.connectome.test_building import DyingAtPath, is_whole
from tests.integration.connectome.test_settings import Lab
from tests.unit.connectome.shapes.test_formats import CORNERS, mesh

TREE = b"1 1 10 20 30 1 -1\n2 3 11 20 30 1 1\n"


class ShapeLab(Lab):
    """A small connectome with skeletons and meshes of its annotated bodies: 10, 20 and 30, which is glia."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.annotations = {"body": [10, 20, 30], "status": ["Traced", "Anchor", "Glia"]}
        self.swc, self.ngmesh = folder / "swc", folder / "ngmesh"
        for place, data in ((self.swc, TREE), (self.ngmesh, mesh(CORNERS, [(0, 1, 2)]))):
            place.mkdir()
            for body in (10, 20, 30, 999):
                (place / f"{body}{'.swc' if place is self.swc else '.ngmesh'}").write_bytes(data)
        self.skeletons: dict[str, Any] = {"folder": "swc", "coordinate-resolution-nm": [8, 8, 40]}
        self.meshes: dict[str, Any] = {"folder": "ngmesh"}

    def build(self) -> Path:
        skeletons = {"main": {"export-skeletons": True, **self.skeletons}} if self.skeletons else {}
        meshes = {"main": {"export-meshes": True, **self.meshes}} if self.meshes else {}
        self.outputs = {"skeletons": skeletons, "meshes": meshes}
        return super().build()

    def below(self, part: str) -> list[str]:
        return sorted(str(path.relative_to(self.out / part)) for path in (self.out / part).rglob("*") if path.is_file())

    def states(self, part: str) -> dict[int, tuple[str, str]]:
        table = self.out / part / f"{part.partition('-')[0]}.csv"
        with table.open(newline="") as file:
            return {int(row["body"]): (row["state"], row["reason"]) for row in csv.DictReader(file)}

    def findings(self) -> set[tuple[str, str]]:
        return {(one.table, one.message) for one in self.told if isinstance(one, Finding)}


@pytest.fixture
def lab(tmp_path: Path) -> ShapeLab:
    return ShapeLab(tmp_path)


class TestFiles:
    def test_annotated_bodies_have_skeletons(self, lab: ShapeLab) -> None:
        out = lab.build() / "skeletons-main"
        made = [
            f"{folder}/{name}" for folder in ("skeletons-precomputed", "skeletons-swc") for name in ("10", "20", "30")
        ]
        copies = [f"{path}.swc" if "swc" in path else path for path in made]
        assert lab.below("skeletons-main") == sorted([*copies, "skeletons-precomputed/info", "skeletons.csv"])
        assert (out / "skeletons-swc" / "10.swc").read_bytes() == TREE
        assert (out / "skeletons-precomputed" / "10").read_bytes() == precomputed(TREE, (8, 8, 40))
        assert json.loads((out / "skeletons-precomputed" / "info").read_text())["@type"] == "neuroglancer_skeletons"

    def test_meshes_leave_out_some_statuses(self, lab: ShapeLab) -> None:
        out = lab.build() / "meshes-main" / "single-res-meshes"
        assert sorted(path.name for path in out.iterdir()) == ["10.ngmesh", "10:0", "20.ngmesh", "20:0", "info"]
        assert json.loads((out / "10:0").read_text()) == {"fragments": ["10.ngmesh"]}
        assert json.loads((out / "info").read_text()) == {"@type": "neuroglancer_legacy_mesh"}
        assert (out / "10.ngmesh").read_bytes() == (lab.ngmesh / "10.ngmesh").read_bytes()

    def test_where_nothing_is_annotated_every_file_counts(self, lab: ShapeLab) -> None:
        lab.write("nobody", {"body": pa.array([], pa.int64()), "status": pa.array([], pa.string())})
        lab.given = {"body-annotations-table": "nobody.feather"}
        lab.build()
        assert set(lab.states("skeletons-main")) == {10, 20, 30, 999}


class TestFailures:
    def test_what_fails_is_told_and_the_rest_is_made(self, lab: ShapeLab) -> None:
        (lab.swc / "10.swc").unlink()
        (lab.swc / "20.swc").write_bytes(b"1 1 1 1 1 1 1\n")
        (lab.ngmesh / "10.ngmesh").unlink()
        os.mkfifo(lab.ngmesh / "10.ngmesh")
        lab.build()
        cycle = "the parents of node 1 lead back to it"
        assert lab.states("skeletons-main") == {10: ("missing", ""), 20: ("broken", cycle), 30: ("ok", "")}
        assert lab.states("meshes-main") == {10: ("broken", "it is no file"), 20: ("ok", "")}
        assert ("skeletons-main", "1 of 3 bodies have no file; one of them: 10") in lab.findings()
        broken = f"1 of 3 bodies have a file of which nothing can be made; one of them: 20 ({cycle})"
        assert ("skeletons-main", broken) in lab.findings()

    def test_only_what_failed_is_done_again(self, lab: ShapeLab) -> None:
        """flyem-snapshot reads a column that is not there and calls the wrong function: it does all of it again."""
        (lab.swc / "20.swc").write_bytes(TREE[:-3])
        (lab.ngmesh / "20.ngmesh").write_bytes(b"")
        lab.build()
        parts = ("skeletons-main/skeletons-precomputed", "meshes-main/single-res-meshes")
        before = {path.name: path.stat().st_ino for part in parts for path in (lab.out / part).iterdir()}
        assert "20" not in before
        (lab.swc / "20.swc").write_bytes(TREE)
        (lab.ngmesh / "20.ngmesh").write_bytes(mesh(CORNERS, [(0, 1, 2)]))
        lab.build()
        after = {path.name: path.stat().st_ino for part in parts for path in (lab.out / part).iterdir()}
        assert {name for name in before if after[name] == before[name]} == {"10", "30", "10.ngmesh", "10:0"}
        assert set(after) - set(before) == {"20", "20.ngmesh", "20:0"}
        assert lab.states("skeletons-main")[20] == ("ok", "")

    def test_what_was_found_stands_until_its_step_is_carried_out_again(self, lab: ShapeLab) -> None:
        missing = ("skeletons-main", "1 of 3 bodies have no file; one of them: 10")
        (lab.swc / "10.swc").unlink()
        lab.build()
        (lab.ngmesh / "20.ngmesh").write_bytes(b"")
        lab.build()
        told = json.loads((lab.out / "provenance.json").read_text())["findings"]
        assert [one["step"] for one in told] == ["skeletons-main", "meshes-main"]
        assert lab.findings() == {(one["table"], one["message"]) for one in told} > {missing}
        (lab.swc / "10.swc").write_bytes(TREE)
        lab.build()
        assert {table for table, _ in lab.findings()} == {"meshes-main"}

    def test_what_was_changed_is_no_earlier_work(self, lab: ShapeLab) -> None:
        out = lab.build() / "skeletons-main" / "skeletons-precomputed"
        good = (out / "10").read_bytes()
        (out / "10").write_bytes(b"damaged")
        lab.build()
        assert (out / "10").read_bytes() == good

    def test_another_resolution_makes_all_anew(self, lab: ShapeLab) -> None:
        lab.build()
        lab.skeletons["coordinate-resolution-nm"] = [1, 1, 1]
        out = lab.build() / "skeletons-main" / "skeletons-precomputed"
        assert (out / "10").read_bytes() == precomputed(TREE, (1, 1, 1))


class TestFolders:
    def test_unchanged_shapes_are_kept_and_unwanted_ones_are_gone(self, lab: ShapeLab) -> None:
        lab.build()
        lab.build()
        assert all(isinstance(one, Kept | Finding) for one in lab.told)
        lab.meshes = {}
        lab.build()
        assert not (lab.out / "meshes-main").exists()
        assert lab.below("skeletons-main")

    def test_a_folder_of_somebody_else_is_left_alone(self, lab: ShapeLab) -> None:
        lab.meshes, skeletons = {}, lab.skeletons
        lab.skeletons = {}
        lab.build()
        (lab.out / "skeletons-main").mkdir()
        (lab.out / "skeletons-main" / "mine").write_text("mine")
        lab.build()
        lab.skeletons = skeletons
        with pytest.raises(TargetExists, match="engram did not build it"):
            lab.build()
        assert (lab.out / "skeletons-main" / "mine").read_text() == "mine"

    def test_what_a_killed_build_had_finished_goes_where_nobody_wants_it_now(self, lab: ShapeLab) -> None:
        lab.build()
        (lab.out / "provenance.json").unlink()

        def built(_: Path, steps: Steps) -> None:
            lab.build_as_it_is(steps)

        ending = in_child(built, lab.out, DyingAtPath("next.json"))
        assert ending.stopped_at is not None
        assert (lab.out / ".engram" / "new" / "skeletons-main" / "skeletons.csv").exists()
        lab.skeletons, lab.meshes = {}, {}
        lab.build()
        assert is_whole(lab.out)
        assert not {"skeletons-main", "meshes-main"} & {path.name for path in lab.out.iterdir()}

    def test_a_folder_that_is_not_there_is_told(self, lab: ShapeLab) -> None:
        lab.skeletons["folder"] = "nowhere"
        with pytest.raises(Unreadable, match="nowhere"):
            lab.build()

    def test_threads_change_no_byte(self, lab: ShapeLab) -> None:
        out = lab.build() / "skeletons-main"
        first = {path: (out / path).read_bytes() for path in lab.below("skeletons-main")}
        (out / "skeletons.csv").unlink()
        lab.threads = 3
        lab.build()
        assert {path: (out / path).read_bytes() for path in first} == first


class TestConfiguration:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (
                {"folder": ""},
                "export-skeletons: reading skeletons needs a DVID server: not supported yet; name a folder",
            ),
            (
                {"dvid": {"server": "x:8000"}},
                "server: needs a DVID server: not supported yet; take it away where folder",
            ),
            ({"coordinate-resolution-nm": [8, 8, 0]}, "coordinate-resolution-nm: a voxel has a size above 0"),
            ({"folder": "https://example.org"}, "is a link, and only files are read here"),
        ],
    )
    def test_what_cannot_be_done_is_told_by_name(self, settings: dict[str, Any], message: str, lab: ShapeLab) -> None:
        lab.skeletons |= settings
        with pytest.raises(BadSnapshotConfig) as refusal:
            lab.build()
        assert message in str(refusal.value)

    def test_a_completed_configuration_names_the_folder(self, lab: ShapeLab) -> None:
        out = lab.build()
        found = yaml.safe_load((out / "final-config.yaml").read_text())["outputs"]
        assert found["skeletons"]["main"]["folder"] == str(lab.swc)
        assert found["meshes"]["main"]["exclude-statuses"] == ["Unimportant", "Glia"]
