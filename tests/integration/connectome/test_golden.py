"""Row for row what flyem-snapshot writes, but where it has a defect: there the test says what it does instead."""

import json
import math
import re
from pathlib import Path

import pytest

from tests.connectomes import csv_header, csv_rows, feather_columns, feather_rows

TAG = "synth-v1.0"
FLAT = f"flat-connectome/{{}}-{TAG}-minconf-0.4{{}}.feather"
#: Tables that are the same in every respect that counts.
SAME = (
    *(FLAT.format(name, part) for name in ("syn-partners", "connectome-weights") for part in ("", "-significant-only")),
    *(FLAT.format(name, "-traced-only") for name in ("syn-partners", "connectome-weights")),
    *(FLAT.format(name, "") for name in ("syn-points", "body-annotations")),
    f"nt/tbar-neurotransmitters-{TAG}.feather",
    "neuprint/Neuprint_Neuron_Connections.feather",
    "neuprint/body_elements.feather",
    "neuprint/roi_elements.feather",
)
SAME_CSV = (
    *("Neuprint_Neuron_Connections", "Neuprint_SynapseSet", "Neuprint_Neuron_to_SynapseSet"),
    *("Neuprint_SynapseSet_to_SynapseSet", "Neuprint_SynapseSet_to_Synapses", "Neuprint_Synapse_Connections"),
)
MEANS = [f"nt_{nt}_prob" for nt in "acetylcholine gaba glutamate dopamine serotonin octopamine histamine".split()]


@pytest.mark.parametrize("path", SAME)
def test_a_table_is_the_same(path: str, golden: Path, ours: Path) -> None:
    assert feather_columns(ours / path) == feather_columns(golden / "expected" / path)
    assert feather_rows(ours / path) == feather_rows(golden / "expected" / path)


@pytest.mark.parametrize("name", SAME_CSV)
def test_a_csv_file_is_the_same(name: str, golden: Path, ours: Path) -> None:
    theirs, mine = golden / "expected" / "neuprint" / f"{name}.csv", ours / "neuprint" / f"{name}.csv"
    assert csv_header(mine) == csv_header(theirs)
    assert sorted(csv_rows(mine), key=repr) == sorted(csv_rows(theirs), key=repr)


def test_synapses_are_the_same_in_fewer_files(golden: Path, ours: Path) -> None:
    theirs = sorted((golden / "expected" / "neuprint" / "Neuprint_Synapses").glob("*.csv"))
    (mine,) = (ours / "neuprint" / "Neuprint_Synapses").glob("*.csv")
    assert len(theirs) == 24
    assert set(csv_header(mine)) == {column for path in theirs for column in csv_header(path)}
    assert by_id(mine) == by_id(*theirs)


def by_id(*paths: Path) -> dict[str, dict[str, str]]:
    return {next(iter(row.values())): row for row in csv_rows(*paths)}


class TestBodyStats:
    PATH = FLAT.format("body-stats", "")

    def test_everything_but_the_rank_of_equals_is_the_same(self, golden: Path, ours: Path) -> None:
        columns = feather_columns(ours / self.PATH)
        assert columns == feather_columns(golden / "expected" / self.PATH)
        names = [name for name, _ in columns if name != "rank"]
        assert feather_rows(ours / self.PATH, names) == feather_rows(golden / "expected" / self.PATH, names)

    def test_equals_are_ranked_by_their_body(self, ours: Path) -> None:
        """flyem-snapshot ranks bodies of one synweight in an order that nothing decides."""
        rows = feather_rows(ours / self.PATH, ["rank", "synweight", "body"])
        assert [row[0] for row in sorted(rows, key=lambda row: (-row[1], row[2]))] == list(range(1, len(rows) + 1))


