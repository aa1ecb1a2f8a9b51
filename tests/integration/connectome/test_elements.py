"""Points that are no synapses: what becomes of their columns, what is counted, and what is refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from engram.connectome.building import Finding, Kept
from engram.connectome.neo4j.checking import check_import
from engram.connectome.neo4j.sources import sources_of
from engram.model.errors import BadSnapshotConfig, BadTables
from tests.connectomes import csv_rows, feather_rows
from tests.integration.connectome.test_building import NAMING_THE_FOLDER
from tests.integration.connectome.test_settings import Lab
from tests.integration.connectome.test_snapshot_check import wrong_in

#: Three mitochondria of bodies 10, 10 and 77, which has no synapse.
MITO: Mapping[str, list[Any]] = {"x": [1, 2, 3], "y": [7] * 3, "z": [5] * 3, "body": [10, 10, 77], "type": ["mito"] * 3}


class ElementLab(Lab):
    """A small connectome with mitochondria."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.mito: dict[str, list[Any]] = dict(MITO)
        self.table: dict[str, Any] = {"point-table": "mito.feather"}
        self.inputs = {"elements": {"mito": self.table}}
        self.totals: dict[str, str] = {}

    def build(self) -> Path:
        self.write("mito", self.mito)
        if self.totals:
            self.neuprint["element-totals"] = {"mito": self.totals}
        return super().build()

    def elements(self) -> dict[int, dict[str, str]]:
        """Nodes by their x."""
        rows = csv_rows(*(self.out / "neuprint" / "Neuprint_Elements" / "mito").glob("*.csv"))
        return {int(row["location:point{srid:9157}"][3:].split(",")[0]): row for row in rows}


@pytest.fixture
def lab(tmp_path: Path) -> ElementLab:
    return ElementLab(tmp_path)


