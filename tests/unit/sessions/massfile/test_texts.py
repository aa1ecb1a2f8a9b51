"""Mass files as text: what they hold stays as it is written, and what is hostile is refused with its line."""

from pathlib import Path

import pytest

from engram.sessions.massfile.nodes import DEEPEST, LARGEST_BYTES, MOST_NODES, Listed, Mapped, Node, Text
from engram.sessions.massfile.texts import read_text

SAMPLES = Path(__file__).parents[3] / "data/rig/kavli_mass_ingest"


def plain(node: Node) -> object:
    """A node without its places."""
    if isinstance(node, Mapped):
        return {key.text: plain(value) for key, value in node.entries}
    return [plain(one) for one in node.items] if isinstance(node, Listed) else node.text


def yaml(text: str) -> object:
    (document,), problems = read_text(text.encode(), is_json=False)
    assert not problems
    return plain(document)


def refused(text: str | bytes, *, is_json: bool = False) -> tuple[str, str]:
    data = text.encode() if isinstance(text, str) else text
    documents, (problem,) = read_text(data, is_json=is_json)
    assert documents == []
    return str(problem.where), problem.message


@pytest.mark.parametrize(
    "written",
    [
        *("102_1", "1e3", "08:30", "08:30:00", "no", "Yes", "up", "0x1F", "0o17", "017", "2023-01-02", "1_000"),
        *(".5", ".inf", "f4fab316a8743038", "12e03", "+1", "<<", "=", "2.50", "NaN", "TRUE"),
    ],
)
def test_nothing_is_made_of_what_stands_there(written: str) -> None:
    assert yaml(f"room: {written}\nlist: [{written}]") == {"room": written, "list": [written]}
    assert yaml(f'room: "{written}"') == {"room": written}


def test_quotes_are_known() -> None:
    (document,), _ = read_text(b"a: yes\nb: 'yes'\nc: \"yes\"\nd: |\n  yes\n", is_json=False)
    assert isinstance(document, Mapped)
    assert [value.quoted for _, value in document.entries if isinstance(value, Text)] == [False, True, True, True]


@pytest.mark.parametrize("nothing", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_nothing(nothing: str) -> None:
    assert yaml(f"room: {nothing}") == {"room": ""}
    assert yaml("room: 'null'") == {"room": "null"}


def test_the_labs_own_files_say_the_same_in_both_languages() -> None:
    found = []
    for name in ("mass_ingest_example.yml", "mass_ingest_example.json"):
        (document,), problems = read_text((SAMPLES / name).read_bytes(), is_json=name.endswith("json"))
        assert problems == []
        found.append(plain(document))
    # Where one file writes yes or true, the other has a truth of JSON's, or text.
    assert str(found[0]).replace("'yes'", "'true'") == str(found[1]).replace("'yes'", "'true'")


def test_each_value_knows_its_line() -> None:
    (document,), _ = read_text(b"# a remark\nsubject:\n  name: 102\nsessions:\n- location: x\n", is_json=False)
    assert isinstance(document, Mapped)
    (_, subject), (key, sessions) = document.entries
    assert (subject.where.number, key.where.number, sessions.where.number) == (3, 4, 5)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in ("ab", "bc", "cd", "de", "ef", "fg", "gh", "hi")
)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (BOMB, "line 1", "&a is an anchor"),
        ("a: *b", "line 1", "*b is an alias"),
        ("x: 1\nbase: &base {room: 1}\nsub:\n  <<: *base\n", "line 2", "&base is an anchor"),
        ("a: !!python/object/apply:os.system ['true']", "line 1", "the tag tag:yaml.org,2002:python/object/apply"),
        ("a: !!str 102_1", "line 1", "the tag tag:yaml.org,2002:str is not read: put text into quotes"),
        ("a: !x y", "line 1", "the tag !x"),
        ("a: [1, 2", "line", "it is no YAML"),
        ("a: 1\n\tb: 2", "line 2", "it is no YAML"),
        ("a: b: c", "line 1", "it is no YAML"),
        ("? [a, b]\n: 1", "line 1", "a key is a list or a mapping"),
        ("[" * 50, "line 1", f"it is deeper than {DEEPEST} levels"),
        ("{a: " * 50_000, "line 1", f"it is deeper than {DEEPEST} levels"),
        ("- " * 10_000 + "a", "line 1", f"it is deeper than {DEEPEST} levels"),
        ("a: \x07", "", "it is no YAML"),
        (b"a: \xff", "line 1", "its byte 3 is not UTF-8"),
        (b"\xff\xfea\x00", "line 1", "its byte 0 is not UTF-8"),
        ('a: "\\ud800"', "", "it is no YAML"),
    ],
)
def test_hostile_yaml_is_refused_with_its_line(text: str | bytes, where: str, message: str) -> None:
    found, said = refused(text)
    assert said.startswith(message)
    assert found.startswith(where)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ('{"a": 1,\n "b": }', "line 2", "it is no JSON: expecting value"),
        ("", "line 1", "it is no JSON"),
        ('{"a": NaN}', "", "NaN is no value of JSON"),
        ("[" * 100_000, "", "it is deeper than"),
        ("[" * 20 + "]" * 20, "", "it is deeper than"),
        (b'{"a": "\xff"}', "line 1", "its byte 7 is not UTF-8"),
    ],
)
def test_hostile_json_is_refused(text: str | bytes, where: str, message: str) -> None:
    found, said = refused(text, is_json=True)
    assert said.startswith(message)
    assert found == where


def test_everything_in_json_has_its_line() -> None:
    text = b'{"a": [1,\n -2.5e3, true],\n\n"b\\"\\n{[": {\n"c": null, "d": "x,\\u007b"}\n}'
    (document,), _ = read_text(text, is_json=True)
    assert isinstance(document, Mapped)
    assert [(name.text, name.where.number, value.where.number) for name, value in document.entries] == [
        ("a", 1, 1),
        ('b"\n{[', 4, 4),
    ]
    (_, numbers), (_, inner) = document.entries
    assert isinstance(numbers, Listed)
    assert [one.where.number for one in numbers.items] == [1, 2, 2]
    assert isinstance(inner, Mapped)
    assert [(name.text, value.where.number) for name, value in inner.entries] == [("c", 5), ("d", 5)]


def test_a_file_that_holds_too_much_is_refused() -> None:
    many = b"[" + b"1," * MOST_NODES + b"1]"
    assert refused(many, is_json=True)[1] == f"it holds more than {MOST_NODES} values"
    assert refused(b"a" * (LARGEST_BYTES + 1))[1] == "it is larger than 16 MiB"


def test_a_number_of_json_stays_as_it_is_written() -> None:
    (document,), _ = read_text(b'{"room": 2.50, "name": 102, "big": 1e400, "no": null, "yes": true}', is_json=True)
    assert plain(document) == {"room": "2.50", "name": "102", "big": "1e400", "no": "", "yes": "true"}


def test_a_mark_at_the_beginning_is_passed_over() -> None:
    assert yaml("\ufeffroom: 1") == {"room": "1"}
