"""Plain lines that rigs write."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.model.errors import Malformed
from engram.sessions.reading.lines import flat_yaml, integer, matlab_time, pairs, parsed_json, positive

lines = st.lists(
    st.one_of(
        st.from_regex(r"[a-z]{1,4}=[a-z=~ ]{0,6}", fullmatch=True),
        st.from_regex(r"~[a-z]{1,4}=[a-z()]{0,6}", fullmatch=True),
        st.sampled_from(["", "~", "=", "no pair", "a~b=c"]),
    )
)


@given(lines, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_pairs_are_what_every_line_says_but_the_tables(text: list[str], end: str, ends: bool) -> None:
    expected = {}
    for line in text:
        if not line.startswith("~") and "=" in line:
            expected[line.partition("=")[0]] = line.partition("=")[2]
    assert pairs((end.join(text) + (end if ends else "")).encode()) == expected


@pytest.mark.parametrize("text", ["", "1.5", "-1", "x", "9" * 19, "١"])
def test_what_is_no_whole_number_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="n is no whole number"):
        integer({"n": text}, "n", "x.meta")


@pytest.mark.parametrize("text", ["", "nan", "inf", "-1", "0", "1e300", "x"])
def test_what_is_no_positive_number_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        positive({"n": text}, "n", "x.meta")


def test_what_is_not_said_is_no_number() -> None:
    assert integer({}, "n", "x") is None
    assert positive({}, "n", "x") is None


def test_matlab_writes_months_in_english_whatever_the_locale() -> None:
    assert matlab_time("01-Dec-2020 9:05:07") == datetime.fromisoformat("2020-12-01T09:05:07")
    assert [matlab_time(text) for text in ("31-Feb-2020 00:00:00", "1-Abc-2020 00:00:00", "2020-01-01")] == [None] * 3


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"[" * 100_000, b"\xff", b"1"])
def test_what_is_no_json_object_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        parsed_json(data, "x.json")


def test_yaml_gives_texts_and_never_more_than_it_holds() -> None:
    text = b"""
%YAML 1.1
---
# a comment
Task: "open: field"   # with a comment
date: Jun30
id: 102_1
flag: yes
empty:
alias: *other
anchor: &other [1, 2]
parts:
  - nose
  - 'tail base'
  - {a: b}
nested:
  Task: inner
  deeper:
    - 3
last: 1e5
"""
    assert flat_yaml(text) == {
        "Task": "open: field",
        "date": "Jun30",
        "id": "102_1",
        "flag": "yes",
        "parts": ("nose", "tail base"),
        "last": "1e5",
    }
