"""Plans: what would be done, as a record that one can print, keep and carry out later."""

from dataclasses import asdict, dataclass, field
from typing import Any


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What ``--dry-run`` prints and what ``-o PLAN.json`` writes: the same object."""

    steps: tuple[PlannedStep, ...] = ()
    #: What will not be done, each with its reason in *why*.
    refused: tuple[PlannedStep, ...] = field(default=())

    @property
    def bytes(self) -> int:
        """Bytes of all steps together."""
        return sum(step.bytes for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--dry-run --json``. Fields may be added, never changed."""
        return {
            "record": "plan",
            "steps": [asdict(step) for step in self.steps],
            "bytes": self.bytes,
            "refused": [asdict(step) for step in self.refused],
        }
