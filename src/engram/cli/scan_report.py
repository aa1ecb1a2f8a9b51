"""The report of a scan: one page of HTML that needs nothing else, for a screen of any colour and for paper."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from engram.cli.report_page import folded, page_head, shown, table
from engram.cli.scan_charts import (
    GRADES,
    MOST_SUBJECTS,
    Mark,
    Span,
    by_kind,
    by_span,
    over_time,
    per_subject,
    spans,
)
from engram.cli.sessions_view import contents, when
from engram.cli.text import size
from engram.model.counting import plural
from engram.model.findings import FINDINGS, Finding, Severity
from engram.model.outcome import Outcome
from engram.sessions.scanning.seen import DerivedSeen, Seen, SessionSeen, ShareFinding, ShareSeen

AnySeen = TypeVar("AnySeen", bound="Seen | Outcome")
_GRADE = {Severity.NOTE: 1, Severity.WARNING: 2, Severity.ERROR: 3}
#: Of each kind so many findings are told one by one.
_MOST_OF_A_KIND = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One session, as far as the report tells of it."""

    id: str
    subject: str
    when: str
    share: str
    state: str
    what: str
    grade: int


@dataclass(slots=True)
class _Kind:
    """All findings of one code."""

    count: int = 0
    first: list[tuple[str, Finding]] = field(default_factory=list)


