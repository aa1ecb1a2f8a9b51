"""Plan: what the catalogue would take from a share, compared with what it has. Deciding only; nothing is changed."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from engram.model.counting import plural
from engram.model.plan import Plan, PlannedStep
from engram.model.recordings import Recording, Session
from engram.model.records import record
from engram.sessions.assembly import Assembly
from engram.sessions.comparing import Difference, difference
from engram.sessions.deciding import Decider
from engram.sessions.gathering import Piece, Spot, as_seen, gathered
from engram.sessions.grouping import Group, Homes, groups_of
from engram.sessions.identity import identified
from engram.sessions.known import Known, KnownSession
from engram.sessions.scanned import Scanned
from engram.sessions.told import GroupTold, Told


@record
class IngestPlan(Plan):
    """A plan with the sessions that its steps are about."""

    #: By id; those of the steps alone.
    sessions: Mapping[str, Scanned] = field(default_factory=dict)
    #: What is not in the catalogue and is left as it is, each with its reason in *why*.
    left: tuple[PlannedStep, ...] = ()
    #: Subjects that the catalogue has not; those whose names can be typed.
    unknown_subjects: tuple[str, ...] = ()
    #: By id: what a mass file tells of sessions.
    told: Mapping[str, Told] = field(default_factory=dict)
    #: By name: clusterings of several sessions.
    groups: Mapping[str, GroupTold] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json`` and ``-o``. Fields may be added, never changed."""
        record = Plan.as_json(self)  # super() does not work in a class with slots
        record["left"] = [step.as_json() for step in self.left]
        record["unknown_subjects"] = list(self.unknown_subjects)
        record["sessions"] = [_as_json(scanned) for scanned in self.sessions.values()]
        record["told"] = [{"session": name, **_as_plain(told)} for name, told in self.told.items()]
        return record | {"groups": [_as_plain(group) for group in self.groups.values()]}


def _as_plain(told: Told | GroupTold) -> dict[str, Any]:
    """What is told, as JSON has it."""
    plain = asdict(told)
    for one in (plain, *plain.get("curations", ())):
        if one.get("curated") is not None:
            one["curated"] = one["curated"].isoformat()
    return plain


def _as_json(scanned: Scanned) -> dict[str, Any]:
    record = scanned.session.as_json()
    record["files"] = [[file.path, file.size_bytes, file.modified_ns] for file in scanned.files if not file.share]
    elsewhere: dict[str, list[list[str | int | None]]] = {}
    for file in scanned.files:
        if file.share:
            elsewhere.setdefault(file.share, []).append([file.path, file.size_bytes, file.modified_ns])
    record["files_elsewhere"] = elsewhere
    return record | {"not_looked_at": [list(spot) for spot in scanned.not_looked_at]}


def plan(scanned: Iterable[Scanned], known: Known) -> IngestPlan:
    """What would be done to the catalogue so that it says what is on the shares.

    Steps are ``add`` (a session), ``link`` (recordings to a session, which may lie in several folders, on several
    shares), ``update`` (what is known has other files, sizes or facts now) and ``move`` (it lies elsewhere). Once they
    were carried out, the same shares give no steps.
    """
    return compared(scanned, known).plan


