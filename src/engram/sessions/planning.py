"""Plan: what the catalogue would take from a share, compared with what it has. Deciding only; nothing is changed."""

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engram.model.findings import Finding, Severity
from engram.model.plan import Plan, PlannedStep
from engram.model.recordings import Recording, Session
from engram.sessions.comparing import Difference, difference
from engram.sessions.exclusions import Exclusions
from engram.sessions.identity import Place, identified, names_itself, places
from engram.sessions.known import Known, KnownSession
from engram.sessions.scanned import Scanned


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestPlan(Plan):
    """A plan with the sessions that its steps are about."""

    #: By id; those of the steps alone.
    sessions: Mapping[str, Scanned] = field(default_factory=dict)
    #: What is not in the catalogue and is left as it is, each with its reason in *why*.
    left: tuple[PlannedStep, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json`` and ``-o``. Fields may be added, never changed."""
        record = Plan.as_json(self)  # super() does not work in a class with slots
        record["left"] = [step.as_json() for step in self.left]
        return record | {"sessions": [_as_json(scanned) for scanned in self.sessions.values()]}


def _as_json(scanned: Scanned) -> dict[str, Any]:
    files = [[file.path, file.size_bytes, file.modified_ns] for file in scanned.files]
    return {**scanned.session.as_json(), "files": files}


def plan(scanned: Iterable[Scanned], known: Known) -> IngestPlan:
    """What would be done to the catalogue so that it says what is on the shares.

    Steps are ``add`` (a session), ``link`` (recordings to a session that is known), ``update`` (what is known has
    other files, sizes or facts now) and ``move`` (it lies elsewhere). Once they were carried out, the same shares give
    no steps.
    """
    found = [Scanned(identified(one.session), one.files) for one in scanned]
    planner = _Planner(known, found)
    for one in sorted(found, key=lambda one: (one.session.share, one.session.folder)):
        planner.look_at(one)
    return planner.plan()


def ground_of(scanned: Scanned, version: int) -> str:
    """What a step was made from: the catalogue's version of the session, and its recordings' files as they were."""
    mine = {path for recording in scanned.session.recordings for path in recording.paths}
    digest = hashlib.sha256(
        f"{version}\0{scanned.session.share}\0{scanned.session.folder}".encode(errors="surrogateescape")
    )
    for file in scanned.files:
        if file.path in mine:
            digest.update(f"\0{file.path}\0{file.size_bytes}\0{file.modified_ns}".encode(errors="surrogateescape"))
    return f"{version}:{digest.hexdigest()[:32]}"


class _Planner:
    """One plan in the making."""

    def __init__(self, known: Known, found: Iterable[Scanned]) -> None:
        self._known = known
        self._exclusions = Exclusions(known.excluded)
        sessions = [one.session for one in found]
        #: Places that were seen; whatever else the catalogue knows on these shares is gone.
        self._seen = {(place.share, place.path) for place in places(sessions)}
        self._shares = {session.share for session in sessions}
        self._at_home = {
            place.recording.id: place for each in known.sessions.values() for place in places([each.session])
        }
        self._by_folder = {(each.session.share, each.session.folder): each for each in known.sessions.values()}
        #: Sessions of the catalogue that are on the shares by their name or folder.
        self._claimed = {home.session.id for session in sessions if (home := self._named(session)) is not None}
        self._taken: dict[str, str] = {}
        self._steps: list[PlannedStep] = []
        self._refused: list[PlannedStep] = []
        self._left: list[PlannedStep] = []
        self._sessions: dict[str, Scanned] = {}

    def plan(self) -> IngestPlan:
        """What came of it."""
        return IngestPlan(
            steps=tuple(self._steps), refused=tuple(self._refused), left=tuple(self._left), sessions=self._sessions
        )

    def look_at(self, one: Scanned) -> None:
        """Decide about one session."""
        if why := self._why_left(one.session):
            self._left.append(PlannedStep(action="leave", item=one.session.id, why=why))
            return
        if why := self._why_refused(one.session):
            self._refused.append(PlannedStep(action="add", item=one.session.id, why=why))
            return
        subject = self._known.subjects[one.session.subject]
        named = Scanned(replace(one.session, subject=subject), one.files)
        home = self._home(named)
        if home is None:
            self._add(self._sound(named))
        else:
            self._compare(self._sound(replace_id(named, home.session.id), home), home)

    # --- what is not taken

    def _why_left(self, session: Session) -> str:
        if why := self._exclusions.why((session.id, f"{session.share}:{session.folder}")):
            return f"excluded: {why}"
        if session.state == "excluded":
            return "excluded by the share's settings"
        if session.state == "incomplete":
            return "something in it is still being written"
        return "" if session.recordings else "nothing was recognised in it"

    def _why_refused(self, session: Session) -> str:
        if session.subject not in self._known.subjects:
            return f"the catalogue has no subject {session.subject}; add it: engram subjects add {session.subject}"
        if other := self._taken.get(session.id):
            return f"{other} is the same session by its name; tell them apart in the share's template"
        self._taken[session.id] = f"{session.share}:{session.folder}"
        return ""

    def _sound(self, one: Scanned, home: KnownSession | None = None) -> Scanned:
        """Without the recordings of which something is wrong, or that were left out; each is told.

        One that is known stays as it is known.
        """
        had = {} if home is None else {recording.id: recording for recording in home.session.recordings}
        kept = []
        for recording in one.session.recordings:
            if self._is_sound(recording, one.session):
                kept.append(recording)
            elif recording.id in had:
                kept.append(had[recording.id])
        return Scanned(replace(one.session, recordings=tuple(kept)), one.files)

    def _is_sound(self, recording: Recording, session: Session) -> bool:
        if why := self._exclusions.why([recording.id]):
            self._left.append(PlannedStep(action="leave", item=recording.id, why=f"excluded: {why}"))
            return False
        wrong = [finding for finding in session.findings if self._counts(finding, recording, session)]
        if not wrong:
            return True
        why = "; ".join(f"{finding.code}: {finding.message}" for finding in wrong)
        self._refused.append(PlannedStep(action="link", item=recording.id, why=why))
        return False

    def _counts(self, finding: Finding, recording: Recording, session: Session) -> bool:
        if finding.severity is not Severity.ERROR or finding.path not in _paths(recording, session):
            return False
        return not {(recording.id, finding.code), (session.id, finding.code)} & self._known.waived

    # --- what is new

    def _home(self, one: Scanned) -> KnownSession | None:
        """The session of the catalogue that this one is, perhaps under another name or elsewhere."""
        if home := self._named(one.session):
            return home
        certain = (each.id for each in one.session.recordings if names_itself(each))
        owners = {self._at_home[name].session for name in certain if name in self._at_home}
        if len(owners) == 1:
            home = self._known.sessions[owners.pop()]
            if self._is_gone(home) and home.session.id not in self._claimed:
                self._claimed.add(home.session.id)
                return home
        return None

    def _named(self, session: Session) -> KnownSession | None:
        return self._known.sessions.get(session.id) or self._by_folder.get((session.share, session.folder))

    def _add(self, one: Scanned) -> None:
        new = tuple(each for each in one.session.recordings if not self._is_elsewhere(each, one.session))
        if new:
            adding = Scanned(replace(one.session, recordings=new), one.files)
            self._step("add", adding, 0, f"new: {_named(new)}, {len(one.files)} files")

    def _is_elsewhere(self, recording: Recording, session: Session) -> bool:
        """Whether the catalogue has it in another session, and it lies there still; it is told."""
        home = self._at_home.get(recording.id)
        if home is None or home.session == session.id or self._has_left(home):
            return False
        why = f"a copy of {home.share}:{home.path}, which is in the catalogue with {home.session}"
        self._left.append(PlannedStep(action="leave", item=recording.id, why=why))
        return True

    # --- what is known

    def _compare(self, one: Scanned, home: KnownSession) -> None:
        moved = (one.session.share, one.session.folder) != (home.session.share, home.session.folder)
        if moved and not self._is_gone(home):
            where = f"{home.session.share}:{home.session.folder}"
            self._left.append(
                PlannedStep(action="leave", item=one.session.id, why=f"a copy of {where}, which is known")
            )
            return
        changes = difference(one, home)
        linked = tuple(each for each in changes.linked if not self._is_elsewhere(each, one.session))
        if moved:
            self._step("move", one, home.version, f"was in {home.session.share}:{home.session.folder}")
        if linked:
            self._step("link", one, home.version, f"new in a known session: {_named(linked)}")
        if why := _words(changes):
            self._step("update", one, home.version, why)

    def _is_gone(self, home: KnownSession) -> bool:
        """Whether none of a session's recordings lies where the catalogue has it, as far as was looked."""
        return all(self._has_left(place) for place in places([home.session]))

    def _has_left(self, place: Place) -> bool:
        """Whether somebody looked there, and nothing was to be seen."""
        return place.share in self._shares and (place.share, place.path) not in self._seen

    def _step(self, action: str, one: Scanned, version: int, why: str) -> None:
        size = sum(each.size_bytes or 0 for each in one.session.recordings)
        ground = ground_of(one, version)
        self._steps.append(PlannedStep(action=action, item=one.session.id, bytes=size, why=why, ground=ground))
        self._sessions[one.session.id] = one


def replace_id(one: Scanned, name: str) -> Scanned:
    """The same under the id that the catalogue has given it; identities that hang on the session's follow."""
    return one if one.session.id == name else Scanned(identified(replace(one.session, id=name)), one.files)


def _paths(recording: Recording, session: Session) -> Iterator[str]:
    """Its files, as findings name them: relative to the share."""
    for path in recording.paths:
        yield posixpath.normpath(posixpath.join(session.folder, path))


def _named(recordings: Iterable[Recording]) -> str:
    names = [f"{recording.device} ({recording.kind})" for recording in recordings]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _words(changes: Difference) -> str:
    """What changed, as part of a sentence; '' for nothing."""
    said = [f"{each.id} {how}" for each, how in changes.changed[:6]]
    said += [f"and {len(changes.changed) - 6} more recordings"] if len(changes.changed) > 6 else []
    said += [f"{len(changes.gone)} recordings are gone: {_named(changes.gone)}"] if changes.gone else []
    said += [f"{changes.new_files} new files"] if changes.new_files else []
    said += [f"{changes.other_files} files have another size or time"] if changes.other_files else []
    said += [f"{changes.lost_files} files are gone"] if changes.lost_files else []
    return "; ".join([*said, *changes.facts])
