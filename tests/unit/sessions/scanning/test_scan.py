"""What a scan of a share finds, and what it leaves alone."""

import itertools
import os
import random
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.model.errors import BadTemplate, Malformed, ShareUnavailable, Unreadable
from engram.model.findings import Finding
from engram.model.lab import Share
from engram.model.recordings import Recording, Session, Task
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.scanning.derived import OtherShares
from engram.sessions.scanning.disk import Disk, Listing, LocalDisk
from engram.sessions.scanning.scan import Scanner
from engram.sessions.scanning.seen import DerivedSeen, SessionSeen, ShareFinding, ShareSeen
from engram.testing.shares import DeadDisk, DyingDisk, SlowDisk, age

DAY_NS = 86_400 * 10**9


def _recognise(folder: Folder) -> Iterator[Seen]:
    """``.rec`` files whose content is what they are: start and serial."""
    for path in folder.ending(".rec"):
        text = folder.read(path, 100).decode(errors="replace").strip()
        if text == "malformed":
            raise Malformed(path, "it says so")
        if text == "bug":
            raise ZeroDivisionError
        if text == "growing":
            yield Finding(code="still-acquiring", path=path, message="It grows.")
            continue
        started, _, serial = text.partition(" ")
        yield Recording(
            kind="neuropixels-ap",
            device="imec0",
            paths=(path,),
            serial=serial,
            started=None if started == "-" else _time(started),
            size_bytes=folder.size_bytes(path),
        )
    for path in folder.ending("notes.txt"):
        yield Known((path,), "notes")
        yield Task(name="foraging", start_s=0.0)


def _time(text: str) -> Any:
    return datetime.fromisoformat(text)


RECORDER = Recogniser(name="recorder", suffixes=(".rec", "notes.txt"), recognise=_recognise, source="this test")


def _no_worker(path: str, reader: str) -> Mapping[str, object]:
    raise AssertionError(path)


