"""The same recording in several places: told once all of them were seen, whatever the order."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from engram.model.findings import Finding
from engram.model.recordings import Recording, on_share
from engram.sessions.identity import Likeness, Place, duplicates, likeness
from engram.sessions.scanning.seen import SessionSeen, ShareFinding

_HOW = {
    Likeness.COPY: "is the same recording as another",
    Likeness.COMPRESSED: "is the same recording, packed or not, as another",
    Likeness.SHORTER: "is the same recording as another, in another length",
    Likeness.VARIANT: "is the same recording as another, with other content",
}


class _Spot(NamedTuple):
    """Where a recording was seen, and what comparing needs of it: a million are gathered, and nearly all lie alone."""

    share: str
    path: str
    session: str
    name: str
    kind: str
    processing: str
    samples: int | None
    size_bytes: int | None
    sha1: str

    @property
    def plain_name(self) -> str:
        """The same for what is packed and what is not."""
        return self.name.removesuffix(":compressed")

    def place(self) -> Place:
        """It, as `duplicates` takes it."""
        recording = Recording(
            kind=self.kind,
            device="",
            paths=(self.path,),
            id=self.name,
            samples=self.samples,
            size_bytes=self.size_bytes,
            sha1=self.sha1,
            processing=self.processing,
        )
        return Place(self.share, self.path, self.session, recording)


class Duplicates:
    """Gathers recordings that their own content names, and tells which lie in several places."""

    def __init__(self) -> None:
        self._seen: list[_Spot] = []
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
        for one in session.recordings:
            if one.serial and one.started is not None and one.paths:
                path = one.path if one.share else on_share(session.folder, one.path)
                measured = (one.samples, one.size_bytes, one.sha1)
                spot = (one.share or session.share, path, session.id, one.id, one.kind, one.processing, *measured)
                self._seen.append(_Spot(*spot))

    def findings(self) -> Iterator[ShareFinding]:
        """One for each copy but the first, which is that whose path comes first."""
        yield from sorted(self._same_name, key=lambda one: (one.share, one.finding.path))
        counts = Counter([spot.plain_name for spot in self._seen])
        for group in duplicates(spot.place() for spot in self._seen if counts[spot.plain_name] > 1):
            first, *others = group
            for place in others:
                how = _HOW[likeness(place.recording, first.recording)]
                where = first.path if first.share == place.share else f"{first.path} on the share {first.share}"
                finding = Finding(code="duplicate-recording", path=place.path, message=f"It {how}: {where}.")
                yield ShareFinding(place.share, finding)


def _above(folder: str) -> str:
    """Folders beside each other are meant to be different sessions; those in two trees are parts of one."""
    return folder.rpartition("/")[0]