class TestNeurons:
    PATH = "neuprint/Neuprint_Neurons.feather"
    #: How many digits of a mean count: flyem-snapshot adds up in the order of its rows.
    CLOSE = 1e-12

    def test_columns_are_theirs_and_the_mean_scores(self, golden: Path, ours: Path) -> None:
        """flyem-snapshot forgets the scores of export-mean-tbar-scores, and calls an empty otherNt a float."""
        theirs = [column for column, _ in feather_columns(golden / "expected" / self.PATH)]
        mine = [column for column, _ in feather_columns(ours / self.PATH)]
        assert [column for column in mine if not re.fullmatch(r"nt[A-Z]\w*Prob:float", column)] == [
            "otherNt:string" if column == "otherNt:float" else column for column in theirs
        ]
        assert len(mine) == len(theirs) + len(MEANS)

    def test_types_and_rows_are_the_same(self, golden: Path, ours: Path) -> None:
        theirs, mine = dict(feather_columns(golden / "expected" / self.PATH)), dict(feather_columns(ours / self.PATH))
        shared = [column for column in theirs if column in mine]
        assert {column: mine[column] for column in shared} == {column: theirs[column] for column in shared}
        exact = [column for column in shared if "Confidence" not in column and column != "roiset_hash"]
        assert feather_rows(ours / self.PATH, exact) == feather_rows(golden / "expected" / self.PATH, exact)

    def test_confidences_are_the_same(self, golden: Path, ours: Path) -> None:
        columns = [":ID(Body-ID)", "predictedNtConfidence:float", "celltypePredictedNtConfidence:float"]
        theirs, mine = feather_rows(golden / "expected" / self.PATH, columns), feather_rows(ours / self.PATH, columns)
        assert all(map(same_but_for_rounding, dict_of(theirs).items(), dict_of(mine).items()))

    def test_bodies_of_one_set_of_rois_have_one_hash(self, golden: Path, ours: Path) -> None:
        """The number itself is CityHash64 of a list as Python prints it there, and a part of an MD5 here."""
        theirs = dict_of(feather_rows(golden / "expected" / self.PATH, [":ID(Body-ID)", "roiset_hash"]))
        mine = dict_of(feather_rows(ours / self.PATH, [":ID(Body-ID)", "roiset_hash"]))
        assert (
            len(set(mine.values())) == len({(mine[body], theirs[body]) for body in mine}) == len(set(theirs.values()))
        )

    def test_nodes_are_the_same_in_one_file(self, golden: Path, ours: Path) -> None:
        theirs = by_id(*(golden / "expected" / "neuprint" / "Neuprint_Neurons").glob("*.csv"))
        (path,) = (ours / "neuprint" / "Neuprint_Neurons").glob("*.csv")
        mine = by_id(path)
        for body, row in theirs.items():
            close = {column for column in row if "Confidence" in column}
            node = {
                column: value for column, value in mine[body].items() if not column.startswith("nt") or "Ref" in column
            }
            assert {k: v for k, v in node.items() if k not in close} == {k: v for k, v in row.items() if k not in close}
            assert all(math.isclose(float(node[k]), float(row[k]), rel_tol=self.CLOSE) for k in close)
        assert len(mine) == len(theirs) == 1019


def dict_of(rows: list[tuple]) -> dict:
    return {row[0]: row[1:] for row in rows}


def same_but_for_rounding(theirs: tuple, mine: tuple) -> bool:
    values = zip(theirs[1], mine[1], strict=True)
    return theirs[0] == mine[0] and all(
        a == b if a is None or b is None else math.isclose(a, b, rel_tol=TestNeurons.CLOSE) for a, b in values
    )


class TestNeurotransmittersOfBodies:
    PATH = f"nt/body-neurotransmitters-{TAG}.feather"

    def test_columns_are_theirs_and_the_mean_scores(self, golden: Path, ours: Path) -> None:
        """flyem-snapshot forgets the mean scores, and gives an empty other_nt the type of numbers."""
        theirs = feather_columns(golden / "expected" / self.PATH)
        mine = feather_columns(ours / self.PATH)
        assert mine == [
            *((name, "string" if name == "other_nt" else kind) for name, kind in theirs),
            *((name, "double") for name in MEANS),
        ]

    def test_rows_are_the_same(self, golden: Path, ours: Path) -> None:
        names = [name for name, _ in feather_columns(golden / "expected" / self.PATH)]
        exact = [name for name in names if "confidence" not in name]
        assert feather_rows(ours / self.PATH, exact) == feather_rows(golden / "expected" / self.PATH, exact)
        close = ["body", *(name for name in names if "confidence" in name)]
        theirs, mine = feather_rows(golden / "expected" / self.PATH, close), feather_rows(ours / self.PATH, close)
        assert all(map(same_but_for_rounding, dict_of(theirs).items(), dict_of(mine).items()))

    def test_a_mean_is_that_of_the_tbars(self, ours: Path) -> None:
        tbars = feather_rows(ours / f"nt/tbar-neurotransmitters-{TAG}.feather", ["body", "nt_gaba_prob"])
        scores: dict[int, list[float]] = {}
        for body, score in tbars:
            scores.setdefault(body, []).extend([] if score is None else [score])
        found: dict[int, float] = dict(feather_rows(ours / self.PATH, ["body", "nt_gaba_prob"]))
        for body, mean in found.items():
            if scores.get(body):
                assert math.isclose(mean, math.fsum(scores[body]) / len(scores[body]), abs_tol=1e-9)
            else:
                assert mean is None

    def test_confusion_is_the_same(self, golden: Path, ours: Path) -> None:
        path = "nt/neurotransmitter-confusion.csv"
        assert (ours / path).read_text() == (golden / "expected" / path).read_text()