class Lab:
    """A share, and the memory of those who scan it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "share"
        self.root.mkdir()
        self.state = folder / "scan.db"
        self.now_ns = time.time_ns()
        self.timezone = ""

    def write(self, path: str, content: str = "") -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        return place

    def scan(
        self,
        *,
        disk: Disk | None = None,
        full: bool = False,
        recognisers: tuple[Recogniser, ...] = (RECORDER,),
        patience_s: float = 20.0,
        **share: Any,
    ) -> "Scan":
        scanner = Scanner(
            state_file=str(self.state),
            recognisers=recognisers,
            worker=_no_worker,
            now_ns=self.now_ns,
            timezone=self.timezone,
            full=full,
            disk=disk or LocalDisk(),
            patience_s=patience_s,
        )
        return Scan(list(scanner.scan(Share(name="raw", root=str(self.root), **share))))


class Scan:
    def __init__(self, seen: list[Any]) -> None:
        self.seen = [one for one in seen if isinstance(one, SessionSeen)]
        self.sessions = {one.session.id: one.session for one in self.seen}
        self.loose = [one.finding for one in seen if isinstance(one, ShareFinding)]
        self.apart = [one for one in seen if isinstance(one, DerivedSeen)]
        (self.summary,) = [one for one in seen if isinstance(one, ShareSeen)]

    @property
    def told(self) -> list[Any]:
        """Everything but the order."""
        every = [one.session for one in self.seen] + self.loose
        return sorted(map(repr, every))

    def codes(self) -> set[tuple[str, str]]:
        inner = [finding for session in self.sessions.values() for finding in session.findings]
        return {(finding.code, finding.path) for finding in (*inner, *self.loose)}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


class TestWhatIsFound:
    def test_a_session_with_its_recordings_tasks_and_unknown_files(self, lab: Lab) -> None:
        lab.write("12347/2020-01-01_10-00-30/probe_1/a.rec", "2020-01-01T10:00:31 18194")
        lab.write("12347/2020-01-01_10-00-30/notes.txt")
        lab.write("12347/2020-01-01_10-00-30/x/one.dat")
        lab.write("12347/2020-01-01_10-00-30/x/two.DAT")
        lab.write("12347/2020-01-01_10-00-30/x/README")
        found = lab.scan()
        session = found.sessions["12347/2020-01-01T10-00-30"]
        assert [recording.path for recording in session.recordings] == ["probe_1/a.rec"]
        assert session.recordings[0].id == "neuropixels-ap:18194:20200101T100031"
        assert [task.name for task in session.tasks] == ["foraging"]
        assert session.unknown == (("", 1), (".dat", 2))
        assert session.findings == ()
        scanned = found.seen[0].scanned()
        assert [file.path for file in scanned.files] == [
            "notes.txt",
            "probe_1/a.rec",
            "x/README",
            "x/one.dat",
            "x/two.DAT",
        ]
        assert found.summary == ShareSeen(share="raw", sessions=1, recordings=1, subjects=1, files=5, unknown=3)
        (record,) = found.seen[0].as_json()["recordings"]
        assert record["paths"] == ["12347/2020-01-01_10-00-30/probe_1/a.rec"]

    def test_an_earlier_template_claims_folders_below_another_session(self, lab: Lab) -> None:
        lab.write("s/20170318/Session1/a.rec", "- ")
        lab.write("s/20170318/Session2/b.rec", "- ")
        lab.write("s/20170318/extra/c.rec", "- ")
        for _ in range(2):  # the second is from memory
            found = lab.scan()
            assert {name: [one.path for one in session.recordings] for name, session in found.sessions.items()} == {
                "s/2017-03-18": ["extra/c.rec"],
                "s/2017-03-18_1": ["a.rec"],
                "s/2017-03-18_2": ["b.rec"],
            }

    def test_a_folder_that_only_leads_to_sessions_is_none(self, lab: Lab) -> None:
        lab.write("s/20170318/Session1/a.rec", "- ")
        assert set(lab.scan().sessions) == {"s/2017-03-18_1"}

    def test_times_have_the_zone_of_the_share_else_of_the_lab(self, lab: Lab) -> None:
        lab.write("s/2020-07-01_10-00-30/a.dat")
        lab.timezone = "Europe/Oslo"
        (session,) = lab.scan().sessions.values()
        assert session.started.isoformat() == "2020-07-01T10:00:30+02:00"
        (session,) = lab.scan(timezone="America/New_York").sessions.values()
        assert session.started.isoformat() == "2020-07-01T10:00:30-04:00"

    def test_a_day_gets_its_time_from_the_first_recording(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "2020-01-01T11:00:00 1")
        lab.write("s/20200101/b.rec", "2020-01-01T10:00:00 2")
        (session,) = lab.scan().sessions.values()
        assert (session.id, session.started.isoformat()) == ("s/2020-01-01", "2020-01-01T10:00:00")

    def test_a_time_that_does_not_fit_the_name_is_told(self, lab: Lab) -> None:
        lab.write("s/20200101/night.rec", "2020-01-02T01:00:00 1")
        lab.write("s/20200101/wrong.rec", "2020-03-01T10:00:00 2")
        lab.write("s/2020-01-01_10-00-00/early.rec", "2020-01-01T09:00:00 3")
        lab.write("s/2020-01-01_10-00-00/soon.rec", "2020-01-01T09:59:00 4")
        assert lab.scan().codes() == {
            ("time-mismatch", "s/20200101/wrong.rec"),
            ("time-mismatch", "s/2020-01-01_10-00-00/early.rec"),
        }

    def test_another_day_by_another_declared_template_is_told(self, lab: Lab) -> None:
        lab.write("s/03042018/a.dat")
        found = lab.scan(template=("{subject}/{session:%m%d%Y}", "{subject}/{session:%d%m%Y}"))
        assert found.codes() == {("ambiguous-date", "s/03042018")}

    def test_derived_data_elsewhere_on_the_share_are_linked(self, lab: Lab) -> None:
        lab.write("recordings/s/2020-01-01_10-00-30/a.rec", "2020-01-01T10:00:31 1")
        lab.write("recordings/t/20200101/b.rec", "- ")
        lab.write("recordings/t/20200102_a/c.rec", "- ")
        lab.write("recordings/t/20200102_b/c.rec", "- ")
        lab.write("analysis/s/2020-01-01/sorted.rec", "- ")
        lab.write("analysis/t/20200101/sorted.rec", "- ")
        lab.write("analysis/t/20200102/sorted.rec", "- ")
        lab.write("Histology/s/slice.czi")
        for _ in range(2):
            found = lab.scan()
            linked = {one.session.id: [each.path for each in one.derived] for one in found.seen if one.derived}
            assert linked == {
                "s/2020-01-01T10-00-30": ["analysis/s/2020-01-01/sorted.rec"],
                "t/2020-01-01": ["analysis/t/20200101/sorted.rec"],
            }
            assert found.loose == []
            (apart,) = found.apart
            assert (apart.seen.session.folder, apart.scanned().computed) == ("analysis/t/20200102", True)
            assert "one of 2 sessions of t on 2020-01-02" in apart.why_apart

    def test_derived_data_of_no_session_on_their_share_are_those_of_one_on_another(self, lab: Lab) -> None:
        lab.write("analysis/s/2020-01-01/sorted.rec", "- ")
        lab.write("analysis/t/2020-01-02/sorted.rec", "- ")
        others = OtherShares()
        for apart in lab.scan().apart:
            others.hold(apart)
        for name in ("s/2020-01-01T10-00-30", "u/2020-01-02T10-00-30"):
            subject, _, started = name.partition("/")
            when = datetime.fromisoformat(f"{started[:10]}T10:00:30")
            others.take(Session(id=name, subject=subject, started=when, share="raw", folder=subject))
        first, second, finding = others.rest()
        assert isinstance(first, DerivedSeen)
        assert isinstance(second, DerivedSeen)
        assert isinstance(finding, ShareFinding)
        assert (first.belongs_to, second.belongs_to) == ("s/2020-01-01T10-00-30", "")
        assert first.as_json()["recordings"][0]["paths"] == ["analysis/s/2020-01-01/sorted.rec"]
        assert (finding.finding.code, finding.finding.path) == ("unknown-layout", "analysis/t/2020-01-02")

    def test_files_outside_of_sessions_are_told_for_the_topmost_folder(self, lab: Lab) -> None:
        lab.write("12345/readme.txt")
        lab.write("lost/and/found/a.dat")
        lab.write("lost/b.dat")
        lab.write("s/20200101/a.dat")
        lab.write("s/stray.dat")
        lab.write("s/20201301/x.dat")
        found = lab.scan()
        assert found.codes() == {("unknown-layout", path) for path in ("12345", "lost", "s", "s/20201301")}
        told = {finding.path: finding.message for finding in found.loose}
        assert told["lost"] == "2 files in it belong to no session (2 .dat)."
        assert "s/20201301 is none, because '20201301' is no date in the form %Y%m%d" in told["s/20201301"]

    def test_what_a_pattern_leaves_out_is_counted_and_not_opened(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- ")
        lab.write("s/20200101/logs/bug.rec", "bug")
        lab.write("s/20200101/bad.tmp")
        lab.write("s/20200102/bug.rec", "bug")
        found = lab.scan(exclude=("**/logs/**", "*.tmp", "s/20200102"))
        assert found.codes() == set()
        assert {session.folder: session.state for session in found.sessions.values()} == {
            "s/20200101": "new",
            "s/20200102": "excluded",
        }
        assert (found.summary.files, found.summary.excluded) == (1, 3)

    def test_two_folders_of_one_name_and_no_session_at_all_are_no_trouble(self, lab: Lab) -> None:
        assert lab.scan().summary == ShareSeen(share="raw")
        lab.write("recordings/s/20200101/a.dat")
        lab.write("s/20200101/a.dat")
        assert len(lab.scan().seen) == 2


class TestWhatMayBeThere:
    def test_a_recogniser_that_fails_ends_nothing_but_its_own_work(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "bug")
        lab.write("s/20200102/b.rec", "malformed")
        lab.write("s/20200103/c.rec", "- ")
        found = lab.scan()
        assert [len(found.sessions[f"s/2020-01-0{day}"].recordings) for day in (1, 2, 3)] == [0, 0, 1]
        assert {code for code, _ in found.codes()} <= {"malformed", "recogniser-failed"}
        assert len(found.codes()) == 2

    def test_links_are_never_followed(self, lab: Lab, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "secret.rec").write_text("- ")
        session = lab.write("s/20200101/a.rec", "- ").parent
        (session / "out").symlink_to(outside)
        (session / "loop").symlink_to(session)
        (session / "file.rec").symlink_to(outside / "secret.rec")
        (lab.root / "s" / "20200102").symlink_to(outside)
        found = lab.scan()
        assert found.codes() == {("link-not-followed", "s/20200101/file.rec"), ("link-not-followed", "s/20200102")}
        assert found.summary.files == 1

    def test_what_is_no_file_is_not_opened(self, lab: Lab) -> None:
        session = lab.write("s/20200101/a.rec", "- ").parent
        os.mkfifo(session / "pipe.rec")
        assert lab.scan().codes() == {("unreadable", "s/20200101/pipe.rec")}

    def test_names_that_travel_badly_are_told_once_a_session(self, lab: Lab) -> None:
        session = lab.write("s/20200101/a.rec", "- ").parent
        for name in (b"latin-1 \xe9.dat", b"\x1b[2J.dat", b"what?.dat"):
            (session / os.fsdecode(name)).touch()
        (finding,) = lab.scan().sessions["s/2020-01-01"].findings
        assert finding.code == "name-not-portable"
        assert finding.message.endswith("and 2 more.")
        names = [file.path for file in lab.scan().seen[0].scanned().files]
        assert "latin-1 \udce9.dat" in names

    def test_a_path_longer_than_the_kernel_takes_at_once(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- ")
        here = os.getcwd()
        deep = "d" * 200
        try:
            os.chdir(lab.root / "s" / "20200101")
            for _ in range(25):
                os.mkdir(deep)
                os.chdir(deep)
            with open("deep.rec", "w") as file:
                file.write("2020-01-01T10:00:00 7")
        finally:
            os.chdir(here)
        try:
            found = lab.scan()
            paths = [recording.path for recording in found.sessions["s/2020-01-01"].recordings]
            assert paths == ["a.rec", "/".join([*[deep] * 25, "deep.rec"])]
            assert lab.scan().told == found.told
        finally:
            shutil.rmtree(lab.root)

    def test_an_unreadable_folder_is_told_and_looked_at_again(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- ")
        lab.write("s/20200101/locked/b.rec", "- ")
        lab.write("t/20200101/c.rec", "- ")
        age(lab.root, 30)
        found = lab.scan(disk=_Forbidding("locked", "t"))
        assert found.codes() == {("unreadable", "s/20200101/locked"), ("unreadable", "t")}
        assert found.summary.unreadable == 2
        again = lab.scan()
        assert again.codes() == set()
        assert {len(session.recordings) for session in again.sessions.values()} == {1, 2}


class _Forbidding(LocalDisk):
    """A share of which this account may not read some folders."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def listing(self, path: str) -> Listing:
        if path.rpartition("/")[2] in self._names:
            raise PermissionError(13, "Permission denied", path)
        return super().listing(path)


