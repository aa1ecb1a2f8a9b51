"""What people decided about sessions on the shares, as a scan heeds it: what they left out, and what they accepted."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from engram.catalogue.decisions import Decisions, decisions_in
from engram.model.errors import EngramError, ExtraMissing
from engram.model.findings import Finding
from engram.model.outcome import Outcome, failure
from engram.model.recordings import Recording, Session
from engram.sessions.exclusions import Exclusions, places
from engram.sessions.scanning.derived import OtherShares
from engram.sessions.scanning.duplicates import Duplicates
from engram.sessions.scanning.seen import DerivedSeen, SessionSeen, ShareFinding
from engram.workspace.catalogue_here import USUAL_URL, address_of

if TYPE_CHECKING:
    from engram.sessions.scanning.seen import Seen
    from engram.workspace.lab_here import LabHere

_FILE = "sqlite:///"


class Decided:
    """Takes from what a scan tells the findings that nobody wants to hear of again.

    Args:
        excluded: sessions, recordings and places (``SHARE:FOLDER``), or patterns of them, each with the reason.
        waived: findings that were accepted: the id of a session or recording, and the code.
    """

    def __init__(self, excluded: Mapping[str, str] | None = None, waived: Iterable[tuple[str, str]] = ()) -> None:
        self._exclusions = Exclusions(excluded or {})
        self._waived = frozenset(waived)
        self._any = bool(excluded or self._waived)
        #: By share and path, files of which something is not told: the codes, ``None`` for all.
        self._silent: dict[tuple[str, str], frozenset[str] | None] = {}

    def session(self, seen: SessionSeen) -> SessionSeen:
        """A session as it is told: without findings, and ``excluded``, when it was left out."""
        if not self._any:
            return seen
        session = seen.session
        if self._why(session):
            return replace(seen, session=replace(session, state="excluded", findings=()))
        for recording in (*(one.below(session.folder) for one in session.recordings), *seen.derived):
            self._note(recording, session)
        findings = tuple(one for one in session.findings if not self._is_silent(session, one))
        return seen if findings == session.findings else replace(seen, session=replace(session, findings=findings))

    def told(self, one: "Seen") -> "Seen | None":
        """What else is told, ``None`` for a finding about what was left out."""
        if not self._any:
            return one
        if isinstance(one, DerivedSeen) and self._why(one.seen.session):
            session = replace(one.seen.session, state="excluded", findings=())
            return replace(one, seen=replace(one.seen, session=session))
        if isinstance(one, ShareFinding):
            codes = self._silent.get((one.share, one.finding.path), frozenset())
            if codes is None or one.finding.code in codes or self._is_left_out(one.share, one.finding.path):
                return None
        return one

    def _why(self, session: Session) -> str:
        return self._exclusions.why((session.id, *places(session.share, session.folder)))

    def _note(self, recording: Recording, session: Session) -> None:
        """Of a recording that was left out nothing is told, of another one not what was accepted."""
        codes: frozenset[str] | None = None
        if not self._exclusions.why([recording.id]):
            codes = frozenset(code for item, code in self._waived if item in (recording.id, session.id))
        if codes is None or codes:
            share = recording.share or session.share
            self._silent.update(dict.fromkeys(((share, path) for path in recording.paths), codes))

    def _is_silent(self, session: Session, finding: Finding) -> bool:
        codes = self._silent.get((session.share, finding.path), frozenset())
        return codes is None or finding.code in codes or (session.id, finding.code) in self._waived

    def _is_left_out(self, share: str, path: str) -> bool:
        return bool(self._exclusions.why(places(share, path)))


class Told:
    """What of a scan is told at once, and what when all shares were seen; as it was decided."""

    def __init__(self, decided: Decided, *, several: bool) -> None:
        """*several*: more than one share is scanned, so that data may belong to a session on another."""
        self._decided = decided
        self._several = several
        self._duplicates = Duplicates()
        self._others = OtherShares()

    def at_once(self, one: "Seen") -> "Iterator[Seen]":
        """What is told of one thing that was seen."""
        if isinstance(one, DerivedSeen):
            self._others.hold(one)
            return
        if isinstance(one, SessionSeen):
            decided = self._decided.session(one)
            if decided.session.state != "excluded":
                self._duplicates.take(decided)
            if self._several:
                self._others.take(decided.session)
            yield decided
        elif (told := self._decided.told(one)) is not None:
            yield told

    def at_last(self) -> "Iterator[Seen]":
        """What could not be told before."""
        for one in (*self._others.rest(), *self._duplicates.findings()):
            if (told := self._decided.told(one)) is not None:
                yield told


def decided_here(lab: "LabHere") -> "tuple[Decided, Outcome | None]":
    """What the lab's catalogue says of it; nothing where there is none yet. That it cannot be asked is told."""
    try:
        url = lab.settings.catalogue_url or USUAL_URL
        if url.startswith(_FILE):
            file = os.path.normpath(os.path.join(lab.lab.folder, url.removeprefix(_FILE)))
            decisions = decisions_in(file) if os.path.exists(file) else Decisions()
            return Decided(decisions.excluded, decisions.waived), None
        address = address_of(lab)
        from engram.catalogue.known import excluded, waived
        from engram.catalogue.opening import open_catalogue

        with open_catalogue(address) as catalogue, catalogue.reading() as connection:
            return Decided(excluded(connection), waived(connection)), None
    except ExtraMissing:  # who has not what a catalogue needs has none
        return Decided(), None
    except EngramError as error:
        return Decided(), failure(error, action="load", item="exclusions")