class TestMeta:
    def test_the_node_is_the_same(self, golden: Path, ours: Path) -> None:
        path = Path("neuprint") / "Neuprint_Meta.csv"
        assert csv_header(ours / path) == csv_header(golden / "expected" / path)
        (mine,), (theirs,) = (list(csv_rows(folder / path)) for folder in (ours, golden / "expected"))
        for column, value in theirs.items():
            read = (json.loads(one) if one.startswith(("{", "[")) else one for one in (mine[column], value))
            a, b = map(without_means, read)
            assert a == b, column

    def test_what_people_read_is_what_the_database_gets(self, golden: Path, ours: Path) -> None:
        path = Path("neuprint") / "Neuprint_Meta_debug.json"
        mine, theirs = (json.loads((folder / path).read_text()) for folder in (ours, golden / "expected"))
        assert {k: without_means(v) for k, v in mine.items()} == {k: without_means(v) for k, v in theirs.items()}


def without_means(value: object) -> object:
    """The properties that flyem-snapshot lacks or types wrongly, taken out: see `TestNeurons`."""
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if key != "otherNt" and not re.fullmatch(r"nt[A-Z]\w*Prob", key)}


def statements(path: Path) -> set[str]:
    """What a Cypher script does, without remarks and messages."""
    lines = (line for line in path.read_text().splitlines() if not line.lstrip().startswith(("//", "RETURN")))
    text = " ".join(" ".join(lines).split()).replace("`", "").replace("[ ", "[").replace(" ]", "]")
    return {re.sub(r" ?// .*?!", "", one).strip() for one in text.split(";")}


def test_indexes_are_theirs_and_those_of_the_mean_scores(golden: Path, ours: Path) -> None:
    path = Path("neuprint") / "create-indexes.cypher"
    mine = {one for one in statements(ours / path) if not re.search(r"\(nt[A-Z]\w*Prob\)", one)}
    assert mine == statements(golden / "expected" / path) - {"SHOW DATABASES"}
    assert len(statements(ours / path)) == len(mine) + 2 * len(MEANS)


class TestOverview:
    def test_annotations_are_as_given(self, golden: Path, ours: Path) -> None:
        """A column that is empty throughout has a type here: pandas writes one of nothing."""
        path = f"tables/body-annotations-{TAG}.feather"
        theirs = [
            (name, "string" if kind == "null" else kind) for name, kind in feather_columns(golden / "expected" / path)
        ]
        assert feather_columns(ours / path) == theirs
        assert feather_rows(ours / path) == feather_rows(golden / "expected" / path)

    def test_statuses_are_counted_from_the_best_on(self, golden: Path, ours: Path) -> None:
        path = f"tables/body-status-counts-{TAG}.csv"
        assert (ours / path).read_text() == (golden / "expected" / path).read_text()


def test_nothing_of_theirs_is_missing(golden: Path, ours: Path) -> None:
    expected = golden / "expected"
    theirs = {path.relative_to(expected) for path in expected.rglob("*") if path.is_file()}
    split = {path for path in theirs if path.parent.name in ("Neuprint_Neurons", "Neuprint_Synapses")}
    assert {path for path in theirs - split if not (ours / path).exists()} == set()
