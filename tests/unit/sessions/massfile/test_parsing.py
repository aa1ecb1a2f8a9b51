"""A mass file is read strictly: keys, kinds of values, what is inherited; all that is wrong is told, with its place."""

from datetime import datetime
from pathlib import Path

import pytest

from engram.sessions.massfile.keys import every_key
from engram.sessions.massfile.nodes import Problem
from engram.sessions.massfile.parsing import Entry, read_entries
from engram.sessions.massfile.texts import read_text

SAMPLES = Path(__file__).parents[3] / "data/rig/kavli_mass_ingest"
SESSION = "subject: {name: 1}\nsessions:\n- {location: x, experimenter: ada, tasks: [], MORE}\n"


def read(text: str, *, is_json: bool = False) -> tuple[list[Entry], list[Problem]]:
    documents, problems = read_text(text.encode(), is_json=is_json)
    assert problems == []
    return read_entries(documents)


def session(more: str) -> Entry:
    (root,), problems = read(SESSION.replace("MORE", more))
    assert problems == []
    (entry,) = root.entries("sessions")
    return entry


def said(text: str) -> list[tuple[str, str]]:
    return [(problem.place, problem.message) for problem in read(text)[1]]


@pytest.mark.parametrize("name", ["mass_ingest_example.yml", "mass_ingest_example.json"])
def test_the_labs_own_files_are_read_unchanged(name: str) -> None:
    documents, _ = read_text((SAMPLES / name).read_bytes(), is_json=name.endswith("json"))
    (root,), problems = read_entries(documents)
    assert problems == []
    first, second, third = root.entries("sessions")
    assert (first.text("room"), first.texts("project")) == ("2.345", ("my_super_project",))
    assert first.texts("experimenter") == ("user_1", "user_2")
    assert first.pairs("probe_association")[0] == ("probe_1", "npx_102_mec_e7b34ed0b86f")
    (task,) = first.entries("tasks")
    assert {"task_start", "task_stop"} <= task.inherited
    (curated,) = first.entries("clustering")
    assert curated.text("curator") == "user_1"
    assert curated.inherited == {"curation_time"}
    assert second.inherited == {"clustering"}
    assert third.truth("clustering", default=True) is False
    several, _ = root.entries("clustering")
    assert several.moment("curation_time") == datetime.fromisoformat("2023-04-17T10:11:12")
    assert several.texts("sessions")[0] == "2023-01-02 10:00:00"


def test_a_text_without_quotes_inherits_and_one_in_quotes_says_it() -> None:
    task = "tasks: [{task_type: no, task_start: TIME, notes: NOTES}]"

    def one(time: str, notes: str) -> Entry:
        (root,), problems = read(
            f"subject: {{name: 1}}\nsessions:\n- location: x\n  experimenter: yes\n"
            f"  {task.replace('TIME', time).replace('NOTES', notes)}"
        )
        assert problems == []
        (entry,) = root.entries("sessions")[0].entries("tasks")
        return entry

    assert one("yes", "yes").inherited == {"task_start", "notes"}
    assert one("'yes'", "'yes'").inherited == {"task_start"}  # as Kavli's JSON writes it
    assert one("1e1", "'yes'").text("notes") == "yes"
    assert (one("1e1", "x").number("task_start"), one("1", "x").text("task_type")) == (10.0, "no")


def test_traps_of_yaml_are_none() -> None:
    entry = session("room: 102_1, name: 08:30, project: [no, 1e3, 2023-01-02]")
    assert (entry.text("room"), entry.text("name")) == ("102_1", "08:30")
    assert entry.texts("project") == ("no", "1e3", "2023-01-02")


