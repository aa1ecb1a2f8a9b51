"""Neurotransmitters where the sample does not go: no ground truth, one class, ties, other coordinates, restrictions."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pyarrow import feather

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.durable import Steps
from engram.model.errors import BadTables
from tests.connectomes import feather_columns, feather_rows


class Lab:
    """Ten T-bars on body 1 and five on body 2, each with a PSD on body 3; tests change what is predicted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bodies = [1] * 10 + [2] * 5
        self.types: Mapping[int, str | None] = {1: "A", 2: "B", 3: None}
        self.tables: dict[str, dict[str, Any]] = {}
        self.settings: dict[str, Any] = {"min-body-presyn": 1, "min-celltype-presyn": 1}
        self.outputs: dict[str, Any] = {}
        self.truth = ""
        self.shown = ""

    def predict(self, gaba: Sequence[float | None], **more: Any) -> None:
        places = {"x": list(range(15)), "y": [0] * 15, "z": [0] * 15}
        scores = {"nts_8.ach": [None if one is None else 1 - one for one in gaba], "nts_8.gaba": gaba}
        self.tables["nt"] = {**places, **scores, **more}

    def build(self) -> Path:
        count = len(self.bodies)
        self.tables["points"] = {
            "x": [*range(count), *range(100, 100 + count)],
            "y": [0] * 2 * count,
            "z": [0] * 2 * count,
            "kind": ["PreSyn"] * count + ["PostSyn"] * count,
            "conf": [1.0] * 2 * count,
            "body": [*self.bodies, *([3] * count)],
            "roi": ["in"] * 10 + ["out"] * 5 + ["in"] * 10 + ["out"] * 5,
        }
        self.tables["partners"] = {"pre_id": list(range(count)), "post_id": list(range(100, 100 + count))}
        kinds = list(self.types.items())
        self.tables["annotations"] = {
            "body": [body for body, _ in kinds],
            "status": ["Traced"] * len(kinds),
            "type": pa.array([kind for _, kind in kinds], pa.string()),
        }
        for name, columns in self.tables.items():
            feather.write_feather(pa.table(columns), str(self.folder / f"{name}.feather"))
        for key, text in (("ground-truth", self.truth), ("experimental-groundtruth", self.shown)):
            if text:
                (self.folder / f"{key}.csv").write_text(text)
                self.settings[key] = f"{key}.csv"
        synapses = {"synapse-points": "points.feather", "synapse-partners": "partners.feather"}
        config = {
            "inputs": {
                "synapses": synapses,
                "annotations": {"body-annotations-table": "annotations.feather"},
                "rois": {"roi-sets": {"roi": {"rois": {}, "source": "point-table"}}},
                "neurotransmitters": {"synister-feather": "nt.feather", **self.settings},
            },
            "outputs": {
                "flat-connectome": {"export-connectome": False},
                "neurotransmitters": {"export-neurotransmitters": True, **self.outputs},
            },
            "job-settings": {"snapshot-tag": "nt"},
        }
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))
        read = read_config(str(self.folder / "config.yaml"), here=str(self.folder))
        list(build(read, Steps(), Limits(memory_bytes=1 << 29, threads=1), version="0", now=lambda: ""))
        return self.folder / "nt" / "nt"

    def of_bodies(self, *columns: str) -> list[tuple]:
        return feather_rows(self.folder / "nt" / "nt" / "body-neurotransmitters-nt.feather", ["body", *columns])


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_without_ground_truth_there_are_no_confidences(lab: Lab) -> None:
    lab.predict([0.9] * 10 + [0.1] * 5)
    lab.build()
    assert lab.of_bodies("predicted_nt", "total_nt_predictions") == [(1, "gaba", 10), (2, "acetylcholine", 5)]
    columns = [name for name, _ in feather_columns(lab.folder / "nt" / "nt" / "body-neurotransmitters-nt.feather")]
    assert not [name for name in columns if "confidence" in name or name in ("ground_truth", "consensus_nt")]
    assert not (lab.folder / "nt" / "nt" / "neurotransmitter-confusion.csv").exists()


def test_of_equally_frequent_ones_the_first_by_name_counts(lab: Lab) -> None:
    lab.predict([0.9, 0.1] * 5 + [0.9] * 5)
    lab.build()
    assert lab.of_bodies("predicted_nt") == [(1, "acetylcholine"), (2, "gaba")]


def test_too_few_tbars_are_unclear_and_a_type_of_one_cell_has_the_limit_of_bodies(lab: Lab) -> None:
    lab.predict([0.9] * 15)
    lab.settings |= {"min-body-presyn": 6, "min-celltype-presyn": 11}
    lab.build()
    found = lab.of_bodies("predicted_nt", "celltype_predicted_nt")
    assert found == [(1, "gaba", "gaba"), (2, "unclear", "unclear")]


def test_cells_of_one_type_count_together(lab: Lab) -> None:
    lab.types = {1: "A", 2: "A", 3: "A"}
    lab.predict([0.9] * 10 + [0.1] * 5)
    lab.settings |= {"min-body-presyn": 6, "min-celltype-presyn": 15}
    lab.build()
    assert lab.of_bodies("total_nt_predictions", "celltype_total_nt_predictions", "celltype_predicted_nt") == [
        (1, 10, 15, "gaba"),
        (2, 5, 15, "gaba"),
        (3, 0, 15, "gaba"),
    ]


