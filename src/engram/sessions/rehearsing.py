"""Rehearse a plan: do what it says in the catalogue, and undo it, session by session: the last stage, too.

Nothing is kept, and each rehearsal is as long as the session's own transaction would be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engram.catalogue.directory import Directory
from engram.catalogue.opening import Catalogue
from engram.catalogue.sessions import record_session
from engram.catalogue.unit import Author, Became, Unit
from engram.model.errors import ItemFailed, NotInCatalogue, UsageError
from engram.model.progress import Progress
from engram.sessions.planning import IngestPlan
from engram.sessions.telling import tell, tell_of_group
from engram.sessions.told import ANNOTATE, CLUSTER, NEW_NAMES, GroupTold

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
    stage = _Stage(plan, roots)
    sessions = list(dict.fromkeys(step.item for step in plan.steps if step.action not in (*NEW_NAMES, CLUSTER)))
    progress.start("check", len(sessions), "sessions")
    try:
        for name in sessions:
            with catalogue.rehearsing(author) as unit:
                rehearsed = stage.session(unit, name)
            yield rehearsed
            progress.advance()
    finally:
        progress.finish()
    for name, group in plan.groups.items():
        with catalogue.rehearsing(author) as unit:
            rehearsed = stage.group(unit, name, group)
        yield rehearsed


class _Stage:
    """What is rehearsed, and what every rehearsal asks for again."""

    def __init__(self, plan: IngestPlan, roots: Mapping[str, str]) -> None:
        self._plan = plan
        self._roots = roots
        self._directory = Directory()
        #: Sessions of which more is planned than what is told of them.
        self._recorded = {step.item for step in plan.steps if step.action != ANNOTATE}

    def session(self, unit: Unit, name: str) -> Rehearsed:
        """One session."""
        try:
            return Rehearsed(name, changes=self._record(unit, name))
        except _WRONG as error:
            return Rehearsed(name, error=error)

    def group(self, unit: Unit, name: str, group: GroupTold) -> Rehearsed:
        """One clustering, after the sessions that it is of."""
        try:
            for session in group.sessions:
                if session in self._plan.sessions:
                    self._record(unit, session)
            return Rehearsed(name, changes=bool(tell_of_group(unit, group, adds=True)))
        except _WRONG as error:
            return Rehearsed(name, error=error)

    def _record(self, unit: Unit, name: str) -> bool:
        changed, told = False, self._plan.told.get(name)
        if name in self._recorded:
            one = self._plan.sessions[name]
            recorded = record_session(unit, one.session, one.files, roots=self._roots, directory=self._directory)
            changed = recorded.became is not Became.SAME
        return bool(told is not None and tell(unit, name, told, adds=True)) or changed
