"""What `engram sessions template` shows and saves."""

from pathlib import Path

import jsonschema
import pytest

from engram.cli.schemas import schemas
from engram.workspace.lab_file import read_lab
from tests.cli.conftest import Engram


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    for folder in ("12347/2020-01-01_10-00-30", "12347/20200102", "23457/08252019", "23457/09092019"):
        (tmp_path / "share" / folder).mkdir(parents=True)
    (tmp_path / "lab").mkdir()
    lines = '[shares.raw] # ours\nroot = "../share"\nalso_known_as = "N:/raw"\n'
    (tmp_path / "lab" / "engram.toml").write_text(lines)
    return tmp_path


def test_it_shows_what_would_match_and_what_nearly_does(engram: Engram, lab: Path) -> None:
    shown = engram("--lab", "lab", "sessions", "template", "raw", "12347/20200102")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        "{subject}/{session:%Y%m%d}",
        "  matches 1 folder:",
        "    12347/20200102: 12347, 2020-01-02",
        "  does not match 3 folders equally deep:",
        "    23457/08252019: '08252019' is no date in the form %Y%m%d",
        "    23457/09092019: '09092019' is no date in the form %Y%m%d",
        "    12347/2020-01-01_10-00-30: it does not look like {subject}/{session:%Y%m%d}",
        "To use it, add: --save",
    ]


def test_what_is_saved_comes_first_and_the_usual_ones_that_fit_stay(engram: Engram, lab: Path) -> None:
    shown = engram("--lab", "lab", "sessions", "template", "raw", "N:\\raw\\23457\\08252019", "--save")
    assert (shown.code, shown.out.splitlines()[-1]) == (
        0,
        "add(ok): template {subject}/{session:%m%d%Y} [to share raw]",
    )
    assert read_lab(str(lab / "lab" / "engram.toml")).shares[0].template == (
        "{subject}/{session:%m%d%Y}",
        "{subject}/{session:%Y-%m-%d_%H-%M-%S}",
        "{subject}/{session:%Y%m%d}[_{ident}]",
    )
    assert "[shares.raw] # ours" in (lab / "lab" / "engram.toml").read_text()


def test_a_dry_run_saves_nothing(engram: Engram, lab: Path) -> None:
    before = (lab / "lab" / "engram.toml").read_text()
    shown = engram("--lab", "lab", "sessions", "template", "raw", "23457/08252019", "--save", "--dry-run")
    assert shown.code == 0
    assert "would add: template {subject}/{session:%m%d%Y} [to share raw]" in shown.out
    assert (lab / "lab" / "engram.toml").read_text() == before


def test_what_only_the_lab_knows_is_not_saved(engram: Engram, lab: Path) -> None:
    before = (lab / "lab" / "engram.toml").read_text()
    shown = engram("--lab", "lab", "sessions", "template", "raw", str(lab / "share/23457/09092019"), "--save")
    assert shown.code == 2
    assert "2 templates read these examples" in shown.err
    assert (lab / "lab" / "engram.toml").read_text() == before
    asked = engram("--lab", "lab", "sessions", "template", "raw", "23457/09092019")
    assert asked.out.splitlines()[-1].startswith("Only the lab knows which is right")


def test_records_follow_their_schema(engram: Engram, lab: Path) -> None:
    for record in engram("--lab", "lab", "--json", "sessions", "template", "raw", "23457/09092019").records:
        jsonschema.validate(record, schemas()["template"])


@pytest.mark.parametrize("words", [("raw", "/elsewhere/a/20200101"), ("raw", "x"), ("none", "a/20200101"), ("raw",)])
def test_what_makes_no_sense_is_refused(engram: Engram, lab: Path, words: tuple[str, ...]) -> None:
    assert engram("--lab", "lab", "sessions", "template", *words).code == 2