class TestLookingAgain:
    def test_what_is_old_and_unchanged_is_only_asked_whether_it_changed(self, lab: Lab) -> None:
        for day in range(1, 6):
            lab.write(f"s/202001{day:02}/probe/a.rec", f"2020-01-{day:02}T10:00:00 7")
        age(lab.root, 30)
        first = lab.scan()
        disk = SlowDisk(0)
        again = lab.scan(disk=disk)
        assert again.told == first.told
        assert again.summary == replace(first.summary, unchanged=5)
        assert disk.calls == {"identity": 2, "listing": 2, "changed": 10}

    def test_a_changed_folder_is_looked_at_anew_and_no_other(self, lab: Lab) -> None:
        for day in range(1, 6):
            lab.write(f"s/202001{day:02}/a.rec", "- ")
        age(lab.root, 30)
        lab.scan()
        lab.write("s/20200103/b.rec", "- ")
        lab.write("s/20200109/b.rec", "- ")
        (lab.root / "s/20200104/a.rec").unlink()
        shutil.rmtree(lab.root / "s/20200105")
        found = lab.scan()
        assert {day: len(found.sessions[f"s/2020-01-0{day}"].recordings) for day in (1, 2, 3, 4, 9)} == {
            1: 1,
            2: 1,
            3: 2,
            4: 0,
            9: 1,
        }
        assert (len(found.sessions), found.summary.unchanged) == (5, 2)
        assert lab.scan().told == found.told

    def test_a_young_file_that_grows_in_place_is_seen(self, lab: Lab) -> None:
        """The folder's own time does not change with it."""
        place = lab.write("s/20200101/a.rec", "- ")
        before = lab.scan()
        with place.open("a") as file:
            file.write("grown")
        found = lab.scan()
        assert found.sessions["s/2020-01-01"].recordings[0].serial == "grown"
        assert found.sessions["s/2020-01-01"].state == "incomplete"
        assert before.sessions["s/2020-01-01"].state == "new"
        assert lab.scan().sessions["s/2020-01-01"].state == "new"

    def test_an_old_session_that_is_not_settled_is_asked_for_its_files(self, lab: Lab) -> None:
        place = lab.write("s/20200101/a.rec", "growing")
        age(lab.root, 30)
        assert lab.scan().sessions["s/2020-01-01"].state == "incomplete"
        then = place.stat()
        place.write_text("- 5")
        os.utime(place, ns=(then.st_atime_ns, then.st_mtime_ns))
        assert lab.scan().sessions["s/2020-01-01"].recordings[0].serial == "5"

    def test_a_full_scan_sees_what_was_changed_behind_its_back(self, lab: Lab) -> None:
        place = lab.write("s/20200101/a.rec", "- 5")
        age(lab.root, 30)
        lab.scan()
        place.write_text("- 6")
        assert lab.scan().sessions["s/2020-01-01"].recordings[0].serial == "5"
        assert lab.scan(full=True).sessions["s/2020-01-01"].recordings[0].serial == "6"
        assert lab.scan().sessions["s/2020-01-01"].recordings[0].serial == "6"

    def test_a_clock_in_the_future_means_young(self, lab: Lab) -> None:
        place = lab.write("s/20200101/a.rec", "- 5")
        age(lab.root, -400)
        lab.scan()
        place.write_text("- 66")
        os.utime(place.parent, (time.time() + 400 * 86_400,) * 2)
        assert lab.scan().sessions["s/2020-01-01"].recordings[0].serial == "66"

    def test_other_rules_forget_what_was_seen(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- 5")
        age(lab.root, 30)
        lab.scan(recognisers=())
        assert len(lab.scan().sessions["s/2020-01-01"].recordings) == 1
        assert lab.scan(exclude=("*.rec",)).sessions["s/2020-01-01"].recordings == ()
        lab.timezone = "Europe/Oslo"
        lab.write("s/2020-01-02_10-00-00/a.rec", "- 5")
        assert lab.scan().sessions["s/2020-01-02T10-00-00"].started.isoformat().endswith("+01:00")

    def test_a_damaged_memory_costs_a_full_scan_and_no_more(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- 5")
        first = lab.scan()
        lab.state.write_bytes(b"SQLite format 3\0" + bytes(5000))
        assert lab.scan().told == first.told
        lab.state.write_bytes(b"nonsense" * 1000)
        assert lab.scan().told == first.told
        assert lab.scan().summary.unchanged == 1

    def test_a_memory_that_cannot_be_written_is_told(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- 5")
        lab.state.mkdir()
        found = lab.scan()
        assert len(found.sessions) == 1
        assert "could not be kept for the next scan" in found.summary.note

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(
        changes=st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["add", "remove", "grow", "folder"])), max_size=6)
    )
    def test_what_is_remembered_says_what_a_first_scan_would(
        self, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]
    ) -> None:
        lab = Lab(tmp_path_factory.mktemp("lab"))
        for day in range(1, 5):
            lab.write(f"s/2020010{day}/a.rec", f"2020-01-0{day}T10:00:00 7")
        lab.scan()
        for number, (day, change) in enumerate(changes):
            session = lab.root / f"s/2020010{day}"
            if change == "add":
                lab.write(f"s/2020010{day}/b{number}.rec", "- ")
            elif change == "remove":
                shutil.rmtree(session, ignore_errors=True)
            elif change == "folder":
                lab.write(f"s/2020010{day}/x{number}/c.dat")
            elif session.is_dir():
                lab.write(f"s/2020010{day}/a.rec", f"2020-01-0{day}T10:00:00 7{number}")
            if number % 2:
                lab.scan()
        lab.scan()
        remembered = lab.scan()
        lab.state.unlink()
        assert remembered.told == lab.scan().told


