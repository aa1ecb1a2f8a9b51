"""The report of a scan: what it shows, that it needs nothing else, and that no name gets out of its place."""

import os
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.cli.report_page import shown
from engram.cli.scan_charts import MOST_SUBJECTS, Mark, by_span, over_time, per_subject, spans
from engram.cli.scan_report import ScanReport
from engram.model.errors import ShareUnavailable
from engram.model.findings import Finding
from engram.model.outcome import failure
from engram.model.recordings import Recording, Session
from engram.sessions.scanning.seen import DerivedSeen, SessionSeen, ShareFinding, ShareSeen
from engram.testing.troubled_share import troubled_share
from tests.cli.conftest import Engram

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
HOSTILE = "</title></style><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"
_VOID = {"meta"}
_TAGS = set(
    "html head meta title style body h1 h2 p strong main section span svg desc g path text rect details summary table"
    " caption thead tbody tr th td bdi".split()
)


class Page(HTMLParser):
    """A page, taken apart as a browser does, which must close what it opens and hold nothing that acts or loads."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.words: list[str] = []
        self.css = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in {"src", "href", "xlink:href", "style", "action", "data"}
            assert "javascript" not in (value or "")
        self.tags[tag] += 1
        self.open += [] if tag in _VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            self.css += data
        elif data.strip():
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return "\n".join(self.words)


def page_of(*seen: "SessionSeen | DerivedSeen | ShareFinding | ShareSeen", lab: str = "Our lab") -> Page:
    report = ScanReport()
    assert list(report.watch(seen)) == list(seen)
    return Page(report.page(lab=lab, made=MADE))


def session(subject: str, started: datetime | date, *findings: Finding, **more: str) -> SessionSeen:
    recordings = (Recording(kind="video", device="side", paths=("a.avi",), size_bytes=1 << 30),)
    found = Session(
        id=f"{subject}/{started}",
        subject=subject,
        started=started,
        share=more.get("share", "recordings"),
        folder=f"{subject}/x",
        recordings=recordings,
        findings=findings,
    )
    return SessionSeen(session=found, paths=list)


CUT = Finding(code="truncated", path="1/x/a.bin", message="7 bytes are missing.")
ODD = Finding(code="name-not-portable", path="1/x/what?", message="It has a question mark.")


class TestWhatItShows:
    def test_everything_is_counted_and_every_picture_has_its_words(self) -> None:
        days = [date(2020, 1, 1), datetime(2020, 1, 1, 10, tzinfo=UTC), datetime(2020, 3, 4, 10, 30, 1, tzinfo=UTC)]
        page = page_of(
            session("1", days[0], CUT, ODD),
            session("2", days[1], ODD),
            session("2", days[2]),
            ShareFinding("recordings", CUT),
            ShareSeen(share="recordings", sessions=3, subjects=2, recordings=3, files=1234),
        )
        assert "Our lab: what lies on its shares" in page.words
        assert "Scanned 2026-01-02 03:04 UTC" in page.words
        assert "3 sessions, 2 subjects, 3 recordings, 1,234 files, 3.0 GB of recordings" in page.words
        assert "2 errors, 0 warnings, 2 notes" in page.words
        assert "3 sessions; most, 2, in 2020-01." in page.words
        assert "2 subjects, from 2020-01-01 to 2020-03-04." in page.words
        assert "2 truncated; 2 name-not-portable." in page.words
        assert "Copy it again from the rig, or say why it is so: engram sessions waive ID truncated." in page.words
        assert "7 bytes are missing." in page.words
        assert page.tags["svg"] == page.tags["desc"] == 3
        assert page.tags["title"] > 3

    def test_what_was_computed_apart_from_its_session_is_told_and_is_no_session(self) -> None:
        apart = DerivedSeen(session("9", date(2020, 1, 1), ODD), "Its share is another.", "1/2020-01-01")
        page = page_of(session("1", date(2020, 1, 1)), apart, DerivedSeen(session("8", date(2020, 1, 2)), "Nobody's."))
        assert page.words[page.words.index("computed, apart from its session") - 4] == "1/2020-01-01"
        assert page.words.count("computed, apart from its session") == 2
        assert "1 session, 1 subject, 0 recordings, 0 files, 3.0 GB of recordings" in page.words
        assert "1 name-not-portable." in page.words

    def test_nothing_found_is_a_page_as_well(self) -> None:
        page = page_of(ShareSeen(share="empty"))
        assert "0 sessions, 0 subjects, 0 recordings, 0 files, 0.0 B of recordings" in page.words
        assert "Nothing is wrong with what was found." in page.words
        assert page.tags["svg"] == 0

    def test_a_share_that_is_not_there_is_told(self) -> None:
        report = ScanReport()
        error = ShareUnavailable("rig<4>", "it does not answer")
        list(report.watch([failure(error, action="scan", item="rig<4>")]))
        assert "rig<4>" in Page(report.page(lab="l", made=MADE)).words

    def test_many_findings_of_a_kind_are_counted_and_the_first_are_told(self) -> None:
        cuts = [Finding(code="truncated", path=f"1/{number}", message="Short.") for number in range(300)]
        page = page_of(session("1", date(2020, 1, 1), *cuts))
        assert "truncated: 300, the first 200" in page.words
        assert "1/199" in page.words
        assert "1/200" not in page.words

    def test_it_needs_nothing_else_and_fits_the_screen_and_the_paper(self) -> None:
        report = ScanReport()
        list(report.watch([session("1", date(2020, 1, 1), CUT)]))
        text = report.page(lab="l", made=MADE)
        assert "default-src 'none'" in text
        assert not re.search(r"url\(|@import|https?:", text)
        css = Page(text).css
        assert "prefers-color-scheme: dark" in css
        assert "@media print" in css

    def test_five_years_of_two_hundred_subjects_stay_small(self) -> None:
        first = date(2019, 1, 1)
        marks = [Mark(f"{n % 200:05d}", first + timedelta(days=n * 7 % 1800), n % 4) for n in range(5000)]
        assert len(per_subject(marks)) < 500_000
        parts = spans(mark.day for mark in marks)
        assert len(parts) == 60
        assert len(over_time(parts, by_span(marks, parts))) < 50_000

    def test_more_subjects_than_a_picture_holds_are_in_the_table(self) -> None:
        page = page_of(*(session(f"subject{n:04d}", date(2020, 1, 1 + n % 3)) for n in range(MOST_SUBJECTS + 5)))
        assert f"The {MOST_SUBJECTS} with the most sessions; all {MOST_SUBJECTS + 5} stand in the table." in page.words
        assert page.words.count("subject0304") >= 2


class TestNamesOfStrangers:
    def test_what_looks_like_html_is_text(self) -> None:
        finding = Finding(code="malformed", path=f"{HOSTILE}/a", message=HOSTILE)
        page = page_of(
            session(HOSTILE, date(2020, 1, 1), finding, share=HOSTILE),
            ShareSeen(share=HOSTILE, note=HOSTILE),
            lab=HOSTILE,
        )
        assert page.tags["main"] == 1
        assert f"{HOSTILE}: what lies on its shares" in page.words
        assert page.text.count("<script>alert(1)</script>") >= 6

    @given(st.text(st.characters(exclude_categories=[])))
    def test_no_name_hides_or_turns_anything(self, name: str) -> None:
        safe = shown(name)
        assert not set("<>\"'\x00\x1b\n\u202e\u2066\u200f\x85") & set(safe)
        assert safe.encode().decode() == safe
        assert Page(f"<p>{safe}</p>").open == []

    def test_a_long_name_is_cut_behind_a_whole_character(self) -> None:
        assert shown("<" * 30, 10) == "&lt;" * 9 + "…"


class TestSpans:
    @pytest.mark.parametrize(
        ("first", "last", "count", "labels"),
        [
            ((2020, 2, 27), (2020, 3, 1), 4, ("2020-02-27", "2020-03-01")),
            ((2019, 11, 5), (2021, 2, 1), 16, ("2019-11", "2021-02")),
            ((1990, 1, 1), (2026, 1, 1), 37, ("1990", "2026")),
            ((1, 1, 1), (9999, 12, 31), 120, ("0001–0084", "9997–9999")),
        ],
    )
    def test_the_calendar_is_cut_as_fine_as_a_page_can_show(
        self, first: tuple[int, int, int], last: tuple[int, int, int], count: int, labels: tuple[str, str]
    ) -> None:
        found = spans([date(*last), date(*first)])
        assert (len(found), found[0].label, found[-1].label) == (count, *labels)

    @given(st.lists(st.dates(), min_size=1))
    def test_every_session_is_in_one_of_them(self, days: list[date]) -> None:
        parts = spans(days)
        counted = by_span([Mark("1", day, 0) for day in days], parts)
        assert sum(sum(one.values()) for one in counted) == len(days)
        assert len(parts) <= 120
        assert parts[0].first <= min(days)


@pytest.mark.integration
class TestTheCommand:
    def test_a_troubled_share_becomes_a_page(self, engram: Engram, tmp_path: Path) -> None:
        (tmp_path / "lab").mkdir()
        share = tmp_path / "share"
        troubles = troubled_share(share)
        odd = os.fsencode(share) + b"/<b>\xff\x1b[2J\xe2\x80\xae/2020-01-01_10-00-00"
        os.makedirs(odd)
        Path(os.fsdecode(odd), "a.avi").write_bytes(b"RIFF")
        engram("lab", "create", "lab")
        engram("--lab", "lab", "share", "add", "recordings", str(share))
        scanned = engram("--lab", "lab", "sessions", "scan", "--report", "report.html")
        assert f"report(ok): {tmp_path}/report.html" in scanned.out
        page = Page((tmp_path / "report.html").read_bytes().decode("utf-8"))
        told = {trouble.code for trouble in troubles} - {"checksum-mismatch"}  # that is looked for on request
        assert told <= set(page.words)
        assert r"<b>\xff\x1b[2J\u202e" in page.text
        again = engram("--lab", "lab", "--json", "sessions", "scan", "--report", "report.html")
        assert again.records[-1]["action"] == "report"

    def test_nothing_is_written_on_a_share_or_where_no_file_can_be(self, engram: Engram, tmp_path: Path) -> None:
        (tmp_path / "share").mkdir()
        engram("lab", "create", "lab")
        engram("--lab", "lab", "share", "add", "recordings", str(tmp_path / "share"))
        for place, said in (
            ("share/r.html", "lies on the share recordings"),
            ("nowhere/r.html", "No report"),
            (".", "No"),
        ):
            refused = engram("--lab", "lab", "sessions", "scan", "--report", place)
            assert (refused.code, refused.out) == (2, "")
            assert said in refused.err
        assert list((tmp_path / "share").iterdir()) == []
