"""Whole screens of asking people what no machine can know, and of taking their answers."""

from datetime import datetime
from pathlib import Path

import pytest

from engram.catalogue.addresses import read_address
from engram.catalogue.opening import open_catalogue
from engram.catalogue.probes import put_implant, put_probe
from tests.catalogues import ADA
from tests.cli.conftest import Engram
from tests.cli.labs import IMAGING, NPX, ingested, rows_of, write_rows
from tests.cli.test_reference import valid

pytestmark = pytest.mark.integration


@pytest.fixture
def lab(engram: Engram, tmp_path: Path) -> Path:
    return ingested(engram, tmp_path)


def filled_in(engram: Engram, lab: Path, **values: str) -> list[dict[str, str]]:
    """What was handed out, confirmed where something stands there; *values* by what a row is about."""
    engram("sessions", "missing", "-o", "missing.csv")
    rows = rows_of(lab / "missing.csv")
    for row in rows:
        row["value"] = values.get(row["what"], row["value"])
        row["confirmed"] = "yes" if row["value"] and (row["what"] != "task" or row["start_s"]) else "no"
    write_rows(lab / "missing.csv", rows)
    return rows


def test_what_is_missing_is_told_with_what_can_be_inferred(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "missing")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        NPX,
        "  experimenter: ada (to be confirmed)",
        "  project: ?",
        "  task 1: open_field_1, from 30 s to 1587 s (to be confirmed)",
        "  task 2: sleep_1, from 1587 s to 2200.5 s (to be confirmed)",
        "  task 3: open_field_2, from 2200.5 s (to be confirmed)",
        IMAGING,
        "  experimenter: ?",
        "  project: ?",
        "  task 1: ?",
        "8 answers missing, of 2 sessions",
        "As a table to fill in: engram sessions missing -o missing.csv",
    ]


@pytest.mark.parametrize("name", ["missing.csv", "missing.tsv", "missing.xlsx"])
def test_it_is_handed_out_as_a_table(engram: Engram, lab: Path, name: str) -> None:
    shown = engram("sessions", "missing", "-o", name)
    assert shown.out.splitlines()[-1] == f"Fill it in, then: engram sessions annotate {name}"
    rows = rows_of(lab / name)
    assert [(row["what"], row["value"], row["start_s"], row["confirmed"]) for row in rows[2:4]] == [
        ("task", "open_field_1", "30", "no"),
        ("task", "sleep_1", "1587", "no"),
    ]


def test_every_line_of_it_is_valid(engram: Engram, lab: Path) -> None:
    records = valid(engram("--json", "sessions", "missing"))
    assert [record["what"] for record in records][:3] == ["experimenter", "project", "task"]


def test_what_was_confirmed_is_not_asked_again(engram: Engram, lab: Path) -> None:
    filled_in(engram, lab)
    shown = engram("sessions", "annotate", "missing.csv")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        f"annotate(ok): {NPX} [experimenter ada; task open_field_1 confirmed, stop s: nothing → 1587.0;"
        " task sleep_1 confirmed, stop s: nothing → 2200.5; task open_field_2 confirmed]",
        "action summary:",
        "  annotate (notneeded: 1, ok: 1)",
    ]
    assert engram("sessions", "missing").out.splitlines()[:2] == [NPX, "  project: ?"]
    again = engram("sessions", "annotate", "missing.csv")
    assert again.out.splitlines() == ["action summary:", "  annotate (notneeded: 2)"]


def test_what_was_confirmed_outlives_the_next_scan(engram: Engram, lab: Path) -> None:
    rows = filled_in(engram, lab)
    rows[2]["stop_s"] = "1500"
    write_rows(lab / "missing.csv", rows)
    engram("sessions", "annotate", "missing.csv")
    (lab / "share/12347/2020-01-01_10-00-30/sessions.txt").write_text("#1,    other    start=31    <RUNNING>\n")
    engram("sessions", "plan", "--full", "-o", "plan.json")
    assert engram("sessions", "ingest", "plan.json").code == 0
    asked = engram("sessions", "missing").out
    assert "task" not in asked.partition(IMAGING)[0]


def test_what_is_not_confirmed_is_left_and_said(engram: Engram, lab: Path) -> None:
    engram("sessions", "missing", "-o", "missing.csv")
    shown = engram("sessions", "annotate", "missing.csv")
    assert shown.out.splitlines()[-1] == (
        "4 answers are not confirmed, and are left. Take them by yes in the column confirmed."
    )
    assert "8 answers missing" in engram("sessions", "missing").out