@dataclass(frozen=True, slots=True)
class Ready:
    """A session as the catalogue has it or would take it, and the version there that it was compared with."""

    scanned: Scanned
    #: 0 for one that is new.
    version: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan, and all sessions that can be taken or were, with steps or without."""

    plan: IngestPlan
    #: By each folder that was scanned and is a part of it, or a copy of one.
    ready: Mapping[Spot, Ready]


def compared(scanned: Iterable[Scanned], known: Known, *, unsorted: Mapping[Spot, str] | None = None) -> Compared:
    """The same plan, with what it was made from. Of sessions that have a folder in *unsorted* no clustering is taken.

    *unsorted* tells the reason.
    """
    found = [replace(one, session=identified(one.session)) for one in scanned]
    planner = _Planner(known, found, unsorted or {})
    return Compared(planner.plan(), planner.ready)


def ground_of(scanned: Scanned, version: int) -> str:
    """What a step was made from: the catalogue's version of the session, and its recordings' files as they were."""
    mine = {(recording.share, path) for recording in scanned.session.recordings for path in recording.paths}
    digest = hashlib.sha256(
        f"{version}\0{scanned.session.share}\0{scanned.session.folder}".encode(errors="surrogateescape")
    )
    for file in scanned.files:
        if (file.share, file.path) in mine:
            where = f"\0{file.share}" if file.share else ""
            digest.update(
                f"{where}\0{file.path}\0{file.size_bytes}\0{file.modified_ns}".encode(errors="surrogateescape")
            )
    return f"{version}:{digest.hexdigest()[:32]}"


class _Planner:
    """One plan in the making."""

    def __init__(self, known: Known, found: Sequence[Scanned], unsorted: Mapping[Spot, str]) -> None:
        self._known = known
        self._unsorted = unsorted
        self.ready: dict[Spot, Ready] = {}
        self._found = found
        self._decider = Decider(known)
        self._homes = Homes(known, [one.session for one in found])
        self._steps: list[PlannedStep] = []
        self._sessions: dict[str, Scanned] = {}

    def plan(self) -> IngestPlan:
        """What comes of it."""
        told = self._decider
        for group in groups_of(self._accepted(), self._homes, told):
            if group.parts:
                self._decide(group)
        return IngestPlan(
            steps=tuple(self._steps),
            refused=tuple(told.refused),
            left=tuple(told.left),
            unknown_subjects=tuple(sorted(told.unknown)),
            sessions=self._sessions,
        )

    def _accepted(self) -> Iterator[Scanned]:
        for one in sorted(self._found, key=lambda one: (one.computed, one.session.share, one.session.folder)):
            if self._decider.takes(one.session, computed=one.computed):
                subject = self._known.subjects[one.session.subject]
                yield replace(one, session=replace(one.session, subject=subject))

    def _decide(self, group: Group) -> None:
        """What is to be done about one session."""
        home = group.home
        spots = [(part.session.share, part.session.folder) for part in group.parts]
        if why := next((self._unsorted[spot] for spot in spots if spot in self._unsorted), ""):
            self._decider.unsorted.update(dict.fromkeys(spots, why))
        assembly = Assembly(group, self._homes, self._decider)
        pieces = assembly.pieces()
        if not pieces:
            return
        one = gathered(pieces, assembly.name, group.subject)
        if home is not None or one.session.recordings:
            self.ready |= dict.fromkeys(spots, Ready(one, 0 if home is None else home.version))
        if home is None:
            self._add(one, pieces)
        else:
            self._compare(one, assembly, home)

    def _add(self, one: Scanned, pieces: Sequence[Piece]) -> None:
        if not one.session.recordings:
            return
        new = pieces[0].recordings
        self._step("add", one, 0, f"new: {_named(new)}, {plural(len(pieces[0].files), 'file')}", new)
        for piece in pieces[1:]:
            self._step("link", one, 0, _of_the_same(piece.spot, piece.recordings, one.session), piece.recordings)

    def _compare(self, one: Scanned, assembly: Assembly, home: KnownSession) -> None:
        main = (one.session.share, one.session.folder)
        changes = difference(one, as_seen(home, main, assembly.moves))
        apart: list[str] = []
        for old in assembly.moves:
            self._step("move", one, home.version, f"was in {old[0]}:{old[1]}")
        for spot, recordings in assembly.gathered.items():
            named = {each.id for each in recordings}
            linked = [each for each in changes.linked if each.id in named]
            apart += [each.id for each in linked]
            self._step("link", one, home.version, _of_the_same(spot, linked, one.session), linked)
        if rest := [each for each in changes.linked if each.id not in apart]:
            self._step("link", one, home.version, f"new in a known session: {_named(rest)}")
        if why := _words(changes):
            self._step("update", one, home.version, why)

    def _step(
        self, action: str, one: Scanned, version: int, why: str, recordings: Iterable[Recording] | None = None
    ) -> None:
        size = sum(each.size_bytes or 0 for each in (one.session.recordings if recordings is None else recordings))
        ground = ground_of(one, version)
        self._steps.append(PlannedStep(action=action, item=one.session.id, bytes=size, why=why, ground=ground))
        self._sessions[one.session.id] = one


def _of_the_same(spot: Spot, recordings: Sequence[Recording], session: Session) -> str:
    """Why what another folder holds is linked to a session."""
    where = f"{spot[0]}:{spot[1]}"
    return f"{where} is of the same subject and time as {session.share}:{session.folder}: {_named(recordings)}"


def _named(recordings: Iterable[Recording]) -> str:
    names = [f"{recording.device} ({recording.kind})" for recording in recordings]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _are(count: int, word: str) -> str:
    return f"{plural(count, word)} {'is' if count == 1 else 'are'}"


def _words(changes: Difference) -> str:
    """What changed, as part of a sentence; '' for nothing."""
    said = [f"{each.id} {how}" for each, how in changes.changed[:6]]
    said += [f"and {plural(len(changes.changed) - 6, 'more recording')}"] if len(changes.changed) > 6 else []
    said += [f"{_are(len(changes.gone), 'recording')} gone: {_named(changes.gone)}"] if changes.gone else []
    said += [plural(changes.new_files, "new file")] if changes.new_files else []
    other, lost = changes.other_files, changes.lost_files
    said += [f"{plural(other, 'file')} {'has' if other == 1 else 'have'} another size or time"] if other else []
    said += [f"{_are(lost, 'file')} gone"] if lost else []
    return "; ".join([*said, *changes.facts])
