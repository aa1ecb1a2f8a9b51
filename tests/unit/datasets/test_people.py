"""Names, dates and messages of commits, as git has them."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram.datasets.git.config import GitConfig
from engram.datasets.people import clean_message, date_is_given, identity, subject_of
from engram.model.errors import NoIdentity, UsageError

NOW_S = 1_700_000_000.0
#: Without a dot, on which versions of git differ.
ENDS = st.text(st.sampled_from(" ,:;<>\"'\\"), max_size=4)
LETTERS = st.text(st.sampled_from("ab \t\n\r\f\v.,:;<>\"'\\é#"), max_size=24)


def git(*arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None) -> bytes:
    done = subprocess.run(
        ["git", *arguments], input=stdin, capture_output=True, check=True, env={**os.environ, **(environment or {})}
    )
    return done.stdout


def config_of(text: str) -> GitConfig:
    return GitConfig.from_bytes(text.encode(), "a test")


@settings(max_examples=60, deadline=None)
@given(LETTERS)
def test_a_message_is_cleaned_as_git_does_it(text: str) -> None:
    assert clean_message(text) == git("stripspace", stdin=text.encode())


@given(st.text())
def test_a_clean_message_stays_as_it_is(text: str) -> None:
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    once = clean_message(text)
    assert clean_message(once.decode()) == once


@given(st.text(st.sampled_from("ab \n"), max_size=30))
def test_a_subject_is_one_line(text: str) -> None:
    assert b"\n" not in subject_of(clean_message(text))


def test_a_message_that_is_not_utf_8_keeps_its_bytes() -> None:
    assert clean_message(os.fsdecode(b"caf\xe9")) == b"caf\xe9\n"


def test_a_message_that_no_commit_can_hold_is_refused() -> None:
    with pytest.raises(UsageError):
        clean_message("a\0b")


@settings(max_examples=40, deadline=None)
@given(ENDS, st.text(st.sampled_from("ab .,:;<>\"'\\é"), max_size=12), ENDS)
def test_a_name_is_cleaned_as_git_does_it(before: str, inside: str, behind: str) -> None:
    name = f"{before}a{inside}a{behind}"
    given = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": name, "GIT_AUTHOR_DATE": f"{int(NOW_S)} +0000"}
    expected = git("var", "GIT_AUTHOR_IDENT", environment=given).rstrip(b"\n")
    assert identity(config_of(""), given, "author", now_s=NOW_S) == expected


def test_a_name_keeps_its_dot() -> None:
    found = identity(config_of("[user]\nname=Sam Doe Jr.\nemail=sam@example.org"), {}, "author", now_s=NOW_S)
    assert found.startswith(b"Sam Doe Jr. <sam@example.org> ")


@pytest.mark.parametrize(
    ("settings_", "environment", "name"),
    [
        ("[user]\nname=U\nemail=u@x", {}, b"U <u@x>"),
        ("[user]\nname=U\nemail=u@x\n[author]\nname=A\nemail=a@x", {}, b"A <a@x>"),
        ("[user]\nname=U\nemail=u@x\n[committer]\nname=C\nemail=c@x", {}, b"U <u@x>"),
        ("[user]\nname=U\nemail=u@x", {"GIT_AUTHOR_NAME": "E", "GIT_COMMITTER_NAME": "F"}, b"E <u@x>"),
        ("[user]\nname=U", {"EMAIL": "e@x"}, b"U <e@x>"),
        ("[user]\nname=U\nemail=u@x", {"EMAIL": "e@x"}, b"U <u@x>"),
    ],
)
def test_the_nearest_identity_counts(settings_: str, environment: dict[str, str], name: bytes, tmp_path: Path) -> None:
    found = identity(config_of(settings_), environment, "author", now_s=NOW_S)
    assert found == name + b" 1700000000 +0000"
    (tmp_path / "config").write_text(settings_)
    said = {"GIT_CONFIG_GLOBAL": str(tmp_path / "config"), "GIT_AUTHOR_DATE": "1700000000 +0000", **environment}
    assert git("var", "GIT_AUTHOR_IDENT", environment=said).rstrip(b"\n") == found


@pytest.mark.parametrize(
    ("text", "missing"),
    [("", "user.name and user.email"), ("[user]\nname=U", "user.email"), ("[user]\nemail=u@x\nname=' '", "user.name")],
)
def test_whom_git_does_not_know_is_told_what_to_set(text: str, missing: str) -> None:
    with pytest.raises(NoIdentity) as refused:
        identity(config_of(text), {}, "committer", now_s=NOW_S)
    assert missing in refused.value.what


@pytest.mark.parametrize(
    ("zone", "written"), [("UTC", b"+0000"), ("Asia/Kathmandu", b"+0545"), ("America/St_Johns", b"-0330")]
)
def test_a_moment_carries_its_zone(zone: str, written: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        found = identity(config_of("[user]\nname=U\nemail=u@x"), {}, "author", now_s=NOW_S)
        assert found.endswith(b" 1700000000 " + written)
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()


def test_a_date_that_is_given_is_left_to_git() -> None:
    assert date_is_given({"GIT_AUTHOR_DATE": "yesterday"})
    assert not date_is_given({"GIT_AUTHOR_DATE": ""})
