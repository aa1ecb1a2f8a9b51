"""Whole screens of mass files: planned, ingested, written; and everything that is wrong in one told at once."""

import json
import os
import shutil
from pathlib import Path

import pytest

from engram.durable import Steps
from engram.workspace.tables import read_table, write_table
from tests.cli.conftest import Engram
from tests.cli.labs import IMAGING, NPX, SAMPLES
from tests.cli.test_reference import valid
from tests.rig import PHY

pytestmark = pytest.mark.integration

KAVLI = SAMPLES.parents[1] / "kavli_mass_ingest"
FULL = """\
---
subject:
  name: 12347
  datasource_id: 0
sessions:
  - location: "N:/recordings/12347/2020-01-01_10-00-30"
    experimenter:
      - "user_1"
      - user_2
    name: 102_1                      # optional
    room: 2.345
    project: "my_super_project"
    notes: "abc"
    probe_association:
      probe_1: npx_1_18408403232
      imec1: 18408405241
    tasks:
      - task_type: "OpenField"
        arena_apparatus: "150_square"
        task_start: yes
        task_stop: yes
        notes: true
        light_level: "dim"
        objects:
          - {object_name: tower, coord_x: 27, coord_y: 34, note: smooth plastic}
        cue_cards:
          - {card_name: card_1, coord_x: 13, coord_y: -5}
        curtains:
          - {start_point: "bottom-left", direction: "clockwise", coverage: 25}
      - task_type: SleepTask
        task_start: 1587
        task_stop: 2110
    clustering:
      - curator: "user_1"
        curation_time: 2023-04-05 12:13:14
        location: N:\\recordings\\12347\\2020-01-01_10-00-30\\clustering
        notes: "abc"
---
subject: {name: 23457}
sessions:
  - location: n:/Recordings/23457/20220419
    experimenter: user_1
    tasks: []
"""


WRONG = """\
subject: {name: 12347}
sessions:
- location: N:/recordings/12347/2020-01-01_10-00-30
  experimenter: ada
  rooom: 1
  probe_association: {probe_9: 18408403232, probe_1: left, probe_2: 18408403232}
  tasks:
  - {task_type: a, task_start: 30, task_stop: 20}
  - {task_type: b, task_start: 10, task_stop: 40}
  - {task_type: c}
  - {task_type: d, task_start: yes}
  clustering:
  - {curator: ada, location: N:/recordings/12347/2020-01-01_10-00-30/motive}
- {location: N:/recordings/12347/2020-01-01_10-00-30/probe_1, experimenter: ada, tasks: []}
- {location: N:/recordings/23457/20220419, experimenter: ada, tasks: []}
- {location: N:/recordings/12347/2020-01-01_10-00-31, experimenter: ada, tasks: []}
- {location: N:/recordings/12347, experimenter: ada, tasks: []}
- {location: N:/recordings/12345, experimenter: ada, tasks: []}
clustering:
- {curator: ada, location: N:/recordings/nowhere, group_name: g, sessions: [2020-01-01 10:00:30]}
"""
HOSTILE = {
    "bomb.yml": (b"a: &a [x]\nb: [*a, *a]\n", "bomb.yml, line 1 [&a is an anchor: "),
    "tags.yml": (b"!!python/object/apply:os.system [touch gone]\n", "tags.yml, line 1 [the tag "),
    "cut.json": (b'{"subject": ', "cut.json, line 1 [it is no JSON: "),
    "empty.yml": (b"", "empty.yml [it is empty.]"),
    "bytes.yml": (b"\x00\x01", "bytes.yml [it is no YAML: "),
    "zip.xlsx": (b"PK", "is no table: it is no Excel file"),
    "sheet.csv": (b"subject,lokation\n1,x\n", "sheet.csv, row 1, column lokation [there is no such column; "),
    "zero.csv": (b"a\x00b", "is no table: it holds a zero byte"),
    "batch.txt": (b"", "batch.txt is no mass file by its name."),
    "batch": (b"", "batch is no mass file by its name."),
}


def one_session(location: str, more: str = "name: one") -> str:
    """A file that says little of one session of 12347."""
    return f"subject: {{name: 12347}}\nsessions:\n- {{location: '{location}', experimenter: ada, tasks: [], {more}}}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the lab is kept once it was made: it costs more than all that is done with it."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture
def lab(engram: Engram, tmp_path: Path, made: Path) -> Path:
    """A lab whose share has another name, two subjects, two implants, and a clustering."""
    if any(made.iterdir()):
        shutil.copytree(made, tmp_path, dirs_exist_ok=True)
        file = tmp_path / "engram.toml"
        file.write_text(file.read_text().replace((tmp_path / "place").read_text(), str(tmp_path)))
    else:
        make(engram, tmp_path)
        (tmp_path / "place").write_text(str(tmp_path))
        shutil.copytree(tmp_path, made, dirs_exist_ok=True)
    return tmp_path