class TestNodes:
    def test_elements_need_no_dvid_server(self, lab: ElementLab) -> None:
        """flyem-snapshot asks DVID for the body of each element: without a server it ends in an AttributeError."""
        out = lab.build()
        assert {x: (row["bodyId:long"], row["type:string"], row[":Label"]) for x, row in lab.elements().items()} == {
            x: (body, "mito", "Element;d_Element") for x, body in ((1, "10"), (2, "10"), (3, "77"))
        }
        checked = check_import(sources_of(str(out / "neuprint")), str(out))
        assert not checked.problems
        assert checked.nodes["Element"] == 6 + 3
        assert checked.nodes["d_ElementSet"] == 8 + 2
        contained = list(csv_rows(out / "neuprint" / "Neuprint_Neuron_to_ElementSet_mito.csv"))
        assert [row[":END_ID(ElementSet-ID)"] for row in contained] == ["10_mito"], "77 is no body of the database"

    def test_an_entry_that_names_nothing_is_told(self, lab: ElementLab) -> None:
        """flyem-snapshot crashes in the middle of the build on elements without a table and without an instance."""
        lab.table.clear()
        with pytest.raises(BadSnapshotConfig, match="name either a point-table or dvid-point-annotations, one of them"):
            lab.build()

    def test_only_floats_that_all_are_whole_become_whole(self, lab: ElementLab) -> None:
        """flyem-snapshot's test is inverted: 300.5 becomes 300, and 1.0 stays 1.0."""
        lab.mito |= {"radius": [300.5, 0.25, 1.75], "mixed": [1.0, None, 2.5], "count": [1.0, None, 3e10]}
        lab.mito["few"] = [1.0, 2.0, float("nan")]
        lab.build()
        nodes = lab.elements()
        assert [nodes[x]["radius:float"] for x in (1, 2, 3)] == ["300.5", "0.25", "1.75"]
        assert [nodes[x].get("mixed:float") for x in (1, 2, 3)] == ["1.0", None, "2.5"]
        assert [nodes[x].get("count:long") for x in (1, 2, 3)] == ["1", None, "30000000000"]
        assert [nodes[x].get("few:int") for x in (1, 2, 3)] == ["1", "2", None]

    def test_truths_are_truths(self, lab: ElementLab) -> None:
        """flyem-snapshot ends in a KeyError where elements have a column of truths."""
        lab.mito["good"] = [True, False, None]
        lab.build()
        nodes = lab.elements()
        assert [nodes[x].get("good:boolean") for x in (1, 2, 3)] == ["true", "false", None]

    def test_columns_become_properties(self, lab: ElementLab) -> None:
        lab.mito |= {"landmarkLocation": ["[1, 2, 3]", None, "nowhere"], "tags": [["a", "b"], [], None]}
        lab.mito |= {"none": [None, None, None], "note": ["", 'say "x",\ny', None], "sv": [1, 2, 3]}
        lab.build()
        nodes = lab.elements()
        assert nodes[1]["landmarkLocation:point{srid:9157}"] == "{x:1, y:2, z:3}"
        assert nodes[1]["tags:string[]"] == "a;b"
        assert nodes[2]["note:string"] == 'say "x",\ny'
        assert not [column for column in nodes[1] if column.startswith(("none", "sv"))]

    def test_labels_indexes_and_properties_of_rois(self, lab: ElementLab) -> None:
        lab.points["col_label"] = [0, 203, 101, 0, 203, 0]
        lab.mito["col_label"] = [0, 101, 305]
        lab.roi_sets["col"] = {"rois": "C{x}", "source": "point-table"}
        lab.neuprint |= {
            "element-labels": {"mito": ":Mito"},
            "roi-synapse-properties": {"col": {"hex1": "x // 100"}},
            "indexes": {"element-roisets-to-index": [{"neuprint-label": ":Mito", "roisets": ["col"]}]},
        }
        out = lab.build()
        nodes = lab.elements()
        assert nodes[1][":Label"] == "Element;d_Element;Mito;d_Mito"
        assert [nodes[x].get("hex1:int") for x in (1, 2, 3)] == [None, "1", "3"]
        assert nodes[3]["C305:boolean"] == "true"
        indexes = (out / "neuprint" / "create-indexes.cypher").read_text()
        assert [line for line in indexes.splitlines() if "d_Mito" in line] == [
            f"CREATE INDEX ON :`d_Mito`(`{prop}`);" for prop in ("bodyId", "C101", "C305")
        ]

    def test_a_roi_has_one_label_among_synapses_and_elements(self, lab: ElementLab) -> None:
        """Where nobody gives labels, those of the synapses are kept, and new ROIs get the next ones."""
        lab.points["r"] = ["B", "C", "B", "B", "C", "B"]
        lab.mito["r"] = ["C", "A", None]
        lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
        lab.neuprint["roi-synapse-properties"] = {"r": {"label": "x"}}
        lab.build()
        assert [lab.elements()[x].get("label:int") for x in (1, 2, 3)] == ["2", "3", None]
        assert lab.synapse_nodes()[2]["label:int"] == "2"

    def test_elements_have_unions_and_rests_of_parents(self, lab: ElementLab) -> None:
        lab.points |= {"big": ["ME(R)"] * 6, "layer": ["M1"] * 6}
        lab.mito |= {"big": ["ME(R)", "LO", None], "layer": [None, None, None]}
        parents = {"parent-roiset": "big", "parent-rois": ["ME(R)"]}
        lab.roi_sets |= {
            "big": {"rois": {}, "source": "point-table"},
            "all": {"source": "unions-of-subrois", "union-source-roiset": "big", "rois": {"optic": ["ME(R)", "LO"]}},
            "layer": {"rois": {}, "source": "point-table", **parents},
        }
        lab.totals = {"compute-roi-totals-with-name": "mito"}
        lab.build()
        flags = {x: {name for name, value in row.items() if value == "true"} for x, row in lab.elements().items()}
        assert flags == {
            1: {"ME(R):boolean", "optic:boolean", "ME-unspecified(R):boolean"},
            2: {"LO:boolean", "optic:boolean"},
            3: set(),
        }
        info = json.loads(lab.nodes()[10]["roiInfo:string"])
        assert {roi: counts.get("mito") for roi, counts in info.items()} == {
            "LO": 1,
            "M1": None,
            "ME(R)": 1,
            "ME-unspecified(R)": 1,
            "optic": 2,
        }


