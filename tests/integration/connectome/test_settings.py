"""What the sample does not ask for: ROIs by label, formula, union and parent; zones; restrictions; odd annotations."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pyarrow import feather

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.connectome.folder import Folder
from engram.durable import Steps
from engram.model.errors import BadTables, UsageError
from tests.connectomes import csv_rows, feather_columns, feather_rows

#: Four synapses: T-bars 1, 2 (bodies 10, 20) and PSDs 11 to 14 (bodies 30, 40, 10, 20).
POINTS: Mapping[str, list[Any]] = {
    "x": [1, 2, 11, 12, 13, 14],
    "y": [0] * 6,
    "z": [0, 50000, 0, 0, 50000, 50000],
    "kind": ["PreSyn"] * 2 + ["PostSyn"] * 4,
    "conf": [0.9] * 6,
    "body": [10, 20, 30, 40, 10, 20],
}
PAIRS = [(1, 11), (1, 12), (2, 13), (2, 14)]


class Lab:
    """A folder with a small connectome and its configuration, which tests change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "small"
        self.points: dict[str, list[Any]] = dict(POINTS)
        self.annotations: dict[str, list[Any]] = {"body": [10, 20], "status": ["Traced", "Anchor"]}
        self.synapses: dict[str, Any] = {}
        self.roi_sets: dict[str, Any] = {}
        self.neuprint: dict[str, Any] = {}
        self.flat: dict[str, Any] = {"roi-set": ""}
        self.given: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.threads = 1
        #: What the last build told.
        self.told: list[object] = []
        self.csv = ""
        self.partners: dict[str, list[float]] = {}

    def build(self) -> Path:
        self.write("points", {**self.points, "conf": pa.array(self.points["conf"], pa.float32())})
        places = {x: (z << 42) + (y << 21) + x for x, y, z in zip(*(POINTS[axis] for axis in "xyz"), strict=True)}
        ids = {"pre_id": [places[a] for a, _ in PAIRS], "post_id": [places[b] for _, b in PAIRS]}
        self.write("partners", {**ids, **self.partners})
        if self.csv:
            (self.folder / "annotations.csv").write_text(self.csv)
        else:
            self.write("annotations", self.annotations)
        meta = {"dataset": "d", "primaryRois": [], "roiHierarchy": {"all": None}}
        config = {
            "inputs": {
                "synapses": {
                    "synapse-points": "points.feather",
                    "synapse-partners": "partners.feather",
                    **self.synapses,
                },
                "annotations": {
                    "body-annotations-table": "annotations.csv" if self.csv else "annotations.feather",
                    **self.given,
                },
                "rois": {"roi-sets": self.roi_sets},
                **self.inputs,
            },
            "outputs": {
                "flat-connectome": self.flat,
                "neuprint": {"export-neuprint-snapshot": True, "meta": meta, **self.neuprint},
                **self.outputs,
            },
            "job-settings": {"snapshot-tag": "small"},
        }
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        return self.build_as_it_is()

    def build_as_it_is(self, steps: Steps | None = None) -> Path:
        """Build from the files that are there."""
        read = read_config(str(self.folder / "config.yaml"), here=str(self.folder))
        limits = Limits(memory_bytes=1 << 29, threads=self.threads)
        self.told = list(build(read, steps or Steps(), limits, version="0", now=lambda: ""))
        return self.out

    def write(self, table: str, columns: Mapping[str, Any]) -> None:
        feather.write_feather(pa.table(dict(columns)), str(self.folder / f"{table}.feather"))

    def flat_rows(self, table: str, *columns: str) -> list[tuple]:
        found = (self.out / "flat-connectome").glob(f"{table}-small-minconf-0.0*.feather")
        (path,) = (path for path in found if "-only" not in path.name)
        return feather_rows(path, list(columns))

    def nodes(self) -> dict[int, dict[str, str]]:
        rows = csv_rows(*(self.out / "neuprint" / "Neuprint_Neurons").glob("*.csv"))
        return {int(row["bodyId:long"]): row for row in rows}

    def synapse_nodes(self) -> dict[int, dict[str, str]]:
        """By their x."""
        rows = csv_rows(*(self.out / "neuprint" / "Neuprint_Synapses").glob("*.csv"))
        return {int(row["location:point{srid:9157}"][3:].split(",")[0]): row for row in rows}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