@pytest.mark.parametrize(
    ("more", "path", "message"),
    [
        ("rom: 1", "rom", "there is no such key; the nearest is room"),
        ("zzz: 1", "zzz", "there is no such key; there are location, experimenter, name"),
        ("room: 1, room: 2", "room", "the key is there twice"),
        ("room: ", "room", "it is empty: give it a value, or leave the key out"),
        ("room: ''", "room", "it is empty"),
        ("room: [1]", "room", "it must be a name"),
        ("notes: {a: b}", "notes", "it must be text"),
        (f"room: {'x' * 256}", "room", "it is longer than 255 characters"),
        ('room: "a\\nb"', "room", "it holds a character that no name has"),
        ('room: "a\\0b"', "room", "it holds a character that no name has"),
        ('notes: "a\\0b"', "notes", "it holds a character that no text has"),
        ("project: [a, [b]]", "project[1]", "it must be a name"),
        ("project: {a: b}", "project", "it must be a name"),
        ("clustering: maybe", "clustering", "it must be a list, or yes or no"),
        ("clustering: [yes]", "clustering[0]", "it must have keys: curator, curation_time"),
        ("clustering: [{curator: a}]", "clustering[0].location", "the key is missing"),
        ("probe_association: a", "probe_association", "it must be a mapping"),
        ("probe_association: {probe_1: }", "probe_association.probe_1", "it must be the name of an implant"),
        ("probe_association: {a: b, a: c}", "probe_association.a", "the key is there twice"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_key(more: str, path: str, message: str) -> None:
    ((place, told),) = said(SESSION.replace("MORE", more))
    assert place == f"line 3, sessions[0].{path}"
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("more", "path", "message"),
    [
        ("task_start: 08:30", "task_start", "08:30 is no time in seconds from the start of the session, nor yes"),
        ("task_start: no", "task_start", "no is no time in seconds"),
        ("task_start: -1", "task_start", "-1 is no time in seconds"),
        ("task_start: 1_000", "task_start", "1_000 is no time in seconds"),
        ("task_stop: nan", "task_stop", "nan is no time in seconds"),
        ("task_stop: 1e999", "task_stop", "1e999 is no time in seconds"),
        ("confirmed: perhaps", "confirmed", "perhaps is neither yes nor no"),
        ("objects: [{object_name: a, coord_x: one, coord_y: 2}]", "objects[0].coord_x", "one is no number"),
        ("objects: [{object_name: a, coord_x: 1}]", "objects[0].coord_y", "the key is missing"),
        ("objects: {object_name: a}", "objects", "it must be a list"),
        ("curtains: [{start_point: a, direction: b, cover: 3, coverage: 1}]", "curtains[0].cover", "there is no such"),
        ("cue_cards: [{object_name: a, card_name: b, coord_x: 1, coord_y: 1}]", "cue_cards[0].object_name", "there is"),
    ],
)
def test_what_is_wrong_in_a_task_is_told(more: str, path: str, message: str) -> None:
    text = f"subject: {{name: 1}}\nsessions:\n- {{location: x, experimenter: a, tasks: [{{task_type: b, {more}}}]}}"
    ((place, told),) = said(text)
    assert place == f"line 3, sessions[0].tasks[0].{path}"
    assert told.startswith(message)


@pytest.mark.parametrize("time", ["2023-02-30 10:00:00", "yesterday", "2023-04-05 10:00:00Z", "10:00:00", "1680000000"])
def test_a_time_is_a_day_and_a_time_of_day(time: str) -> None:
    group = f"curator: a, location: x, group_name: g, sessions: [a, b], curation_time: '{time}'"
    ((place, told),) = said(f"subject: {{name: 1}}\nclustering:\n- {{{group}}}")
    assert place == "line 3, clustering[0].curation_time"
    assert told == f"{time} is no time as 2020-01-31 10:00:30 by the lab's clock, nor yes"


def test_everything_is_told_at_once() -> None:
    text = "subjet: {name: 1}\nsessions:\n- location: x\n  tasks:\n  - task_start: soon\n  extra: 1\nclustering: 3\n"
    assert said(text) == [
        ("line 1, subjet", "there is no such key; the nearest is subject"),
        (
            "line 5, sessions[0].tasks[0].task_start",
            "soon is no time in seconds from the start of the session, nor yes to inherit it",
        ),
        ("line 5, sessions[0].tasks[0].task_type", "the key is missing"),
        (
            "line 6, sessions[0].extra",
            "there is no such key; there are location, experimenter, name, room, project,"
            " notes, probe_association, tasks, clustering",
        ),
        ("line 3, sessions[0].experimenter", "the key is missing"),
        ("line 7, clustering", "it must be a list"),
        ("line 1, subject", "the key is missing"),
    ]


@pytest.mark.parametrize("text", ["3", "[3]", "- a\n- b", "''", "~"])
def test_what_has_no_keys_is_no_mass_file(text: str) -> None:
    assert {message.partition(":")[0] for _, message in said(text)} == {"it must have keys"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]"])
def test_an_empty_file_says_so(text: str) -> None:
    assert said(text) == [("", "it is empty")]


@pytest.mark.parametrize(
    ("text", "is_json", "paths"),
    [
        ("subject: {name: 1}\n---\nsubject: {name: 2}\n", False, ["[0].subject", "[1].subject"]),
        ("- subject: {name: 1}\n- subject: {name: 2}\n", False, ["[0].subject", "[1].subject"]),
        ('[{"subject": {"name": 1}}, {"subject": {"name": 2}}]', True, ["[0].subject", "[1].subject"]),
    ],
)
def test_a_file_may_be_of_several_subjects(text: str, is_json: bool, paths: list[str]) -> None:
    roots, problems = read(text, is_json=is_json)
    assert problems == []
    assert [root.entries("subject")[0].text("name") for root in roots] == ["1", "2"]
    assert [root.entries("subject")[0].path for root in roots] == paths


def test_every_key_says_what_it_means() -> None:
    keys = dict(every_key())
    assert {"sessions[].tasks[].cue_cards[].card_name", "clustering[].group_name", "subject.name"} <= keys.keys()
    assert all(key.meaning.endswith(".") for key in keys.values())
