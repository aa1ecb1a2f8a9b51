"""Plans: what would be done, as a record that one can print, keep and carry out later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from engram.model.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What ``--dry-run`` prints and what ``-o PLAN.json`` writes: the same object.

    >>> plan = Plan(steps=(PlannedStep(action="add", item="a.nii", bytes=3),))
    >>> plan.bytes, Plan.from_json(plan.as_json()) == plan
    (3, True)
    """

    steps: tuple[PlannedStep, ...] = ()
    #: What will not be done, each with its reason in *why*.
    refused: tuple[PlannedStep, ...] = ()

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
        }

    @classmethod
    def from_json(cls, record: object) -> Self:
        """Read a plan back; fields that are not known here are skipped. Raises `UsageError` when it is none."""
        if not isinstance(record, Mapping) or record.get("record") != "plan":
            raise UsageError("This is not a plan.", "Make one with: --dry-run -o PLAN.json")
        return cls(steps=_steps(record.get("steps")), refused=_steps(record.get("refused", ())))


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
