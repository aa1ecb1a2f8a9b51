"""`engram.plan`, and what makes a function of the Python interface one that it can be asked about."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, wraps
from inspect import signature
from typing import Final, ParamSpec

from engram.model.errors import UsageError
from engram.model.outcome import Outcome
from engram.model.plan import Plan
from engram.workspace.verbs.arguments import collected

P = ParamSpec("P")
#: Where a function keeps how it asks.
_ASK: Final = "asks"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that can be done, and looked at before."""

    work: Callable[[], Iterable[Outcome]]
    plan: Callable[[], Plan]


def asked(
    work: Callable[P, Iterable[Outcome]], plan: Callable[P, Plan], *arguments: P.args, **named: P.kwargs
) -> Asked:
    """One request for a verb of the workspace and for its plan."""
    return Asked(partial(work, *arguments, **named), partial(plan, *arguments, **named))


def planned(ask: Callable[P, Asked]) -> Callable[P, list[Outcome]]:
    """The function that does what *ask* asks for; `plan` gives what it would do."""

    @wraps(ask)
    def do(*arguments: P.args, **named: P.kwargs) -> list[Outcome]:
        return collected(ask(*arguments, **named).work())

    setattr(do, _ASK, ask)
    setattr(do, "__signature__", signature(ask).replace(return_annotation=list[Outcome]))  # noqa: B010 - mypy knows none
    return do


def plan(verb: Callable[P, list[Outcome]], /, *arguments: P.args, **named: P.kwargs) -> Plan:
    """What a verb would do, as ``--dry-run`` shows it: `carry_out` takes it. Raises `EngramError`; changes nothing.

    Args:
        verb: the function: `engram.save`, `engram.drop`, …
        arguments: what it would be given.
        named: the same, by name.
    """
    ask: Callable[P, Asked] | None = getattr(verb, _ASK, None)
    if ask is None:
        name = getattr(verb, "__name__", str(verb))
        raise UsageError(
            f"There is no plan of engram.{name}.",
            "There is one of: create, save, clone, get, drop, remove, unlock, numcopies, dropunused, fsck, clean.",
        )
    return ask(*arguments, **named).plan()