class TestSetsAndPairs:
    def test_elements_without_a_column_of_a_roi_set_lie_outside_of_it(self, lab: ElementLab) -> None:
        lab.points |= {"big": ["ME(R)"] * 6, "layer": ["M1"] * 6, "col_label": [0, 203, 101, 0, 203, 0]}
        lab.roi_sets |= {
            "big": {"rois": {}, "source": "point-table"},
            "all": {"source": "unions-of-subrois", "union-source-roiset": "big", "rois": {"optic": ["ME(R)", "LO"]}},
            "layer": {"rois": {}, "source": "point-table", "parent-roiset": "big", "parent-rois": ["ME(R)"]},
            "col": {"rois": "C{x}", "source": "point-table"},
        }
        lab.table["roi-set-names"] = []
        out = lab.build()
        flags = {name for row in lab.elements().values() for name, value in row.items() if value == "true"}
        assert flags == set()
        assert [one.message for one in lab.told if isinstance(one, Finding)] == [
            f"the table has no column {one} and none {one}_label: its 3 elements count as outside of all its ROIs"
            for one in ("big", "layer", "col")
        ]
        assert wrong_in(out) == []

    def test_elements_that_are_rounded_are_told(self, lab: ElementLab) -> None:
        lab.mito["y"] = [7.0, 7.25, 8.5]
        lab.build()
        assert [one.message for one in lab.told if isinstance(one, Finding)] == [
            "x, y, z of 2 elements are no whole voxels, and are rounded; one of them: [2.0, 7.25, 5.0]"
        ]

    def test_tables_with_one_type_share_their_sets(self, lab: ElementLab) -> None:
        lab.write("more", {"x": [9], "y": [9], "z": [9], "body": [10]})
        lab.inputs["elements"]["more"] = {"point-table": "more.feather", "type": "mito"}
        out = lab.build()
        assert [row[":ID(ElementSet-ID)"] for row in csv_rows(*out.glob("neuprint/Neuprint_ElementSets/*"))] == [
            *("10_mito", "77_mito")
        ]
        assert len(list(csv_rows(out / "neuprint" / "Neuprint_ElementSet_to_Element_mito.csv"))) == 4

    def test_pairs_without_points_are_left_out_and_told(self, lab: ElementLab) -> None:
        """flyem-snapshot writes them, and neo4j-admin stops at relationships whose ends are missing."""
        places = {"source_x": [1, 1, 99], "source_y": [7, 7, 7], "source_z": [5, 5, 5]}
        places |= {"target_x": [2, 11, 1], "target_y": [7, 0, 7], "target_z": [5, 0, 5]}
        lab.write("close", {**places, "distance": [1.5, 8.0, 3.0]})
        lab.table["distance-table"] = "close.feather"
        out = lab.build()
        rows = list(csv_rows(out / "neuprint" / "Neuprint_Elements_CloseTo_mito.csv"))
        assert [row["distance:float"] for row in rows] == ["8.0", "1.5"], "the PSD at 11, 0, 0 has the smaller id"
        findings = [one.message for one in lab.told if isinstance(one, Finding) and one.table == "close.feather"]
        assert findings == ["1 pairs are left out: no point of the snapshot lies at one of their ends"]


