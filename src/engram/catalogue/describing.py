"""The catalogue's tables in words, for those who read them with SQL."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Column, Date, DateTime, Double, Integer, String, Table, Text, UniqueConstraint

from engram.catalogue.tables import GROUPS


@dataclass(frozen=True, slots=True)
class ColumnInWords:
    """One column."""

    name: str
    #: Its type in words, what it refers to, and whether it can be empty: "whole number, → subject.subject_id".
    kind: str
    meaning: str
    #: The table that it refers to; '' for none.
    refers_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInWords:
    """One table."""

    name: str
    #: What one row is.
    row: str
    columns: tuple[ColumnInWords, ...]
    #: The columns that tell two rows apart, in the field's words; empty where the row's number alone does.
    natural_keys: tuple[tuple[str, ...], ...]
    #: Those that belong together have the same: ``animals``, ``sessions``, …
    group: str
    #: The columns that number a row.
    numbers: tuple[str, ...]


def tables_in_words() -> Iterator[TableInWords]:
    """Every table, those that belong together side by side."""
    for group in GROUPS:
        for table in vars(group).values():
            if isinstance(table, Table):
                yield TableInWords(
                    name=table.name,
                    row=table.comment or "",
                    columns=tuple(_in_words(column) for column in table.columns),
                    natural_keys=tuple(sorted(_natural_keys(table))),
                    group=group.__name__.rpartition(".")[2],
                    numbers=tuple(column.name for column in table.primary_key),
                )


def _natural_keys(table: Table) -> Iterator[tuple[str, ...]]:
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield tuple(column.name for column in constraint.columns)
    if len(table.primary_key.columns) > 1:
        yield tuple(column.name for column in table.primary_key)


def _in_words(column: "Column[object]") -> ColumnInWords:
    said = [_kind(column)]
    said += [f"→ {key.target_fullname}" for key in column.foreign_keys]
    said += ["or NULL"] if column.nullable else []
    target = next((key.column.table.name for key in column.foreign_keys), "")
    return ColumnInWords(column.name, ", ".join(said), column.comment or "", target)


def _kind(column: "Column[object]") -> str:
    kind = column.type
    if isinstance(kind, Text):
        return "text"
    if isinstance(kind, String):
        return f"text up to {kind.length}"
    for known, words in _KINDS:
        if isinstance(kind, known):
            return words
    raise TypeError(f"{column} has a type that nobody has put into words: {kind}")


_KINDS = ((Integer, "whole number"), (Double, "number"), (DateTime, "day and time"), (Date, "day"))
