"""What a plan does not take, and why: left as it is, or refused."""

from collections.abc import Iterable
from dataclasses import replace

from engram.model.animals import how_to_add
from engram.model.findings import Severity
from engram.model.plan import PlannedStep
from engram.model.recordings import Recording, Session
from engram.sessions.exclusions import Exclusions, places
from engram.sessions.gathering import Piece, Spot
from engram.sessions.known import Known


class Decider:
    """Says what is taken, and keeps the reasons for what is not."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._exclusions = Exclusions(known.excluded)
        self.refused: list[PlannedStep] = []
        self.left: list[PlannedStep] = []
        #: Subjects that the catalogue has not and that can be typed.
        self.unknown: set[str] = set()
        #: Folders of which no clustering is taken, with the reason.
        self.unsorted: dict[Spot, str] = {}

    def takes(self, one: Session, *, computed: bool) -> bool:
        """Whether a folder that was scanned counts."""
        if why := self._why_left(one):
            self.leave(one.id, why)
        elif one.subject not in self._known.subjects:
            if computed:
                self.leave(one.id, f"the catalogue has no subject {one.subject}")
            else:
                why = f"the catalogue has no subject {one.subject}; {how_to_add(one.subject)}"
                self.refuse("add", one.id, why)
                if one.subject.isprintable() and not one.subject.startswith("-"):
                    self.unknown.add(one.subject)
        else:
            return True
        return False

    def leave(self, item: str, why: str) -> None:
        """Note that something is left as it is."""
        self.left.append(PlannedStep(action="leave", item=item, why=why))

    def refuse(self, action: str, item: str, why: str) -> None:
        """Note that something is refused."""
        self.refused.append(PlannedStep(action=action, item=item, why=why))

    def _why_left(self, session: Session) -> str:
        if why := self._exclusions.why((session.id, *places(session.share, session.folder))):
            return f"excluded: {why}"
        if session.state == "excluded":
            return "excluded by the share's settings"
        if session.state == "incomplete":
            return "something in it is still being written"
        return "" if session.recordings else "nothing was recognised in it"

    def sound(self, piece: Piece, had: dict[str, Recording]) -> Piece:
        """A piece without the recordings of which something is wrong, or that were left out; each is told.

        One that is known stays as it is known: *had*, by id.
        """
        kept = []
        for recording in piece.recordings:
            if self._is_sound(recording, piece):
                kept.append(recording)
            elif recording.id in had:
                kept.append(had[recording.id])
        return replace(piece, recordings=tuple(kept))

    def _is_sound(self, recording: Recording, piece: Piece) -> bool:
        why = self._exclusions.why([recording.id])
        if recording.kind == "sorting" and not why:
            why = self.unsorted.get(piece.spot, "")
        if why:
            self.leave(recording.id, f"excluded: {why}")
            return False
        places = {(recording.share, path) for path in recording.paths}
        wrong = [
            finding
            for share, finding in piece.findings
            if finding.severity is Severity.ERROR
            and (share, finding.path) in places
            and not self._is_waived(finding.code, (recording.id, piece.session.id))
        ]
        if wrong:
            self.refuse("link", recording.id, "; ".join(f"{finding.code}: {finding.message}" for finding in wrong))
        return not wrong

    def _is_waived(self, code: str, items: Iterable[str]) -> bool:
        return any((item, code) in self._known.waived for item in items)


def shown(spot: Spot) -> str:
    """A folder on a share, as people type it."""
    return f"{spot[0]}:{spot[1]}"
