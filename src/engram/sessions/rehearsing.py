"""Rehearse a plan: do what it says in the catalogue, and undo it, session by session: the last stage, too.

Nothing is kept, and each rehearsal is as long as the session's own transaction would be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engram.catalogue.opening import Catalogue
from engram.catalogue.sessions import record_session
from engram.catalogue.unit import Author, Became, Unit
from engram.model.errors import ItemFailed, NotInCatalogue, UsageError
from engram.model.progress import Progress
from engram.sessions.planning import IngestPlan
from engram.sessions.telling import tell, tell_of_group
from engram.sessions.told import CLUSTER, NEW_NAMES, GroupTold

#: What can be wrong with one session alone.
_WRONG = (ItemFailed, NotInCatalogue, UsageError)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How one session, or one clustering of several, would fare."""

    #: Its id, or its name.
    item: str
    #: Whether anything would be different.
    changes: bool = False
    #: Why it would fail; ``None`` when it would not.
    error: ItemFailed | NotInCatalogue | UsageError | None = None


def rehearse(
    plan: IngestPlan, catalogue: Catalogue, author: Author, roots: Mapping[str, str], progress: Progress
) -> Iterator[Rehearsed]:
    """Every session and every clustering of a plan, one after the other. Names that are new are taken for added."""
    sessions = list(dict.fromkeys(step.item for step in plan.steps if step.action not in (*NEW_NAMES, CLUSTER)))
    progress.start("check", len(sessions), "sessions")
    try:
        for name in sessions:
            with catalogue.rehearsing(author) as unit:
                rehearsed = _session(unit, plan, name, roots)
            yield rehearsed
            progress.advance()
    finally:
        progress.finish()
    for name, group in plan.groups.items():
        with catalogue.rehearsing(author) as unit:
            rehearsed = _group(unit, plan, name, group, roots)
        yield rehearsed


def _session(unit: Unit, plan: IngestPlan, name: str, roots: Mapping[str, str]) -> Rehearsed:
    try:
        return Rehearsed(name, changes=_record(unit, plan, name, roots))
    except _WRONG as error:
        return Rehearsed(name, error=error)


def _group(unit: Unit, plan: IngestPlan, name: str, group: GroupTold, roots: Mapping[str, str]) -> Rehearsed:
    try:
        for session in group.sessions:
            if session in plan.sessions:
                _record(unit, plan, session, roots)
        return Rehearsed(name, changes=bool(tell_of_group(unit, group, adds=True)))
    except _WRONG as error:
        return Rehearsed(name, error=error)


def _record(unit: Unit, plan: IngestPlan, name: str, roots: Mapping[str, str]) -> bool:
    scanned = plan.sessions[name]
    changed = record_session(unit, scanned.session, scanned.files, roots=roots).became is not Became.SAME
    return bool(name in plan.told and tell(unit, name, plan.told[name], adds=True)) or changed