def make(engram: Engram, folder: Path) -> None:
    shutil.copytree(SAMPLES, folder / "share")
    for path, data in PHY.items():
        place = folder / "share/12347/2020-01-01_10-00-30/clustering/1" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    for command in (
        ("lab", "create"),
        ("share", "add", "recordings", str(folder / "share"), "--also-known-as", "N:/recordings"),
        ("subjects", "add", "12347", "23457"),
        ("probes", "add", "18408403232", "18408405241"),
        ("probes", "implant", "18408403232", "12347", "--at", "2019-12-01 10:00"),
        ("probes", "implant", "18408405241", "12347", "--at", "2019-12-01 10:30", "--name", "right"),
    ):
        assert engram(*command).code == 0, command


def planned(engram: Engram, lab: Path, text: str, name: str = "batch.yml") -> list[str]:
    """The lines of a plan from a mass file, which is kept as plan.json."""
    (lab / name).write_text(text)
    shown = engram("sessions", "plan", "--from", name, "-o", "plan.json")
    assert shown.code == 0, shown.out
    return shown.out.splitlines()


def wrong(engram: Engram, lab: Path, text: str, name: str = "batch.yml") -> list[str]:
    """What is told of a file that is wrong, without remedies."""
    (lab / name).write_text(text)
    shown = engram("sessions", "plan", "--from", name, "-o", "plan.json")
    assert shown.code == 2
    assert not (lab / "plan.json").exists()
    lines = (line for line in shown.out.splitlines() if line.startswith("plan(impossible): "))
    return [line.removeprefix(f"plan(impossible): {name}").removeprefix(", ") for line in lines]


def test_all_that_a_file_says_is_planned_and_names_that_are_new_are_said(engram: Engram, lab: Path) -> None:
    engram("people", "add", "user_3")
    lines = planned(engram, lab, FULL)
    assert [line.partition(" [")[0] for line in lines] == [
        "would add-person: user_1",
        "would add-person: user_2",
        "would add-project: my_super_project",
        "would add-room: 2.345",
        "would add-arena: 150_square",
        "would add-light: dim",
        "would add-object: tower",
        "would add-object: card_1",
        "would add-object: curtain",
        f"would add: {NPX} (185.0 KB)",
        f"would add: {IMAGING}",
        f"would annotate: {NPX}",
        f"would annotate: {IMAGING}",
        f"would not link: tracking:matmot:{NPX}:matmot",
        "plan: 13 steps, 185.0 KB, 1 refused; nothing was changed",
        "Carry it out: engram sessions ingest plan.json",
    ]
    assert lines[0].endswith("[new in the catalogue: named in batch.yml, [0].sessions[0]; the nearest is user_3]")
    assert lines[11].endswith(
        "[experimenter user_1, user_2; project my_super_project; room 2.345; tasks open_field_1, sleep_1;"
        " neuropixels-ap:18408403232:20200101T100030 was made with 18408403232@2019-12-01T10:00;"
        " neuropixels-ap:18408405241:20200101T100030 was made with right 18408405241@2019-12-01T10:30;"
        f" sorting:imec0_ks2:{NPX}:params:curated was curated by user_1; a note (batch.yml, [0].sessions[0])]"
    )


def test_what_was_ingested_is_confirmed_and_knows_where_it_came_from(engram: Engram, lab: Path) -> None:
    planned(engram, lab, FULL)
    assert engram("sessions", "ingest", "plan.json").code == 0
    shown = engram("sessions", "show", NPX).out
    assert "  experimenters: user_1, user_2\n  projects: my_super_project\n  room: 2.345\n" in shown
    assert "  note: abc\n" in shown
    assert (
        "  task open_field_1: from 30 s to 1587 s, OpenField, in 150_square, light dim, confirmed\n"
        "    tower: x 27, y 34: smooth plastic\n"
        "    card_1: x 13, y -5\n"
        "    curtain: from bottom-left, clockwise, coverage 25\n"
    ) in shown
    assert "  task sleep_1: from 1587 s to 2110 s, SleepTask, confirmed\n" in shown
    assert "    curated by: user_1\n" in shown
    told = engram("sessions", "history", NPX).out
    assert f"; {lab}/batch.yml (sha256 " in told
    assert "), line 6, [0].sessions[0]\n" in told
    assert engram("sessions", "missing").out.partition(IMAGING)[0].splitlines() == [
        NPX,
        "  task 3: open_field_2, from 2200.5 s (to be confirmed)",
        "  implant neuropixels-ap:19011116954:20200101T100030: ?",
    ]


