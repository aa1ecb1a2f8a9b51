"""Carry out a plan that was made earlier: what has moved meanwhile is refused, alone; what is done is not needed.

A plan is a file, and files come from elsewhere, too: it can ask for what its reader could type himself, and for no
options of git.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, get_args, get_origin

from engram.durable import Steps
from engram.model.errors import PathNotFound, PlanMoved, UsageError
from engram.model.outcome import Outcome, Status, failure
from engram.model.plan import REMARKS, Asked, Ground, Plan, PlannedStep
from engram.workspace.context import Context
from engram.workspace.opening import Opening

#: Options that are handed on to git, which could start programs by them.
_FOR_GIT = ("init_options", "git_options")
#: Verbs that let programs run, or could: whoever wants that types it himself.
_TYPED_ONLY = ("configuration", "run-procedure", "subdatasets", "trust")
#: Verbs of which a part can be done by naming paths.
_BY_PATH = ("fsck", "get", "remove", "save", "unlock")
#: Verbs of which a part can be done by naming what it was in the plan.
_BY_ITEM = ("clean", "drop", "dropunused")


class _Verb(NamedTuple):
    plan: Callable[..., Plan]
    work: Callable[..., Iterator[Outcome]]


class Carrying:
    """Carries plans out, in one context; in the folder that each was made in."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
        self._steps = steps

    def read(self, path: str) -> Plan:
        """The plan that a file holds. Raises `PathNotFound`; `UsageError` for a file that holds none."""
        import json

        try:
            with open(os.path.join(self._context.folder, path), "rb") as file:
                return Plan.from_json(json.load(file))
        except FileNotFoundError as error:
            raise PathNotFound(path) from error
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{path} is not a plan.", "Make one with: --dry-run -o PLAN.json") from error

    def plan_carry_out(self, plan: Plan) -> Plan:
        """What `carry_out` would do. Raises as it does."""
        ground, _, _ = self._look(plan)
        return replace(plan, steps=tuple(ground.firm), refused=tuple(ground.moved))

    def doomed(self, plan: Plan) -> tuple[str, ...]:
        """The datasets that it would remove from this machine, as the plan names them."""
        return tuple(step.item for step in plan.steps if step.action == "uninstall")

    def carry_out(self, plan: Plan) -> Iterator[Outcome]:
        """Do what of it still holds. Outcomes come once they are durable.

        Raises:
            UsageError: for a plan that cannot be carried out; otherwise as the verb that it is a plan of.
        """
        ground, verb, request = self._look(plan)
        outcomes = verb.work(**request) if ground.firm and request is not None else iter(())
        return _told(ground, outcomes)

    def _look(self, plan: Plan) -> "tuple[Ground, _Verb, dict[str, Any]]":
        """What the plan comes to now, and the request that does what is firm of it."""
        context = replace(self._context, folder=plan.folder, reports_unknown=True)
        verb = _verb(plan.command, context, self._steps)
        request = _arguments(plan, verb)
        if plan.command == "dropunused":
            request["numbers"] = ("all",)  # the list may have been made anew, with other numbers
        ground = plan.held_against(verb.plan(**request))
        top = Opening(context).dataset(request["dataset"]).work_tree if plan.command in _BY_PATH else ""
        if plan.command == "save":
            _miss(ground, top)
        elif plan.command == "remove":
            _pass_over(ground, top)
        if ground.moved or ground.news or plan.command == "dropunused":
            _narrow(plan.command, ground, request, top)
        if all(step.action in REMARKS for step in ground.firm):
            ground.firm = []
        return ground, verb, request


