"""What `engram share …` shows and does."""

import os
from pathlib import Path

import pytest

from engram.cli.schemas import schemas
from engram.workspace.lab_file import read_lab
from tests.cli.conftest import Engram


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    (tmp_path / "engram.toml").write_text("# ours\n[lab]\nname = 'Ours' # indeed\n")
    (tmp_path / "share" / "s" / "20200101").mkdir(parents=True)
    return tmp_path


def test_a_share_is_added_listed_shown_and_removed(engram: Engram, lab: Path) -> None:
    added = engram(
        *("share", "add", "raw", "share", "--template", "{subject}/{session:%Y%m%d}", "--also-known-as", "N:/raw"),
        *("--also-known-as", "N:\\raw", "--timezone", "Europe/Oslo", "--exclude", "**/logs/**"),
    )
    assert (added.code, added.out) == (0, f"add(ok): share raw [{lab}/share]\n")
    assert (lab / "engram.toml").read_text().startswith("# ours\n[lab]\nname = 'Ours' # indeed\n")
    (share,) = read_lab(str(lab / "engram.toml")).shares
    assert (share.also_known_as, share.exclude) == (("N:/raw", "N:\\raw"), ("**/logs/**",))
    assert engram("share", "list").out == f"raw: {lab}/share\n"
    assert engram("share", "show", "raw").out.splitlines() == [
        f"raw: {lab}/share",
        "  also known as:",
        "    N:/raw",
        "    N:\\raw",
        "  left out: **/logs/**",
        "  time zone: Europe/Oslo",
        "  templates: {subject}/{session:%Y%m%d}",
    ]
    removed = engram("share", "remove", "raw")
    assert (removed.code, removed.out) == (0, "remove(ok): share raw [nothing on it was touched]\n")
    assert engram("share", "list").out == ""


def test_a_dry_run_changes_nothing(engram: Engram, lab: Path) -> None:
    before = (lab / "engram.toml").read_text()
    shown = engram("share", "add", "raw", "share", "--dry-run")
    assert shown.out.splitlines()[0] == f"would add: share raw [{lab}/share, into {lab}/engram.toml]"
    assert (lab / "engram.toml").read_text() == before
    engram("share", "add", "raw", "share")
    before = (lab / "engram.toml").read_text()
    assert engram("share", "remove", "raw", "--dry-run").code == 0
    assert (lab / "engram.toml").read_text() == before


def test_records_follow_their_schema(engram: Engram, lab: Path) -> None:
    import jsonschema

    engram("share", "add", "raw", "share")
    for words in (("share", "list"), ("share", "show", "raw"), ("share", "add", "x", "s", "--dry-run")):
        for record in engram("--json", *words).records:
            jsonschema.validate(record, schemas()[record["record"]])


def test_a_share_that_is_not_there_is_marked(engram: Engram, lab: Path) -> None:
    engram("share", "add", "raw", "share")
    (lab / "share").rename(lab / "gone")
    assert engram("share", "list").out == f"raw: {lab}/share (not readable here: No such file or directory)\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("raw", "nowhere"), "nowhere: No such file or directory"),
        (("raw", "engram.toml"), "engram.toml: Not a directory"),
        (("a b", "share"), "cannot be the name of a share"),
        (("raw", "."), "The lab itself lies on that share"),
        (("raw", "share", "--template", "{subjcet}"), "there is no field {subjcet}"),
        (("raw", "share", "--template", "{subject}"), "it tells no time"),
        (("raw", "share", "--timezone", "Mars/Olympus"), "is not a time zone"),
        (("other", "share"), "hold each other"),
        (("inner", "share/s"), "hold each other"),
        (("first", "elsewhere"), "has a share first already"),
    ],
)
def test_what_makes_no_sense_is_refused(engram: Engram, lab: Path, words: tuple[str, ...], problem: str) -> None:
    (lab / "elsewhere").mkdir()
    if problem in ("hold each other", "has a share first already"):
        engram("share", "add", "first", "share")
    before = (lab / "engram.toml").read_text()
    shown = engram("share", "add", *words)
    assert shown.code == 2
    assert problem in shown.err
    assert (lab / "engram.toml").read_text() == before


def test_without_a_lab_it_is_said_how_to_make_one(engram: Engram) -> None:
    shown = engram("share", "list")
    assert shown.code == 2
    assert "engram lab create" in shown.err


def test_an_unknown_share_is_refused(engram: Engram, lab: Path) -> None:
    for verb in ("show", "remove"):
        assert engram("share", verb, "raw").code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="not on this machine: root reads everything")
def test_the_first_folder_that_cannot_be_read_is_named(engram: Engram, lab: Path) -> None:
    (lab / "share" / "s").chmod(0)
    try:
        shown = engram("share", "add", "raw", "share")
    finally:
        (lab / "share" / "s").chmod(0o755)
    assert shown.code == 2
    assert f"cannot read {lab}/share/s: Permission denied" in shown.err
