"""Defects of flyem-snapshot that no other test speaks of."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engram.connectome.writing import Written
from engram.model.errors import BadSnapshotConfig
from tests.integration.connectome.test_settings import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    lab.points["r"] = ["A", "B", "A", "A", None, "B"]
    lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
    lab.flat = {"roi-set": "r"}
    return lab


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_text_may_have_any_of_its_types(kind: pa.DataType, lab: Lab) -> None:
    """Texts that pandas 3 writes, which flyem-snapshot's own lock file asks for, stop it at its first checksum."""
    points: dict[str, Any] = lab.points
    lab.points = points | {name: pa.array(points[name], kind) for name in ("kind", "r")}
    annotations: dict[str, Any] = lab.annotations
    lab.annotations = annotations | {"status": pa.array(annotations["status"], kind)}
    lab.build()
    assert lab.flat_rows("syn-partners", "body_pre", "body_post", "r_post") == [
        *((10, 30, "A"), (10, 40, "A"), (20, 10, "<unspecified>"), (20, 20, "B"))
    ]
    assert lab.nodes()[10]["statusLabel:string"] == "Traced"


@pytest.mark.parametrize("what", ["roi", "type"])
def test_names_that_changed_are_written_again(what: str, lab: Lab) -> None:
    """flyem-snapshot compares categories by their codes alone: other names of ROIs or types are no change to it."""
    named(lab, what, ["first", "second"])
    lab.build()
    named(lab, what, ["first", "renamed"])
    lab.build()
    made = {one.path for one in lab.told if isinstance(one, Written)}
    assert "neuprint/Neuprint_Neurons/0.csv" in made
    texts = (lab.out / "neuprint" / "Neuprint_Neurons" / "0.csv").read_text()
    assert "renamed" in texts
    assert "second" not in texts


def named(lab: Lab, what: str, names: list[str]) -> None:
    """Give ROIs or types these names; the codes stay."""
    table: dict[str, Any] = lab.points if what == "roi" else lab.annotations
    codes = [0, 1, 0, 0, None, 1] if what == "roi" else [0, 1]
    category = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(names))
    table["r" if what == "roi" else "type"] = category


@pytest.mark.parametrize("parent", [5, ["r"], {"r": "r"}, True])
def test_the_set_of_the_parents_is_text(parent: Any, lab: Lab) -> None:
    """A comma in the wrong place leaves flyem-snapshot without a check of its type: it fails later, elsewhere."""
    lab.roi_sets["s"] = {"rois": {}, "source": "point-table", "parent-roiset": parent}
    with pytest.raises(BadSnapshotConfig, match=r"inputs\.rois\.roi-sets\.s\.parent-roiset"):
        lab.build()


@pytest.mark.parametrize("where", ["rois", "property"])
def test_no_formula_runs_code(where: str, lab: Lab, tmp_path: Path) -> None:
    """flyem-snapshot gives them to Python's eval: whoever writes the configuration runs what he likes."""
    code = f"open({str(tmp_path / 'ran')!r}, 'w').close()"
    if where == "rois":
        lab.roi_sets["s"] = {"rois": f"S{{x}}{{{code}}}", "source": "point-table"}
    else:
        lab.neuprint["roi-synapse-properties"] = {"r": {"hex": code}}
    with pytest.raises(BadSnapshotConfig):
        lab.build()
    assert not (tmp_path / "ran").exists()