class TestRois:
    def test_labels_get_names_by_a_formula(self, lab: Lab) -> None:
        lab.points["col_label"] = [0, 203, 101, 0, 203, 0]
        lab.roi_sets["col"] = {"rois": "C_{x // 100}_{x % 100:02d}", "source": "point-table"}
        lab.flat = {"roi-set": "col"}
        lab.build()
        assert lab.flat_rows("syn-points", "x", "col", "col_label") == [
            *((1, "<unspecified>", 0), (11, "C_1_01", 101), (12, "<unspecified>", 0)),
            *((13, "C_2_03", 203), (14, "<unspecified>", 0), (2, "C_2_03", 203)),
        ]

    def test_names_get_the_labels_of_the_configuration(self, lab: Lab) -> None:
        lab.points["r"] = ["A", None, "B", "B", "A", "<unspecified>"]
        lab.roi_sets["r"] = {"rois": {"A": 300, "B": 7}, "source": "point-table", "rename-rois": {"A": "alpha"}}
        lab.build()
        assert lab.flat_rows("syn-points", "x", "r", "r_label") == [
            *((1, "alpha", 300), (11, "B", 7), (12, "B", 7)),
            *((13, "alpha", 300), (14, "<unspecified>", 0), (2, "<unspecified>", 0)),
        ]
        columns = dict(feather_columns(next((lab.out / "flat-connectome").glob("syn-points-*"))))
        assert columns["r_label"] == "int16"

    def test_a_label_without_a_name_is_a_problem(self, lab: Lab) -> None:
        lab.points["col_label"] = [0, 203, 101, 0, 203, 0]
        lab.roi_sets["col"] = {"rois": "C_{x}_{1 // (x - 203)}", "source": "point-table"}
        with pytest.raises(BadTables, match="ROI set col: it cannot be computed for x = 203"):
            lab.build()

    def test_a_name_without_a_label_is_a_problem(self, lab: Lab) -> None:
        lab.points["r"] = ["A", None, "B", "B", "A", None]
        lab.roi_sets["r"] = {"rois": ["A"], "source": "point-table"}
        with pytest.raises(
            BadTables, match="ROI set r: 1 names of its column are not among its rois; the first is 'B'"
        ):
            lab.build()

    def test_unions_and_parents(self, lab: Lab) -> None:
        lab.points["big"] = ["ME(R)", "ME(R)", "ME(R)", "LO", None, "LO"]
        lab.points["layer"] = ["M1", None, None, None, None, "L1"]
        lab.roi_sets |= {
            "big": {"rois": {}, "source": "point-table"},
            "all": {
                "source": "unions-of-subrois",
                "union-source-roiset": "big",
                "rois": {"optic": ["ME(R)", "LO"]},
            },
            "layer": {
                "rois": {},
                "source": "point-table",
                "parent-roiset": "big",
                "parent-rois": ["ME(R)"],
            },
        }
        lab.build()
        assert lab.flat_rows("syn-points", "x", "all", "all_label", "layer", "layer_label") == [
            (1, "optic", 1, "M1", 2),
            (11, "optic", 1, "ME-unspecified(R)", 3),
            (12, "optic", 1, "<unspecified>", 0),
            (13, "<unspecified>", 0, "<unspecified>", 0),
            (14, "optic", 1, "L1", 1),
            (2, "optic", 1, "ME-unspecified(R)", 3),
        ]
        assert json.loads(lab.nodes()[30]["roiInfo:string"]) == {
            roi: {"post": 1, "upstream": 1, "synweight": 1} for roi in ("ME(R)", "ME-unspecified(R)", "optic")
        }

    def test_properties_follow_from_labels(self, lab: Lab) -> None:
        lab.points["col_label"] = [0, 203, 101, 0, 203, 0]
        lab.roi_sets["col"] = {"rois": "C{x}", "source": "point-table"}
        lab.neuprint["roi-synapse-properties"] = {"col": {"hex1": "x // 100", "side": "'L' if x > 200 else 'R'"}}
        lab.build()
        found = {x: (row.get("hex1:int"), row.get("side:string")) for x, row in lab.synapse_nodes().items()}
        assert found == {
            **dict.fromkeys((1, 12, 14), (None, None)),
            2: ("2", "L"),
            11: ("1", "R"),
            13: ("2", "L"),
        }

    def test_roi_sets_that_neuprint_leaves_out_are_properties(self, lab: Lab) -> None:
        lab.points |= {"a": ["A"] * 6, "b": ["B"] * 6}
        lab.roi_sets |= {name: {"rois": {}, "source": "point-table"} for name in ("a", "b")}
        lab.neuprint["roi-set-names"] = ["a"]
        lab.build()
        row = lab.synapse_nodes()[1]
        assert (row["A:boolean"], row["b:string"], row["b_label:int"]) == ("true", "B", "1")
        assert "B:boolean" not in row


