"""Which refs a refspec chooses."""

import pytest

from engram.datasets.auditing.drop_unused import numbers_meant
from engram.datasets.auditing.used_keys import chosen, parse_refspec
from engram.model.errors import UsageError

REFS = [b"refs/heads/main", b"refs/heads/old", b"refs/tags/t1", b"refs/remotes/origin/main"]


@pytest.mark.parametrize(
    ("refspec", "left"),
    [
        ("+*", REFS),
        ("+refs/heads/*", REFS[:2]),
        ("+refs/heads/*:-refs/heads/o?d", REFS[:1]),
        ("-refs/heads/*:+refs/heads/main", [b"refs/heads/main"]),
        ("+HEAD^:+v1.0", [b"HEAD^", b"v1.0"]),
        ("reflog", []),
        ("+*:-*", []),
    ],
)
def test_parts_add_and_take_away_in_their_order(refspec: str, left: list[bytes]) -> None:
    assert chosen(parse_refspec(refspec), REFS) == left


@pytest.mark.parametrize("refspec", ["", "refs/heads/*", "+", "-", "+refs/heads/*:", "+-x", "+[", "+a\\b"])
def test_what_is_no_refspec_is_refused_with_its_reason(refspec: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_refspec(refspec)
    assert refused.value.next_step


@pytest.mark.parametrize(
    ("said", "meant"), [("2", [2]), ("1-3", [1, 2, 3]), ("all", [1, 2, 3, 7]), ("7-7", [7]), ("3-1", [])]
)
def test_numbers_and_ranges_mean_what_is_listed(said: str, meant: list[int]) -> None:
    assert numbers_meant(said, [7, 1, 2, 3]) == meant


@pytest.mark.parametrize("said", ["x", "1-", "-3", "", "1-9", "4", "1.5", "²", "9999999999", "1-2-3"])
def test_what_is_no_number_of_the_list_is_refused(said: str) -> None:
    with pytest.raises(UsageError):
        numbers_meant(said, [7, 1, 2, 3])
