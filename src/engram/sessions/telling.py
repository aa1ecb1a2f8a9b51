"""Put what a mass file tells into the catalogue."""

from engram.catalogue.clusterings import Group, put_group
from engram.catalogue.saying import Curation, Saying, TaskSaid
from engram.catalogue.tables.animals import PERSON, PROJECT
from engram.catalogue.tables.behaviour import ARENA, LIGHT, STIMULUS_OBJECT
from engram.catalogue.tables.sessions import ROOM
from engram.catalogue.unit import Became, Unit
from engram.model.recordings import Task
from engram.sessions.told import NEW_NAMES, CurationTold, GroupTold, TaskTold, Told

_TABLES = {
    "person": PERSON,
    "project": PROJECT,
    "room": ROOM,
    "arena": ARENA,
    "light": LIGHT,
    "object": STIMULUS_OBJECT,
}


def tell(unit: Unit, session: str, told: Told, *, adds: bool = False) -> tuple[str, ...]:
    """Say it of a session that the catalogue has; what changed, in words. Raises `NotInCatalogue`."""
    saying = Saying(unit, session, adds=adds)
    if told.experimenters:
        saying.experimenters(told.experimenters)
    if told.projects:
        saying.projects(told.projects)
    if told.room:
        saying.room(told.room)
    if told.note:
        saying.note(told.note)
    if told.tasks:
        saying.tasks([_task(task) for task in told.tasks])
    for recording, implant in told.implants:
        saying.implant(recording, implant)
    for one in told.curations:
        saying.curation(one.recording, _curation(one))
    return saying.finish()


def tell_of_group(unit: Unit, told: GroupTold, *, adds: bool = False) -> tuple[str, ...]:
    """Say it of a clustering of several sessions; what changed, in words. Raises `NotInCatalogue`."""
    said = Curation(curator=told.curator, curated=told.curated, note=told.note)
    group = Group(name=told.name, sessions=told.sessions, said=said, share=told.share, folder=told.folder)
    return put_group(unit, group, adds=adds)


def add_name(unit: Unit, action: str, name: str) -> bool:
    """Carry out a step that adds a name (see `NEW_NAMES`); false when it was there."""
    noun = NEW_NAMES[action]
    return unit.put(_TABLES[noun], {f"{noun}_name": name}, {}).became is Became.ADDED


def _task(told: TaskTold) -> TaskSaid:
    task = Task(
        name=told.name,
        start_s=told.start_s,
        stop_s=told.stop_s,
        type=told.type,
        confirmed=True,
        arena=told.arena or "",
    )
    return TaskSaid(
        task=task,
        number=told.number,
        says_arena=told.arena is not None,
        light=told.light,
        note=told.note,
        things=told.things,
    )


def _curation(told: CurationTold) -> Curation:
    return Curation(curator=told.curator, curated=told.curated, note=told.note, confirmed=told.confirmed)