def test_planned_again_there_is_nothing_to_do_and_a_correction_is_an_edit(engram: Engram, lab: Path) -> None:
    planned(engram, lab, FULL)
    engram("sessions", "ingest", "plan.json")
    assert "plan: 0 steps, 0.0 B, 1 refused; nothing was changed" in planned(engram, lab, FULL)
    lines = planned(
        engram, lab, FULL.replace("room: 2.345", "room: 2.346").replace("task_stop: 2110", "task_stop: 2111")
    )
    assert [line.partition(" [")[0] for line in lines[:3]] == [
        "would add-room: 2.346",
        f"would annotate: {NPX}",
        f"would not link: tracking:matmot:{NPX}:matmot",
    ]
    assert engram("sessions", "ingest", "plan.json").code == 0
    told = engram("sessions", "history", NPX).out
    assert "room: 2.345 → 2.346" in told
    assert "task sleep_1 corrected, stop s: 2110.0 → 2111.0" in told


def test_sessions_that_the_file_does_not_name_are_left_and_said(engram: Engram, lab: Path) -> None:
    lines = planned(engram, lab, FULL.partition("---\nsubject: {name: 23457}")[0])
    assert f"left: {IMAGING} [not in batch.yml]" in lines


@pytest.mark.parametrize("name", ["mass_ingest_example.yml", "mass_ingest_example.json"])
def test_the_labs_own_sample_is_read_and_all_that_is_not_there_is_told(engram: Engram, lab: Path, name: str) -> None:
    engram("subjects", "add", "102")
    lines = wrong(engram, lab, (KAVLI / name).read_text(), name)
    assert [
        line.removeprefix("line ").lstrip("0123456789").removeprefix(", ").partition(" [")[0] for line in lines
    ] == [
        "sessions[0].location",
        "sessions[1].location",
        "sessions[2].location",
        "clustering[0].location",
        *["clustering[0].sessions"] * 3,
        "clustering[1].location",
        *["clustering[1].sessions"] * 3,
    ]
    assert "no session in this file has that name; the nearest is msc_102_002_c" in lines[-1]
    assert f"it lies on no share of the lab: recordings begins at {lab}/share, N:/recordings" in lines[0]
    assert ("line 9, " in lines[0]) == name.endswith("yml")


def test_everything_that_is_wrong_is_told_at_once(engram: Engram, lab: Path) -> None:
    lines = wrong(engram, lab, WRONG)
    for told in (
        "line 5, sessions[0].rooom [there is no such key; the nearest is room.]",
        "sessions[0].probe_association.probe_9 [nothing of a probe probe_9 was recognised; there are ",
        "sessions[0].probe_association.probe_1 [12347 has no implant left on 2020-01-01; there are ",
        "sessions[0].probe_association.probe_2 [probe_2/npx.imec.ap.bin was recorded with the probe 18408405241, not",
        "line 8, sessions[0].tasks[0].task_stop [it stops at 20 s, before it started.]",
        "line 8, sessions[0].tasks[0].task_start [it starts before task 2 stops (40 s).]",
        "sessions[0].tasks[3].task_start [there is nothing to inherit: the rig's sessions.txt tells of 3 tasks.]",
        "sessions[0].clustering[0].location [no clustering was recognised in it; the session has some in clustering/1",
        "line 14, sessions[1].location [sessions[0] is the same session.]",
        "line 15, sessions[2].location [the session there is of 23457, not of 12347.]",
        "sessions[3].location [recordings:12347/2020-01-01_10-00-31 is not there; the nearest is 12347/2020-01-01_10",
        "line 17, sessions[4].location [there are several sessions below it: ",
        "line 18, sessions[5].location [no session was recognised in recordings:12345.]",
        "line 20, clustering[0].location [recordings:nowhere is not there.]",
        "line 20, clustering[0].sessions [it needs two sessions at least.]",
    ):
        assert [line for line in lines if told in line], told
    assert len(lines) == 15


def test_a_session_that_lies_elsewhere_now_is_found_by_its_subject_and_time(engram: Engram, lab: Path) -> None:
    (lab / "share/12347/2020-01-01_10-00-30").rename(lab / "share/12347/20200101_100030")
    lines = planned(engram, lab, one_session("D:/rig/12347/2020-01-01_10:00:30"))
    assert f"would annotate: {NPX} [experimenter ada; it lies in recordings:12347/20200101_100030 now" in lines[2]


