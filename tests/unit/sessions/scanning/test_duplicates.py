"""The same recording in several places is told once all were seen."""

import itertools
from datetime import datetime
from typing import Any

from engram.model.recordings import Recording, Session
from engram.sessions.identity import identified
from engram.sessions.scanning.duplicates import Duplicates
from engram.sessions.scanning.seen import SessionSeen

STARTED = datetime.fromisoformat("2020-01-01T10:00:00")


def seen(folder: str, *, share: str = "raw", name: str = "", sha1: str = "", **facts: Any) -> SessionSeen:
    values: dict[str, Any] = {
        "kind": "neuropixels-ap",
        "device": "imec0",
        "paths": ("a.bin",),
        "serial": "7",
        "started": STARTED,
    }
    recording = Recording(**(values | {"sha1": sha1} | facts))
    session = Session(
        id=name or folder, subject="s", started=STARTED, share=share, folder=folder, recordings=(recording,)
    )
    return SessionSeen(session=identified(session), paths=list)


def told(*sessions: SessionSeen) -> list[tuple[str, str, str, str]]:
    duplicates = Duplicates()
    for one in sessions:
        duplicates.take(one)
    return [(each.finding.code, each.share, each.finding.path, each.finding.message) for each in duplicates.findings()]


def test_all_but_the_first_by_path_are_told_whatever_the_order() -> None:
    sessions = [
        seen("b", sha1="x", samples=6),
        seen("a", sha1="x", samples=6),
        seen("c", sha1="y", samples=3),
        seen("d", processing="compressed"),
        seen("e", serial="8"),
        seen("f", started=None),
    ]
    found = told(*sessions)
    assert found == [
        ("duplicate-recording", "raw", "b/a.bin", "It is the same recording as another: a/a.bin."),
        ("duplicate-recording", "raw", "c/a.bin", "It is the same recording as another, in another length: a/a.bin."),
        ("duplicate-recording", "raw", "d/a.bin", "It is the same recording, packed or not, as another: a/a.bin."),
    ]
    for order in itertools.permutations(sessions):
        assert told(*order) == found


def test_another_share_is_named() -> None:
    found = told(seen("a", share="one", sha1="x"), seen("a", share="two", sha1="z"))
    assert found == [
        (
            *("duplicate-recording", "two", "a/a.bin"),
            "It is the same recording as another, with other content: a/a.bin on the share one.",
        )
    ]


def test_two_folders_of_one_session_on_a_share_are_told_on_two_shares_they_belong_together() -> None:
    def part(folder: str, share: str) -> SessionSeen:
        return seen(folder, share=share, name="s/2020-01-01", serial="")

    assert told(part("x", "ephys"), part("x", "video")) == []
    assert told(part("ephys/s/x", "raw"), part("video/s/x", "raw")) == []
    ((code, _, path, message),) = told(part("y", "ephys"), part("x", "ephys"))
    assert (code, path) == ("misnamed", "y")
    assert message == "By its name it is the session s/2020-01-01, and so is x."