class TestASharesOwnTroubles:
    def test_one_that_does_not_answer_is_named_in_time(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- ")
        lab.write("t/20200101/a.rec", "- ")
        with pytest.raises(ShareUnavailable) as caught:  # and not waited for: it never answers
            lab.scan(disk=DeadDisk(lab.root / "t"), patience_s=0.3)
        assert f"{lab.root / 't'} has not answered for 0.3 s" in caught.value.what
        assert caught.value.exit_code == 30

    def test_one_that_is_not_there_is_told(self, lab: Lab) -> None:
        lab.root.rmdir()
        with pytest.raises(ShareUnavailable, match="No such file"):
            lab.scan()

    def test_one_that_goes_away_meanwhile_loses_nothing(self, lab: Lab) -> None:
        for day in range(1, 4):
            lab.write(f"s/2020010{day}/a.rec", "- ")
        age(lab.root, 30)
        lab.scan()
        for day in range(4, 7):
            lab.write(f"t/2020010{day}/a.rec", "- ")
        moved = lab.root.with_name("moved")

        def happen(path: str) -> None:
            if path.endswith("20200105"):
                lab.root.rename(moved)

        with pytest.raises(ShareUnavailable):
            lab.scan(disk=DyingDisk(happen))
        moved.rename(lab.root)
        assert lab.scan().summary.unchanged >= 3

    def test_an_empty_mount_point_is_no_empty_share(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- ")
        lab.scan()
        shutil.rmtree(lab.root / "s")
        with pytest.raises(ShareUnavailable, match="is it mounted"):
            lab.scan()
        assert lab.scan(full=True).summary == ShareSeen(share="raw")
        assert lab.scan().summary == ShareSeen(share="raw")

    def test_another_folder_in_its_place_is_told(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- ")

        def happen(path: str) -> None:
            if path.endswith("20200101"):
                lab.root.rename(lab.root.with_name("moved"))
                lab.root.mkdir()

        with pytest.raises(ShareUnavailable, match="something else lies in its place"):
            lab.scan(disk=DyingDisk(happen))

    def test_a_session_that_vanishes_meanwhile_is_no_trouble(self, lab: Lab) -> None:
        for day in range(1, 4):
            lab.write(f"s/2020010{day}/in/a.rec", "- ")

        def happen(path: str) -> None:
            if path.endswith("20200102"):
                shutil.rmtree(path)
            if path.endswith("20200103/in"):
                shutil.rmtree(path)

        found = lab.scan(disk=DyingDisk(happen))
        assert found.codes() == set()
        assert set(found.sessions) == {"s/2020-01-01", "s/2020-01-03"}
        assert lab.scan().sessions.keys() == found.sessions.keys()

    def test_what_could_not_be_read_once_is_read_next_time(self, lab: Lab) -> None:
        """Without any change on the share that one could see."""
        lab.write("s/20200101/a.rec", "- 5")
        lab.write("s/20200102/b.rec", "- 6")
        age(lab.root, 30)

        class Stale(LocalDisk):
            def read(self, path: str, count: int, offset: int) -> bytes:
                raise OSError(116, "Stale file handle", path)

        found = lab.scan(disk=Stale())
        assert {code for code, _ in found.codes()} == {"unreadable"}
        assert found.summary.unreadable == 2
        assert lab.scan().codes() == set()
        assert lab.scan().summary.unchanged == 2

    def test_what_was_stopped_half_way_is_not_remembered(self, lab: Lab) -> None:
        for day in range(1, 6):
            lab.write(f"s/2020010{day}/a.rec", "- 5")
        age(lab.root, 30)

        reached, stopped = threading.Event(), threading.Event()

        class Waiting(LocalDisk):
            def read(self, path: str, count: int, offset: int) -> bytes:
                if "20200105" in path:
                    reached.set()
                    stopped.wait()
                time.sleep(0.02)
                return super().read(path, count, offset)

        def look_often(folder: Folder) -> Iterator[Seen]:
            for _ in range(10):
                folder.read("a.rec", 1)
            yield from _recognise(folder)

        often = replace(RECORDER, recognise=look_often)
        scanner = Scanner(
            state_file=str(lab.state), recognisers=(often,), worker=_no_worker, now_ns=lab.now_ns, disk=Waiting()
        )
        others = set(threading.enumerate())
        events = scanner.scan(Share(name="raw", root=str(lab.root)))
        next(events)
        assert reached.wait(60)
        events.close()  # type: ignore[attr-defined]  # it is a generator
        stopped.set()
        for thread in set(threading.enumerate()) - others:
            thread.join()
        again = lab.scan(recognisers=(often,))
        assert again.codes() == set()
        assert 1 <= again.summary.unchanged < 5

    def test_a_wrong_template_is_told_before_anything_is_looked_at(self, lab: Lab) -> None:
        with pytest.raises(BadTemplate):
            lab.scan(template=("{subject}",))

    def test_who_stops_listening_stops_the_scan(self, lab: Lab) -> None:
        for day in range(1, 29):
            lab.write(f"s/202001{day:02}/a.rec", "- ")
        disk = SlowDisk(0.02)
        scanner = Scanner(state_file=str(lab.state), recognisers=(), worker=_no_worker, now_ns=lab.now_ns, disk=disk)
        events = scanner.scan(Share(name="raw", root=str(lab.root)))
        next(events)
        events.close()  # type: ignore[attr-defined]  # it is a generator
        calls = dict(disk.calls)
        time.sleep(0.2)
        assert sum(disk.calls.values()) - sum(calls.values()) <= 64


class TestManyHands:
    def test_a_slow_share_says_the_same_as_a_fast_one(self, lab: Lab) -> None:
        for subject, day in itertools.product("stu", range(1, 20)):
            lab.write(f"{subject}/202001{day:02}/probe/a.rec", f"2020-01-{day:02}T10:00:00 {subject}{day}")
            lab.write(f"{subject}/202001{day:02}/stray.dat")
        age(lab.root, 30)
        slow = lab.scan(disk=SlowDisk(0.002))
        lab.state.unlink()
        assert slow.told == lab.scan().told
        assert lab.scan(disk=SlowDisk(0.002)).told == slow.told

    def test_files_are_asked_for_only_where_it_is_needed(self, lab: Lab) -> None:
        lab.write("s/20200101/a.rec", "- ")
        for number in range(50):
            lab.write(f"s/20200101/{number}.dat")
        age(lab.root, 30)
        disk = SlowDisk(0)
        lab.scan(disk=disk)
        assert disk.calls["stat"] == 1

    def test_the_order_of_names_does_not_matter(self, lab: Lab) -> None:
        for subject, day in itertools.product("st", range(1, 8)):
            lab.write(f"{subject}/202001{day:02}/probe/a.rec", f"2020-01-{day:02}T10:00:00 7")
            lab.write(f"{subject}/202001{day:02}/Session1/b.rec", "- ")
        first = lab.scan()
        for seed in range(3):
            lab.state.unlink()
            assert lab.scan(disk=_Shuffled(seed)).told == first.told

    def test_an_error_in_a_thread_is_raised_here(self, lab: Lab) -> None:
        for day in range(1, 28):
            lab.write(f"s/202001{day:02}/a.dat")
        with pytest.raises(ZeroDivisionError):
            lab.scan(disk=_Broken())


class _Shuffled(LocalDisk):
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def listing(self, path: str) -> Listing:
        found = super().listing(path)
        for names in (found.files, found.folders):
            self._random.shuffle(names)
        return found


class _Broken(LocalDisk):
    def listing(self, path: str) -> Listing:
        time.sleep(0.002)
        if path.endswith("27"):
            raise ZeroDivisionError
        return super().listing(path)


def test_nothing_on_the_share_is_written(lab: Lab) -> None:
    lab.write("s/20200101/probe/a.rec", "2020-01-01T10:00:00 7")
    lab.write("s/20200102/a.rec", "growing")
    lab.write("stray.dat")
    before = _everything(lab.root)
    for full in (False, False, True):
        lab.scan(full=full)
        assert _everything(lab.root) == before


def _everything(root: Path) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for folder, _, files in os.walk(root):
        for name in ("", *files):
            status = os.lstat(os.path.join(folder, name))
            content = Path(folder, name).read_bytes() if name else b""
            found.append((folder, name, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, content))
    return sorted(found)


def test_an_unreadable_file_is_told_by_its_recogniser_or_by_us(lab: Lab) -> None:
    lab.write("s/20200101/a.rec", "- ")

    class Refusing(LocalDisk):
        def read(self, path: str, count: int, offset: int) -> bytes:
            raise PermissionError(13, "Permission denied", path)

    found = lab.scan(disk=Refusing())
    assert found.codes() == {("unreadable", "s/20200101/a.rec")}
    with pytest.raises(Unreadable):
        LocalDisk().read(str(lab.root), 1, 0)