def test_names_that_are_unknown_are_refused_with_row_column_and_the_nearest(engram: Engram, lab: Path) -> None:
    rows = filled_in(engram, lab, experimenter="aba", project="grid cells")
    rows[2]["arena"] = "square"
    write_rows(lab / "missing.csv", rows)
    shown = engram("sessions", "annotate", "missing.csv")
    assert shown.code == 2
    said = shown.out + shown.err
    assert "missing.csv, row 2, column value [the catalogue has no person aba; the nearest is ada.]" in said
    assert "missing.csv, row 3, column value [the catalogue has no project grid cells.]" in said
    assert "missing.csv, row 4, column arena [the catalogue has no arena square.]" in said
    assert "A name that is new is added with --add-names." in said
    assert "8 answers missing" in engram("sessions", "missing").out  # nothing was taken


def test_names_that_are_new_are_added_on_request_and_said(engram: Engram, lab: Path) -> None:
    rows = filled_in(engram, lab, experimenter="bob", project="grid cells")
    rows[2]["arena"] = "square"
    write_rows(lab / "missing.csv", rows)
    shown = engram("sessions", "annotate", "--add-names", "missing.csv")
    assert shown.code == 0
    assert "person bob is new; experimenter bob; project grid cells is new; project grid cells;" in shown.out
    assert "arena square is new; task open_field_1 confirmed, stop s: nothing → 1587.0, its arena is said" in shown.out
    assert f"annotate(ok): {IMAGING} [experimenter bob; project grid cells]" in shown.out


def test_times_that_cannot_be_are_refused_with_row_and_column(engram: Engram, lab: Path) -> None:
    rows = filled_in(engram, lab)
    rows[2]["stop_s"] = "1588"
    rows[4]["stop_s"] = "2000"
    write_rows(lab / "missing.csv", rows)
    shown = engram("sessions", "annotate", "missing.csv")
    assert shown.code == 2
    said = shown.out + shown.err
    assert "row 5, column start_s [it starts before the task of row 4 stops (1588 s).]" in said
    assert "row 6, column stop_s [it stops at 2000 s, before it started.]" in said


def test_a_dry_run_says_what_would_be_taken_and_takes_nothing(engram: Engram, lab: Path) -> None:
    filled_in(engram, lab)
    shown = engram("sessions", "annotate", "--dry-run", "missing.csv")
    assert shown.code == 0
    assert f"would annotate: {NPX} [experimenter ada;" in shown.out
    assert "8 answers missing" in engram("sessions", "missing").out


def test_a_correction_is_an_edit(engram: Engram, lab: Path) -> None:
    rows = filled_in(engram, lab)
    engram("sessions", "annotate", "missing.csv")
    rows[0]["value"], rows[2]["start_s"], rows[3]["value"] = "bob", "40", "-"
    write_rows(lab / "missing.csv", rows[:4])
    shown = engram("sessions", "annotate", "--add-names", "missing.csv")
    assert shown.code == 0
    assert (
        f"annotate(ok): {NPX} [person bob is new; not experimenter ada; experimenter bob; no task sleep_1;"
        " task open_field_1 start s: 30.0 → 40.0]" in shown.out
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the column is missing"),
        ("session,what,zzz\n", "there is no such column; there are arena,"),
        ("session,what,valeu\n", "there is no such column; the nearest is value"),
        ("session,what\nx,task\n", "no session x"),
    ],
)
def test_what_is_no_such_table_is_refused(engram: Engram, lab: Path, text: str, what: str) -> None:
    (lab / "table.csv").write_text(text)
    shown = engram("sessions", "annotate", "table.csv")
    assert shown.code == 2
    assert what in shown.out + shown.err


def test_a_table_that_is_not_there_is_told(engram: Engram, lab: Path) -> None:
    assert engram("sessions", "annotate", "none.csv").code == 2


def test_the_implant_is_asked_for_where_the_serial_does_not_decide(engram: Engram, lab: Path) -> None:
    """The rig wrote serials that the lab has no probes of; it has told of another one."""
    address = read_address("sqlite:///.engram/catalogue.db", str(lab))
    with open_catalogue(address) as catalogue, catalogue.changing(ADA) as unit:
        put_probe(unit, "P1", {})
        put_implant(unit, "12347", "P1", datetime.fromisoformat("2019-12-01T09:00"), {"name": "left"}, {})
    engram("sessions", "missing", "-o", "missing.csv")
    asked = [row for row in rows_of(lab / "missing.csv") if row["what"] == "implant"]
    assert {(row["value"], row["choices"]) for row in asked} == {("left P1@2019-12-01T09:00",) * 2}
    for row in asked:
        row["confirmed"] = "yes"
    write_rows(lab / "missing.csv", asked)
    assert engram("sessions", "annotate", "missing.csv").code == 0
    assert "implant" not in engram("sessions", "missing").out
    assert "plan: 0 steps" in engram("sessions", "plan", "--full").out
