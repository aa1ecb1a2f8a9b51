"""Changes of the catalogue, as commands ask for them: carried out, or found out by a rehearsal."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from engram.model.errors import EngramError
from engram.model.outcome import Outcome, Status, failure
from engram.model.plan import Plan, PlannedStep
from engram.workspace.catalogue_here import author_here, catalogue_here
from engram.workspace.context import Context

if TYPE_CHECKING:
    from engram.catalogue.unit import Put, Unit

#: What changes the catalogue within one transaction, and says what it did.
Deed: TypeAlias = "Callable[[Unit], Iterator[Outcome]]"


def carry_out(context: Context, command: str, deed: Deed, *, source: str = "", why: str = "") -> Iterator[Outcome]:
    """What was done, told when it is kept; when one part failed nothing is kept, and only what failed is told."""
    with catalogue_here(context) as catalogue:
        try:
            with catalogue.changing(author_here(context, command, source=source, why=why)) as unit:
                outcomes = list(deed(unit))
                failed = [outcome for outcome in outcomes if outcome.failed]
                if failed:
                    raise _NothingIsKept
        except _NothingIsKept:
            yield from failed
        else:
            yield from outcomes


def rehearse(context: Context, command: str, deed: Deed) -> Plan:
    """What would be done. It is done and undone: so the plan is right, and others wait meanwhile."""
    with (
        catalogue_here(context) as catalogue,
        catalogue.rehearsing(author_here(context, command)) as unit,
    ):
        outcomes = list(deed(unit))
    done = [outcome for outcome in outcomes if outcome.status is Status.OK]
    refused = [outcome for outcome in outcomes if outcome.failed]
    steps = (PlannedStep(action=outcome.action, item=outcome.item, why=outcome.note) for outcome in done)
    reasons = (PlannedStep(action=outcome.action, item=outcome.item, why=outcome.message) for outcome in refused)
    return Plan(steps=() if refused else tuple(steps), refused=tuple(reasons))


class _NothingIsKept(Exception):
    """One part failed: the transaction is undone."""


def outcome_of(action: str, item: str, put: "Put", *, note: str = "") -> Outcome:
    """What putting a row did, as an outcome: what was corrected stands in its note."""
    from engram.catalogue.unit import Became

    if put.became is Became.SAME:
        return Outcome(action=action, item=item, status=Status.NOT_NEEDED, note=note)
    changes = [f"{_plain(name)}: {_shown(was)} → {_shown(now)}" for name, was, now in put.changed]
    said = "corrected " + ", ".join(changes) if put.became is Became.EDITED else ""
    return Outcome(action=action, item=item, status=Status.OK, note="; ".join(filter(None, (said, note))))


def refused(action: str, item: str, error: EngramError) -> Outcome:
    """A part that is refused, as an outcome."""
    return replace(failure(error, action=action, item=item), status=Status.IMPOSSIBLE)


def _plain(column: str) -> str:
    """A column as people call it."""
    return column.partition("_")[2].replace("_", " ") or column


def _shown(value: object) -> str:
    return "nothing" if value in (None, "") else str(value)