class TestTotals:
    def test_totals_stand_with_those_of_synapses(self, lab: ElementLab) -> None:
        lab.points["r"] = ["A"] * 6
        lab.mito |= {"r": ["A", "B", "A"], "mitoType": ["dark", "light", "dark"]}
        lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
        lab.totals = {
            "compute-segment-totals-with-name": "mitoCount",
            "compute-roi-totals-with-name": "mito",
            "compute-kind-totals-for-column": "mitoType",
        }
        out = lab.build()
        node = lab.nodes()[10]
        assert [node[f"{name}:int"] for name in ("mitoCount", "dark", "light")] == ["2", "1", "1"]
        info = json.loads(node["roiInfo:string"])
        assert {key: info["A"][key] for key in ("pre", "post", "mito", "dark")} == dict.fromkeys(
            ("pre", "post", "mito", "dark"), 1
        )
        assert info["B"] == {"mito": 1, "light": 1}
        assert node["B:boolean"] == "true"
        assert lab.nodes()[20]["mitoCount:int"] == "0"
        totals = feather_rows(
            out / "neuprint" / "body_elements.feather", ["body", "post", "mitoCount", "dark", "light"]
        )
        assert totals == [(10, 1, 2, 1, 1), (20, 1, 0, 0, 0), (30, 1, 0, 0, 0), (40, 1, 0, 0, 0)]
        by_roi = feather_rows(out / "neuprint" / "roi_elements.feather", ["body", "roi", "post", "mito", "dark"])
        assert [row for row in by_roi if row[0] == 10] == [(10, "A", 1, 1, 1), (10, "B", 0, 1, 0)]
        (meta,) = csv_rows(out / "neuprint" / "Neuprint_Meta.csv")
        assert json.loads(meta["neuronProperties:string"])["mitoCount"] == "int"
        assert json.loads(meta["roiInfo:string"])["B"]["post"] == 0

    def test_kinds_alone_are_counted_in_bodies_and_rois(self, lab: ElementLab) -> None:
        """An element of no kind counts nowhere: its ROI is none that the body reaches."""
        lab.points["r"] = ["A"] * 6
        lab.mito |= {"r": ["A", "B", "A"], "mitoType": ["dark", None, "light"]}
        lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
        lab.totals = {"compute-kind-totals-for-column": "mitoType"}
        lab.build()
        node = lab.nodes()[10]
        assert (node["dark:int"], node["light:int"]) == ("1", "0")
        info = json.loads(node["roiInfo:string"])
        assert set(info) == {"A"}
        assert info["A"]["dark"] == 1
        assert "B:boolean" not in node

    def test_annotated_bodies_without_synapses_have_their_elements(self, lab: ElementLab) -> None:
        lab.annotations = {"body": [10, 77], "status": ["Traced", "Traced"]}
        lab.neuprint["keep-non-synaptic-segments"] = True
        lab.totals = {"compute-segment-totals-with-name": "mito"}
        out = lab.build()
        assert lab.nodes()[77]["mito:int"] == "1"
        assert len(list(csv_rows(out / "neuprint" / "Neuprint_Neuron_to_ElementSet_mito.csv"))) == 2