class TestWhichSynapses:
    def test_confidences_of_a_partner_row_win_over_those_of_its_points(self, lab: Lab) -> None:
        """The row of 1 and 11 is below the threshold by its own word, and so its PSD is in no row that stays."""
        lab.partners = {"conf_pre": [0.9, 0.9, 0.9, 0.9], "conf_post": [0.1, 0.9, float("nan"), 0.9]}
        lab.synapses["min-confidence"] = 0.5
        lab.build()
        (path,) = (lab.out / "flat-connectome").glob("syn-points-*")
        assert {x for (x,) in feather_rows(path, ["x"])} == {1, 2, 12, 14}

    @pytest.mark.parametrize(("zone", "kept"), [("brain", {1, 11, 12}), ("vnc", {2, 13, 14})])
    def test_a_zone_is_one_side_of_the_cut(self, lab: Lab, zone: str, kept: set[int]) -> None:
        lab.synapses["zone"] = zone
        lab.build()
        assert {x for (x,) in lab.flat_rows("syn-points", "x")} == kept

    def test_coordinates_follow_from_ids(self, lab: Lab) -> None:
        ids = [(z << 42) + x for x, z in zip(POINTS["x"], POINTS["z"], strict=True)]
        lab.points = {"point_id": ids, **{name: POINTS[name] for name in ("kind", "conf", "body")}}
        lab.build()
        expected = sorted(zip(POINTS["x"], POINTS["y"], POINTS["z"], strict=True), key=repr)
        assert lab.flat_rows("syn-points", "x", "y", "z") == expected

    def test_flat_tables_keep_what_lies_in_the_restricting_set(self, lab: Lab) -> None:
        lab.points["r"] = [None, None, "A", None, "A", None]
        lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
        lab.flat = {"roi-set": "r", "restrict-connectivity-to-roiset": "r"}
        lab.build()
        assert lab.flat_rows("connectome-weights", "body_pre", "body_post", "weight") == [(10, 30, 1), (20, 10, 1)]
        assert {x for (x,) in lab.flat_rows("syn-points", "x")} == {1, 2, 11, 13}
        assert (lab.out / "flat-connectome" / "syn-points-small-minconf-0.0-r.feather").exists()

    def test_totals_may_be_restricted_altogether(self, lab: Lab) -> None:
        lab.points["r"] = [None, None, "A", None, None, None]
        lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
        lab.neuprint["restrict-info-totals-to-roiset"] = "r"
        lab.build()
        totals = {body: (row["pre:int"], row["post:int"]) for body, row in lab.nodes().items()}
        assert totals == {10: ("1", "0"), 30: ("0", "1")}
        assert set(lab.synapse_nodes()) == {1, 11}

    def test_restricted_connectivity_keeps_all_totals_of_bodies_inside(self, lab: Lab) -> None:
        lab.points["r"] = [None, None, "A", None, None, None]
        lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
        lab.neuprint["restrict-connectivity-to-roiset"] = "r"
        lab.build()
        totals = {body: (row["pre:int"], row["post:int"]) for body, row in lab.nodes().items()}
        assert totals == {10: ("1", "1"), 30: ("0", "1")}, "bodies 20 and 40 touch no ROI of the set"
        edges = list(csv_rows(lab.out / "neuprint" / "Neuprint_Neuron_Connections.csv"))
        assert [(row[":START_ID(Body-ID)"], row[":END_ID(Body-ID)"]) for row in edges] == [("10", "30")]
        assert set(lab.synapse_nodes()) == {1, 11}
        (meta,) = csv_rows(lab.out / "neuprint" / "Neuprint_Meta.csv")
        assert (meta["totalPreCount:int"], meta["totalPostCount:int"]) == ("0", "1")


def test_a_view_that_was_changed_is_written_again(lab: Lab) -> None:
    (lab.folder / "state.json").write_text('{"title": "old"}')
    lab.neuprint["neuroglancer"] = {"json-state": "state.json"}
    lab.build()
    (lab.folder / "state.json").write_text('{"title": "new"}')
    lab.build()
    assert json.loads((lab.out / "neuprint" / "d.json").read_text()) == {"title": "new"}


@pytest.mark.parametrize("path", ["neuprint/../../x.csv", "/x.csv", "x/y.csv", "neuprint/a\0b"])
def test_no_file_is_made_outside_of_the_snapshot(path: str, tmp_path: Path) -> None:
    with Folder(Steps(), str(tmp_path / "out")).held() as folder, pytest.raises(UsageError):
        folder.make_room(path)
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


