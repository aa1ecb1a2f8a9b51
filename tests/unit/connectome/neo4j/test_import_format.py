"""Every file that flyem-snapshot writes for Neo4j is taken, and what ``neo4j-admin`` would trip over is refused."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.connectome.neo4j.checking import MOST_PROBLEMS, check_import
from engram.connectome.neo4j.header import BadFile, read_header
from engram.connectome.neo4j.sources import sources_of
from engram.connectome.neo4j.values import check_value
from tests.connectomes import unpack_golden


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What flyem-snapshot wrote."""
    return unpack_golden(tmp_path_factory.getbasetemp().parent) / "expected" / "neuprint"


def rows_in(folder: Path, pattern: str) -> int:
    count = 0
    for path in folder.glob(pattern):
        with path.open(newline="") as file:
            count += sum(1 for _ in csv.reader(file)) - 1
    return count


def test_every_file_of_flyem_snapshot_is_taken(theirs: Path) -> None:
    sources = sources_of(str(theirs))
    checked = check_import(sources, str(theirs))
    assert checked.problems == []
    assert len(sources.nodes) + len(sources.relationships) == len(list(theirs.rglob("*.csv")))
    assert checked.nodes["Segment"] == rows_in(theirs, "Neuprint_Neurons/*.csv")
    assert checked.nodes["Synapse"] == checked.nodes["synth_Element"] == rows_in(theirs, "Neuprint_Synapses/*.csv")
    assert checked.nodes["Meta"] == 1
    assert checked.relationships == {
        "ConnectsTo": rows_in(theirs, "Neuprint_Neuron_Connections.csv") + rows_in(theirs, "*Set_to_SynapseSet.csv"),
        "Contains": rows_in(theirs, "Neuprint_Neuron_to_*.csv") + rows_in(theirs, "*SynapseSet_to_Synapses.csv"),
        "SynapsesTo": rows_in(theirs, "Neuprint_Synapse_Connections.csv"),
    }


NODES = """\
:ID(Body-ID),pre:int,somaLocation:point{srid:9157},note:string,MB(L):boolean,:LABEL
1,2,"{x:1, y:2, z:3}",a,true,N;M
2,,,,,N
"""
EDGES = ":START_ID(Body-ID),:END_ID(Body-ID),weight:int\n1,2,7\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two bodies, connected once."""
    (tmp_path / "Neuprint_Neurons").mkdir()
    (tmp_path / "Neuprint_Neurons" / "000.csv").write_text(NODES)
    (tmp_path / "Neuprint_Neuron_Connections.csv").write_text(EDGES)
    return tmp_path


def told(folder: Path, *, multiline: bool = False) -> list[str]:
    return [str(one) for one in check_import(sources_of(str(folder)), str(folder), multiline=multiline).problems]


def of_nodes(change: Callable[[str], str]) -> Callable[[Path], None]:
    def broken(folder: Path) -> None:
        path = folder / "Neuprint_Neurons" / "000.csv"
        path.write_text(change(path.read_text()))

    return broken