class TestRefusals:
    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"body": None}, "mito.feather, column body: is missing; it has x, y, z, type"),
            ({"type": None}, "mito.feather, column type: is missing"),
            ({"type": ["mito", None, ""]}, "column type: is empty in 2 rows"),
            ({"x": [1, None, 2]}, "column x, y, z: is no place within 1048576 voxels in 1 rows; one of them: "),
            ({"x": [1, 1, 2]}, "column point_id: 1 values stand in several rows; one of them: "),
            ({"x": [1.0, float("nan"), 2.0]}, "column x, y, z: is no place within"),
            ({"body": [-1, 10, 77]}, "column body: is no body, from 0 to 2^63 - 1, in 1 rows; one of them: -1"),
            ({"radius": [float("inf"), 1.0, 2.0]}, "column radius: is infinite in 1 rows"),
            ({"location": ["a", "b", "c"]}, "column location: is a property that every element has from its place"),
            ({"r": ["A", "B", "A"]}, "mito.feather: 1 names of its column are not among its rois; the first is 'B'"),
            ({"x": [11, 2, 3], "y": [0, 7, 7], "z": [0, 5, 5]}, "elements mito: 1 of their points are synapses, too; "),
        ],
    )
    def test_a_bad_table_is_told(self, columns: dict[str, Any], message: str, lab: ElementLab) -> None:
        lab.points["r"] = ["A"] * 6
        lab.roi_sets["r"] = {"rois": ["A"], "source": "point-table"}
        given: dict[str, Any] = {**lab.mito, "r": ["A"] * 3, **columns}
        lab.mito = {name: values for name, values in given.items() if values is not None}
        with pytest.raises(BadTables) as refusal:
            lab.build()
        assert message in str(refusal.value)
        assert not lab.out.joinpath("provenance.json").exists()

    def test_a_type_that_differs_from_the_configurations_is_told(self, lab: ElementLab) -> None:
        lab.table["type"] = "soma"
        with pytest.raises(
            BadTables, match="is not 'soma', the type of the configuration, in 3 rows; one of them: mito"
        ):
            lab.build()

    def test_a_column_of_kinds_that_is_not_there_is_told(self, lab: ElementLab) -> None:
        lab.totals = {"compute-kind-totals-for-column": "mitoType"}
        with pytest.raises(BadTables, match="elements mito, column mitoType: is missing"):
            lab.build()

    @pytest.mark.parametrize(
        ("neuprint", "message"),
        [
            ({"element-labels": {"mito": "Mito;Segment"}}, "'Mito;Segment' is no label"),
            (
                {"element-totals": {"mito": {"compute-segment-totals-with-name": "pre"}}},
                "something else under the name",
            ),
            ({"element-totals": {"mito": {"compute-roi-totals-with-name": "a b"}}}, "'a b' is no name of a property"),
            ({"restrict-elements-to-roiset": "r"}, "elements are restricted to r, and these have no column for it"),
        ],
    )
    def test_what_a_configuration_says_of_elements_is_checked(
        self, neuprint: dict[str, Any], message: str, lab: ElementLab
    ) -> None:
        lab.points |= {"r": ["A"] * 6, "s": ["B"] * 6}
        lab.mito["s"] = ["B"] * 3
        lab.roi_sets |= {name: {"rois": {}, "source": "point-table"} for name in "rs"}
        lab.table["roi-set-names"] = ["s"]
        lab.neuprint |= neuprint
        with pytest.raises(BadSnapshotConfig, match=message):
            lab.build()


class TestBytes:
    def test_threads_change_no_byte_and_unchanged_elements_are_kept(self, lab: ElementLab) -> None:
        lab.totals = {"compute-segment-totals-with-name": "mito"}
        written = _bytes(lab.build())
        lab.build()
        assert not [one for one in lab.told if not isinstance(one, Kept | Finding)]
        lab.threads, lab.out = 4, lab.folder / "other" / "small"
        (lab.folder / "other").mkdir()
        lab.write("mito", lab.mito)
        config = yaml.safe_load((lab.folder / "config.yaml").read_text())
        config["job-settings"]["output-dir"] = "other/small"
        (lab.folder / "config.yaml").write_text(yaml.safe_dump(config))
        lab.build_as_it_is()
        assert _bytes(lab.out) == written

    def test_elements_that_changed_are_written_again(self, lab: ElementLab) -> None:
        lab.build()
        lab.mito["body"] = [10, 20, 20]
        lab.build()
        assert [row["bodyId:long"] for row in lab.elements().values()] == ["10", "20", "20"]


def _bytes(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.parts[-2] != ".engram" and path.name not in NAMING_THE_FOLDER
    }


def test_a_whole_build_with_elements_has_nothing_to_tell_and_every_law_holds(lab: ElementLab) -> None:
    """Points, pairs, sets and totals that fit: no finding is made up, and the check finds nothing that cannot be."""
    lab.points["r"] = ["A", "A", "B", "B", None, "B"]
    lab.mito |= {"r": ["A", "B", None], "radius": [1.5, 2.0, 3.0]}
    lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
    close: dict[str, list[Any]] = {f"source_{axis}": [MITO[axis][0]] for axis in "xyz"}
    close |= {f"target_{axis}": [MITO[axis][1]] for axis in "xyz"} | {"distance": [1.0]}
    lab.write("close", close)
    lab.table |= {"distance-table": "close.feather", "roi-set-names": ["r"]}
    lab.totals = {"compute-segment-totals-with-name": "mitoCount", "compute-roi-totals-with-name": "mito"}
    out = lab.build()
    assert [one for one in lab.told if isinstance(one, Finding)] == []
    assert wrong_in(out) == []