def test_no_clustering_is_taken_where_the_file_says_no(engram: Engram, lab: Path) -> None:
    lines = planned(engram, lab, one_session("N:/recordings/12347/2020-01-01_10-00-30", "clustering: no"))
    assert any("left: sorting:imec0_ks2" in line and "sessions[0].clustering is no" in line for line in lines)
    engram("sessions", "ingest", "plan.json")
    assert "sorting" not in engram("sessions", "show", NPX).out


def test_a_clustering_that_is_inherited_is_to_be_confirmed(engram: Engram, lab: Path) -> None:
    engram("people", "add", "ada")
    (lab / "batch.yml").write_text(one_session("N:/recordings/12347/2020-01-01_10-00-30", "clustering: yes"))
    around = {"LOGNAME": "ada"}
    shown = engram("sessions", "plan", "--from", "batch.yml", "-o", "plan.json", environment=around)
    assert f"sorting:imec0_ks2:{NPX}:params:curated was curated by ada (to be confirmed)" in shown.out
    assert engram("sessions", "ingest", "plan.json").code == 0
    assert (
        f"  curator sorting:imec0_ks2:{NPX}:params:curated: ada (to be confirmed)" in engram("sessions", "missing").out
    )


@pytest.mark.parametrize("name", ["batch.yml", "batch.json", "batch.csv", "batch.xlsx"])
def test_what_was_recognised_is_written_and_reads_back_as_the_same_plan(engram: Engram, lab: Path, name: str) -> None:
    plain = engram("--json", "sessions", "plan").records[0]
    shown = engram("sessions", "plan", "--as-massfile", name)
    assert shown.out.splitlines()[-1] == f"Complete it, then: engram sessions plan --from {name} -o plan.json"
    again = engram("--json", "sessions", "plan", "--from", name).records[0]
    assert (again["steps"], again["sessions"]) == (plain["steps"], plain["sessions"])
    assert (again["told"], again["groups"]) == ([], [])


def test_who_is_known_as_curator_is_written_to_be_confirmed(engram: Engram, lab: Path) -> None:
    engram("people", "add", "ada")
    around = {"LOGNAME": "ada"}
    engram("sessions", "plan", "--as-massfile", "batch.yml", environment=around)
    text = (lab / "batch.yml").read_text()
    assert "curation_time: yes" in text
    assert engram("--json", "sessions", "plan", "--from", "batch.yml", environment=around).records[0]["told"] == []
    lines = planned(engram, lab, text.replace("confirmed: no", "confirmed: yes"))
    assert any(f"sorting:imec0_ks2:{NPX}:params:curated was curated by ada (batch.yml" in line for line in lines)


@pytest.mark.parametrize("name", ["batch.csv", "batch.xlsx"])
def test_a_table_that_was_completed_says_what_its_cells_say(engram: Engram, lab: Path, name: str) -> None:
    engram("sessions", "plan", "--as-massfile", name)
    heading, *rows = read_table(str(lab / name))
    for row in rows:
        row[heading.index("experimenter")] = "ada; bob"
        row[heading.index("room")] = "2.50"
        if row[heading.index("tasks.task_type")]:
            row[heading.index("tasks.confirmed")] = "yes"
    write_table(Steps(), str(lab / name), [heading, *rows])
    shown = engram("sessions", "plan", "--from", name, "-o", "plan.json")
    assert shown.code == 0, shown.out
    assert engram("sessions", "ingest", "plan.json").code == 0
    told = engram("sessions", "show", NPX).out
    assert "  experimenters: ada, bob\n" in told
    assert "  room: 2.50\n" in told
    assert "  task open_field_2: from 2200.5 s, RUNNING, confirmed\n" in told
    assert "row 2, [0].sessions[0]" in engram("sessions", "history", NPX).out
    rows[0][heading.index("tasks.task_start")] = "08:30"
    write_table(Steps(), str(lab / name), [heading, *rows])
    again = engram("sessions", "plan", "--from", name)
    assert again.code == 2
    assert f"{name}, row 2, column tasks.task_start [08:30 is no time in seconds" in again.out


