"""Whatever is damaged in a finished snapshot is found, and told of the right file."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.connectome.engine import Work
from engram.connectome.linked import seal_of
from engram.connectome.proving.checking import check
from engram.connectome.proving.told import Kind, Sound, Unproven, Wrong
from engram.durable import Steps
from engram.model.errors import NoSnapshot
from tests.integration.connectome.test_settings import Lab
from tests.naive_connectome import Connectome, Point, write_connectome

FLAT = "flat-connectome/{}-naive-minconf-0.5.feather"


def checked(folder: Path) -> list[Any]:
    """Everything that is told of a snapshot."""
    work = Work(":memory:", memory_bytes=1 << 29, threads=1, spill=str(folder.parent / "spill"))
    try:
        return list(check(str(folder), work))
    finally:
        work.close()


def wrong_in(folder: Path) -> list[Wrong]:
    return [one for one in checked(folder) if isinstance(one, Wrong)]


def test_what_flyem_snapshot_wrote_is_accepted(golden: Path) -> None:
    told = checked(golden / "expected")
    assert [one for one in told if isinstance(one, Wrong)] == []
    files = {path.relative_to(golden / "expected").as_posix() for path in (golden / "expected").rglob("*.*")}
    assert {one.path for one in told if isinstance(one, Sound)} == {
        one for one in files if (golden / "expected" / one).is_file()
    }
    unproven = {one.path: one.why for one in told if isinstance(one, Unproven)}
    assert list(unproven) == ["provenance.json", "reports", "neuprint"]
    assert "for a space of ids (4.4 does not): load them with engram snapshot load" in unproven["neuprint"]


def test_truths_that_are_no_rois_are_no_damage(tmp_path: Path) -> None:
    """Synapses have them by a formula, or as a column of the points; bodies as an annotation."""
    lab = Lab(tmp_path)
    lab.points |= {"r": ["A", "B", "A", "A", None, "B"], "odd": [True, False, None, True, True, False]}
    lab.annotations["examined"] = [True, False]
    lab.roi_sets["r"] = {"rois": {}, "source": "point-table"}
    lab.flat = {"roi-set": "r"}
    lab.neuprint["roi-synapse-properties"] = {"r": {"first": "x == 1"}}
    told = checked(lab.build())
    assert [one for one in told if isinstance(one, Wrong)] == []
    nodes = lab.synapse_nodes()
    assert [nodes[x].get("odd:boolean") for x in (1, 2, 11)] == ["true", "false", None]
    assert [nodes[x].get("first:boolean") for x in (1, 2, 13)] == ["true", "false", None]


def test_what_engram_wrote_is_accepted(ours: Path) -> None:
    told = checked(ours)
    assert [one for one in told if isinstance(one, Wrong)] == []
    rows = {one.path: one.rows for one in told if isinstance(one, Sound)}
    known = {one["path"]: one["rows"] for one in json.loads((ours / "provenance.json").read_text())["tables"]}
    known["ro-crate-metadata.json"] = None
    assert rows.keys() == known.keys()
    assert {path: rows[path] for path in known if known[path] is not None} == {
        k: v for k, v in known.items() if v is not None
    }
    assert {one.proof for one in told if isinstance(one, Sound)} == {"as it was built"}


def test_a_flipped_bit_is_found_in_every_file(ours: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(ours, folder)
    files = [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != ".engram" and path.name != "provenance.json"
    ]
    for place, path in enumerate(files):
        data = bytearray(path.read_bytes())
        data[len(data) * (place % 7) // 8] ^= 1
        path.write_bytes(data)
    found = {one.path for one in wrong_in(folder) if one.message.startswith("is not what was built")}
    assert found == {path.relative_to(folder).as_posix() for path in files}


# ---- without digests: everything must follow from something else -----------------------------------------------------


def _points() -> tuple[Point, ...]:
    sides = [("PreSyn", 5), ("PreSyn", 6), ("PreSyn", 5), *(("PostSyn", body) for body in (6, 7, 5, 6, 8, 8, 7))]
    return tuple(
        Point(
            x=10 + number,
            y=3 * number,
            z=7,
            kind=kind,
            conf=0.6 + 0.04 * number,
            body=body,
            big=("A", "B", None)[number % 3],
            small=("a1", None)[number % 2],
            compartment=("axon", "dendrite", None)[number % 3],
        )
        for number, (kind, body) in enumerate(sides)
    )


CONNECTOME = Connectome(
    points=_points(),
    partners=((0, 3), (0, 4), (1, 5), (1, 6), (2, 7), (0, 8), (2, 9)),
    min_confidence=0.5,
    enough=0.75,
    high=0.9,
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with every file that a connectome without neurotransmitters has, and without any digest."""
    folder = tmp_path_factory.mktemp("small")
    config = write_connectome(CONNECTOME, folder / "in")
    bodies = pa.table({"body": [5, 6, 7], "status": ["Traced", "Leaves", "Sensory Anchor"], "type": ["a", "b", None]})
    feather.write_feather(bodies, str(folder / "in" / "annotations.feather"))
    settings = read_config(str(config), here=str(folder), output_dir=str(folder / "out"))
    list(build(settings, Steps(), Limits(memory_bytes=1 << 29, threads=1), version="0", now=lambda: ""))
    (folder / "out" / "provenance.json").unlink()
    (folder / "out" / "ro-crate-metadata.json").unlink()
    shutil.rmtree(folder / "out" / ".engram")
    return folder / "out"


