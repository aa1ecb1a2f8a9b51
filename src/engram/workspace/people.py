"""People of the lab: add, correct, list."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from engram.model.animals import Person
from engram.model.outcome import Outcome
from engram.model.plan import Plan
from engram.workspace.catalogue_here import catalogue_here
from engram.workspace.context import Context
from engram.workspace.deeds import carry_out, outcome_of, rehearse

if TYPE_CHECKING:
    from engram.catalogue.unit import Unit


class People:
    """The people in the lab's catalogue."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add(self, names: Sequence[str], values: Mapping[str, str]) -> Iterator[Outcome]:
        """Add people, or correct what is said of those that are there: an outcome each.

        Args:
            names: what the lab's files call them.
            values: fields of `Person`; what is not given stays as it is.

        Raises:
            NoLab, CatalogueUnusable, UsageError: before anything is kept.
        """
        return carry_out(self._context, "people add", partial(_put, names, values))

    def plan_add(self, names: Sequence[str], values: Mapping[str, str]) -> Plan:
        """What `add` would do. Raises what it raises."""
        return rehearse(self._context, "people add", partial(_put, names, values))

    def list(self) -> Iterator[Person]:
        """Everybody, by name."""
        with catalogue_here(self._context) as catalogue, catalogue.reading() as connection:
            from engram.catalogue.people import people

            yield from people(connection)


def _put(names: Sequence[str], values: Mapping[str, str], unit: "Unit") -> Iterator[Outcome]:
    from engram.catalogue.people import put_person

    for name in names:
        yield outcome_of("people-add", name, put_person(unit, name, values))
