"""Plans: what would be done, as a record that one can print, keep and carry out later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias

from engram.model.errors import UsageError
from engram.model.records import record

#: What an argument of a request may be.
Asked: TypeAlias = str | int | tuple[str, ...] | None
#: Steps that tell how the others would be done, and when: nothing can move under them.
REMARKS = ("hand-over", "save")


@record
class PlannedStep:
    """One thing that would be done."""

    #: Imperative verb: ``add``, ``delete``, ``save``, ``create``, …
    action: str
    #: What it would be done to, as the user would type it.
    item: str
    #: Bytes that would be read or moved; 0 if none.
    bytes: int = 0
    #: Why: "untracked, goes to the annex (annex.largefiles)".
    why: str = ""
    #: What the step was made from: a digest, or a size and a time; '' when nothing can move under it.
    ground: str = ""

    def as_json(self) -> dict[str, Any]:
        """One of the *steps* in the record of a plan."""
        return {name: getattr(self, name) for name in _STEP_FIELDS}


_STEP_FIELDS = ("action", "item", "bytes", "why", "ground")


@record
class Plan:
    """What ``--dry-run`` prints and what ``-o PLAN.json`` writes: the same object.

    >>> plan = Plan(steps=(PlannedStep(action="add", item="a.nii", bytes=3),))
    >>> plan.bytes, Plan.from_json(plan.as_json()) == plan
    (3, True)
    """

    steps: tuple[PlannedStep, ...] = ()
    #: What will not be done, each with its reason in *why*.
    refused: tuple[PlannedStep, ...] = ()
    #: The verb that it is a plan of: ``save``, ``get``, …; '' for one that is only to be looked at.
    command: str = ""
    #: Absolute path of the folder that the verb was called in.
    folder: str = ""
    #: What the verb was asked for: its arguments, by name.
    request: Mapping[str, Asked] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Bytes of all steps together."""
        return sum(step.bytes for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--dry-run --json``. Fields may be added, never changed."""
        return {
            "record": "plan",
            "steps": [step.as_json() for step in self.steps],
            "bytes": self.bytes,
            "refused": [step.as_json() for step in self.refused],
            "command": self.command,
            "folder": self.folder,
            "request": {
                name: list(value) if isinstance(value, tuple) else value for name, value in self.request.items()
            },
        }

    @classmethod
    def from_json(cls, record: object) -> Self:
        """Read a plan back; fields that are not known here are skipped. Raises `UsageError` when it is none."""
        if not isinstance(record, Mapping) or record.get("record") != "plan":
            raise UsageError("This is not a plan.", "Make one with: --dry-run -o PLAN.json")
        return cls(
            steps=_steps(record.get("steps")),
            refused=_steps(record.get("refused", ())),
            command=_text(record.get("command", "")),
            folder=_text(record.get("folder", "")),
            request=_request(record.get("request", {})),
        )

    def held_against(self, now: "Plan") -> "Ground":
        """What of this plan still holds, where *now* is what the same request would do today."""
        places = {(step.action, step.item): step for step in now.steps}
        items = {step.item for step in now.steps if step.action not in REMARKS}
        against = {step.item: step.why for step in now.refused}
        told = {(step.action, step.item) for step in (*self.steps, *self.refused)}
        today = (step for step in (*now.steps, *now.refused) if step.action not in REMARKS)
        ground = Ground(news=any((step.action, step.item) not in told for step in today))
        for step in self.steps:
            same = places.get((step.action, step.item))
            if step.action in REMARKS or (same is not None and same.ground == step.ground):
                ground.firm.append(step)
            elif step.item in items:
                ground.moved.append(replace(step, why="it has changed since the plan was made"))
            elif step.item in against:
                ground.moved.append(replace(step, why=against[step.item]))
            else:
                ground.done.append(step)
        return ground


def joined(plans: Iterable[Plan]) -> Plan:
    """What all of these would do together, in their order."""
    every = tuple(plans)
    return Plan(
        steps=tuple(step for plan in every for step in plan.steps),
        refused=tuple(step for plan in every for step in plan.refused),
    )


@dataclass(slots=True, kw_only=True)
class Ground:
    """What a plan that was made earlier comes to now."""

    #: Steps that can be carried out as they were planned.
    firm: list[PlannedStep] = field(default_factory=list)
    #: Steps whose ground has moved, each with the reason in *why*.
    moved: list[PlannedStep] = field(default_factory=list)
    #: Steps of which there is nothing to do any more.
    done: list[PlannedStep] = field(default_factory=list)
    #: The same request would do something today that was not planned.
    news: bool = False


_DAMAGED = "This plan is damaged: {} does not parse."


def _text(value: object) -> str:
    if type(value) is not str:
        raise UsageError(_DAMAGED.format("its command"), "Make it anew.")
    return value


def _request(given: object) -> dict[str, Asked]:
    if not isinstance(given, Mapping):
        raise UsageError(_DAMAGED.format("its request"), "Make it anew.")
    asked: dict[str, Asked] = {}
    for name, value in given.items():
        if isinstance(value, list) and all(type(one) is str for one in value):
            asked[name] = tuple(value)
        elif value is None or isinstance(value, str | int):
            asked[name] = value
        else:
            raise UsageError(_DAMAGED.format("its request"), "Make it anew.")
    return asked


def _steps(rows: object) -> tuple[PlannedStep, ...]:
    try:
        return tuple(_step(row) for row in rows)  # type: ignore[attr-defined]  # whatever it is, it was read from a file
    except (TypeError, KeyError, AttributeError) as error:
        raise UsageError("This plan is damaged: its steps do not parse.", "Make it anew.") from error


def _step(row: Mapping[str, Any]) -> PlannedStep:
    step = PlannedStep(**{name: row[name] for name in _STEP_FIELDS if name in row or name in ("action", "item")})
    if type(step.bytes) is not int or any(type(getattr(step, name)) is not str for name in _STEP_TEXTS):
        raise TypeError(row)
    return step


_STEP_TEXTS = ("action", "item", "why", "ground")
