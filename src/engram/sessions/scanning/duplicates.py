"""The same recording in several places: told once all of them were seen, whatever the order."""

from collections.abc import Iterator
from dataclasses import replace

from engram.model.findings import Finding
from engram.model.recordings import Recording
from engram.sessions.identity import Likeness, Place, duplicates, likeness, places
from engram.sessions.scanning.seen import SessionSeen, ShareFinding

_HOW = {
    Likeness.COPY: "is the same recording",
    Likeness.COMPRESSED: "is the same recording, packed",
    Likeness.SHORTER: "is the same recording in another length",
    Likeness.VARIANT: "is the same recording with other content",
}


class Duplicates:
    """Gathers recordings that their own content names, and tells which lie in several places."""

    def __init__(self) -> None:
        self._seen: list[Place] = []
        self._by_session: dict[str, tuple[str, str]] = {}
        self._same_name: list[ShareFinding] = []

    def take(self, seen: SessionSeen) -> None:
        """Note one session's recordings."""
        session = seen.session
        here = (session.share, session.folder)
        first = self._by_session.setdefault(session.id, here)
        if first != here:
            first, other = min(first, here), max(first, here)
            self._by_session[session.id] = first
            told = f"Its name says that it is the session {session.id}, as that of {_place(first, other)} does."
            self._same_name.append(ShareFinding(other[0], Finding(code="misnamed", path=other[1], message=told)))
        for place in places((session,)):
            if place.recording.started is not None and place.recording.serial:
                self._seen.append(replace(place, recording=_slim(place.recording)))

    def findings(self) -> Iterator[ShareFinding]:
        """One for each copy but the first, which is that whose path comes first."""
        yield from sorted(self._same_name, key=lambda one: (one.share, one.finding.path))
        for group in duplicates(self._seen):
            first, *others = group
            for place in others:
                how = _HOW[likeness(place.recording, first.recording)]
                where = _place((first.share, first.path), (place.share, place.path))
                finding = Finding(code="duplicate-recording", path=place.path, message=f"It {how} as {where}.")
                yield ShareFinding(place.share, finding)


def _place(place: tuple[str, str], other: tuple[str, str]) -> str:
    """A path as told beside another; with its share where that is another one."""
    return place[1] if place[0] == other[0] else f"{place[1]} on the share {place[0]}"


def _slim(recording: Recording) -> Recording:
    """What comparing needs: a million recordings are gathered."""
    return replace(recording, facts=(), paths=recording.paths[:1], serial="", device="")
