"""What render asks of those who want something shown: protocols, which cost nothing at run time."""

from collections.abc import Iterable
from typing import Any, Protocol

from engram.model.outcome import Outcome


class Record(Protocol):
    """Whatever has a JSON line of its own."""

    def as_json(self) -> dict[str, Any]:
        """Its JSON line; ``record`` says which kind it is."""
        ...


class View(Protocol):
    """How one command shows its outcomes to people, where the lines of all others do not suit it."""

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        """The line for an outcome; '' for none, ``None`` for the line that every command has. Called once for each."""
        ...

    def summary(self) -> Iterable[str]:
        """The lines below, when all outcomes were seen."""
        ...
