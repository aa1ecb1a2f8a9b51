"""Whole screens of sessions in the catalogue: chosen, shown, found, and what became of them."""

from pathlib import Path

import pytest

from tests.cli.conftest import Engram
from tests.cli.labs import IMAGING, NPX, ingested, rows_of, write_rows
from tests.cli.test_reference import valid

pytestmark = pytest.mark.integration


@pytest.fixture
def lab(engram: Engram, tmp_path: Path) -> Path:
    """Of one of its two sessions a person has told who recorded it, for what, and of one task where."""
    ingested(engram, tmp_path)
    engram("sessions", "missing", "-o", "missing.csv")
    rows = rows_of(tmp_path / "missing.csv")[:3]
    for row, value in zip(rows, ("bob", "grid cells", "open_field_1"), strict=True):
        row |= {"value": value, "confirmed": "yes"}
    rows[2]["arena"] = "square"
    write_rows(tmp_path / "missing.csv", rows)
    assert engram("sessions", "annotate", "--add-names", "missing.csv").code == 0
    return tmp_path


def listed(engram: Engram, *words: str) -> list[str]:
    shown = engram("--json", "sessions", "list", *words)
    assert shown.code == 0, shown.err
    return [record["id"] for record in shown.records]


def test_all_sessions_are_listed_a_line_each(engram: Engram, lab: Path) -> None:
    first, second = engram("sessions", "list").out.splitlines()
    assert first.startswith(f"{NPX}: 3 probes, ")
    assert "3 tasks; by bob; for grid cells; findings: " in first
    assert second.startswith(f"{IMAGING}: ")


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["--subject", "12347"], [NPX]),
        (["--subject", "12347", "--subject", "23457"], [NPX, IMAGING]),
        (["--since", "2020-01-02"], [IMAGING]),
        (["--until", "2020-01-01"], [NPX]),
        (["--kind", "imaging"], [IMAGING]),
        (["--kind", "imaging", "--subject", "12347"], []),
        (["--share", "recordings"], [NPX, IMAGING]),
        (["--share", "other"], []),
        (["--group", "x"], []),
        (["--finding", "misnamed"], [IMAGING]),
        (["--where", "arena = square and experimenter in (ada, bob)"], [NPX]),
        (["--where", "project ~ GRID"], [NPX]),
        (["--where", "project != 'grid cells' and date > 2020"], [IMAGING]),
        (["--where", "recordings >= 1", "--subject", "23457"], [IMAGING]),
    ],
)
def test_every_filter_chooses(engram: Engram, lab: Path, words: list[str], chosen: list[str]) -> None:
    assert listed(engram, *words) == chosen


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--where", "projekt = x"], "There is no field projekt; the nearest is project."),
        (["--where", "started > 2020"], "The fields are id, subject, date, "),
        (["--kind", "probe"], "The kinds are neuropixels-ap, neuropixels-lf, "),
        (["--finding", "x"], "What findings there are: engram help findings"),
        (["--kind", "imagin"], "There is no kind imagin; the nearest is imaging."),
        (["--subject", "nobody"], "The catalogue knows no subject nobody."),
        (["--since", "noon"], "'noon' is no day"),
    ],
)
def test_what_cannot_be_chosen_by_is_refused(engram: Engram, lab: Path, words: list[str], said: str) -> None:
    shown = engram("sessions", "list", *words)
    assert shown.code == 2
    assert said in shown.err


def test_a_session_is_shown_with_everything_that_is_said_of_it(engram: Engram, lab: Path) -> None:
    lines = engram("sessions", "show", NPX).out.splitlines()
    assert lines[:6] == [
        NPX,
        "  subject: 12347",
        "  started: 2020-01-01 10:00:30",
        "  folder: recordings:12347/2020-01-01_10-00-30",
        "  experimenters: bob",
        "  projects: grid cells",
    ]
    assert "    12347/2020-01-01_10-00-30/probe_1/npx.imec.ap.bin" in lines
    assert "  task open_field_1: from 30 s to 1587 s, RUNNING, in square, confirmed" in lines
    assert "  task sleep_1: from 1587 s, SLEEP, inferred" in lines


def test_a_session_that_is_not_there_is_told(engram: Engram, lab: Path) -> None:
    for words in (("show", "x"), ("history", "x")):
        shown = engram("sessions", *words)
        assert shown.code == 2
        assert "The catalogue knows no session x." in shown.err


def test_a_text_is_found_wherever_it_stands(engram: Engram, lab: Path) -> None:
    assert engram("sessions", "find", "GRID").out == f"{NPX}: project grid cells\n"
    assert f"{NPX}: task sleep_1\n" in engram("sessions", "find", "sleep").out
    assert f"{NPX}: file 12347/2020-01-01_10-00-30/sync_all.mat\n" in engram("sessions", "find", "sync_all").out
    assert engram("sessions", "find", "100%").out == ""


def test_the_history_tells_who_changed_what_from_where_and_what_it_was(engram: Engram, lab: Path) -> None:
    rows = rows_of(lab / "missing.csv")
    rows[0]["value"] = "ada"
    write_rows(lab / "missing.csv", rows)
    engram("sessions", "annotate", "missing.csv")
    engram("sessions", "group", "cohort 3", NPX)
    lines = engram("sessions", "history", NPX).out.splitlines()
    heads = [line.rpartition(": ")[2] for line in lines if not line.startswith(" ")]
    assert heads == ["sessions ingest", "sessions annotate", "sessions annotate", "sessions group"]
    assert any(line.startswith("  from ") and "plan.json (sha256 " in line for line in lines)
    assert any(line.startswith("  from ") and "missing.csv (sha256 " in line for line in lines)
    for line in (
        f"  session {NPX} added",
        "  task open_field_1 added",
        "  11 files added",
        "  task open_field_1 corrected, stop s: nothing → 1587.0, standing: inferred → confirmed,"
        " arena: nothing → square",
        "  experimenter bob added",
        "  experimenter bob removed",
        "  experimenter ada added",
        "  group cohort 3 added",
    ):
        assert line in lines


@pytest.mark.parametrize("words", [("list",), ("show", NPX), ("find", "open"), ("history", NPX)])
def test_every_line_is_valid(engram: Engram, lab: Path, words: tuple[str, ...]) -> None:
    valid(engram("--json", "sessions", *words))
