"""Whole screens from a share to the catalogue: planned, reviewed, ingested, and nothing left to do."""

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest

from engram.workspace.tables import read_table
from tests.cli.conftest import Engram

pytestmark = pytest.mark.integration

SAMPLES = Path(__file__).parents[1] / "data/rig/kavli_share/recordings"
TRUNCATED = "neuropixels-ap:18408403232:20200102T111317"


@pytest.fixture
def lab(engram: Engram, tmp_path: Path) -> Path:
    """A lab in the folder that commands start in, with a share and two of its three subjects."""
    shutil.copytree(SAMPLES, tmp_path / "share")
    for command in (
        ("lab", "create"),
        ("share", "add", "recordings", str(tmp_path / "share")),
        ("subjects", "add", "12347", "23457"),
    ):
        assert engram(*command).code == 0
    return tmp_path


def test_a_plan_says_what_is_taken_refused_and_left_and_why(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "plan", "-o", "plan.json")
    assert shown.code == 0
    assert [line.partition(" [")[0] for line in shown.out.splitlines()] == [
        "would add: 12347/2020-01-01T10-00-30 (185.0 KB)",
        "would add: 23457/2022-04-19",
        "would not link: tracking:matmot:12347/2020-01-01T10-00-30:matmot",
        f"would not link: {TRUNCATED}",
        "plan: 2 steps, 185.0 KB, 2 refused; nothing was changed",
        "left: 12347/2020-01-03T09-00-00",
        "Carry it out: engram sessions ingest plan.json",
    ]
    assert f"{TRUNCATED} [truncated: 7 of 46200 bytes are missing.]" in shown.out


def test_ingested_once_there_is_nothing_left_to_do(engram: Engram, lab: Path) -> None:
    engram("sessions", "plan", "-o", "plan.json")
    shown = engram("sessions", "ingest", "plan.json")
    assert shown.code == 0
    assert shown.out.splitlines()[-2:] == ["action summary:", "  add (ok: 2)"]
    assert "plan: 0 steps, 0.0 B, 2 refused; nothing was changed" in engram("sessions", "plan").out
    again = engram("sessions", "ingest", "plan.json")
    assert (again.code, again.out.splitlines()[-1]) == (0, "  add (notneeded: 2)")


def test_nothing_on_the_share_is_written(engram: Engram, lab: Path) -> None:
    def state() -> dict[str, tuple[int, int, int]]:
        found = {}
        for folder, _, files in os.walk(lab / "share"):
            for name in (".", *files):
                status = os.lstat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = (status.st_ino, status.st_size, status.st_mtime_ns)
        return found

    before = state()
    engram("sessions", "plan", "-o", "plan.json")
    engram("sessions", "ingest", "plan.json")
    assert state() == before


def test_a_subject_that_is_unknown_is_refused_with_the_command_that_adds_it(engram: Engram, lab: Path) -> None:
    shutil.copytree(lab / "share/12347/2020-01-01_10-00-30", lab / "share/99/2020-01-01_10-00-30")
    assert "no subject 99; add it: engram subjects add 99" in engram("sessions", "plan").out


def test_subjects_that_are_unknown_are_added_by_one_line_that_is_pasted(engram: Engram, tmp_path: Path) -> None:
    for subject in ("12347", "12348", "it's"):
        for day in ("2020-01-01", "2020-01-02"):
            shutil.copytree(SAMPLES / "12347/2020-01-02_11-13-17", tmp_path / f"rig/{subject}/{day}_11-13-17")
    assert engram("lab", "create").code == 0
    assert engram("share", "add", "rig", str(tmp_path / "rig")).code == 0
    (line,) = [line for line in engram("sessions", "plan").out.splitlines() if line.startswith("All subjects")]
    assert line.partition(": ")[2] == """engram subjects add 12347 12348 'it'"'"'s'"""
    assert engram(*shlex.split(line.partition(": engram ")[2])).code == 0
    assert "All subjects" not in engram("sessions", "plan").out


def test_the_line_that_is_offered_can_be_pasted_whatever_the_file_is_called(engram: Engram, lab: Path) -> None:
    lines = engram("sessions", "plan", "-o", "my plan.json").out.splitlines()
    assert lines[-1] == "Carry it out: engram sessions ingest 'my plan.json'"
    assert engram(*shlex.split(lines[-1].partition(": engram ")[2])).code == 0
    assert "annotate 'my table.csv'" in engram("sessions", "missing", "-o", "my table.csv").out


def test_a_command_that_names_a_folder_does_nothing_else_when_it_is_pasted(engram: Engram, lab: Path) -> None:
    for name in ("9; touch x", "-9", "9\n8"):
        shutil.copytree(lab / "share/12347/2020-01-01_10-00-30", lab / "share" / name / "2020-01-01_10-00-30")
    planned = engram("sessions", "plan").out
    assert "; add it: engram subjects add '9; touch x'" in planned
    assert "; add it: engram subjects add -- -9]" in planned
    assert "rename it: nobody can type that name" in planned


def test_a_session_that_was_moved_is_moved(engram: Engram, lab: Path) -> None:
    engram("sessions", "plan", "-o", "plan.json")
    engram("sessions", "ingest", "plan.json")
    os.rename(lab / "share/12347/2020-01-01_10-00-30", lab / "share/12347/2020-01-01_10-00-31")
    shown = engram("sessions", "plan", "-o", "plan.json")
    assert "would move: 12347/2020-01-01T10-00-30" in shown.out
    assert "was in recordings:12347/2020-01-01_10-00-30" in shown.out
    assert engram("sessions", "ingest", "plan.json").code == 0
    assert "plan: 0 steps" in engram("sessions", "plan").out


def test_a_plan_whose_ground_has_moved_is_refused_alone(engram: Engram, lab: Path) -> None:
    engram("sessions", "plan", "-o", "plan.json")
    with open(lab / "share/12347/2020-01-01_10-00-30/probe_1/npx.imec.ap.bin", "ab") as file:
        file.write(b"more")
    shown = engram("sessions", "ingest", "plan.json")
    assert shown.code == 3
    assert "add(ok): 23457/2022-04-19" in shown.out
    assert "probe_1/npx.imec.ap.bin was written to since" in shown.out


@pytest.mark.parametrize(
    ("name", "text"), [("none.json", None), ("text.json", "no"), ("other.json", '{"record": "x"}')]
)
def test_what_is_no_plan_is_refused(engram: Engram, lab: Path, name: str, text: str | None) -> None:
    if text is not None:
        (lab / name).write_text(text)
    shown = engram("sessions", "ingest", name)
    assert shown.code == 2
    assert len(shown.err.splitlines()) == 2


def test_a_plan_that_is_not_there_is_told_with_what_makes_one(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "ingest", "none.json")
    what, next_step = shown.err.splitlines()
    assert what == "none.json is not there."
    assert next_step.endswith(": engram sessions plan -o PLAN.json")


def test_a_plan_is_one_json_line_and_a_sheet(engram: Engram, lab: Path) -> None:
    (line,) = engram("--json", "sessions", "plan", "-o", "plan.xlsx").out.splitlines()
    record = json.loads(line)
    assert record["record"] == "plan"
    assert [session["id"] for session in record["sessions"]] == ["12347/2020-01-01T10-00-30", "23457/2022-04-19"]
    sheet = read_table(str(lab / "plan.xlsx"))
    assert sheet[0] == ["what", "action", "item", "bytes", "why"]
    assert [row[0] for row in sheet[1:]] == ["step", "step", "refused", "refused", "left"]
