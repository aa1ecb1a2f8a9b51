"""Data that were computed from sessions and lie outside their folders: in ``analysis/`` beside them, or elsewhere."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from engram.model.findings import Finding
from engram.model.recordings import Recording, Session
from engram.sessions.scanning.seen import DerivedSeen, SessionSeen, ShareFinding
from engram.sessions.templates import Template, day_of, parse_template

#: Folders at the top of a share that hold them, in lower case.
DERIVED = frozenset(
    {"analysis", "analyses", "derivatives", "histology", "processed", "results", "sorting", "spikesorting"}
)


def derived_templates(templates: Iterable[Template]) -> tuple[Template, ...]:
    """How sessions are named below such a folder: as the share's, without the fixed folders that these begin with."""
    found: dict[str, Template] = {}
    for template in templates:
        parts = template.text.split("/")
        while len(parts) > 1 and "{" not in parts[0]:
            del parts[0]
        inner = "/".join(parts)
        found.setdefault(inner, parse_template(inner))
    return tuple(found.values())


def is_derived(folder: str) -> bool:
    """Whether a path begins with such a folder."""
    return folder.partition("/")[0].lower() in DERIVED


class Linker:
    """Gives derived data to the session that they were computed from.

    A folder that names a day alone belongs to the session of that day when there is one; sessions for which that is not
    clear yet are held back until all were seen.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, date | None], list[SessionSeen]] = defaultdict(list)
        self._held: list[SessionSeen] = []
        self._sessions: dict[tuple[str, date | None], int] = {}

    def note(self, derived: SessionSeen, moment: date | datetime) -> None:
        """Derived data that were found; *moment* is what the folder's name says."""
        said = replace(derived, session=replace(derived.session, started=moment))
        self._waiting[said.session.subject, day_of(moment)].append(said)

    def take(self, seen: SessionSeen, moment: date | datetime) -> SessionSeen | None:
        """A session with its derived data; ``None`` when it is held back."""
        key = (seen.session.subject, day_of(moment))
        self._sessions[key] = self._sessions.get(key, 0) + 1
        waiting = self._waiting.get(key)
        if not waiting:
            return seen
        mine = [one for one in waiting if (one.session.started, one.session.ident) == (moment, seen.session.ident)]
        if mine:
            self._waiting[key] = [one for one in waiting if one not in mine]
            return _linked(seen, mine)
        self._held.append(seen)
        return None

    def rest(self) -> Iterator[SessionSeen | DerivedSeen]:
        """Sessions that were held back, and what belongs to none."""
        for seen in self._held:
            day = day_of(seen.session.started)
            key = (seen.session.subject, day)
            yield _linked(seen, self._waiting.pop(key, []) if self._sessions[key] == 1 else [])
        for (subject, day), waiting in sorted(self._waiting.items(), key=str):
            count = self._sessions.get((subject, day), 0)
            which = f"one of {count} sessions" if count else "no session that was found"
            for derived in waiting:
                yield DerivedSeen(derived, f"What was computed here belongs to {which} of {subject} on {day}.")


class OtherShares:
    """The sessions of all shares of one scan, for what was computed from them and lies on another one."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._of_day: dict[tuple[str, date | None], list[str]] = defaultdict(list)
        self._waiting: list[DerivedSeen] = []

    def take(self, session: Session) -> None:
        """A session that was found."""
        if session.id not in self._names:
            self._names.add(session.id)
            self._of_day[session.subject, day_of(session.started)].append(session.id)

    def hold(self, derived: DerivedSeen) -> None:
        """Data for which there was no session on their share."""
        self._waiting.append(derived)

    def rest(self) -> Iterator[DerivedSeen | ShareFinding]:
        """What was held, with the session that it is of; what is of none is told in a finding, too."""
        for derived in self._waiting:
            session = derived.seen.session
            day = self._of_day.get((session.subject, day_of(session.started)), [])
            name = session.id if session.id in self._names else day[0] if len(day) == 1 else ""
            yield replace(derived, belongs_to=name)
            if not name:
                finding = Finding(code="unknown-layout", path=session.folder, message=derived.why_apart)
                yield ShareFinding(session.share, finding)


def _linked(seen: SessionSeen, derived: Iterable[SessionSeen]) -> SessionSeen:
    recordings: list[Recording] = []
    findings: list[Finding] = []
    unknown = Counter(dict(seen.session.unknown))
    for one in (each.session for each in derived):
        recordings += [recording.below(one.folder) for recording in one.recordings]
        findings += one.findings
        unknown.update(dict(one.unknown))
    session = replace(
        seen.session, findings=(*seen.session.findings, *findings), unknown=tuple(sorted(unknown.items()))
    )
    return replace(seen, session=session, derived=(*seen.derived, *recordings))
