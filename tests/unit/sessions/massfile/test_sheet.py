"""A table says the same as a text: a column for each key, a row for each task."""

import pytest

from engram.sessions.massfile.keys import every_key
from engram.sessions.massfile.parsing import Entry, read_entries
from engram.sessions.massfile.sheet import columns, read_sheet
from engram.sessions.massfile.texts import read_text
from tests.unit.sessions.massfile.test_texts import plain

TABLE = (
    "subject|location|experimenter|room|probe_association.probe_1|tasks.task_type|tasks.task_start|tasks.notes|"
    "tasks.objects.object_name|tasks.objects.coord_x|tasks.objects.coord_y|clustering|clustering.curator|"
    "clustering.location|group.group_name|group.curator|group.location|group.sessions\n"
    "12347|N:/a|ada; bob|102_1|left|Run|30|yes|tower|1|2||ada|N:/a/ks||||\n"
    "|||||||||||||||||\n"
    "|||||||| wall|3|4|||||||\n"
    "12347|N:/a||102_1||Sleep|1587|||||||||||\n"
    "12347|N:/b|ada||||||||||||||\n"
    "12348|N:/c||||||||||yes||||||\n"
    "12347||||||||||||||g1|ada|N:/g|first; second\n"
)
TEXT = """
- subject: {name: 12347}
  sessions:
  - location: N:/a
    experimenter: [ada, bob]
    room: 102_1
    probe_association: {probe_1: left}
    tasks:
    - {task_type: Run, task_start: 30, notes: yes, objects: [{object_name: tower, coord_x: 1, coord_y: 2},
       {object_name: wall, coord_x: 3, coord_y: 4}]}
    - {task_type: Sleep, task_start: 1587}
    clustering: [{curator: ada, location: N:/a/ks}]
  - {location: N:/b, experimenter: [ada], tasks: []}
  clustering:
  - {group_name: g1, curator: ada, location: N:/g, sessions: [first, second]}
- subject: {name: 12348}
  sessions: [{location: N:/c, experimenter: [], tasks: [], clustering: yes}]
"""


def rows(text: str) -> list[list[str]]:
    return [line.split("|") for line in text.splitlines()]


def said(text: str) -> list[str]:
    documents, problems = read_sheet(rows(text))
    problems = problems or read_entries(documents)[1]
    return [f"{problem.place}: {problem.message}" for problem in problems]


def meaning(entry: Entry) -> object:
    """An entry without its places."""
    values = {
        name: [meaning(one) if isinstance(one, Entry) else one for one in value] if isinstance(value, tuple) else value
        for name, value in entry.values.items()
    }
    return entry.path, values, entry.inherited


def test_a_table_says_the_same_as_a_text() -> None:
    documents, problems = read_sheet(rows(TABLE))
    assert problems == []
    of_table, wrong = read_entries(documents)
    assert wrong == []
    of_text, wrong = read_entries(read_text(TEXT.encode(), is_json=False)[0])
    assert wrong == []
    assert [meaning(one) for one in of_table] == [meaning(one) for one in of_text]


def test_every_cell_is_text() -> None:
    (document,), _ = read_sheet(rows("subject|location|room\n007|x|1e3\n"))
    assert plain(document) == {"subject": {"name": "007"}, "sessions": [{"location": "x", "room": "1e3"}]}


def test_every_key_has_its_column() -> None:
    of_keys = {path.replace("[]", "").removeprefix("sessions.") for path, key in every_key() if not key.keys}
    of_keys = {path.replace("subject.name", "subject").removeprefix("subject.") for path in of_keys}
    of_groups = {path for path in of_keys if path.startswith("clustering.") and path in _GROUPS}
    assert columns().keys() >= of_keys - {"probe_association"} - of_groups
    assert {f"group.{path.removeprefix('clustering.')}" for path in of_groups} <= columns().keys()


_GROUPS = {"clustering.group_name", "clustering.sessions"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("location\nx", "row 1, column subject: the column is missing"),
        ("subject|lokation\n1|x", "row 1, column lokation: there is no such column; the nearest is location"),
        ("subject|room|room\n1|a|b", "row 1, column room: the column is there twice"),
        (
            "subject|location|experimenter|tasks.task_type\n1|x|a|\n\n|x|b|",
            "row 4, column experimenter: row 2, column experimenter says something else",
        ),
        (
            "subject|location|experimenter|tasks.task_type\n|x|a|",
            "row 2, column subject: it is empty, and no row above has one",
        ),
        (
            "subject|location|experimenter|tasks.task_type\n1||a|",
            "row 2, column location: it is empty, and no row above has one",
        ),
        ("subject|location|experimenter|tasks.task_type\n1|x|a||y", "row 2: it has more cells than the heading"),
        ("subject|location|tasks.task_type\n1|x|b", "row 2: the key is missing"),
        (
            "subject|location|experimenter|tasks.task_type|tasks.task_start\n1|x|a|b|08:30",
            "row 2, column"
            " tasks.task_start: 08:30 is no time in seconds from the start of the session, nor yes to inherit it",
        ),
        (
            "subject|probe_association.a|location|experimenter|tasks.task_type\n1|i|x|a|\n|j|x|a|",
            "row 3, column probe_association.a: row 2, column probe_association.a says something else",
        ),
        ("", "row 1, column subject: the column is missing"),
    ],
)
def test_what_is_wrong_is_told_with_row_and_column(text: str, told: str) -> None:
    assert told.partition(": ")[2] in [one.partition(": ")[2] for one in said(text)]
    assert said(text)[0].startswith(told.partition(":")[0])