class TestBodies:
    def test_names_values_and_places_become_neuprints(self, lab: Lab) -> None:
        lab.annotations = {
            "body": [10, 20, 30],
            "status": ["Traced", "Not examined", "Soma Anchor"],
            "soma_position": ["[1, 2, 3]", '{"coordinates": [4, 5, 6]}', "nowhere"],
            "hemilineage": ["a;b", "", 'say "x",\ny'],
            "entry nerve": ["", "", ""],
            "old_type": ["x", "x", "x"],
            "birth_time": [1, None, 3],
            "score": [0.5, None, 2.0],
            "good": [True, None, False],
            "tags": [["p", "q"], None, []],
        }
        lab.build()
        nodes = lab.nodes()
        place = "somaLocation:point{srid:9157}"
        assert [nodes[body].get(place) for body in (10, 20, 30)] == ["{x:1, y:2, z:3}", "{x:4, y:5, z:6}", None]
        assert nodes[30]["hemilineage:string"] == 'say "x",\ny'
        assert (nodes[10]["status:string"], nodes[10]["statusLabel:string"]) == ("Traced", "Traced")
        assert "status:string" not in nodes[20]
        assert nodes[20]["statusLabel:string"] == "Not examined"
        assert (nodes[10]["birthTime:long"], nodes[30]["score:float"]) == ("1", "2.0")
        assert (nodes[10]["good:boolean"], nodes[30]["good:boolean"]) == ("true", "false")
        assert nodes[10]["tags:string[]"] == "p;q"
        assert not [column for column in nodes[10] if column.startswith(("entryNerve", "oldType"))]

    def test_columns_that_are_one_property_are_merged(self, lab: Lab) -> None:
        lab.annotations |= {"synonym": [None, "b"], "synonyms": ["a", "c"]}
        lab.build()
        assert [lab.nodes()[body]["synonyms:string"] for body in (10, 20)] == ["a", "b"]

    def test_values_are_replaced_and_columns_renamed(self, lab: Lab) -> None:
        lab.annotations |= {"side": ["l", "r"], "consensus_nt": ["x", "y"]}
        replacements = {"source-column": "side", "target-column": "soma_side", "replacements": {"l": "L"}}
        lab.given = {"replace-values": [replacements], "rename-annotation-columns": {"side": "", "consensus_nt": "nt"}}
        lab.build()
        path = lab.out / "tables" / "body-annotations-small.feather"
        assert feather_rows(path, ["body", "soma_side", "nt"]) == [(10, "L", "x"), (20, "r", "y")]
        assert [name for name, _ in feather_columns(path)] == ["body", "status", "nt", "soma_side"]

    def test_annotations_may_be_csv(self, lab: Lab) -> None:
        lab.csv = 'body,status,type\n10,Traced,"a ""b"", c"\n20,,NA\n'
        lab.build()
        assert lab.nodes()[10]["type:string"] == 'a "b", c'
        assert "type:string" not in lab.nodes()[20]

    def test_bodies_without_synapses_are_kept_on_request(self, lab: Lab) -> None:
        lab.annotations = {"body": [10, 99], "status": ["Traced", "Traced"]}
        lab.neuprint["keep-non-synaptic-segments"] = True
        lab.build()
        row = lab.nodes()[99]
        assert (row["pre:int"], row["roiInfo:string"]) == ("0", "{}")
        assert row[":LABEL"] == "Segment;d_Segment;Neuron;d_Neuron"

    def test_only_some_bodies_are_neurons(self, lab: Lab) -> None:
        lab.annotations = {"body": [10, 20, 30], "status": ["Traced", "Glia", "Orphan"], "type": [None, "T", None]}
        lab.build()
        neuron, segment = "Segment;d_Segment;Neuron;d_Neuron", "Segment;d_Segment"
        assert {body: row[":LABEL"] for body, row in lab.nodes().items()} == {
            10: neuron,
            20: segment,
            30: segment,
            40: segment,
        }

    def test_a_csv_file_has_one_line_break_for_each_row(self, lab: Lab) -> None:
        lab.build()
        for path in (lab.out / "neuprint").rglob("*.csv"):
            with path.open(newline="") as file:
                widths = {len(row) for row in csv.reader(file)}
            assert len(widths) == 1, path.name

    def test_no_status_is_the_worst_where_an_order_does_not_name_it(self, lab: Lab) -> None:
        """flyem-snapshot has none for such bodies, and cannot tell whether another one is better."""
        known = pa.DictionaryArray.from_arrays([1, 0], ["begun", "done"], ordered=True)
        lab.annotations = {"body": [10, 20], "status": known}
        (path,) = (lab.build() / "flat-connectome").glob("body-stats-*.feather")
        status = feather.read_table(path)["status_fine"].chunk(0)
        assert status.dictionary.to_pylist() == ["", "begun", "done"]
        assert sorted(status.to_pylist()) == ["", "", "begun", "done"]


