"""One session on several shares: ephys here, video there, what was computed on a third."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Engram
from tests.rig import PHY

pytestmark = pytest.mark.integration

SAMPLES = Path(__file__).parents[1] / "data/rig/kavli_share/recordings"
NPX = "12347/2020-01-01T10-00-30"
VIDEO = "12347/2020-01-01_10-00-30/side_1.mp4"
FILM = (SAMPLES / "23457/20220419/openfield_00001.mp4").read_bytes()


def write(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


@pytest.fixture
def lab(engram: Engram, tmp_path: Path) -> Path:
    """A lab with three shares, of which the first holds a session's probes alone."""
    shutil.copytree(SAMPLES / "12347/2020-01-01_10-00-30", tmp_path / "ephys/12347/2020-01-01_10-00-30")
    shutil.copytree(SAMPLES / "12347/2020-01-02_11-13-17", tmp_path / "ephys/12347/2020-01-02_11-13-17")
    write(tmp_path / "video" / VIDEO, FILM)
    for path, content in PHY.items():
        write(tmp_path / "kept/analysis/12347/2020-01-01" / path, content)
        write(tmp_path / "kept/analysis/12347/2020-05-05" / path, content)
    assert engram("lab", "create").code == 0
    for share in ("ephys", "video", "kept"):
        assert engram("share", "add", share, str(tmp_path / share)).code == 0
    assert engram("subjects", "add", "12347").code == 0
    return tmp_path


def shown(engram: Engram) -> dict[str, object]:
    told: dict[str, object] = json.loads(engram("--json", "sessions", "show", NPX).out)
    return told


def ingest(engram: Engram, *shares: str) -> str:
    assert engram("sessions", "plan", *shares, "-o", "plan.json").code == 0
    done = engram("sessions", "ingest", "plan.json")
    assert done.code == 0, done.out
    return done.out


def test_a_session_is_gathered_from_all_of_them_at_once_or_one_by_one(engram: Engram, lab: Path) -> None:
    for steps in (((),), (("video",), ("ephys",), ("kept",))):
        for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"):
            (lab / ".engram" / name).unlink(missing_ok=True)
        (lab / "engram.toml").rename(lab / "kept.toml")
        assert engram("lab", "create").code == 0
        (lab / "kept.toml").rename(lab / "engram.toml")
        assert engram("subjects", "add", "12347").code == 0
        for shares in steps:
            ingest(engram, *shares)
        session = shown(engram)
        spots = {(session["share"], session["folder"])}
        spots |= {(one["share"], one["folder"]) for one in session["also_in"]}  # type: ignore[attr-defined]  # JSON
        assert spots == {
            ("ephys", "12347/2020-01-01_10-00-30"),
            ("video", "12347/2020-01-01_10-00-30"),
            ("kept", "analysis/12347/2020-01-01"),
        }
        found = session["recordings"]
        assert isinstance(found, list)
        kinds = {one["kind"]: (one["share"] or session["share"], one["paths"][0]) for one in found}
        assert kinds["video"] == ("video", VIDEO)
        assert kinds["sorting"] == ("kept", "analysis/12347/2020-01-01/imec0_ks2/params.py")
        assert kinds["neuropixels-ap"][0] == "ephys"
        for shares in ((), ("ephys",), ("video",), ("kept",)):
            assert "plan: 0 steps" in engram("sessions", "plan", *shares).out
        assert NPX in engram("sessions", "list", "--share", "video").out


def test_why_a_folder_is_linked_is_said_before_and_after(engram: Engram, lab: Path) -> None:
    ingest(engram, "ephys")
    why = "video:12347/2020-01-01_10-00-30 is of the same subject and time as ephys:12347/2020-01-01_10-00-30"
    assert f"would link: {NPX} [{why}: side_1 (video)]" in engram("sessions", "plan", "video").out
    assert why in ingest(engram, "video")
    assert "video:12347/2020-01-01_10-00-30/side_1.mp4" in engram("sessions", "show", NPX).out
    assert "folder 12347/2020-01-01_10-00-30 added" in engram("sessions", "history", NPX).out


def test_a_scan_says_of_which_session_computed_data_are(engram: Engram, lab: Path) -> None:
    out = engram("sessions", "scan").out
    assert f"kept:analysis/12347/2020-01-01 of {NPX}: 1 sorting" in out
    assert "belongs to no session that was found of 12347 on 2020-05-05" in out
    records = [json.loads(line) for line in engram("--json", "sessions", "scan").out.splitlines()]
    derived = {one["folder"]: one["session"] for one in records if one["record"] == "derived"}
    assert derived == {"analysis/12347/2020-01-01": NPX, "analysis/12347/2020-05-05": ""}


def test_a_recording_with_other_content_is_refused_and_the_first_stays(engram: Engram, lab: Path) -> None:
    write(lab / "ephys" / VIDEO, FILM + b"more")
    ingest(engram, "ephys")
    out = engram("sessions", "plan").out
    assert "side_1.mp4 is the same recording as ephys:" in out
    assert "with another length" in out
    os.unlink(lab / "ephys" / VIDEO)
    assert "would link" in engram("sessions", "plan").out


def test_what_is_gone_from_a_share_that_is_not_mounted_is_not_taken_for_gone(engram: Engram, lab: Path) -> None:
    ingest(engram)
    os.rename(lab / "video", lab / "unplugged")
    out = engram("sessions", "plan", "ephys").out
    assert "plan: 0 steps" in out
    os.rename(lab / "unplugged", lab / "video")
    os.unlink(lab / "video" / VIDEO)
    assert "1 recording is gone: side_1 (video); 1 file is gone" in engram("sessions", "plan").out


def test_what_names_the_day_alone_finds_its_session_also_when_it_came_first(engram: Engram, lab: Path) -> None:
    shutil.rmtree(lab / "video")
    film = SAMPLES.parents[1] / "map_archive/SC026/08082019/video/SC026_side_735-0000.avi"
    write(lab / "video/12347/20200101/side.avi", film.read_bytes())
    ingest(engram, "video")
    ingest(engram, "ephys")
    assert "12347/2020-01-01: 3 probes, 1 video, 1 sync file, 3 tasks" in engram("sessions", "list").out
    (line,) = engram("--json", "sessions", "show", "12347/2020-01-01").out.splitlines()
    assert json.loads(line)["started"] == "2020-01-01T10:00:30"
    assert "  1 file added" in engram("sessions", "history", "12347/2020-01-01").out.splitlines()
    assert "kept:analysis/12347/2020-01-01 is of the same subject and time" in ingest(engram, "kept")
    for shares in ((), ("ephys",), ("video",)):
        assert "plan: 0 steps" in engram("sessions", "plan", *shares).out