class ScanReport:
    """Hands on what a scan finds, and makes a page of it in the end."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._marks: list[Mark] = []
        self._kinds: dict[str, _Kind] = defaultdict(_Kind)
        self._shares: list[ShareSeen] = []
        self._failed: list[Outcome] = []
        self._bytes = 0

    def watch(self, found: Iterable[AnySeen]) -> Iterator[AnySeen]:
        """The same, remembered."""
        for one in found:
            self._take(one)
            yield one

    def _take(self, one: "Seen | Outcome") -> None:
        if isinstance(one, SessionSeen):
            grade = self._row(one, one.session.id, one.session.state)
            started = one.session.started
            day = started.date() if isinstance(started, datetime) else started
            self._marks.append(Mark(one.session.subject, day, grade))
        elif isinstance(one, DerivedSeen):
            self._row(one.seen, one.belongs_to or one.seen.session.id, "computed, apart from its session")
        elif isinstance(one, ShareFinding):
            self._finding(one.share, one.finding)
        elif isinstance(one, ShareSeen):
            self._shares.append(one)
        else:
            self._failed.append(one)

    def _row(self, seen: SessionSeen, name: str, state: str) -> int:
        """How bad it is with a session, or with what was computed from one."""
        session = seen.session
        recordings = (*session.recordings, *seen.derived)
        for finding in session.findings:
            self._finding(session.share, finding)
        grade = max((_GRADE[finding.severity] for finding in session.findings), default=0)
        self._bytes += sum(one.size_bytes or 0 for one in recordings)
        row = _Row(
            id=name,
            subject=session.subject,
            when=when(session.started),
            share=session.share,
            state=state,
            what=contents(recordings, len(session.tasks), session.unknown),
            grade=grade,
        )
        self._rows.append(row)
        return grade

    def _finding(self, share: str, finding: Finding) -> None:
        kind = self._kinds[finding.code]
        kind.count += 1
        if len(kind.first) < _MOST_OF_A_KIND:
            kind.first.append((share, finding))

    def page(self, *, lab: str, made: datetime) -> str:
        """The whole page. *made*: when the scan was, with its zone."""
        title = shown(f"{lab}: what lies on its shares")
        parts = [page_head(title), f"<h1>{title}</h1>"]
        parts += [f'<p class="soft">Scanned {made:%Y-%m-%d %H:%M %Z}</p>', *self._summary()]
        parts += ["<main>", *self._over_time(), *self._per_subject(), *self._by_kind(), *self._sessions(), "</main>"]
        return "\n".join([*parts, "</body>", "</html>", ""])

    def _summary(self) -> Iterator[str]:
        counts = Counter(
            _GRADE[FINDINGS[code].severity] for code, kind in self._kinds.items() for _ in range(kind.count)
        )
        subjects = len({mark.subject for mark in self._marks})
        told = [plural(len(self._marks), "session"), plural(subjects, "subject")]
        told += [f"{sum(one.recordings for one in self._shares):,} recordings"]
        told += [f"{sum(one.files for one in self._shares):,} files", f"{size(self._bytes)} of recordings"]
        yield f"<p><strong>{', '.join(told)}</strong></p>"
        yield f"<p>{plural(counts[3], 'error')}, {plural(counts[2], 'warning')}, {plural(counts[1], 'note')}</p>"
        for outcome in self._failed:
            yield f"<p><strong>{shown(outcome.item)}</strong>: {shown(outcome.message)} {shown(outcome.remedy)}</p>"
        heads = ("share", "sessions", "subjects", "recordings", "files", "of unknown format", "left out", "unreadable")
        rows = (
            (
                one.share,
                one.sessions,
                one.subjects,
                one.recordings,
                one.files,
                one.unknown,
                one.excluded,
                one.unreadable,
            )
            for one in self._shares
        )
        yield from table("The shares", heads, rows)
        yield from (f"<p>{shown(one.share)}: {shown(one.note)}</p>" for one in self._shares if one.note)

    def _over_time(self) -> Iterator[str]:
        parts = spans(mark.day for mark in self._marks)
        counted = by_span(self._marks, parts)
        yield "<section><h2>Sessions over time</h2>"
        keys = (f'<span class="key s{grade}"></span>{word}' for grade, word in enumerate(GRADES))
        yield f"<p>Sessions: {''.join(keys)}</p>"
        if parts:
            yield over_time(parts, counted)
        rows = (_numbers(part, counts) for part, counts in zip(parts, counted, strict=True))
        yield from folded("The numbers", table("Sessions over time", ("when", *GRADES), rows))
        yield "</section>"

    def _per_subject(self) -> Iterator[str]:
        yield "<section><h2>Sessions of each subject</h2>"
        if self._marks:
            yield per_subject(self._marks)
        counted: dict[str, list[Mark]] = defaultdict(list)
        for mark in self._marks:
            counted[mark.subject].append(mark)
        if len(counted) > MOST_SUBJECTS:
            yield f"<p>The {MOST_SUBJECTS} with the most sessions; all {len(counted)} stand in the table.</p>"
        rows = (_subject(name, marks) for name, marks in sorted(counted.items()))
        heads = ("subject", "sessions", "first", "last", "with an error")
        yield from folded("The numbers", table("Sessions of each subject", heads, rows))
        yield "</section>"

    def _by_kind(self) -> Iterator[str]:
        kinds = sorted(self._kinds.items(), key=lambda one: (-_grade(one[0]), -one[1].count, one[0]))
        yield "<section><h2>Findings by kind</h2>"
        if not kinds:
            yield "<p>Nothing is wrong with what was found.</p></section>"
            return
        yield by_kind([(code, _grade(code), kind.count) for code, kind in kinds])
        heads = ("kind", "severity", "findings", "what it means", "what to do")
        rows = (
            (code, FINDINGS[code].severity.value, kind.count, FINDINGS[code].meaning, FINDINGS[code].remedy)
            for code, kind in kinds
        )
        yield from table("Findings by kind", heads, rows)
        for code, kind in kinds:
            rest = f", the first {len(kind.first)}" if kind.count > len(kind.first) else ""
            found = ((share, finding.path, finding.message) for share, finding in kind.first)
            yield from folded(f"{code}: {kind.count}{rest}", table(code, ("share", "where", "what"), found))
        yield "</section>"

    def _sessions(self) -> Iterator[str]:
        yield "<section><h2>Sessions</h2>"
        rows = (
            (row.id, row.subject, row.when, row.share, row.state, row.what, GRADES[row.grade] if row.grade else "")
            for row in sorted(self._rows, key=lambda one: (one.id, one.share))
        )
        heads = ("session", "subject", "began", "share", "state", "what", "findings")
        yield from folded(f"All of them, {len(self._rows)} folders", table("Sessions", heads, rows))
        yield "</section>"


def _numbers(part: Span, counts: Counter[int]) -> tuple[str | int, ...]:
    return part.label, *(counts[grade] for grade in range(len(GRADES)))


def _grade(code: str) -> int:
    return _GRADE[FINDINGS[code].severity]


def _subject(name: str, marks: Sequence[Mark]) -> tuple[str | int, ...]:
    days = sorted(mark.day for mark in marks)
    worst = sum(mark.grade == len(GRADES) - 1 for mark in marks)
    return name, len(marks), days[0].isoformat(), days[-1].isoformat(), worst