def read(path: Path) -> pa.Table:
    """A feather or Parquet file."""
    return (parquet if path.suffix == ".parquet" else feather).read_table(path)


def write(table: pa.Table, path: Path) -> None:
    (parquet.write_table if path.suffix == ".parquet" else feather.write_feather)(table, str(path))


def change(column: str, row: int, value: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Change one value of such a file."""

    def damage(path: Path) -> None:
        table = read(path)
        values = table.column(column).to_pylist()
        values[row] = value(values[row])
        field = table.schema.field(column)
        is_category = pa.types.is_dictionary(field.type)
        made = pa.array(values, field.type.value_type).dictionary_encode() if is_category else pa.array(values)
        changed = pa.chunked_array([made.cast(field.type)])
        write(table.set_column(table.schema.get_field_index(column), field, changed), path)

    return damage


def more(value: int) -> int:
    return value + 1


def drop_row(path: Path) -> None:
    if path.suffix == ".feather":
        write(read(path).slice(1), path)
    else:
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([lines[0], *lines[2:]]))


def double_row(path: Path) -> None:
    if path.suffix == ".feather":
        table = read(path)
        write(table.take([0, *range(table.num_rows)]), path)
    else:
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([lines[0], lines[1], *lines[1:]]))


def replace(pattern: str, by: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        text, count = re.subn(pattern, by, path.read_text(), count=1)
        assert count == 1, "nothing was damaged"
        path.write_text(text)

    return damage


def drop_column(path: Path) -> None:
    table = read(path)
    write(table.drop_columns([table.column_names[1]]), path)


def as_text(path: Path) -> None:
    table = read(path)
    write(table.set_column(0, table.column_names[0], table.column(0).cast(pa.string())), path)


def append(text: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with path.open("a") as file:
            file.write(text)

    return damage


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


FLAT_TABLES = [FLAT.format(one) for one in ("syn-partners", "syn-points", "connectome-weights", "body-stats")]
FLAT_TABLES += [
    FLAT.format(f"{one}").replace(".feather", f"-{part}.feather")
    for one in ("syn-partners", "connectome-weights")
    for part in ("significant-only", "traced-only")
]
NEUPRINT = "neuprint/Neuprint_{}"
CSVS = [
    NEUPRINT.format(one)
    for one in (
        *(
            "Neurons/0.csv",
            "Synapses/000000.csv",
            "SynapseSet.csv",
            "Neuron_Connections.csv",
            "Synapse_Connections.csv",
        ),
        *("Neuron_to_SynapseSet.csv", "SynapseSet_to_SynapseSet.csv", "SynapseSet_to_Synapses.csv"),
    )
]
OTHERS = [NEUPRINT.format("Neurons.feather"), NEUPRINT.format("Neuron_Connections.feather")]
OTHERS += ["neuprint/body_elements.feather", "neuprint/roi_elements.feather"]
POINTS, PARTNERS, WEIGHTS, STATS = (
    FLAT.format(one) for one in ("syn-points", "syn-partners", "connectome-weights", "body-stats")
)
EDGES, NODES, SYNAPSES = (
    NEUPRINT.format(one) for one in ("Neuron_Connections.csv", "Neurons/0.csv", "Synapses/000000.csv")
)
META = NEUPRINT.format("Meta.csv")
#: What is done to which file.
DAMAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    **{f"{path} loses a row": (path, drop_row) for path in (*FLAT_TABLES, *CSVS, *OTHERS)},
    **{f"{path} has a row twice": (path, double_row) for path in (*FLAT_TABLES, *CSVS, *OTHERS)},
    **{f"{path} is gone": (path, Path.unlink) for path in (*FLAT_TABLES[:4], *CSVS, *OTHERS[:2], META)},
    **{f"{path} is cut off": (path, truncate) for path in (PARTNERS, OTHERS[0], NODES, SYNAPSES)},
    "a column goes": (WEIGHTS, drop_column),
    "a column has another type": (STATS, as_text),
    "a weight": (WEIGHTS, change("weight", 0, more)),
    "a weight by compartments": (WEIGHTS, change("weightAxonAxon", 0, more)),
    "a body of a T-bar": (PARTNERS, change("body_pre", 0, more)),
    "a place": (PARTNERS, change("x_post", 0, more)),
    "a confidence": (PARTNERS, change("conf_post", 0, lambda _: 0.1)),
    "a ROI": (PARTNERS, change("big_post", 0, lambda one: "B" if one != "B" else "A")),
    "a compartment": (PARTNERS, change("compartment_pre", 0, lambda one: "axon" if one != "axon" else "dendrite")),
    "an id": (POINTS, change("point_id", 0, more)),
    "a kind": (POINTS, change("kind", 0, lambda one: "PreSyn" if one == "PostSyn" else "PostSyn")),
    "a ROI of a point": (POINTS, change("small", 0, lambda one: "a1" if one != "a1" else "<unspecified>")),
    "a total": (STATS, change("pre", 1, more)),
    "a rank": (STATS, change("rank", 0, lambda _: 2)),
    "a rank order": (STATS, change("synweight", 0, lambda _: 1)),
    "a total of a body": ("neuprint/body_elements.feather", change("post", 0, more)),
    "a total in a ROI": ("neuprint/roi_elements.feather", change("post", 0, more)),
    "weightHR": (EDGES, replace(r"\n5,6,(\d)", r"\n5,6,9")),
    "weight": (EDGES, replace(r"\n5,8,2,\d", r"\n5,8,2,0")),
    "weightHP": (EDGES, replace(r"\n5,8,2,(\d),\d", r"\n5,8,2,\1,7")),
    "roiInfo of an edge": (EDGES, replace(r'""post"":1', '""post"":2')),
    "roiInfo of a body": (NODES, replace(r'""post"":1', '""post"":2')),
    "roiInfo that is none": (NODES, replace(r'"\{""A""', '"(""A""')),
    "a flag of a body": (NODES, replace("true", "")),
    "a truth that is none": (NODES, replace("true", "yes")),
    "a label": (NODES, replace("Segment;naive_Segment", "Segmet;naive_Segment")),
    "a type of cell": (NODES, replace(",a,", ",c,")),
    "a number that is none": (NODES, replace(r"\n5,\d+", "\n5,x")),
    "a header that promises another type": (NODES, replace("post:int", "post:text")),
    "a header without an id": (NODES, replace(r":ID\(Body-ID\)", "id:long")),
    "a header of another name": (EDGES, replace("weightHP:int", "weightHQ:int")),
    "a body of a synapse": (SYNAPSES, replace(r"(post,[0-9.]+),6,", r"\1,7,")),
    "a confidence of a synapse": (SYNAPSES, replace(r"post,0\.\d+", "post,0.99")),
    "a flag of a synapse": (SYNAPSES, replace("true", "")),
    "a place that is none": (SYNAPSES, replace("{x:", "{u:")),
    "an end that leads nowhere": (NEUPRINT.format("Synapse_Connections.csv"), replace(r"\n\d+", "\n77")),
    "an edge that leads back": (NEUPRINT.format("Synapse_Connections.csv"), replace(r"\n(\d+),(\d+)", r"\n\2,\1")),
    "a quote that does not end": (EDGES, replace('"', "")),
    "the type of a set": (NEUPRINT.format("SynapseSet.csv"), replace(",pre,", ",post,")),
    "a body of a set": (NEUPRINT.format("Neuron_to_SynapseSet.csv"), replace(r"\n5,5_", "\n6,5_")),
    "a total of the dataset": (META, replace(",3,7,", ",3,8,")),
    "a total of the dataset in a ROI": (META, replace(r'""post"": (\d)', r'""post"": 9')),
    "a type of a property of bodies": (META, replace(r'""pre"": ""int""', '""pre"": ""long""')),
    "a property of bodies": (META, replace(r'""synweight"": ""int"", ', "")),
    "what people read of it": (
        NEUPRINT.format("Meta_debug.json"),
        replace(r'"totalPreCount": 3', '"totalPreCount": 4'),
    ),
    "JSON that is none": (NEUPRINT.format("Meta_debug.json"), truncate),
    "a file of nobody": (NEUPRINT.format("More.csv"), append("a,b\n")),
    "a count of statuses": ("tables/body-status-counts-naive.csv", replace(",1", ",2")),
    "annotations": ("tables/body-annotations-naive.feather", change("status", 0, lambda _: "Leaves")),
}


def test_without_digests_it_is_sound(small: Path) -> None:
    told = checked(small)
    assert [one for one in told if isinstance(one, Wrong)] == []
    assert [one.path for one in told if isinstance(one, Unproven)] == ["provenance.json"]


def some_always(damages: list[str]) -> list[Any]:
    """Each takes half a second: a third of them is tried every time."""
    return [pytest.param(one, marks=[pytest.mark.long] if place % 3 else []) for place, one in enumerate(damages)]


@pytest.mark.parametrize("damage", some_always(list(DAMAGES)))
def test_what_contradicts_something_is_found(damage: str, small: Path, tmp_path: Path) -> None:
    path, carry_out = DAMAGES[damage]
    folder = tmp_path / "out"
    shutil.copytree(small, folder)
    carry_out(folder / path)
    found = wrong_in(folder)
    assert found, "nothing was found"
    named = " ".join(f"{one.path} {one.message}" for one in found)
    assert path in named or path.rpartition("/")[0] in named


class TestProvenance:
    @pytest.fixture
    def folder(self, ours: Path, tmp_path: Path) -> Path:
        shutil.copytree(ours, tmp_path / "out")
        return tmp_path / "out"

    def test_what_is_missing_too_many_or_no_file_is_told(self, folder: Path) -> None:
        (folder / "nt" / "neurotransmitter-confusion.csv").unlink()
        (folder / "neuprint" / "create-indexes.cypher").unlink()
        (folder / "neuprint" / "create-indexes.cypher").symlink_to("/etc/passwd")
        (folder / "flat-connectome" / "more.feather").write_bytes(b"x")
        (folder / "README").write_text("mine")
        told = checked(folder)
        found = {one.path: (one.kind, one.message.split(":")[0]) for one in told if isinstance(one, Wrong)}
        assert found == {
            "nt/neurotransmitter-confusion.csv": (Kind.DAMAGED, "is missing"),
            "neuprint/create-indexes.cypher": (Kind.DAMAGED, "is a link"),
            "flat-connectome/more.feather": (Kind.FOREIGN, "does not belong to the snapshot"),
        }
        assert "README" in {one.path for one in told if isinstance(one, Unproven)}

    @pytest.mark.parametrize("has_provenance", [True, False])
    def test_what_stands_in_the_place_of_a_table_is_told_as_what_it_is(
        self, folder: Path, *, has_provenance: bool
    ) -> None:
        if not has_provenance:
            (folder / "provenance.json").unlink()
        (stats,) = (folder / "flat-connectome").glob("body-stats-*.feather")
        places = ("neuprint/Neuprint_Meta.csv", f"flat-connectome/{stats.name}", "nt/mine")
        table, link, other = (folder / place for place in places)
        for place in (table, link):
            place.unlink()
        os.mkfifo(table)
        link.symlink_to("gone")
        os.mkfifo(other)
        found = [(one.path, one.kind, one.message) for one in wrong_in(folder) if one.path in places]
        assert sorted(found) == [
            (places[1], Kind.DAMAGED, "is a link that leads nowhere: a snapshot holds files alone"),
            (places[0], Kind.DAMAGED, "is a pipe (FIFO): a snapshot holds files alone"),
            (places[2], Kind.FOREIGN, "is a pipe (FIFO): a snapshot holds files alone"),
        ]

    @pytest.mark.parametrize("said", ["[", "{}}", '{"tables": [{"path": "../x", "size_bytes": 1, "sha256": "0"}]}'])
    def test_one_that_is_none_is_told(self, folder: Path, said: str) -> None:
        (folder / "provenance.json").write_text(said)
        assert "provenance.json" in {one.path for one in wrong_in(folder)}

    def test_a_build_that_was_interrupted_is_told(self, folder: Path) -> None:
        (folder / "provenance.json").unlink()
        (wrong,) = wrong_in(folder)
        assert wrong.path == "provenance.json"
        assert wrong.message.startswith("is missing: a build was interrupted here")

    def test_a_lie_in_it_is_found(self, folder: Path) -> None:
        told = json.loads((folder / "provenance.json").read_text())
        told["tables"][5]["rows"] += 1
        (folder / "provenance.json").write_text(json.dumps(told))
        assert {one.path for one in wrong_in(folder)} == {told["tables"][5]["path"], "provenance.json"}
        told["seal"] = seal_of(told)
        (folder / "provenance.json").write_text(json.dumps(told))
        assert {one.path for one in wrong_in(folder)} == {told["tables"][5]["path"]}

    def test_every_word_of_it_has_a_meaning(self, folder: Path) -> None:
        told = json.loads((folder / "provenance.json").read_text())
        assert told["@context"]["inputs"]["@id"] == "prov:used"
        nodes = [told, *told["inputs"], *told["tables"], *told["steps"], *told["findings"]]
        words = {key for node in nodes for key in node if not key.startswith("@")}
        assert words <= told["@context"].keys()
        assert {"prov", "schema"} <= told["@context"].keys()

    def test_a_file_that_promises_what_it_does_not_hold_is_told(self, folder: Path) -> None:
        path = folder / "neuprint" / "body_elements.feather"
        table = feather.read_table(path)
        said = table.schema.metadata[b"engram.table"].replace(b"INTEGER", b"BIGINT")
        feather.write_feather(table.replace_schema_metadata({b"engram.table": said}), str(path))
        messages = [one.message for one in wrong_in(folder) if one.path == "neuprint/body_elements.feather"]
        assert any(one.startswith("promises BIGINT for post and has int32") for one in messages)


@pytest.mark.parametrize("inside", ["", "reports/may.txt", "tables/prices.csv"])
def test_a_folder_without_a_snapshot_is_refused(tmp_path: Path, inside: str) -> None:
    place = tmp_path / "x" / inside
    place.parent.mkdir(parents=True, exist_ok=True)
    if inside:
        place.write_text("nothing of ours")
    else:
        place.mkdir()
    with pytest.raises(NoSnapshot):
        checked(tmp_path / "x")


def test_a_header_that_cannot_be_read_is_told_alone(small: Path, tmp_path: Path) -> None:
    """Its nodes are not known then, and it is not said of every relationship that they are not there."""
    shutil.copytree(small, folder := tmp_path / "out")
    files = [*folder.glob("neuprint/Neuprint_Neurons/*.csv"), *folder.glob("neuprint/Neuprint_Synapses/*.csv")]
    for path in files:
        path.write_text(path.read_text().replace(",A:boolean", ",A{{1}}:boolean", 1))
    told = wrong_in(folder)
    assert {one.message for one in told} == {"'A{{1}}:boolean' has a brace that is not closed, or text behind it"}
    assert {one.path for one in told} <= {path.relative_to(folder).as_posix() for path in files}
