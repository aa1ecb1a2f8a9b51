"""What people decide about sessions: left out, findings accepted, groups."""

from sqlalchemy import Connection, select

from engram.catalogue.names import escaped, given, path_key
from engram.catalogue.sessions import touch_session
from engram.catalogue.tables.recordings import EXCLUSION, RECORDING, WAIVER
from engram.catalogue.tables.sessions import GROUP_MEMBER, SESSION, SESSION_GROUP
from engram.catalogue.unit import Became, Put, Unit
from engram.model.errors import NotInCatalogue


def exclude(unit: Unit, pattern: str, why: str) -> Put:
    """Leave out what a pattern, or an id, names."""
    text = escaped(pattern)
    return unit.put(EXCLUSION, {"exclusion_key": path_key(text)}, {"exclusion_pattern": text, "exclusion_why": why})


def include(unit: Unit, pattern: str) -> None:
    """Leave it out no longer. Raises `NotInCatalogue` when it is not left out by this very word."""
    row = unit.find(EXCLUSION, {"exclusion_key": path_key(escaped(pattern))})
    if row is None:
        raise NotInCatalogue("exclusion", pattern, "See what is left out, and by which pattern: engram sessions plan")
    unit.remove(EXCLUSION, row)


def waive(unit: Unit, item: str, code: str, why: str) -> Put:
    """Accept one kind of finding in a session or recording."""
    return unit.put(WAIVER, {"waiver_item": escaped(item), "waiver_code": code}, {"waiver_why": why})


def is_known(connection: Connection, item: str) -> bool:
    """Whether a session or a recording has this id."""
    session = select(SESSION.c.session_id).where(SESSION.c.session_name == escaped(item))
    recording = select(RECORDING.c.recording_id).where(RECORDING.c.recording_name == escaped(item))
    return any(connection.execute(one).first() is not None for one in (session, recording))


def put_in_group(unit: Unit, group: str, session: str) -> bool:
    """Put a session into a group, which is made when it is new; whether it was not there.

    Raises `NotInCatalogue`, and `UsageError` for a name that people cannot read.
    """
    row = unit.find(SESSION, {"session_name": escaped(session)})
    if row is None:
        raise NotInCatalogue("session", session, "See which there are: engram sessions list")
    number = unit.put(SESSION_GROUP, {"group_name": escaped(given(group, "name of a group"))}, {}).row_id
    put = unit.put(GROUP_MEMBER, {"session_id": row["session_id"], "group_id": number}, {})
    if put.became is Became.SAME:
        return False
    touch_session(unit, int(str(row["session_id"])))
    return True