class TestNeuprintSettings:
    def test_properties_are_named_as_the_configuration_says(self, lab: Lab) -> None:
        lab.annotations |= {"soma_side": ["L", "R"], "group": [1, 2], "entry_nerve": ["A", "B"]}
        lab.neuprint["annotation-property-names"] = {"soma_side": "side", "group": ""}
        lab.build()
        node = lab.nodes()[10]
        assert (node["side:string"], node["entryNerve:string"]) == ("L", "A")
        assert not [name for name in node if name.startswith(("group", "somaSide"))]

    def test_the_view_of_neuroglancer_is_written(self, lab: Lab) -> None:
        (lab.folder / "view.json").write_text('{"title": "DATASET_AND_TAG", "layers": [SIZE]}')
        lab.neuprint["neuroglancer"] = {
            "json-state": "view.json",
            "replacements": {"DATASET_AND_TAG": "", "SIZE": "8"},
        }
        lab.build()
        assert json.loads((lab.out / "neuprint" / "d.json").read_text()) == {"title": "d", "layers": [8]}


class TestPropertiesOfRois:
    def test_each_set_gives_its_own(self, lab: Lab) -> None:
        lab.points |= {"col_label": [0, 203, 101, 0, 203, 0], "r": ["B", "A", None, "B", "B", "A"]}
        lab.roi_sets |= {
            "col": {"rois": "C{x}", "source": "point-table"},
            "r": {"rois": {}, "source": "point-table"},
            "both": {"source": "unions-of-subrois", "union-source-roiset": "r", "rois": {"whole": ["A", "B"]}},
        }
        lab.neuprint["roi-synapse-properties"] = {
            "col": {"hex1": "x // 100", "far": "x > 150", "share": "x / 2"},
            "r": {"number": "x", "word": "'one' if x == 1 else None"},
            "both": {"all": "x * 3000000000"},
        }
        lab.build()
        names = ("hex1:int", "far:boolean", "share:float", "number:int", "word:string", "all:long")
        assert {x: [row.get(name) for name in names] for x, row in lab.synapse_nodes().items()} == {
            1: [None, None, None, "2", None, "3000000000"],
            2: ["2", "true", "101.5", "1", "one", "3000000000"],
            11: ["1", "false", "50.5", None, None, None],
            12: [None, None, None, "2", None, "3000000000"],
            13: ["2", "true", "101.5", "2", None, "3000000000"],
            14: [None, None, None, "1", "one", "3000000000"],
        }

    def test_a_formula_without_a_value_is_told(self, lab: Lab) -> None:
        lab.points["col_label"] = [0, 203, 101, 0, 203, 0]
        lab.roi_sets["col"] = {"rois": "C{x}", "source": "point-table"}
        lab.neuprint["roi-synapse-properties"] = {"col": {"hex1": "1 // (x - 203)"}}
        with pytest.raises(BadTables, match="ROI set col, property hex1: it cannot be computed for x = 203: "):
            lab.build()

    def test_numbers_that_no_database_holds_are_told(self, lab: Lab) -> None:
        """neo4j-admin refuses the files; beside text they are text, and beside fractions they are fractions."""
        lab.points["col_label"] = [0, 203, 101, 0, 203, 0]
        lab.roi_sets["col"] = {"rois": "C{x}", "source": "point-table"}
        lab.neuprint["roi-synapse-properties"] = {"col": {"hex1": "1 << 63"}}
        with pytest.raises(BadTables, match="ROI set col, property hex1: it gives numbers that need more than 64 bits"):
            lab.build()
        lab.neuprint["roi-synapse-properties"] = {"col": {"a": "-(1 << 63)", "b": "1 << 63 if x > 150 else 'less'"}}
        lab.build()
        row = lab.synapse_nodes()[2]
        assert (row["a:long"], row["b:string"]) == (f"-{1 << 63}", f"{1 << 63}")

    def test_a_property_that_synapses_have_is_told(self, lab: Lab) -> None:
        """flyem-snapshot stops at it with a RuntimeError, after hours."""
        lab.points |= {"col_label": [0, 203, 101, 0, 203, 0], "hex1": ["a"] * 6}
        lab.roi_sets["col"] = {"rois": "C{x}", "source": "point-table"}
        lab.neuprint["roi-synapse-properties"] = {"col": {"hex1": "x"}}
        with pytest.raises(BadTables, match="ROI set col, property hex1: the points have a property of that name"):
            lab.build()
