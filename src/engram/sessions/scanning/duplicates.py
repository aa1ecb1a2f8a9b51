"""The same recording in several places: told once all of them were seen, whatever the order."""

from collections.abc import Iterator

from engram.model.findings import Finding
from engram.model.recordings import Recording
from engram.sessions.identity import Likeness, Place, duplicates, likeness, places
from engram.sessions.scanning.seen import SessionSeen, ShareFinding

_HOW = {
    Likeness.COPY: "is the same recording as another",
    Likeness.COMPRESSED: "is the same recording, packed or not, as another",
    Likeness.SHORTER: "is the same recording as another, in another length",
    Likeness.VARIANT: "is the same recording as another, with other content",
}


class Duplicates:
    """Gathers recordings that their own content names, and tells which lie in several places."""

    def __init__(self) -> None:
        self._seen: list[Place] = []
        #: By share and id: that two shares hold a part of one session each is nothing special.
        self._by_session: dict[tuple[str, str], str] = {}
        self._same_name: list[ShareFinding] = []

    def take(self, seen: SessionSeen) -> None:
        """Note one session's recordings."""
        session = seen.session
        key = (session.share, session.id)
        first = self._by_session.setdefault(key, session.folder)
        if first != session.folder and _above(first) == _above(session.folder):
            self._by_session[key], other = sorted((first, session.folder))
            told = f"By its name it is the session {session.id}, and so is {self._by_session[key]}."
            self._same_name.append(ShareFinding(session.share, Finding(code="misnamed", path=other, message=told)))
        for place in places((session,)):
            if place.recording.started is not None and place.recording.serial:
                self._seen.append(Place(place.share, place.path, place.session, _slim(place.recording)))

    def findings(self) -> Iterator[ShareFinding]:
        """One for each copy but the first, which is that whose path comes first."""
        yield from sorted(self._same_name, key=lambda one: (one.share, one.finding.path))
        for group in duplicates(self._seen):
            first, *others = group
            for place in others:
                how = _HOW[likeness(place.recording, first.recording)]
                where = first.path if first.share == place.share else f"{first.path} on the share {first.share}"
                finding = Finding(code="duplicate-recording", path=place.path, message=f"It {how}: {where}.")
                yield ShareFinding(place.share, finding)


def _above(folder: str) -> str:
    """Folders beside each other are meant to be different sessions; those in two trees are parts of one."""
    return folder.rpartition("/")[0]


def _slim(recording: Recording) -> Recording:
    """What comparing needs: a million recordings are gathered."""
    return Recording(
        kind=recording.kind,
        device="",
        paths=recording.paths[:1],
        id=recording.id,
        samples=recording.samples,
        size_bytes=recording.size_bytes,
        sha1=recording.sha1,
        processing=recording.processing,
    )
