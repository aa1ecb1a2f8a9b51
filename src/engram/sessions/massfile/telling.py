"""From a mass file to a plan: its sessions found, its answers looked up, all that is wrong in it told at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engram.model.plan import PlannedStep
from engram.model.recordings import Task
from engram.sessions.answers import nearest
from engram.sessions.gathering import Spot
from engram.sessions.identity import identified
from engram.sessions.massfile.locating import Found, locate
from engram.sessions.massfile.nodes import Problem
from engram.sessions.massfile.parsing import Entry, read_moment
from engram.sessions.massfile.resolving import Teller
from engram.sessions.massfile.surroundings import Surroundings
from engram.sessions.planning import Compared, IngestPlan, Ready, compared, ground_of
from engram.sessions.scanned import Scanned
from engram.sessions.told import ANNOTATE, CLUSTER, GroupTold, Told


@dataclass(frozen=True, slots=True)
class Planned:
    """What a mass file comes to."""

    #: Of the file's sessions alone.
    plan: IngestPlan
    #: Why nothing can be taken from it; empty when it can.
    problems: tuple[Problem, ...] = ()
    #: What each session, by its id, and each clustering, by its name, is called by in the file.
    entries: Mapping[str, Entry] = field(default_factory=dict)


def planned(roots: Sequence[Entry], scanned: Sequence[Scanned], around: Surroundings) -> Planned:
    """A plan for the sessions of a mass file, with what it tells of them."""
    whole = [replace(one, session=identified(one.session)) for one in scanned]
    found = locate(roots, [one for one in whole if not one.computed], around)
    held = compared(scanned, around.known, unsorted=found.unsorted)
    planner = _Planner(roots, found, held, around)
    return planner.planned({(one.session.share, one.session.folder): one for one in whole})


class _Planner:
    def __init__(self, roots: Sequence[Entry], found: Found, compared_: Compared, around: Surroundings) -> None:
        self._roots = roots
        self._found = found
        self._plan = compared_.plan
        self._ready = compared_.ready
        self._around = around
        self._problems = [*found.problems]
        self._told: dict[str, Told] = {}
        self._sessions: dict[str, Scanned] = {}
        self._annotations: list[PlannedStep] = []
        self._refused: list[PlannedStep] = []
        self._groups: dict[str, GroupTold] = {}
        self._names: dict[tuple[str, str], Entry] = {}
        self._entries: dict[str, Entry] = {}
        #: Sessions of the catalogue and of this file, by id.
        self._every = {name: known.session for name, known in around.known.sessions.items()}
        for one in found.by_path.values():
            if ready := self._ready.get((one.session.share, one.session.folder)):
                self._every[ready.scanned.session.id] = ready.scanned.session

    def planned(self, scanned: Mapping[Spot, Scanned]) -> Planned:
        """What came of it. *scanned*: everything that was looked at, by its folder."""
        for root in self._roots:
            subject = self._found.subjects.get(root.path, "")
            for entry in root.entries("sessions"):
                if entry.path in self._found.by_path:
                    self._session(entry, subject, self._found.by_path[entry.path])
            for entry in root.entries("clustering"):
                self._group(entry, root, subject)
        return Planned(self._of_these(scanned), tuple(self._problems), self._entries)

    def _of_these(self, scanned: Mapping[Spot, Scanned]) -> IngestPlan:
        mine = {one.session.id for one in self._found.by_path.values()} | self._entries.keys()
        parts = [
            one for spot, one in scanned.items() if spot in self._ready and self._ready[spot].scanned.session.id in mine
        ]
        recordings = {each.id for one in (*parts, *self._found.by_path.values()) for each in one.session.recordings}
        steps = [step for step in self._plan.steps if step.item in mine]
        rest = dict.fromkeys(step.item for step in self._plan.steps if step.item not in mine)
        others = [PlannedStep(action="leave", item=name, why=f"not in {self._around.name}") for name in rest]
        left = [step for step in self._plan.left if step.item in mine | recordings]
        refused = [step for step in self._plan.refused if step.item in mine | recordings]
        clusters = [
            PlannedStep(action=CLUSTER, item=name, why=f"of {', '.join(group.sessions)}; curator {group.curator}")
            for name, group in self._groups.items()
        ]
        sessions = {name: one for name, one in self._plan.sessions.items() if name in mine}
        return IngestPlan(
            steps=(*self._new_names(), *steps, *self._annotations, *clusters),
            refused=(*refused, *self._refused),
            left=(*left, *others),
            sessions={**sessions, **self._sessions},
            told=self._told,
            groups=self._groups,
        )

    # --- sessions

    def _session(self, entry: Entry, subject: str, one: Scanned) -> None:
        place = (one.session.share, one.session.folder)
        ready = self._ready.get(place)
        session = one.session if ready is None else replace(ready.scanned.session, tasks=_listed(one, ready))
        if session.id in self._entries:
            message = f"{self._entries[session.id].path} is the same session"
            self._problems.append(entry.problem("location", message))
            return
        teller = Teller(entry, session, subject, self._around)
        told = teller.told()
        self._problems += teller.problems
        self._note_names(entry, told)
        words = "; ".join(told.words())
        if moved := self._found.moved.get(entry.path):
            words = f"{words}; {moved}" if words else moved
        self._entries[session.id] = entry
        if ready is None:
            why = self._why_not(one)
            self._refused.append(PlannedStep(action=ANNOTATE, item=one.session.id, why=why))
        elif any(True for _ in told.words()):
            self._annotate(ready, told, f"{words} ({self._around.name}, {entry.path})")

    def _annotate(self, ready: Ready, told: Told, why: str) -> None:
        name = ready.scanned.session.id
        self._told[name] = told
        self._sessions[name] = self._plan.sessions.get(name, ready.scanned)
        ground = ground_of(self._sessions[name], ready.version)
        self._annotations.append(PlannedStep(action=ANNOTATE, item=name, why=why, ground=ground))

    def _why_not(self, one: Scanned) -> str:
        for step in (*self._plan.left, *self._plan.refused):
            if step.item == one.session.id:
                return step.why
        return "nothing of it can be taken"

    # --- names that are new

    def _note_names(self, entry: Entry, told: Told) -> None:
        people = [*told.experimenters, *(one.curator for one in told.curations if one.curator and one.confirmed)]
        named = {
            "add-person": people,
            "add-project": told.projects,
            "add-room": [told.room] if told.room else [],
            "add-arena": [task.arena for task in told.tasks if task.arena],
            "add-light": [task.light for task in told.tasks if task.light],
            "add-object": [name for task in told.tasks for name, _ in task.things or ()],
        }
        for action, names in named.items():
            for name in names:
                self._names.setdefault((action, name), entry)

    def _new_names(self) -> Iterator[PlannedStep]:
        names = self._around.names
        known: Mapping[str, frozenset[str]] = {
            "add-person": names.people,
            "add-project": names.projects,
            "add-room": names.rooms,
            "add-arena": names.arenas,
            "add-light": names.lights,
            "add-object": names.objects,
        }
        for (action, name), entry in self._names.items():
            if name not in known[action]:
                near = nearest(name, known[action])
                why = f"new in the catalogue: named in {self._around.name}, {entry.path}{near}"
                yield PlannedStep(action=action, item=name, why=why)

    # --- clustering of several sessions

    def _group(self, entry: Entry, root: Entry, subject: str) -> None:
        before = len(self._problems)
        name, curator = entry.text("group_name"), entry.text("curator")
        share, folder = self._place(entry)
        sessions = list(dict.fromkeys(filter(None, self._members(entry, root, subject))))
        if name in self._groups:
            self._problems.append(entry.problem("group_name", f"{name} is there twice"))
        if others := self._around.clusterings.get(name, frozenset()) - {subject}:
            message = f"the catalogue has a clustering {name} of {', '.join(sorted(others))}"
            self._problems.append(entry.problem("group_name", message, "Take another name."))
        if "sessions" in entry.values and len(entry.texts("sessions")) < 2:
            self._problems.append(entry.problem("sessions", "it needs two sessions at least"))
        if len(self._problems) > before or not (name and curator and len(sessions) > 1):
            return
        place = ", ".join(part for part in (str(entry.where), entry.path) if part)
        self._names.setdefault(("add-person", curator), entry)
        self._entries[name] = entry
        self._groups[name] = GroupTold(
            source=f"{self._around.source}, {place}",
            name=name,
            sessions=tuple(sessions),
            curator=curator,
            curated=entry.moment("curation_time") or self._written(share, folder),
            note=entry.text("notes") or None,
            share=share,
            folder=folder,
        )

    def _place(self, entry: Entry) -> tuple[str, str]:
        if not (location := entry.text("location")):
            return "", ""
        for share, path in self._around.places(location):
            if why := self._around.trouble(share, path):
                self._problems.append(entry.problem("location", f"{share.name}:{path} {why}", "Mend the path."))
            return share.name, path
        message = f"it lies on no share of the lab: {self._around.where_shares_begin()}"
        self._problems.append(entry.problem("location", message))
        return "", ""

    def _written(self, share: str, folder: str) -> datetime | None:
        for one in self._around.shares:
            if one.name == share and (written := self._around.written(one, folder)) is not None:
                return self._around.by_the_labs_clock(written)
        return None

    def _members(self, entry: Entry, root: Entry, subject: str) -> Iterator[str]:
        """The ids of a group's sessions; '' for one that there is not, which is told."""
        called = {one.text("name"): one for one in root.entries("sessions") if one.text("name")}
        for text in entry.texts("sessions"):
            if text in called:
                yield self._id_of(called[text])
            elif name := self._that_began(text, subject):
                yield name
            elif subject or read_moment(text) is None:  # else the subject is told already
                when = read_moment(text) is not None
                what = f"no session of {subject} began then" if when else "no session in this file has that name"
                remedy = "Say when it began, as 2020-01-31 10:00:00, or the name that its entry has."
                near = "" if when else nearest(text, called)
                self._problems.append(entry.problem("sessions", f"{text}: {what}{near}", remedy))

    def _id_of(self, entry: Entry) -> str:
        """The id that a session of this file has, or will have; '' when it was not found, which is told there."""
        one = self._found.by_path.get(entry.path)
        if one is None:
            return ""
        ready = self._ready.get((one.session.share, one.session.folder))
        return one.session.id if ready is None else ready.scanned.session.id

    def _that_began(self, text: str, subject: str) -> str:
        """The session of a subject that began then, in the catalogue or in this file; or that has this id."""
        every = self._every
        if text in every and every[text].subject == subject:
            return text
        moment = read_moment(text)
        fits = [
            name
            for name, session in every.items()
            if session.subject == subject
            and isinstance(session.started, datetime)
            and session.started.replace(tzinfo=None, microsecond=0) == moment
        ]
        return fits[0] if len(fits) == 1 else ""


def _listed(one: Scanned, ready: Ready) -> tuple[Task, ...]:
    """The tasks that the rig's list tells of, which may lie in another folder of the session."""
    return one.session.tasks or tuple(task for task in ready.scanned.session.tasks if not task.confirmed)
