"""Tables that cannot be: one line each that says what is wrong, before anything is built."""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather

from engram.connectome.building import Finding, Limits, build
from engram.connectome.config.reading import read_config
from engram.connectome.writing import Written
from engram.durable import Steps
from engram.model.errors import NO_FILE, BadTables, EngramError, Malformed, Unreadable
from tests.connectomes import feather_columns, feather_rows
from tests.integration.connectome.test_building import CONNECTOME, point
from tests.naive_connectome import Connectome, write_connectome

Change = Callable[[pa.Table], pa.Table]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_connectome(CONNECTOME, tmp_path / "in")


def run(config: Path) -> list[object]:
    read = read_config(str(config), here=str(config.parent.parent))
    return list(build(read, Steps(), Limits(memory_bytes=1 << 29, threads=1), version="0", now=lambda: ""))


def findings(told: list[object]) -> list[tuple[str, str]]:
    """What was found, whichever step found it: the table, and the sentence."""
    return [(one.table, one.message) for one in told if isinstance(one, Finding)]


def change(config: Path, table: str, how: Change) -> None:
    path = str(config.parent / f"{table}.feather")
    feather.write_feather(how(feather.read_table(path, memory_map=False)), path)


def with_column(name: str, values: list, kind: pa.DataType | None = None) -> Change:
    def how(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(name)
        column = pa.array(values, kind or table.schema.field(name).type)
        return table.set_column(place, name, column)

    return how


def bodies(*rows: tuple[int, str]) -> Change:
    return lambda _: pa.table({"body": [body for body, _ in rows], "status": [status for _, status in rows]})


def with_another(name: str, column: pa.Array) -> Change:
    return lambda table: table.append_column(name, column)


BROKEN: dict[str, tuple[str, Change, str]] = {
    "a column holds records": (
        "points",
        with_another("odd", pa.array([{"a": 1}, None])),
        "points.feather, column odd: holds STRUCT(a BIGINT), which no table of a snapshot holds: leave it out",
    ),
    "a column of annotations holds bytes": (
        "annotations",
        with_another("odd", pa.array([], pa.binary())),
        "annotations.feather, column odd: holds BLOB, which no table of a snapshot holds: leave it out",
    ),
    "a place is text, though there are ids": (
        "points",
        with_column("x", ["a", "b"], pa.string()),
        "points.feather, column x: holds VARCHAR, not numbers",
    ),
    "a column is missing": (
        "points",
        lambda table: table.drop_columns(["conf"]),
        "points.feather, column conf: is missing; it has x, y, z, kind, body, big, small, compartment, point_id",
    ),
    "a column holds text": (
        "points",
        with_column("body", ["5", "6"], pa.string()),
        "points.feather, column body: holds VARCHAR, not whole numbers",
    ),
    "two points have one id": (
        "points",
        with_column("point_id", [1, 1]),
        "points.feather, column point_id: 1 values stand in several rows; one of them: 1",
    ),
    "a kind is unknown": (
        "points",
        with_column("kind", ["PreSyn", "Postsynaptic"]),
        "points.feather, column kind: is not PostSyn or PreSyn in 1 rows; one of them: Postsynaptic",
    ),
    "a body is missing": (
        "points",
        with_column("body", [None, 6]),
        "points.feather, column body: is no body, from 0 to 2^63 - 1, in 1 rows; one of them: None",
    ),
    "a body is larger than Neo4j counts": (
        "points",
        with_column("body", [5, 1 << 63], pa.uint64()),
        f"points.feather, column body: is no body, from 0 to 2^63 - 1, in 1 rows; one of them: {1 << 63}",
    ),
    "a body that is described is negative": (
        "annotations",
        bodies((5, "Traced"), (-6, "Anchor")),
        "annotations.feather, column body: is no body, from 0 to 2^63 - 1, in 1 rows; one of them: -6",
    ),
    "the ids of partners are turned": (
        "partners",
        lambda table: table.rename_columns(["post_id", "pre_id"]),
        "partners.feather, column pre_id: is not that of a PreSyn, or post_id not that of a PostSyn, in 1 rows;"
        " one of them: 2",
    ),
    "a ROI has an empty name": (
        "points",
        with_column("big", ["A", " "]),
        "ROI set big: the name of one of its ROIs is empty: outside of all ROIs is <unspecified>, or no value",
    ),
    "an id is missing": (
        "partners",
        with_column("pre_id", [None]),
        "partners.feather, column pre_id: is empty in 1 rows",
    ),
    "a body is described twice": (
        "annotations",
        bodies((5, "Traced"), (5, "Anchor")),
        "annotations.feather, column body: 1 values stand in several rows; one of them: 5",
    ),
    "names differ in case": (
        "annotations",
        lambda _: pa.table({"body": [5], "status": ["Traced"], "Status": ["Traced"]}),
        "annotations.feather, column Status: differs from 'status' in upper and lower case only",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_wrong_is_told_in_one_line(what: str, config: Path) -> None:
    table, how, says = BROKEN[what]
    change(config, table, how)
    with pytest.raises(BadTables) as told:
        run(config)
    assert told.value.problems == (says,)
    assert not (config.parent.parent / "naive" / "provenance.json").exists()


def test_all_problems_are_told_at_once(config: Path) -> None:
    for what in ("a column is missing", "an id is missing", "a body is described twice"):
        table, how, _ = BROKEN[what]
        change(config, table, how)
    with pytest.raises(BadTables) as told:
        run(config)
    assert len(told.value.problems) == 3
    assert told.value.lines[0] == "The tables cannot be used, for 3 reasons:"


def test_tables_without_a_row_are_built_though_their_categories_are_none(config: Path) -> None:
    """The engine has no type for categories of which there is none, and called such a file broken."""
    of_none = pa.array([], pa.dictionary(pa.int8(), pa.string()))
    change(config, "points", lambda table: with_column("big", [], of_none.type)(table.slice(0, 0)))
    for table in ("partners", "annotations"):
        change(config, table, lambda table: table.slice(0, 0))
    run(config)
    assert (config.parent.parent / "naive" / "provenance.json").exists()


@pytest.mark.parametrize("table", ["points", "partners", "annotations"])
def test_a_table_that_would_be_waited_for_is_refused(table: str, config: Path) -> None:
    path = config.parent / f"{table}.feather"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Unreadable) as told:
        run(config)
    assert told.value.reason == NO_FILE


@pytest.mark.parametrize("table", ["points", "partners", "annotations"])
def test_a_truncated_file_is_named(table: str, config: Path) -> None:
    path = config.parent / f"{table}.feather"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(EngramError) as told:
        run(config)
    assert isinstance(told.value, Malformed)
    assert f"{table}.feather" in told.value.what
    assert len(told.value.what.splitlines()) == 1


def test_a_roi_that_two_sets_have_is_told(tmp_path: Path) -> None:
    both = Connectome(points=(point(1, "PreSyn", 5), point(2, "PostSyn", 6)), partners=((0, 1),))
    config = write_connectome(both, tmp_path / "in")
    change(config, "points", with_column("small", ["A", "A"]))
    with pytest.raises(BadTables, match="ROI 'A' is in two ROI sets, big and small"):
        run(config)


RENAME = "give the ROI another name: inputs.rois.roi-sets.big.rename-rois"
BRACES = "Neo4j reads no property of the name {!r} from a file, as braces tell it something else"
PROPERTIES = "outputs.neuprint.annotation-property-names"
#: Names that would stand for two properties, or for none: what is done to which table, and what is said of it.
TAKEN: dict[str, tuple[str, Change, list[str]]] = {
    "a ROI has the name of a total": (
        "points",
        with_column("big", ["pre", "pre"]),
        [f"ROI set big: bodies have a property pre: {RENAME}"],
    ),
    "a ROI has the name of what synapses and bodies have": (
        "points",
        with_column("big", ["bodyId", "confidence"]),
        [
            f"ROI set big: bodies have a property bodyId: {RENAME}",
            f"ROI set big: synapses have a property bodyId: {RENAME}",
            f"ROI set big: synapses have a property confidence: {RENAME}",
        ],
    ),
    "a ROI has the name of an annotation": (
        "annotations",
        lambda _: pa.table({"body": [5], "status": ["Traced"], "A": ["x"]}),
        [f"ROI set big: bodies have a property a: {RENAME}"],
    ),
    "an annotation has the name of a total": (
        "annotations",
        lambda _: pa.table({"body": [5], "status": ["Traced"], "synweight": [7]}),
        [
            "the annotations: a column becomes the property synweight, which bodies have from elsewhere: rename or drop"
            " it with outputs.neuprint.annotation-property-names"
        ],
    ),
    "a column of points has the name of what all have": (
        "points",
        lambda table: table.append_column("type", pa.array(["x", "y"])),
        ["the points, column type: synapses have another property of that name: rename the column"],
    ),
    "a ROI has a name that no header can have": (
        "points",
        with_column("big", ["x{{y}}", "x"]),
        [f"ROI set big: {BRACES.format('x{{y}}')}: {RENAME}"],
    ),
    "an annotation has a name that no header can have": (
        "annotations",
        lambda _: pa.table({"body": [5], "status": ["Traced"], "tag{1}": ["x"]}),
        [f"the annotations: {BRACES.format('tag{1}')}: rename or drop it with {PROPERTIES}"],
    ),
    "a column of points has a name that no header can have": (
        "points",
        lambda table: table.append_column("tag{", pa.array(["x", "y"])),
        [f"the points, column tag{{: {BRACES.format('tag{')}: rename the column"],
    ),
}


@pytest.mark.parametrize("what", TAKEN)
def test_a_name_that_would_stand_for_two_properties_or_none_is_refused(what: str, tmp_path: Path) -> None:
    """flyem-snapshot writes two columns of one name, and neo4j-admin refuses the import hours later."""
    table, how, says = TAKEN[what]
    config = write_connectome(
        Connectome(points=(point(1, "PreSyn", 5), point(2, "PostSyn", 6)), partners=((0, 1),)), tmp_path / "in"
    )
    if what == "a ROI has the name of an annotation":
        change(config, "points", with_column("big", ["a", "a"]))
    change(config, table, how)
    with pytest.raises(BadTables) as told:
        run(config)
    assert list(told.value.problems) == says
    assert not (tmp_path / "naive" / "provenance.json").exists()


class TestWhatIsNoProblem:
    def test_empty_tables_give_empty_tables(self, tmp_path: Path) -> None:
        told = run(write_connectome(Connectome(points=(), partners=()), tmp_path / "in"))
        assert {one.rows for one in told if isinstance(one, Written)} <= {None, 0, 1}

    def test_points_without_a_confidence_are_counted(self, config: Path) -> None:
        """DuckDB's own ``NaN >= 0.4`` is true, and flyem-snapshot keeps them where no confidence is asked for."""
        change(config, "points", with_column("conf", [0.9, float("nan")]))
        told = run(config)
        message = "1 points without a confidence count as below every threshold"
        assert ("points.feather", message) in findings(told)
        points = config.parent.parent / "naive" / "flat-connectome" / "syn-points-naive-minconf-0.0.feather"
        assert feather_rows(points) == []

    def test_points_of_an_infinite_confidence_are_counted(self, config: Path) -> None:
        """flyem-snapshot keeps them, and neo4j-admin ends at the first one: it knows no number inf."""
        change(config, "points", with_column("conf", [0.9, float("inf")]))
        message = "1 points of an infinite confidence count as below every threshold"
        assert ("points.feather", message) in findings(run(config))
        points = config.parent.parent / "naive" / "flat-connectome" / "syn-points-naive-minconf-0.0.feather"
        assert feather_rows(points) == []

    def test_places_that_are_rounded_are_told(self, config: Path) -> None:
        change(config, "points", lambda table: table.drop_columns(["point_id"]))
        change(config, "points", with_column("x", [1.0, 2.5], pa.float64()))
        message = "x, y, z of 1 points are no whole voxels, and are rounded; one of them: [2.5, 0.0, 0.0]"
        assert ("points.feather", message) in findings(run(config))

    def test_partner_rows_without_points_are_told(self, config: Path) -> None:
        """flyem-snapshot leaves them out, and says nothing."""
        change(config, "partners", lambda _: pa.table({"pre_id": [1, 1, 7], "post_id": [2, 9, 2]}))
        told = run(config)
        message = "2 partner rows are left out: the table of points lacks an end of theirs; one of them: 1 to 9"
        assert ("partners.feather", message) in findings(told)

    def test_partner_rows_of_points_that_do_not_stay_are_not_told(self, config: Path) -> None:
        change(config, "points", with_column("body", [0, 6]))
        assert "partners.feather" not in {one.table for one in run(config) if isinstance(one, Finding)}

    def test_points_that_lie_elsewhere_than_their_ids_say_are_told(self, config: Path) -> None:
        change(config, "points", with_column("x", [1, 5]))
        message = "x, y, z of 1 points are not what their point_id says; one of them: 2"
        assert ("points.feather", message) in findings(run(config))

    def test_days_and_times_of_annotations_are_texts(self, config: Path) -> None:
        seen = pa.array([0, 86_400_000_000], pa.timestamp("us"))
        rows = {"body": [5, 6], "status": ["Traced", "Leaves"], "seen": seen, "note": pa.nulls(2)}
        change(config, "annotations", lambda _: pa.table(rows))
        run(config)
        table = config.parent.parent / "naive" / "tables" / "body-annotations-naive.feather"
        assert feather_rows(table, ["seen", "note"]) == [("1970-01-01 00:00:00", None), ("1970-01-02 00:00:00", None)]

    def test_partners_that_stand_there_again_count_again_and_are_told(self, config: Path) -> None:
        """flyem-snapshot counts them, too, and says nothing."""
        assert not [one for one in run(config) if isinstance(one, Finding) and one.table == "partners.feather"]
        partners = feather.read_table(str(config.parent / "partners.feather"))
        change(config, "partners", lambda table: pa.concat_tables([table, table, table]))
        found = [one.message for one in run(config) if isinstance(one, Finding) and one.table == "partners.feather"]
        pre, post = (partners[side][0] for side in ("pre_id", "post_id"))
        told_of = "2 partner rows repeat another one, and count as often as they stand there"
        assert found == [f"{told_of}; one of them: {pre} to {post}"]
        folder = config.parent.parent / "naive" / "flat-connectome"
        assert [row[2] for row in feather_rows(folder / "connectome-weights-naive-minconf-0.0.feather")] == [3]

    def test_a_body_of_2_to_the_32_stays_one(self, config: Path) -> None:
        """flyem-snapshot takes it for a number of 32 bits, and makes it body 0."""
        change(config, "points", with_column("body", [1 << 32, 6]))
        run(config)
        folder = config.parent.parent / "naive" / "flat-connectome"
        weights = folder / "connectome-weights-naive-minconf-0.0.feather"
        assert [row[:3] for row in feather_rows(weights)] == [(1 << 32, 6, 1)]
        assert feather_columns(weights)[:2] == [("body_pre", "uint64"), ("body_post", "uint64")]

    def test_every_point_may_have_a_roi(self, config: Path) -> None:
        """flyem-snapshot stops with an AssertionError where no point is outside of all ROIs."""
        run(config)
        points = config.parent.parent / "naive" / "flat-connectome" / "syn-points-naive-minconf-0.0.feather"
        assert feather_rows(points, ["big", "big_label"]) == [("A", 1), ("A", 1)]

    def test_a_status_that_dvid_does_not_know_has_no_order(self, config: Path) -> None:
        """Tables of significant bodies need an order: without one they are left out, and that is told."""
        change(config, "annotations", bodies((5, "splendid"), (6, "Traced")))
        told = run(config)
        message = "the order of status is not known: tables of significant and traced bodies are left out"
        assert ("annotations.feather", message) in findings(told)
        assert not [one for one in told if isinstance(one, Written) and "only" in one.path]

    def test_statuses_of_dvid_have_its_order_in_any_table(self, config: Path) -> None:
        """A CSV file never has an order; flyem-snapshot then compares the words by alphabet."""
        change(config, "annotations", bodies((5, "Leaves"), (6, "Traced")))
        told = run(config)
        assert {one.rows for one in told if isinstance(one, Written) and "traced-only" in one.path} == {1}
