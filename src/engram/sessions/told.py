"""What a mass file tells of sessions, as a plan carries it: everything is looked up already, nothing is inherited."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

#: Steps of a plan that add something called by a name alone, and what that is in the catalogue.
NEW_NAMES = {
    "add-person": "person",
    "add-project": "project",
    "add-room": "room",
    "add-arena": "arena",
    "add-light": "light",
    "add-object": "object",
}
#: What the step is called that puts what a person says into the catalogue, and that of a group of sessions.
ANNOTATE, CLUSTER = "annotate", "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTold:
    """One task; what is ``None`` is not said."""

    #: Which of the session's tasks, from 1.
    number: int
    name: str
    type: str
    start_s: float
    stop_s: float | None = None
    arena: str | None = None
    light: str | None = None
    note: str | None = None
    #: What stood where in the arena.
    things: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationTold:
    """One clustering of a session."""

    #: Id of the recording that it is.
    recording: str
    curator: str | None = None
    curated: datetime | None = None
    note: str | None = None
    #: A person says so; else it is taken to be so.
    confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of one session."""

    #: The file with its digest, and where in it.
    source: str
    #: Who took part; empty where nothing is said.
    experimenters: tuple[str, ...] = ()
    #: What it was for; empty where nothing is said.
    projects: tuple[str, ...] = ()
    #: Where it was; '' where nothing is said.
    room: str = ""
    #: A remark; '' where nothing is said.
    note: str = ""
    #: What the subject did.
    tasks: tuple[TaskTold, ...] = ()
    #: Recordings with their implants, as `engram.catalogue.said.label` calls them.
    implants: tuple[tuple[str, str], ...] = ()
    #: Who curated its clusterings, and when.
    curations: tuple[CurationTold, ...] = ()

    def words(self) -> Iterator[str]:
        """What is told, for people."""
        if self.experimenters:
            yield f"experimenter {', '.join(self.experimenters)}"
        if self.projects:
            yield f"project {', '.join(self.projects)}"
        if self.room:
            yield f"room {self.room}"
        if self.tasks:
            yield f"tasks {', '.join(task.name for task in self.tasks)}"
        for recording, implant in self.implants:
            yield f"{recording} was made with {implant}"
        for one in self.curations:
            curator = f" by {one.curator}" if one.curator else ""
            yield f"{one.recording} was curated{curator}{'' if one.confirmed else ' (to be confirmed)'}"
        if self.note:
            yield "a note"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTold:
    """One clustering of several sessions."""

    #: The file with its digest, and where in it.
    source: str
    #: What it is called.
    name: str
    #: The ids of the sessions.
    sessions: tuple[str, ...]
    #: Who curated it.
    curator: str
    #: When, by the clock of the lab; null where nobody knows.
    curated: datetime | None = None
    #: A remark; null where nothing is said.
    note: str | None = None
    #: The share that its files lie on; '' for none.
    share: str = ""
    #: Their folder on it.
    folder: str = ""
