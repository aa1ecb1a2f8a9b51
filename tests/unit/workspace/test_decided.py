"""What people decided about sessions silences that, and nothing else."""

from datetime import datetime

from engram.model.findings import Finding
from engram.model.recordings import Recording, Session
from engram.sessions.scanning.seen import SessionSeen, ShareFinding
from engram.workspace.decided import Decided

FOLDER = "12347/20200101"
RAW = Recording(kind="neuropixels-ap", device="imec0", paths=("a.bin",), id="neuropixels-ap:1")


def _seen(*findings: tuple[str, str]) -> SessionSeen:
    session = Session(
        id="12347/2020-01-01",
        subject="12347",
        started=datetime.fromisoformat("2020-01-01T10:00:00"),
        share="raw",
        folder=FOLDER,
        recordings=(RAW,),
        findings=tuple(Finding(code=code, path=f"{FOLDER}/{path}", message="x.") for code, path in findings),
    )
    return SessionSeen(session=session, paths=lambda: ["a.bin"])


def _told(decided: Decided) -> list[tuple[str, str]]:
    session = decided.session(_seen(("truncated", "a.bin"), ("misnamed", "a.bin"), ("misnamed", "b.mp4"))).session
    return [(one.code, one.path.removeprefix(f"{FOLDER}/")) for one in session.findings]


def _alone(decided: Decided, path: str, code: str = "duplicate-recording", *, share: str = "raw") -> bool:
    decided.session(_seen())
    return decided.told(ShareFinding(share, Finding(code=code, path=path, message="x."))) is not None


def test_a_finding_that_was_accepted_is_told_no_more_where_it_was_accepted() -> None:
    everything = [("truncated", "a.bin"), ("misnamed", "a.bin"), ("misnamed", "b.mp4")]
    assert _told(Decided()) == everything
    assert _told(Decided(waived={("12347/2020-01-01", "misnamed")})) == [("truncated", "a.bin")]
    assert _told(Decided(waived={(RAW.id, "misnamed")})) == [("truncated", "a.bin"), ("misnamed", "b.mp4")]
    assert _told(Decided(waived={("12347/2020-01-02", "misnamed")})) == everything


def test_of_a_recording_that_was_left_out_nothing_is_told() -> None:
    decided = Decided({RAW.id: "why"})
    assert _told(decided) == [("misnamed", "b.mp4")]
    assert not _alone(decided, f"{FOLDER}/a.bin")


def test_a_session_that_was_left_out_is_told_so_and_nothing_of_it() -> None:
    for word in ("12347/2020-01-01", f"raw:{FOLDER}", "raw:12347/*", "raw:12347"):
        session = Decided({word: "why"}).session(_seen(("truncated", "a.bin"))).session
        assert (session.state, session.findings, session.recordings) == ("excluded", (), (RAW,)), word


def test_what_lies_in_no_session_is_left_out_by_its_place() -> None:
    decided = Decided({"raw:lost": "why", "raw:old/*": "why"})
    assert not _alone(decided, "lost")
    assert not _alone(decided, "lost/deep/a.dat")
    assert not _alone(decided, "old/b")
    assert _alone(decided, "lost", share="other")
    assert _alone(decided, "lost and found")


def test_a_copy_that_was_accepted_is_told_no_more() -> None:
    decided = Decided(waived={("12347/2020-01-01", "duplicate-recording")})
    assert not _alone(decided, f"{FOLDER}/a.bin")
    assert _alone(decided, f"{FOLDER}/a.bin", "unknown-layout")
    assert _alone(decided, "elsewhere/a.bin")
