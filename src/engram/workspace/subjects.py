"""Subjects of the lab: add, correct, import, list."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from engram.model.animals import Alias, Subject
from engram.model.outcome import Outcome
from engram.model.plan import Plan
from engram.workspace.catalogue_here import catalogue_here
from engram.workspace.context import Context
from engram.workspace.deeds import carry_out, outcome_of, rehearse

if TYPE_CHECKING:
    from engram.catalogue.unit import Unit, Value

_ADD = "subjects-add"


class Subjects:
    """The subjects in the lab's catalogue."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add(
        self, names: Sequence[str], values: "Mapping[str, Value]", aliases: Sequence[Alias] = ()
    ) -> Iterator[Outcome]:
        """Add subjects, or correct what is said of those that are there: an outcome each.

        Args:
            names: what they are called in the lab.
            values: fields of `Subject`; what is not given stays as it is.
            aliases: more names, of one subject alone.

        Raises:
            NoLab, CatalogueUnusable, UsageError: before anything is kept.
        """
        return carry_out(self._context, "subjects add", partial(_put, names, values, aliases))

    def plan_add(self, names: Sequence[str], values: "Mapping[str, Value]", aliases: Sequence[Alias] = ()) -> Plan:
        """What `add` would do. Raises what it raises."""
        return rehearse(self._context, "subjects add", partial(_put, names, values, aliases))

    def list(self) -> Iterator[Subject]:
        """All subjects, by name."""
        return self.show(())

    def show(self, names: Sequence[str]) -> Iterator[Subject]:
        """The subjects of these names or aliases, all when there are none. Raises `NotInCatalogue`."""
        with catalogue_here(self._context) as catalogue, catalogue.reading() as connection:
            from engram.catalogue.subjects import subjects

            yield from subjects(connection, *names)


def _put(
    names: Sequence[str], values: "Mapping[str, Value]", aliases: Sequence[Alias], unit: "Unit"
) -> Iterator[Outcome]:
    from engram.catalogue.subjects import put_subject

    for name in names:
        yield outcome_of(_ADD, name, put_subject(unit, name, values, aliases))