def _verb(command: str, context: Context, steps: Steps | None) -> _Verb:
    """The verb of a plan. Raises `UsageError` when there is none of that name."""
    from engram.workspace.auditing import Custody
    from engram.workspace.cloning import Copies
    from engram.workspace.datasets import Datasets
    from engram.workspace.dropping import Dropping
    from engram.workspace.getting import Getting
    from engram.workspace.provenance import Provenance
    from engram.workspace.upkeep import Upkeep

    rooms: Mapping[str, Callable[..., Any]] = {
        **dict.fromkeys(("create", "save"), Datasets),
        "clone": Copies,
        "get": Getting,
        **dict.fromkeys(("drop", "remove"), Dropping),
        "unlock": Provenance,
        **dict.fromkeys(("numcopies", "dropunused", "fsck"), Custody),
        "clean": Upkeep,
    }
    if command in _TYPED_ONLY:
        raise UsageError(
            f"A plan of {command} is only to be looked at: a file cannot ask for what programs could run by.",
            f"Type the command itself: engram {command} …",
        )
    if command not in rooms or not os.path.isabs(context.folder):
        raise UsageError("This plan cannot be carried out: it does not say of what it is a plan.", "Make it anew.")
    room = rooms[command](context, steps=steps)
    return _Verb(getattr(room, f"plan_{command}"), getattr(room, command))


def _arguments(plan: Plan, verb: _Verb) -> dict[str, Any]:
    """The arguments that a plan asks for. Raises `UsageError` for any that the verb would not take."""
    hints = verb.plan.__annotations__
    request: dict[str, Any] = dict(plan.request)
    if set(request) != set(hints) - {"return"} or not all(_fits(hints[name], value) for name, value in request.items()):
        raise UsageError(f"This plan asks {plan.command} for what it does not know.", "Make it anew.")
    if any(request.get(name) for name in _FOR_GIT):
        raise UsageError(
            "This plan has options for git in it, which could start programs: a file cannot ask for that.",
            f"Type the command itself: engram {plan.command} …",
        )
    return request


def _fits(hint: object, value: Asked) -> bool:
    if get_origin(hint) is Sequence:
        return isinstance(value, tuple)
    kinds = get_args(hint) or (hint,)
    return type(value) in kinds


def _miss(ground: Ground, top: str) -> None:
    """Tell what was to be saved and is gone from what was saved since."""
    gone = [step for step in ground.done if step.action == "add" and not os.path.lexists(os.path.join(top, step.item))]
    ground.done = [step for step in ground.done if step not in gone]
    ground.moved += [replace(step, why="it is not there any more") for step in gone]


def _pass_over(ground: Ground, top: str) -> None:
    """Take what was to be removed, and is nowhere any more, for done."""
    gone = [one for one in ground.moved if one.action == "remove" and not os.path.lexists(os.path.join(top, one.item))]
    ground.moved = [step for step in ground.moved if step not in gone]
    ground.done += gone


def _narrow(command: str, ground: Ground, request: dict[str, Any], top: str) -> None:
    """Make the request one for what is firm alone; what cannot be done alone is refused with the rest."""
    if command == "save":
        request["dataset"] = top  # so that what is recorded of subdatasets is so here, too
        if ground.moved:
            _refuse(ground, [step for step in ground.firm if step.action == "tag"])
            request["tag"] = None
    items = tuple(dict.fromkeys(step.item for step in ground.firm if _is_of(command, step)))
    if command in _BY_ITEM:
        request["only"] = items
    elif command not in _BY_PATH or (command == "remove" and not request["paths"]):
        _refuse(ground, ground.firm)
    elif request.get("keys") or request.get("all_keys") or request.get("unused"):
        request.update(keys=items, all_keys=False, unused=False)
    else:
        request["paths"] = tuple(os.path.join(top, item) for item in items)


def _is_of(command: str, step: PlannedStep) -> bool:
    """Whether a step's item is what the command can be given."""
    return step.action == "remove" if command == "remove" else step.action not in (*REMARKS, "tag")


def _refuse(ground: Ground, steps: list[PlannedStep]) -> None:
    refused = [step for step in steps if step.action not in REMARKS]
    ground.moved += [replace(step, why="it cannot be done without the others") for step in refused]
    ground.firm = [step for step in ground.firm if step not in steps]


def _told(ground: Ground, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for step in ground.moved:
        error = PlanMoved(step.item, step.why.removesuffix("."))
        yield failure(error, action=step.action, item=step.item, status=Status.IMPOSSIBLE)
    yield from outcomes
    for step in ground.done:
        note = "as the plan wants it already"
        yield Outcome(action=step.action, item=step.item, status=Status.NOT_NEEDED, note=note)