def of_edges(change: Callable[[str], str]) -> Callable[[Path], None]:
    def broken(folder: Path) -> None:
        path = folder / "Neuprint_Neuron_Connections.csv"
        path.write_text(change(path.read_text()))

    return broken


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "an end is missing": (
        of_edges(lambda text: text.replace("1,2,7", "1,3,7")),
        "line 2: there is no node 3 in the space",
    ),
    "the space is another": (
        of_edges(lambda text: text.replace("END_ID(Body-ID)", "END_ID(Body)")),
        "there is no node 2",
    ),
    "no end is named": (
        of_edges(lambda text: text.replace(":END_ID(Body-ID)", "end:long")),
        "there is no column :END_ID",
    ),
    "an id is there twice": (
        of_nodes(lambda text: text.replace("\n2,", "\n1,")),
        "line 3: the id 1 of the space Body-ID is",
    ),
    "an id is missing": (of_nodes(lambda text: text.replace("\n2,", "\n,")), "line 3: a node has no id"),
    "a row is short": (
        of_nodes(lambda text: text.replace("2,,,,,N", "2,,,,N")),
        "line 3: 5 values stand under 6 columns",
    ),
    "a row is long": (
        of_nodes(lambda text: text.replace("2,,,,,N", "2,,,,,N,x")),
        "line 3: 7 values stand under 6 columns",
    ),
    "a quote is open": (of_nodes(lambda text: text.replace(",a,", ',"a,')), "it is no CSV: unexpected end of data"),
    "text behind a quote": (of_nodes(lambda text: text.replace(",a,", ',"a"b,')), "line 2: it is no CSV: ',' expected"),
    "a line break": (
        of_nodes(lambda text: text.replace(",a,", ',"a\nb",')),
        "a value holds a line break: import it with",
    ),
    "no number": (of_nodes(lambda text: text.replace("1,2,", "1,2.0,")), "line 2: pre: '2.0' is no whole number"),
    "a large number": (
        of_nodes(lambda text: text.replace("1,2,", "1,4294967296,")),
        "pre: 4294967296 needs more than 32",
    ),
    "no truth": (of_nodes(lambda text: text.replace("true", "True")), "MB(L): 'True' is neither true nor false"),
    "no point": (of_nodes(lambda text: text.replace("{x:1, y:2, z:3}", "[1, 2, 3]")), "'[1, 2, 3]' is no point"),
    "a flat point": (of_nodes(lambda text: text.replace(", z:3", "")), "does not have exactly x, y, z"),
    "an empty label": (of_nodes(lambda text: text.replace("N;M", "N;")), "line 2: a label is empty"),
    "an unknown type": (
        of_nodes(lambda text: text.replace("pre:int", "pre:integer")),
        "'pre:integer' has an unknown type",
    ),
    "a property twice": (
        of_nodes(lambda text: text.replace("note:string", "pre:string")),
        "the property pre has 2 columns",
    ),
    "two ids": (of_nodes(lambda text: text.replace("note:string", ":ID")), "there are 2 columns :ID"),
    "an open brace": (of_nodes(lambda text: text.replace("9157}", "9157")), "has a brace that is not closed"),
    "an empty file": (of_nodes(lambda text: ""), "000.csv, line 1: it has no header"),
    "another file": (lambda folder: (folder / "x.csv").touch(), "x.csv: it is no file of a neuPrint database"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused(name: str, small: Path) -> None:
    assert told(small) == []
    broken, problem = BROKEN[name]
    broken(small)
    assert problem in "\n".join(told(small))


def test_a_file_that_is_no_text_or_cut_short_is_refused(small: Path) -> None:
    path = small / "Neuprint_Neurons" / "000.csv"
    path.write_bytes(NODES.encode().replace(b",a,", b",\xff,"))
    assert "it cannot be read: 'utf-8' codec" in told(small)[0]
    path.unlink()
    packed = gzip.compress(NODES.encode())
    (small / "Neuprint_Neurons" / "000.csv.gz").write_bytes(packed)
    assert told(small) == []
    (small / "Neuprint_Neurons" / "000.csv.gz").write_bytes(packed[:-12])
    assert "it cannot be read: Compressed file ended" in told(small)[0]


def test_line_breaks_are_taken_where_the_import_takes_them(small: Path) -> None:
    of_nodes(lambda text: text.replace(",a,", ',"a\nb",').replace("2,,,,,N", "2,x,,,,N"))(small)
    assert told(small, multiline=True) == ["Neuprint_Neurons/000.csv, line 4: pre: 'x' is no whole number"]


def test_problems_that_are_alike_are_not_told_without_end(small: Path) -> None:
    of_edges(lambda text: text + "9,9,1\n" * 100)(small)
    assert len(told(small)) == MOST_PROBLEMS


@pytest.mark.parametrize(
    ("cell", "good", "bad"),
    [
        ("a:long", ["-9223372036854775808", "0"], ["9223372036854775808", "01", "1 ", "+1", "1_0", "1e3"]),
        ("a:float", ["0.5", "-1e-05", "NaN", "Infinity"], ["nan", "inf", "1,5", "0x1", "1_0.0"]),
        ("a:int[]", ["1;2", "7"], ["1;", "1,2", "a"]),
        ("a:string", ["", "anything at all; {}"], []),
        ("a", ["text"], []),
        ("a:char", ["x"], ["xy"]),
        ("a:date", ["2026-01-31"], ["2026-02-31", "today"]),
        ("a:localdatetime", ["2026-01-31T10:00:00"], ["noon"]),
        ("a:duration", ["P1Y2M", "PT5S"], ["P", "5 s"]),
        ("a:point{srid:7203}", ["{x: 1, y: 2.5}"], ["{x:1}", "{x:1, y:2, z:3}", "{x:a, y:2}", "{x:1, x:2}"]),
    ],
)
def test_values_are_what_their_type_says(cell: str, good: list[str], bad: list[str]) -> None:
    (column,) = read_header([cell], of_nodes=True)
    for text in good:
        check_value(column, text)
    for text in bad:
        with pytest.raises(BadFile):
            check_value(column, text)


def test_names_may_hold_brackets_and_colons() -> None:
    names = [column.name for column in read_header(["MB(L):boolean", "a:b:int", "x:ID(S)", ":label"], of_nodes=True)]
    assert names == ["MB(L)", "a:b", "x", ""]


def test_neo4j_5_refuses_rois_that_differ_in_brackets_alone(small: Path) -> None:
    """4.4 takes them; the space of ids that 5 reads is the property's own, and its name is there twice."""
    nodes = small / "Neuprint_Neurons" / "000.csv"
    nodes.write_text(nodes.read_text().replace("note:string,MB(L)", "MB(R):boolean,MB(L)").replace(",a,", ",,"))
    sources = sources_of(str(small))
    assert check_import(sources, str(small)).problems == []
    (first, *_) = check_import(sources, str(small), version="5").problems
    assert first.message == "the property MB has 2 columns"
