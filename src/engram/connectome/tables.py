"""What each table of a snapshot promises: its columns, their types, meanings and units."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from engram.connectome.sql import selected

#: A body's id: ``UINTEGER`` where all of them are below 2^32, else ``UBIGINT``.
BODY = "BODY"
#: One of a few texts, kept as a number and a list of them (pandas calls it a category).
CATEGORY = "CATEGORY"
#: A category whose texts are listed from the worst to the best.
ORDERED = "ORDERED CATEGORY"
#: The type that the column has in the input.
AS_GIVEN = "AS GIVEN"

_IN_WORDS = {
    BODY: "UINTEGER; UBIGINT where a body is 2^32 or more",
    AS_GIVEN: "as in the input",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column, described well enough to be its own documentation."""

    #: As it stands in the file; ``{roiset}`` stands for the name of a ROI set.
    name: str
    #: As DuckDB spells it, or one of the words above.
    sql_type: str
    #: What one value means, in the words of the field.
    meaning: str
    #: UCUM unit; ``"1"`` for ids, counts and probabilities.
    unit: str = "1"
    #: Whether it may be empty.
    optional: bool = False
    #: When the table has it: '' for always, else ``compartments``, ``each roiset``, ``if given``.
    when: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table's promise. Files are written by it, docs are printed from it."""

    name: str
    #: Path of its file: ``{tag}`` stands for the snapshot's name.
    file: str
    #: What one row is.
    row: str
    #: How rows are ordered, in words; the order is total.
    order: str
    columns: tuple[Column, ...]

    def concrete(
        self,
        *,
        body: str = "UINTEGER",
        roisets: Iterable[str] = (),
        compartments: bool = False,
        given: Mapping[str, str] | None = None,
    ) -> "Table":
        """The promise for one snapshot.

        Args:
            body: type of bodies.
            roisets: names of the ROI sets whose columns it has.
            compartments: whether points are told by compartment.
            given: the types of the columns that are there because the input has them.
        """
        columns: list[Column] = []
        for column in self.columns:
            column = replace(column, sql_type=body) if column.sql_type == BODY else column
            if column.when == "each roiset":
                columns += [replace(column, name=column.name.format(roiset=one)) for one in roisets]
            elif column.when == "if given":
                columns += _given(column, self._rest(given or {}) if column.name == "…" else given or {})
            elif column.when != "compartments" or compartments:
                columns.append(column)
        return replace(self, columns=tuple(columns))

    def _rest(self, given: Mapping[str, str]) -> dict[str, str]:
        named = {column.name for column in self.columns}
        return {name: kind for name, kind in given.items() if name not in named}

    def filled(self, *expressions: str) -> str:
        """What a query selects for its columns, in their order."""
        return selected(dict(zip((column.name for column in self.columns), expressions, strict=True)))

    def as_json(self) -> str:
        """What stands in a file's metadata, under ``engram.table``."""
        columns = [
            {"name": one.name, "type": one.sql_type, "unit": one.unit, "meaning": one.meaning} for one in self.columns
        ]
        return json.dumps({"name": self.name, "row": self.row, "order": self.order, "columns": columns})

    def in_words(self) -> Iterator[tuple[str, str]]:
        """Each column and what it is, for the reference, so that it cannot drift."""
        for one in self.columns:
            kind = _IN_WORDS.get(one.sql_type, one.sql_type)
            notes = [word for word in (one.when, "may be empty" if one.optional else "") if word]
            unit = "" if one.unit == "1" else f", in {one.unit}"
            yield one.name, f"{one.meaning}. {kind}{unit}{''.join(f'; {note}' for note in notes)}."


def _given(column: Column, given: Mapping[str, str]) -> list[Column]:
    if column.name == "…":
        return [replace(column, name=name, sql_type=kind) for name, kind in given.items()]
    if column.name not in given:
        return []
    kind = given[column.name] if column.sql_type == AS_GIVEN else column.sql_type
    return [replace(column, sql_type=kind)]
