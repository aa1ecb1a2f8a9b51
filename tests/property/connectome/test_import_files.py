"""Whatever stands in a file for Neo4j is taken or refused, and what is taken was written as it reads."""

import csv
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engram.connectome.neo4j.checking import check_import
from engram.connectome.neo4j.sources import Sources

HEADER = [":ID(Body-ID)", "note:string", "pre:int", "tags:string[]", ":LABEL"]
#: Python's writer leaves a carriage return without quotes.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=6)
numbers = st.integers(-(2**31), 2**31 - 1)
rows = st.lists(st.tuples(texts.filter(bool), texts, numbers, texts, st.just("N;M")), max_size=5)


def problems(data: bytes, *, multiline: bool = True) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "000.csv")
        path.write_bytes(data)
        checked = check_import(Sources(nodes=(str(path),), relationships=()), folder, multiline=multiline)
    return [one.message for one in checked.problems]


@given(rows)
def test_what_a_writer_of_csv_writes_is_taken(rows: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "000.csv")
        with path.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADER, *({row[0]: row for row in rows}).values()])
        checked = check_import(Sources(nodes=(str(path),), relationships=()), folder, multiline=True)
    assert checked.problems == []
    assert checked.nodes["N"] == len({row[0] for row in rows})


@given(st.one_of(st.binary(max_size=60), st.text(',":\n{}()ID[];x1', max_size=60).map(str.encode)))
def test_whatever_stands_in_a_file_is_taken_or_refused(data: bytes) -> None:
    assert all(map(str, problems(data)))
    problems(b":ID,pre:int,:LABEL\n" + data)
