"""Conditions on sessions: read, applied, and refused with what is nearest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.model.errors import UsageError
from engram.sessions.where import FIELDS, Term, read_terms

VALUES = {
    **dict.fromkeys(FIELDS, ()),
    "subject": ("12347",),
    "date": ("2020-01-15",),
    "kind": ("video", "neuropixels-ap"),
    "recordings": ("12",),
    "project": ("Grid cells",),
}


def holds(text: str) -> bool:
    return all(term.holds(VALUES) for term in read_terms(text))


@pytest.mark.parametrize(
    "text",
    [
        "subject = 12347",
        "subject=12347 and kind=video",
        "subject != 99 AND kind in (video, imaging)",
        "date = 2020",
        "date = 2020-01",
        "date >= 2020-01-15 and date <= 2020-01-15",
        "date <= 2020 and date < 2021",
        "date ~ -15",
        "recordings > 9",
        "recordings = 012",
        "project ~ 'grid CELLS'",
        'project = "Grid cells"',
        "group != pilot",
    ],
)
def test_what_is_true_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    ["subject = 1234", "subject != 12347", "kind != video", "date > 2020", "recordings < 9", "group = x", "room ~ 2"],
)
def test_what_is_not_true_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "It ends where the name of a field is expected"),
        ("subjekt = 1", "There is no field subjekt; the nearest is subject"),
        ("kind = vidoe", "There is no kind vidoe; the nearest is video"),
        ("finding in (trunkated)", "There is no finding trunkated; the nearest is truncated"),
        ("subject 12347", "After subject comes =, !=, <, <=, >, >=, ~ or in, and not 12347"),
        ("subject =", "It ends where a value is expected"),
        ("subject = = x", "= stands where a value is expected"),
        ("project = grid cells", "cells stands where and is expected"),
        ("subject = 12347 or kind = video", "or stands where and is expected"),
        ("kind in video", r"video stands where \( is expected"),
        ("kind in (video", "It ends where , or"),
        ("kind in (video imaging)", "imaging stands where , or"),
        ("date = yesterday", "yesterday is no day"),
        ("recordings > many", "many is no number of recordings"),
        ("subject = 'x", "This cannot be read: 'x"),
        ("x" * 10_001, "That is too long"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_nearest(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_terms(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert read_terms(text)
    except UsageError:
        return


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["subject", "project", "folder"]),
            st.sampled_from(["=", "!=", "<", "~"]),
            st.text("ab c=(),<", min_size=0),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_terms_are_read_back(terms: list[tuple[str, str, str]]) -> None:
    text = " and ".join(f'{field} {sign} "{value}"' for field, sign, value in terms)
    assert read_terms(text) == tuple(Term(field, sign, (value,)) for field, sign, value in terms)
