"""What `engram sessions scan` shows."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from engram.cli.schemas import schemas
from engram.cli.sessions_view import ScanView
from engram.model.errors import ShareUnavailable
from engram.model.findings import Finding
from engram.sessions.scanning.seen import Seen, ShareFinding, ShareSeen
from engram.workspace.context import Context
from tests.cli.conftest import Engram
from tests.rig import SHARE


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    shutil.copytree(SHARE, tmp_path / "share")
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "engram.toml").write_text('[shares.recordings]\nroot = "../share"\n')
    return tmp_path


def test_findings_are_counted_with_what_matters_most_first() -> None:
    view = ScanView(colours=False)
    codes = ("name-not-portable", "truncated", "misnamed", "truncated")
    seen: list[Seen] = [ShareFinding("a", Finding(code=code, path="x", message="It is.")) for code in codes]
    lines = [line for one in (*seen, ShareSeen(share="a")) for line in view.lines(one)]
    assert lines[-1] == "  2 errors, 1 warning, 1 note"


def test_a_session_has_its_line_with_its_findings_below(engram: Engram, lab: Path) -> None:
    shown = engram("--lab", "lab", "sessions", "scan")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert "12347/2020-01-01T10-00-30: 3 probes, 1 tracking, 1 sync file, 3 tasks, 1 file of unknown format" in lines
    place = lines.index("12347/2020-01-02T11-13-17: 1 probe")
    assert lines[place + 1 : place + 3] == [
        "  error truncated: 12347/2020-01-02_11-13-17/probe_1/npx.imec.ap.bin",
        "    7 of 46200 bytes are missing.",
    ]
    assert "12347/2020-01-03T09-00-00 [incomplete]: 1 probe" in lines
    assert "recordings: 4 sessions of 2 subjects, 13 recordings, 46 files, 1 of unknown format" in lines
    assert lines[lines.index("What to do:") + 1] == "  stale-copy (1): Copy both again from where they were recorded."
    again = engram("--lab", "lab", "sessions", "scan", "recordings").out.splitlines()
    assert "recordings: 4 sessions of 2 subjects, 13 recordings, 46 files, 1 of unknown format, 4 unchanged" in again
    full = engram("--lab", "lab", "sessions", "scan", "--full").out.splitlines()
    assert full == lines


def test_the_sample_share_is_told_as_its_readme_says(engram: Engram, lab: Path) -> None:
    records = engram("--lab", "lab", "--json", "sessions", "scan").records
    for record in records:
        jsonschema.validate(record, schemas()[record["record"]])
    sessions = {record["id"]: record for record in records if record["record"] == "session"}
    codes = {name: sorted({one["code"] for one in session["findings"]}) for name, session in sessions.items()}
    assert codes == {
        "12347/2020-01-01T10-00-30": ["stale-copy", "time-mismatch"],
        "12347/2020-01-02T11-13-17": ["truncated"],
        "12347/2020-01-03T09-00-00": ["still-acquiring", "time-mismatch"],
        "23457/2022-04-19": ["misnamed", "subject-mismatch"],
    }
    paths = [path for session in sessions.values() for one in session["recordings"] for path in one["paths"]]
    assert all((lab / "share" / path).is_file() for path in paths)
    assert [record["record"] for record in records if record["record"] != "session"] == ["finding", "scan"]


def test_digests_are_compared_on_request(engram: Engram, lab: Path) -> None:
    stream = lab / "share/12347/2020-01-01_10-00-30/probe_2/npx.imec.ap.bin"
    content = bytearray(stream.read_bytes())
    content[7] ^= 1
    stream.write_bytes(content)

    def wrong(*words: str) -> set[str]:
        records = engram("--lab", "lab", "--json", "sessions", "scan", *words).records
        inner = [one for record in records if record["record"] == "session" for one in record["findings"]]
        return {one["path"] for one in inner if one["code"] == "checksum-mismatch"}

    flipped = "12347/2020-01-01_10-00-30/probe_2/npx.imec.ap.bin"
    cut_short = "12347/2020-01-02_11-13-17/probe_1/npx.imec.ap.bin"
    assert wrong() == set()
    assert wrong("--checksum") == {flipped, cut_short}
    assert wrong() == wrong("--full") == {flipped, cut_short}  # nothing is read, and nothing forgotten

    meta = lab / "share" / flipped.replace(".bin", ".meta")
    before = meta.read_text()
    meta.write_text(before.replace("fileSHA1=", "fileSHA1=" + hashlib.sha1(content).hexdigest().upper() + "\nold="))
    assert wrong("--full") == {cut_short}  # the rig's own word was mended
    meta.write_text(before)
    assert wrong("--full") == {flipped, cut_short}

    content[7] ^= 1
    stream.write_bytes(content)  # copied again: another time, not read yet
    assert wrong() == {cut_short}
    assert wrong("--checksum") == {cut_short}
    os.utime(stream, ns=(0, 10**18))
    content[7] ^= 1
    stream.write_bytes(content)
    os.utime(stream, ns=(0, 10**18))
    assert wrong("--checksum") == {flipped, cut_short}
    content[7] ^= 1
    stream.write_bytes(content)
    os.utime(stream, ns=(0, 10**18))
    assert wrong() == {flipped, cut_short}  # nobody can tell yet: its time is the same
    assert wrong("--checksum") == {cut_short}
    assert wrong() == {cut_short}


def test_a_plan_takes_nothing_that_other_bytes_were_found_in(engram: Engram, lab: Path) -> None:
    stream = lab / "share/12347/2020-01-01_10-00-30/probe_2/npx.imec.ap.bin"
    content = bytearray(stream.read_bytes())
    content[7] ^= 1
    stream.write_bytes(content)
    (lab / "lab" / "engram.toml").unlink()
    assert engram("lab", "create", "lab").code == 0
    assert engram("--lab", "lab", "share", "add", "recordings", "share").code == 0
    assert engram("--lab", "lab", "subjects", "add", "12347").code == 0
    assert "checksum-mismatch" not in engram("--lab", "lab", "sessions", "plan").out
    engram("--lab", "lab", "sessions", "scan", "--checksum")
    shown = engram("--lab", "lab", "sessions", "plan").out
    assert "would not link: neuropixels-ap:" in shown
    assert "[checksum-mismatch: Its SHA-1 is" in shown


def test_what_cannot_be_remembered_is_said(engram: Engram, lab: Path) -> None:
    (lab / "lab" / ".engram").write_text("in the way")
    shown = engram("--lab", "lab", "sessions", "scan", "--checksum")
    assert "what was seen could not be kept" in shown.out
    assert "checksum-mismatch" in shown.out


def test_a_share_that_is_not_there_fails_alone(engram: Engram, lab: Path) -> None:
    with (lab / "lab" / "engram.toml").open("a") as file:
        file.write('[shares.gone]\nroot = "../gone"\n')
    shown = engram("--lab", "lab", "--json", "sessions", "scan")
    assert shown.code == 3
    (failed,) = [record for record in shown.records if record["record"] == "outcome"]
    assert (failed["action"], failed["item"], failed["error"]) == ("scan", "gone", "ShareUnavailable")
    alone = engram("--lab", "lab", "sessions", "scan", "gone")
    assert alone.code == ShareUnavailable.exit_code
    assert "Mount it again" in alone.err


def test_a_lab_that_cannot_be_written_is_no_hindrance(engram: Engram, lab: Path) -> None:
    (lab / "lab" / ".engram").write_text("in the way")
    shown = engram("--lab", "lab", "sessions", "scan")
    assert shown.code == 0
    assert "  what was seen could not be kept for the next scan (the lab's folder cannot be written)" in shown.out


def test_an_unknown_share_and_no_lab_are_refused(engram: Engram, lab: Path) -> None:
    assert engram("--lab", "lab", "sessions", "scan", "x").code == 2
    assert engram("sessions", "scan").code == 2


class Fake:
    def __init__(self, context: Context) -> None:
        pass

    def scan(self, shares: tuple[str, ...], *, full: bool, checksum: bool) -> Iterator[Seen]:
        path = "a\x1b[2J/" + "long name " * 12
        yield ShareFinding("raw", Finding(code="unreadable", path=path, message="It cannot be read: " + "why " * 40))
        yield ShareFinding("raw", Finding(code="name-not-portable", path="x?", message="It is odd."))
        yield ShareSeen(share="raw", unreadable=1, note="what was seen could not be kept")


def test_a_terminal_gets_lines_that_fit_and_no_control_characters(engram: Engram) -> None:
    shown = engram("sessions", "scan", rooms={"Scanning": Fake}, terminal=True, environment={"COLUMNS": "60"})
    assert shown.code == 3
    assert "\x1b[2J" not in shown.out
    told = [line for line in shown.out.splitlines() if line.startswith("    ")]
    assert len(told) >= 3
    assert all(len(line) <= 60 for line in told)


def test_quiet_shows_errors_and_what_to_do_about_them(engram: Engram) -> None:
    shown = engram("-q", "sessions", "scan", rooms={"Scanning": Fake})
    lines = shown.out.splitlines()
    assert [line.split(":")[0].strip() for line in lines if not line.startswith("    ")] == [
        "error unreadable",
        "What to do",
        "unreadable (1)",
    ]


def test_findings_outside_of_sessions_name_their_share(engram: Engram) -> None:
    out = engram("--json", "sessions", "scan", rooms={"Scanning": Fake}).out
    records = [json.loads(line) for line in out.splitlines()]
    assert [record.get("share") for record in records] == ["raw", "raw", "raw"]
    for record in records:
        jsonschema.validate(record, schemas()[record["record"]])
