"""Logs are read and extended as git-annex would."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets.annex.hashdirs import log_path
from engram.datasets.annex.logs import (
    DEAD_REPOSITORY,
    TRUSTED,
    holders,
    merged,
    named_values,
    newest_value,
    trust_levels,
    union,
    values_by_uuid,
    with_line,
    with_value,
)


@pytest.mark.parametrize(
    ("log", "uuids"),
    [
        (b"", ()),
        (b"1s 1 b\n2s 1 a\n", (b"a", b"b")),
        (b"1s 1 a\n2s 0 a\n", ()),
        (b"2s 0 a\n1s 1 a\n", ()),
        (b"2s X a\n1s 1 a\n", ()),
        (b"1598041553.553506492s 0 a\n1598041553.5535065s 1 a\n", (b"a",)),
        (b"1.5s 1 a\n1.50s 0 a\n", (b"a",)),
        (b"1s 0 a\n1s 1 a\n", ()),
        (b"1 1 a\r\n\r\n", (b"a",)),
        (b"nonsense\n1s 2 a\n1s 1 b\n", (b"b",)),
    ],
)
def test_the_newest_line_says_who_holds_a_content(log: bytes, uuids: tuple[bytes, ...]) -> None:
    assert holders(log) == uuids


def test_a_first_line_is_all_there_is() -> None:
    assert with_line(b"", b"a", True, 17) == b"17s 1 a\n"


def test_what_a_log_says_already_is_not_said_again() -> None:
    log = b"1.5s 1 a\n3s 0 b\n"
    assert with_line(log, b"a", True, 17) == log
    assert with_line(log, b"b", False, 17) == log


def test_a_new_line_replaces_the_old_one_and_is_never_older() -> None:
    assert with_line(b"20.9s 0 a\n", b"a", True, 17) == b"21s 1 a\n"
    assert with_line(b"1s 0 a\n2s 1 a\n1s 1 b\n", b"a", False, 17) == b"17s 0 a\n1s 1 b\n"


def test_lines_that_nobody_understands_are_kept() -> None:
    assert with_line(b"later: format 2\n1s 0 a\n", b"a", True, 17) == b"17s 1 a\nlater: format 2\n"
    assert merged([b"what\n", b"1s 1 a\n"]) == b"1s 1 a\nwhat\n"


def test_a_merge_of_lines_with_one_time_keeps_the_one_that_promises_least() -> None:
    assert merged([b"1s 1 a\n", b"1s 0 a\n"]) == merged([b"1s 0 a\n", b"1s 1 a\n"]) == b"1s 0 a\n"


def test_a_union_keeps_every_line_once() -> None:
    assert union([b"1s 1 a\n2s 1 b\n", b"2s 1 b\n3s 1 c"]) == b"1s 1 a\n2s 1 b\n3s 1 c\n"


def test_a_log_of_one_value_has_the_newest() -> None:
    assert newest_value(b"1.5s 2\n7s 3\n3s 4\n") == b"3"
    assert newest_value(b"nonsense\n") is None


def test_values_are_named_in_config_log_and_unset_by_an_empty_one() -> None:
    log = b"1s annex.largefiles anything\n2s annex.largefiles (include=*.bin) or nothing\n1s a.b c\n2s a.b \n"
    assert named_values(log) == {"annex.largefiles": "(include=*.bin) or nothing"}


def test_values_belong_to_repositories() -> None:
    log = b"u1 old name timestamp=1s\nu1 new name timestamp=2.5s\nu2 never dated\nu3 timestamp=1s\nu4\n"
    assert values_by_uuid(log) == {b"u1": b"new name", b"u2": b"never dated", b"u3": b"", b"u4": b""}


def test_trust_is_read_and_unknown_levels_are_not() -> None:
    log = b"u1 1 timestamp=1s\nu2 X timestamp=1s\nu3 maybe timestamp=1s\n"
    assert trust_levels(log) == {b"u1": TRUSTED, b"u2": DEAD_REPOSITORY}


def test_a_value_is_replaced_by_a_newer_one() -> None:
    assert with_value(b"u1 a timestamp=5.5s\nu2 b timestamp=1s\n", b"u1", b"c", 3) == (
        b"u2 b timestamp=1s\nu1 c timestamp=6s\n"
    )
    assert with_value(b"u1 a timestamp=5s\n", b"u1", b"a", 9) == b"u1 a timestamp=5s\n"


def test_git_annex_reads_the_same_holders(annex: Path, ask: Callable[..., bytes]) -> None:
    chance = random.Random(3)
    journal = annex / ".git" / "annex" / "journal"
    logs = {}
    for number in range(60):
        times = [f"{chance.randint(1, 3)}{chance.choice(['s', '.5s', '.50s', '.25s', ''])}" for _ in range(6)]
        lines = [f"{time} {chance.choice('110X2')} {chance.choice('abc')}" for time in times]
        log = chance.choice(["\n", "\r\n"]).join([*lines, ""]).encode()
        key = b"MD5-s1--%d" % number
        logs[key] = log
        (journal / log_path(key).decode().replace("_", "__").replace("/", "_")).write_bytes(log)
    keys = b"".join(key + b"\n" for key in logs)
    said = ask(annex, "whereis", "--json", "--batch-keys", said=keys, ok=(0, 1)).splitlines()
    found = {
        line["key"].encode(): sorted(place["uuid"].encode() for place in line["whereis"])
        for line in map(json.loads, said)
    }
    assert found == {key: list(holders(log)) for key, log in logs.items()}
