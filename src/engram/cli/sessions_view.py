"""How sessions and findings are shown to people."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from engram.cli.render import outcome_line
from engram.cli.text import ink, printable
from engram.model.counting import plural
from engram.model.findings import FINDINGS, Finding, Severity
from engram.model.outcome import Outcome
from engram.model.recordings import Recording
from engram.sessions.scanning.seen import DerivedSeen, Seen, SessionSeen, ShareFinding, ShareSeen

AnySeen = TypeVar("AnySeen", bound="Seen | Outcome")
#: What people call several recordings of a kind.
_NOUNS = {
    "neuropixels-ap": "probe",
    "neuropixels-lf": "LFP band",
    "nidq": "NI-DAQ stream",
    "ephys": "ephys recording",
    "daq": "DAQ stream",
    "imaging": "imaging recording",
    "video": "video",
    "tracking": "tracking",
    "pose": "pose output",
    "segmentation": "segmentation",
    "sorting": "sorting",
    "sync": "sync file",
    "events": "event file",
    "behaviour": "behaviour file",
    "nwb": "NWB file",
    "bids": "BIDS folder",
}
_MARKS = {Severity.ERROR: ("error", "error"), Severity.WARNING: ("warning", "unknown"), Severity.NOTE: ("note", "type")}


class ScanView:
    """A line for each session, its findings below, a summary for each share, and in the end what to do."""

    def __init__(self, *, colours: bool, quiet: bool = False, columns: int = 0) -> None:
        """*columns*: how wide the window is; 0: lines are left in one piece, for other programs."""
        self._colours = colours
        self._quiet = quiet
        self._columns = columns
        self._codes: Counter[str] = Counter()
        self._findings: Counter[Severity] = Counter()
        #: Something could not be looked at.
        self.failed = False

    def watch(self, found: Iterable[AnySeen]) -> Iterator[AnySeen]:
        """Hand on what was found, and note what the end of the command depends on."""
        for one in found:
            self.failed = self.failed or _failed(one)
            yield one

    def lines(self, one: "Seen | Outcome") -> Iterator[str]:
        """What is shown of one record."""
        if isinstance(one, SessionSeen):
            yield from self._session(one)
        elif isinstance(one, DerivedSeen):
            yield from self._derived(one)
        elif isinstance(one, ShareFinding):
            yield from self._finding(one.finding)
        elif isinstance(one, ShareSeen):
            yield from () if self._quiet else self._share(one)
        else:
            yield outcome_line(one, self._colours)
            yield ink(f"  {printable(one.remedy)}", "remedy", self._colours)

    def remedies(self) -> Iterator[str]:
        """What to do about the findings, once for each kind; what matters most first."""
        told = sorted(self._codes, key=lambda code: (list(Severity).index(FINDINGS[code].severity), code))
        for place, code in enumerate(told):
            if place == 0:
                yield "What to do:"
            line = f"  {code} ({self._codes[code]}): {FINDINGS[code].remedy}"
            yield from self._wrapped(line, "    ", "remedy")

    def _session(self, seen: SessionSeen) -> Iterator[str]:
        session = seen.session
        if not self._quiet:
            what = contents((*session.recordings, *seen.derived), len(session.tasks), session.unknown)
            state = "" if session.state == "new" else f" [{session.state}]"
            nothing = "" if session.state == "excluded" else ": empty"
            yield f"{ink(printable(session.id), 'action', self._colours)}{state}{f': {what}' if what else nothing}"
        for finding in session.findings:
            yield from self._finding(finding)

    def _derived(self, one: DerivedSeen) -> Iterator[str]:
        session = one.seen.session
        if one.belongs_to and not self._quiet:
            what = contents(session.recordings, 0, session.unknown) or "empty"
            where = printable(f"{session.share}:{session.folder}")
            yield f"{ink(where, 'action', self._colours)} of {printable(one.belongs_to)}: {what}"
        for finding in session.findings:
            yield from self._finding(finding)

    def _finding(self, finding: Finding) -> Iterator[str]:
        self._findings[finding.severity] += 1
        word, style = _MARKS[finding.severity]
        if self._quiet and finding.severity is not Severity.ERROR:
            return
        self._codes[finding.code] += 1
        yield f"  {ink(f'{word} {finding.code}', style, self._colours)}: {printable(finding.path)}"
        yield from self._wrapped(f"    {printable(finding.message)}", "    ", "")

    def _wrapped(self, text: str, indent: str, style: str) -> Iterator[str]:
        """A sentence, over several lines where the window is narrow."""
        lines = [text]
        if 0 < self._columns < len(text):
            from textwrap import wrap  # here, because only a terminal needs it

            lines = wrap(text, max(self._columns, 40), subsequent_indent=indent, break_on_hyphens=False)
        for line in lines:
            yield ink(line, style, self._colours)

    def _share(self, seen: ShareSeen) -> Iterator[str]:
        parts = [f"{plural(seen.sessions, 'session')} of {plural(seen.subjects, 'subject')}"]
        parts.append(plural(seen.recordings, "recording"))
        parts.append(f"{seen.files:,} files")
        parts += [f"{seen.unknown:,} of unknown format"] if seen.unknown else []
        parts += [f"{seen.excluded:,} left out"] if seen.excluded else []
        parts += [f"{seen.unchanged} unchanged"] if seen.unchanged else []
        yield f"{ink(seen.share, 'action', self._colours)}: {', '.join(parts)}"
        if self._findings:
            told = (plural(self._findings[each], each.value) for each in Severity if each in self._findings)
            yield f"  {', '.join(told)}"
            self._findings.clear()
        if seen.note:
            yield f"  {printable(seen.note)}"


def _failed(one: "Seen | Outcome") -> bool:
    if isinstance(one, ShareSeen):
        return one.unreadable > 0
    return isinstance(one, Outcome) and one.failed


def contents(recordings: Iterable[Recording], tasks: int, unknown: Iterable[tuple[str, int]]) -> str:
    """What a session consists of, in a few words."""
    kinds = Counter(recording.kind for recording in recordings)
    told = [plural(count, _NOUNS[kind]) for kind, count in sorted(kinds.items(), key=lambda one: _RANK[one[0]])]
    told += [plural(tasks, "task")] if tasks else []
    others = sum(count for _, count in unknown)
    told += [f"{plural(others, 'file')} of unknown format"] if others else []
    return ", ".join(told)


_RANK = {kind: place for place, kind in enumerate(_NOUNS)}


def when(moment: object) -> str:
    """A day, or a day and time, as people read it."""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if isinstance(moment, datetime) else f"{moment:%Y-%m-%d}"
