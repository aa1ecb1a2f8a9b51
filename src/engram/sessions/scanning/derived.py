"""Data that were computed from sessions and lie outside their folders: ``analysis/`` and ``histology/`` beside them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from engram.model.findings import Finding
from engram.model.recordings import Recording, Session
from engram.sessions.scanning.seen import SessionSeen, ShareFinding
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

    def __init__(self, share: str) -> None:
        self._share = share
        self._waiting: dict[tuple[str, date | None], list[Session]] = defaultdict(list)
        self._held: list[SessionSeen] = []
        self._sessions: dict[tuple[str, date | None], int] = {}

    def note(self, derived: Session, moment: date | datetime) -> None:
        """Derived data that were found; *moment* is what the folder's name says."""
        self._waiting[derived.subject, day_of(moment)].append(replace(derived, started=moment))

    def take(self, seen: SessionSeen, moment: date | datetime) -> SessionSeen | None:
        """A session with its derived data; ``None`` when it is held back."""
        key = (seen.session.subject, day_of(moment))
        self._sessions[key] = self._sessions.get(key, 0) + 1
        waiting = self._waiting.get(key)
        if not waiting:
            return seen
        mine = [one for one in waiting if (one.started, one.ident) == (moment, seen.session.ident)]
        if mine:
            self._waiting[key] = [one for one in waiting if one not in mine]
            return _linked(seen, mine)
        self._held.append(seen)
        return None

    def rest(self) -> Iterator[SessionSeen | ShareFinding]:
        """Sessions that were held back, and what belongs to none."""
        for seen in self._held:
            day = day_of(seen.session.started)
            key = (seen.session.subject, day)
            yield _linked(seen, self._waiting.pop(key, []) if self._sessions[key] == 1 else [])
        for (subject, day), waiting in sorted(self._waiting.items(), key=str):
            count = self._sessions.get((subject, day), 0)
            which = f"one of {count} sessions" if count else "no session that was found"
            for derived in waiting:
                told = f"What was computed here belongs to {which} of {subject} on {day}."
                finding = Finding(code="unknown-layout", path=derived.folder, message=told)
                yield ShareFinding(self._share, finding)


def _linked(seen: SessionSeen, derived: Iterable[Session]) -> SessionSeen:
    recordings: list[Recording] = []
    findings: list[Finding] = []
    unknown = Counter(dict(seen.session.unknown))
    for one in derived:
        recordings += [recording.below(one.folder) for recording in one.recordings]
        findings += one.findings
        unknown.update(dict(one.unknown))
    session = replace(
        seen.session, findings=(*seen.session.findings, *findings), unknown=tuple(sorted(unknown.items()))
    )
    return replace(seen, session=session, derived=(*seen.derived, *recordings))
