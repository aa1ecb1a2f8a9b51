"""Names and values in SQL text. Column names come from other people's tables, and may hold anything."""

from collections.abc import Iterable, Mapping

#: What a point without a ROI has for one.
UNSPECIFIED = "<unspecified>"


def name(identifier: str) -> str:
    """A name as SQL takes it.

    >>> print(name('an "odd" name'))
    "an ""odd"" name"
    """
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL takes it.

    >>> print(text("the worm's"))
    'the worm''s'
    """
    return "'" + value.replace("'", "''") + "'"


def threshold(confidence: float) -> str:
    """A threshold for a column of 32-bit floats: as a 64-bit one, 0.7 would lie above the 0.7 of the column."""
    return f"CAST({confidence!r} AS FLOAT)"


def names(columns: Iterable[str], *, of: str = "") -> str:
    """Names with commas between them, each of the table *of*."""
    prefix = f"{of}." if of else ""
    return ", ".join(prefix + name(column) for column in columns)


def selected(columns: Mapping[str, str]) -> str:
    """What a query selects: expression by name."""
    return ", ".join(f"{expression} AS {name(column)}" for column, expression in columns.items())


def counted(condition: str) -> str:
    """How many rows of a group fulfil a condition."""
    return f"count(*) FILTER (WHERE {condition})"


def enum(categories: Iterable[str]) -> str:
    """A type of one of a few texts, in this order."""
    return f"ENUM ({', '.join(text(category) for category in categories)})"
