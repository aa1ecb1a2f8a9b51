"""Clusterings of several sessions together: one row each, linked to every recording that went in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from engram.catalogue.names import escaped, path_key, unescaped
from engram.catalogue.saying import Curation, named
from engram.catalogue.session_parts import CONFIRMED
from engram.catalogue.tables.animals import PERSON, SUBJECT
from engram.catalogue.tables.outputs import CLUSTERING, CLUSTERING_RECORDING
from engram.catalogue.tables.recordings import RECORDING
from engram.catalogue.tables.sessions import SESSION, SHARE
from engram.catalogue.unit import Became, Unit, Value
from engram.model.errors import NotInCatalogue

#: What is clustered.
CLUSTERED = ("neuropixels-ap", "ephys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A clustering of several sessions."""

    name: str
    #: Ids of the sessions; at least one.
    sessions: tuple[str, ...]
    said: Curation
    #: Where its files lie: a share's name, and a folder on it; '' where it is on none.
    share: str = ""
    folder: str = ""


def put_group(unit: Unit, group: Group, *, adds: bool = False) -> tuple[str, ...]:
    """Let the catalogue say of a group of sessions how it was clustered; what changed, in words.

    Raises `NotInCatalogue` for a session or a person that is not there.
    """
    changes: list[str] = []
    recordings = _recordings(unit, group.sessions)
    values: dict[str, Value] = {"clustering_standing": CONFIRMED}
    if group.said.curator is not None:
        curator = group.said.curator
        values["curator_id"] = named(unit, PERSON, curator, noun="person", adds=adds, changes=changes)
    if group.said.curated is not None:
        values["clustering_curated"] = group.said.curated
    if group.said.note is not None:
        values["clustering_note"] = group.said.note
    if group.share:
        values |= _place(unit, group)
    put = unit.put(CLUSTERING, {"clustering_name": escaped(group.name)}, values)
    told = [f"{column.removeprefix('clustering_')} was {was}" for column, was, _ in put.changed]
    changes += ["new"] if put.became is Became.ADDED else told
    return (*changes, *_link(unit, put.row_id, recordings))


def join_group(unit: Unit, name: str, session: str) -> tuple[str, ...]:
    """Let a session be one of those that were clustered together; what changed, in words. Raises `NotInCatalogue`."""
    put = unit.put(CLUSTERING, {"clustering_name": escaped(name)}, {"clustering_standing": CONFIRMED})
    rows = select(CLUSTERING_RECORDING.c.recording_id).where(CLUSTERING_RECORDING.c.clustering_id == put.row_id)
    there = set(unit.connection.execute(rows).scalars())
    new = [number for number in _recordings(unit, (session,)) if number not in there]
    unit.add_all(CLUSTERING_RECORDING, [{"clustering_id": put.row_id, "recording_id": number} for number in new])
    return (f"clustered with others as {name}",) if new else ()


def sessions_of_clusterings(connection: Connection) -> Mapping[str, frozenset[str]]:
    """By the name of each clustering of several sessions: their ids."""
    rows = select(CLUSTERING.c.clustering_name, SESSION.c.session_name, RECORDING.c.recording_name).select_from(
        CLUSTERING.join(CLUSTERING_RECORDING).join(RECORDING).join(SESSION)
    )
    found: dict[str, set[str]] = defaultdict(set)
    for name, session, recording in connection.execute(rows):
        if name != recording:  # that of one recording alone is called after it
            found[unescaped(name)].add(unescaped(session))
    return {name: frozenset(sessions) for name, sessions in found.items()}


def _recordings(unit: Unit, sessions: Sequence[str]) -> dict[int, str]:
    """The recordings that were clustered, by number."""
    found: dict[int, str] = {}
    for name in sessions:
        row = unit.find(SESSION, {"session_name": escaped(name)})
        if row is None:
            raise NotInCatalogue("session", name, "See which there are: engram sessions list")
        mine = select(RECORDING).where(
            RECORDING.c.session_id == row["session_id"],
            RECORDING.c.recording_kind.in_(CLUSTERED),
            RECORDING.c.recording_state == "there",
        )
        rows = unit.connection.execute(mine.order_by(RECORDING.c.recording_id)).mappings()
        found |= {one["recording_id"]: unescaped(one["recording_name"]) for one in rows}
    return found


def _place(unit: Unit, group: Group) -> dict[str, Value]:
    share = unit.find(SHARE, {"share_name": group.share})
    if share is None:
        return {}
    folder = escaped(group.folder)
    return {
        "clustering_share_id": share["share_id"],
        "clustering_path": folder,
        "clustering_key": path_key(folder),
    }


def _link(unit: Unit, clustering: int, recordings: Mapping[int, str]) -> list[str]:
    rows = select(CLUSTERING_RECORDING).where(CLUSTERING_RECORDING.c.clustering_id == clustering)
    there = {row["recording_id"]: dict(row) for row in unit.connection.execute(rows).mappings()}
    for number in there.keys() - recordings.keys():
        unit.remove(CLUSTERING_RECORDING, there[number])
    new = [number for number in recordings if number not in there]
    unit.add_all(CLUSTERING_RECORDING, [{"clustering_id": clustering, "recording_id": number} for number in new])
    gone = len(there.keys() - recordings.keys())
    said = [f"of {len(new)} recordings"] if new else []
    return said + ([f"not of {gone} that it was of"] if gone else [])


def subjects_of_clusterings(connection: Connection) -> Mapping[str, frozenset[str]]:
    """By the name of each clustering: the subjects whose recordings went in."""
    rows = select(CLUSTERING.c.clustering_name, SUBJECT.c.subject_name).select_from(
        CLUSTERING.join(CLUSTERING_RECORDING).join(RECORDING).join(SESSION).join(SUBJECT)
    )
    found: dict[str, set[str]] = defaultdict(set)
    for name, subject in connection.execute(rows):
        found[unescaped(name)].add(subject)
    return {name: frozenset(subjects) for name, subjects in found.items()}