def test_clustering_of_several_sessions_refers_to_the_file_and_to_the_catalogue(engram: Engram, lab: Path) -> None:
    engram("sessions", "waive", "neuropixels-ap:18408403232:20200102T111317", "truncated", "--why", "a test")
    planned(engram, lab, one_session("N:/recordings/12347/2020-01-02_11-13-17"))
    engram("sessions", "ingest", "plan.json")
    (lab / "share/joint").mkdir()
    text = one_session("N:/recordings/12347/2020-01-01_10-00-30", "name: 102_1") + (
        "clustering:\n- {curator: ada, location: N:/recordings/joint, group_name: 12347_msc_1,"
        " sessions: [102_1, 2020-01-02 11:13:17], notes: joint}\n"
    )
    lines = planned(engram, lab, text)
    assert f"would cluster: 12347_msc_1 [of {NPX}, 12347/2020-01-02T11-13-17; curator ada]" in lines
    assert engram("sessions", "ingest", "plan.json").code == 0
    for name in (NPX, "12347/2020-01-02T11-13-17"):
        assert "  clustered in: 12347_msc_1\n" in engram("sessions", "show", name).out
    assert not [line for line in planned(engram, lab, text) if line.startswith("would cluster")]
    (lab / "plan.json").unlink()
    lines = wrong(engram, lab, text.replace("name: 12347}", "name: 23457}"))
    assert any("the catalogue has a clustering 12347_msc_1 of 12347" in line for line in lines)


def test_a_file_that_is_none_is_told_with_what_to_do(engram: Engram, lab: Path) -> None:
    for name, (data, told) in HOSTILE.items():
        (lab / name).write_bytes(data)
        shown = engram("sessions", "plan", "--from", name)
        assert shown.code == 2, name
        assert told in shown.out + shown.err
    assert not (lab / "gone").exists()


def test_a_file_that_somebody_may_have_completed_is_not_written_over(engram: Engram, lab: Path) -> None:
    (lab / "batch.yml").write_text("mine")
    shown = engram("sessions", "plan", "--as-massfile", "batch.yml", "-o", "plan.json")
    assert shown.code == 2
    assert shown.err.startswith("batch.yml is there already.\n")
    assert ((lab / "batch.yml").read_text(), (lab / "plan.json").exists()) == ("mine", False)


def test_a_folder_whose_name_is_no_text_is_left_out_and_said(engram: Engram, lab: Path) -> None:
    folder = os.fsencode(lab / "share/12347")
    os.rename(folder + b"/2020-01-01_10-00-30", folder + b"/2020-01-01_\xff")
    engram("sessions", "waive", "neuropixels-ap:18408403232:20200102T111317", "truncated", "--why", "a test")
    shown = engram("sessions", "plan", "--as-massfile", "batch.yml")
    assert shown.code == 0
    assert "cannot be written there; rename it, or ingest it without]" in shown.out
    again = engram("sessions", "plan", "--from", "batch.yml")
    assert again.code == 0
    assert "would add: 12347/2020-01-02T11-13-17" in again.out


def test_where_nothing_is_new_no_file_is_written(engram: Engram, lab: Path) -> None:
    engram("sessions", "plan", "-o", "plan.json")
    engram("sessions", "ingest", "plan.json")
    shown = engram("sessions", "plan", "--as-massfile", "batch.yml")
    assert shown.out.splitlines()[-1] == (
        "No mass file was written: there is no session for it. What nobody has said yet: engram sessions missing"
    )
    assert not (lab / "batch.yml").exists()


def test_what_is_no_file_is_not_waited_for(engram: Engram, lab: Path) -> None:
    os.mkfifo(lab / "batch.yml")
    shown = engram("sessions", "plan", "--from", "batch.yml")
    assert (shown.code, shown.err.splitlines()[0]) == (2, "batch.yml is no file.")


def test_every_line_of_it_is_valid(engram: Engram, lab: Path) -> None:
    planned(engram, lab, FULL)
    assert [record["record"] for record in valid(engram("--json", "sessions", "plan", "--from", "batch.yml"))] == [
        "plan"
    ]
    valid(engram("--json", "sessions", "ingest", "plan.json"))
    (shown,) = valid(engram("--json", "sessions", "show", NPX))
    assert shown["note"] == "abc"
    assert shown["tasks"][0]["objects"][0] == ["tower", "x 27, y 34: smooth plastic"]


def test_a_file_that_is_not_there_is_told(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "plan", "--from", "nowhere.yml")
    assert shown.code == 2
    assert "nowhere.yml" in shown.err


def test_a_plan_that_was_tampered_with_is_refused(engram: Engram, lab: Path) -> None:
    planned(engram, lab, FULL)
    plan = json.loads((lab / "plan.json").read_text())
    damages: tuple[dict[str, object], ...] = ({"told": []}, {"told": [{"session": NPX}]}, {"groups": [3]}, {"told": 3})
    for damage in damages:
        (lab / "damaged.json").write_text(json.dumps(plan | damage))
        shown = engram("sessions", "ingest", "damaged.json")
        assert shown.code == 2
        assert "This plan is damaged" in shown.err