def test_confidence_is_how_often_tbars_of_the_known_look_like_that(lab: Lab) -> None:
    """flyem-snapshot's first run with a ground truth ends in its checksum: an array is not C-contiguous, it says."""
    lab.predict([0.9] * 8 + [0.1] * 2 + [0.9] * 5)
    lab.truth = "cell_type,ground_truth\nA,gaba\nB,acetylcholine\n"
    lab.settings |= {"min-body-confidence": 0.5, "min-celltype-confidence": 0.5}
    folder = lab.build()
    with (folder / "neurotransmitter-confusion.csv").open() as file:
        rows = {row.pop("ground_truth"): row for row in csv.DictReader(file)}
    assert rows["gaba"] == {"acetylcholine": "0.2", "gaba": "0.8"}
    assert rows["acetylcholine"] == {"acetylcholine": "0.0", "gaba": "1.0"}
    ((one, gaba, confidence), (two, other, certain)) = lab.of_bodies("predicted_nt", "predicted_nt_confidence")
    assert (one, gaba, two, other, certain) == (1, "gaba", 2, "gaba", 0.8)
    assert confidence == pytest.approx((8 * 0.8 + 2 * 0.2) / 10)


def test_bodies_that_the_network_was_trained_with_are_no_test_of_it(lab: Lab) -> None:
    lab.predict([0.9] * 8 + [0.1] * 2 + [0.9] * 5, split=["train", *["test"] * 14])
    lab.truth = "mcns_type,ground_truth\nA,gaba\nB,gaba\n"
    with (lab.build() / "neurotransmitter-confusion.csv").open() as file:
        rows = {row.pop("ground_truth"): row for row in csv.DictReader(file)}
    assert rows["gaba"] == {"acetylcholine": "0.0", "gaba": "1.0"}


def test_what_experiments_say_wins_and_some_predictions_do_not_count(lab: Lab) -> None:
    lab.predict([0.9] * 10 + [0.1] * 5)
    lab.shown = "type,consensusNt,ntReference,otherNt\nA,glutamate,Doe 2021,NPF\n"
    lab.settings["override-celltype-before-consensus"] = {"acetylcholine": "unclear"}
    lab.build()
    assert lab.of_bodies("celltype_predicted_nt", "consensus_nt", "nt_reference", "other_nt") == [
        (1, "gaba", "glutamate", "Doe 2021", "NPF"),
        (2, "acetylcholine", "unclear", None, None),
    ]


def test_coordinates_may_be_nanometres_under_other_names(lab: Lab) -> None:
    lab.predict([0.9] * 15)
    table = lab.tables["nt"]
    for axis in "xyz":
        table[f"pre_{axis}"] = [8 * value + 3 for value in table.pop(axis)]
    lab.settings["rescale-coords"] = 0.125
    lab.build()
    assert lab.of_bodies("total_nt_predictions") == [(1, 10), (2, 5)]


def test_predictions_may_be_of_points_by_id_and_of_one_class(lab: Lab) -> None:
    lab.tables["nt"] = {"point_id": list(range(15)), "nt_gaba_prob": [0.5] * 14 + [float("nan")]}
    lab.build()
    assert lab.of_bodies("predicted_nt", "total_nt_predictions", "nt_gaba_prob") == [
        (1, "gaba", 10, 0.5),
        (2, "gaba", 4, 0.5),
    ]


def test_only_tbars_within_a_roi_count_where_that_is_asked_for(lab: Lab) -> None:
    lab.predict([0.9] * 15)
    lab.settings["restrict-to-roi"] = {"roiset": "roi", "roi": "in"}
    lab.build()
    assert lab.of_bodies("total_nt_predictions", "predicted_nt") == [(1, 10, "gaba"), (2, 0, "unclear")]


def test_an_export_may_be_restricted_to_bodies_that_touch_a_set(lab: Lab) -> None:
    lab.predict([0.9] * 15)
    lab.outputs |= {"restrict-export": "roi", "roi-sets": ["roi"]}
    folder = lab.build()
    assert [row[0] for row in lab.of_bodies()] == [1, 2]
    tbars = feather_rows(folder / "tbar-neurotransmitters-nt.feather", ["roi"])
    assert tbars == [("in",)] * 10 + [("out",)] * 5


def test_two_predictions_of_one_tbar_are_a_problem(lab: Lab) -> None:
    lab.predict([0.9] * 15)
    lab.tables["nt"]["x"] = [0, 0, *range(2, 15)]
    with pytest.raises(BadTables, match=r"nt\.feather, column point_id: 1 values stand in several rows"):
        lab.build()


def test_a_table_without_predictions_is_a_problem(lab: Lab) -> None:
    lab.tables["nt"] = {"x": [1], "y": [1], "z": [1]}
    with pytest.raises(BadTables, match=r"nt\.feather: has no column of predictions"):
        lab.build()
