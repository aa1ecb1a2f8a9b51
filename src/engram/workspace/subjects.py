"""Subjects of the lab: add, correct, import, list."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from engram.model.animals import Alias, Subject
from engram.model.errors import EngramError
from engram.model.outcome import Outcome
from engram.model.plan import Plan
from engram.workspace import importing
from engram.workspace.catalogue_here import catalogue_here, source_file
from engram.workspace.context import Context
from engram.workspace.deeds import Deed, carry_out, outcome_of, refused, rehearse
from engram.workspace.importing import Field
from engram.workspace.tables import read_table

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

    def import_(self, path: str, *, date_format: str | None = None) -> Iterator[Outcome]:
        """Take subjects from a table (CSV, Excel): all of it, or, when a cell is wrong, nothing, and tell all that is.

        Raises:
            NoLab, CatalogueUnusable, ExtraMissing, UsageError (no table): before anything is kept.
        """
        place = os.path.join(self._context.folder, path)
        return carry_out(self._context, "subjects import", _taking(place, date_format), source=source_file(place))

    def plan_import(self, path: str, *, date_format: str | None = None) -> Plan:
        """What `import_` would do. Raises what it raises."""
        place = os.path.join(self._context.folder, path)
        return rehearse(self._context, "subjects import", _taking(place, date_format))

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


#: The beginning of a column's name that gives an alias, and the kinds of aliases that have columns of their own.
ALIAS = "alias"
WATER_RESTRICTION, COLONY = "water-restriction", "colony"


def fields(date_format: str | None) -> tuple[Field, ...]:
    """What a table of subjects may say: columns as MAP's and Kavli's files call them, and some that others use.

    Source: map-ephys ``load-animal`` and ``load-meta-foraging``; the colony tables that Kavli's pipeline reads.
    """
    text, day = importing.text, importing.day_as(date_format)
    return (
        Field("name", ("subject", "subject_id", "subject_name", "name", "animal", "animal_name"), text),
        Field(WATER_RESTRICTION, ("water_restriction_number", "water_restriction", "h2o", "wr"), text),
        Field(COLONY, ("animal_id", "colony_id", "colony_name", "colony"), text),
        Field("responsible", ("responsible", "username", "user", "user_name", "experimenter", "owner"), text),
        Field("cage", ("cage", "cage_number", "cage_id"), text),
        Field("born", ("dob", "born", "birth_date", "date_of_birth", "birthday", "animal_dob"), day),
        Field("died", ("died", "death_date", "date_of_death", "cull_date"), day),
        Field("sex", ("sex", "gender", "animal_sex"), importing.sex),
        Field("source", ("source", "animal_source", "datasource", "datasource_id", "supplier", "breeder"), text),
        Field("species", ("species", "animal_species"), text),
        Field("strain", ("strain", "line", "genotype"), text),
        Field("started", ("start_date", "started", "date_start", "wr_start_date"), day),
        Field("start_weight_g", ("start_weight", "weight", "start_weight_g", "wr_start_weight"), importing.number),
        Field("note", ("note", "notes", "remark", "comment", "description", "animal_notes"), text),
    )


def _taking(path: str, date_format: str | None) -> Deed:
    """What takes the rows of a table into the catalogue; or tells all that is wrong with it."""
    table = read_table(path)
    known = _named_by(table[0] if table else (), fields(date_format))
    found, problems = importing.records(table, known, needed=("name",), free=f"{ALIAS}_")
    problems += importing.twice(found, ("name",))
    name = os.path.basename(path)

    def take(unit: "Unit") -> Iterator[Outcome]:
        from engram.catalogue.subjects import put_subject

        for problem in sorted(problems, key=lambda one: one.row):
            yield problem.outcome("subjects-import", name)
        for record in found if not problems else ():
            values, aliases = _parted(record.values)
            subject = str(record.values["name"])
            try:
                put = put_subject(unit, subject, values, aliases)
                yield outcome_of("subjects-import", subject, put)
            except EngramError as error:
                yield refused("subjects-import", f"{name}, row {record.row}", error)

    return take


def _named_by(heading: Sequence[str], known: Sequence[Field]) -> Sequence[Field]:
    """The same fields; where a table has no name but the colony's number, that is the name."""
    name, colony = (next(field for field in known if field.name == which) for which in ("name", COLONY))
    titles = {importing.plain(title) for title in heading}
    if titles & set(name.spellings) or not titles & set(colony.spellings):
        return known
    return (Field("name", colony.spellings, name.reads), *(field for field in known if field not in (name, colony)))


def _parted(cells: "Mapping[str, Value]") -> "tuple[dict[str, Value], list[Alias]]":
    aliases, values = [], dict(cells)
    name = values.pop("name")
    for field in list(values):
        kind = field.removeprefix(f"{ALIAS}_") if field.startswith(f"{ALIAS}_") else field
        if kind != field or field in (WATER_RESTRICTION, COLONY):
            said = str(values.pop(field))
            aliases += [Alias(kind=kind.replace("_", "-"), name=said)] if said != name else []
    return values, aliases
