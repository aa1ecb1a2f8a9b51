"""Whether the columns of a file are those that its table promises."""

import re
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from engram.connectome.feather import TYPES
from engram.connectome.promises import TABLES
from engram.connectome.tables import AS_GIVEN, BODY, CATEGORY, ORDERED, Column, Table

#: Bodies: flyem-snapshot has signed numbers where a body is larger than 32 bits.
_BODIES = (pa.uint32(), pa.uint64(), pa.int64())
#: What stands for a name that the configuration or a table chooses.
_NAMED = re.compile(r"\\\{[a-z]+\\\}")
_NUMBERED = re.compile(r"[0-9]+(?=\.csv$)")


def _pattern(table: Table) -> re.Pattern[str]:
    tagged = re.escape(_NUMBERED.sub("{number}", table.file))
    tagged = tagged.replace(r"\{number\}", "[0-9]+").replace(r"\{tag\}", "(?P<tag>[^/]+)")
    tagged = _NAMED.sub("[^/]+", tagged)
    return re.compile(tagged + (r"(?:\.gz)?" if table.file.endswith(".csv") else ""))


#: Each table with what its paths look like, those that say most of their names first.
_PATTERNS = sorted(((_pattern(table), table) for table in TABLES), key=lambda pair: -len(pair[0].pattern))


def promise_of(path: str) -> tuple[Table | None, str]:
    """The table that a file is of, by its path, and the tag in it; None for what is promised nowhere."""
    for pattern, table in _PATTERNS:
        if match := pattern.fullmatch(path):
            return table, match.groupdict().get("tag") or ""
    return None, ""


def complaints(
    table: Table, columns: Mapping[str, pa.DataType | None], empty: Mapping[str, int], rows: int
) -> Iterator[str]:
    """What is wrong with a file's columns, one sentence each.

    Args:
        columns: the file's own, with their types; ``None`` for those of a CSV file.
        empty: how many values of each are empty.
        rows: how many there are.
    """
    expected = list(_expected(table, columns))
    names = [name for name, _ in expected]
    if missing := [name for name in names if name not in columns]:
        yield f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
    rest = any(column.name == "…" for column in table.columns)
    if not rest and (more := [name for name in columns if name not in names]):
        yield f"has columns that nothing promises: {', '.join(more)}"
    if not rest and not missing and [name for name in columns if name in names] != names:
        yield f"has its columns in another order: {', '.join(columns)}"
    for name, column in expected:
        if name in columns:
            yield from _of_column(name, column, columns[name], empty.get(name, 0), rows)


def _of_column(name: str, column: Column, kind: pa.DataType | None, empty: int, rows: int) -> Iterator[str]:
    if empty and not column.optional:
        yield f"has {empty} empty values in {name}"
    # pandas gives a column without any value the type of numbers
    if kind is not None and not is_kind(column.sql_type, kind) and not (empty == rows and column.optional):
        yield f"has {kind} in {name} instead of {column.sql_type}"


def _expected(table: Table, found: Mapping[str, pa.DataType | None]) -> Iterator[tuple[str, Column]]:
    """The columns that a file must have, given those that it has: optional groups are there, or are not."""
    grouped = [column.name for column in table.columns if column.when == "compartments"]
    has_group = any(name in found for name in grouped)
    for column in table.columns:
        if column.name == "…":
            continue
        if column.when == "each roiset":
            named = {one.name for one in table.columns}
            pattern = re.compile(re.escape(column.name).replace(r"\{roiset\}", ".+"))
            yield from (
                (name, column)
                for name in found
                if name not in named and pattern.fullmatch(name) and _fits(column, found[name])
            )
        elif not column.when or (column.when == "compartments" and has_group) or column.name in found:
            yield column.name, column


def _fits(column: Column, kind: pa.DataType | None) -> bool:
    return kind is None or is_kind(column.sql_type, kind)


def is_kind(sql_type: str, kind: pa.DataType) -> bool:
    """Whether a column of a file holds what is promised of it."""
    if sql_type == AS_GIVEN:
        return True
    if sql_type == BODY:
        return kind in _BODIES
    if sql_type in (CATEGORY, ORDERED):
        return bool(pa.types.is_dictionary(kind)) and kind.ordered == (sql_type == ORDERED)
    if sql_type.endswith("[]"):
        return bool(pa.types.is_list(kind)) and is_kind(sql_type.removesuffix("[]"), kind.value_type)
    if sql_type == "VARCHAR" and pa.types.is_large_string(kind):
        return True
    return bool(TYPES.get(sql_type) == kind)


def told_complaints(told: Sequence[Mapping[str, str]], columns: Mapping[str, pa.DataType]) -> Iterator[str]:
    """Where a file's columns are not what its own metadata promise."""
    names = [one["name"] for one in told]
    if names != list(columns):
        yield f"promises the columns {', '.join(names)} and has {', '.join(columns)}"
        return
    for one in told:
        kind = columns[one["name"]]
        if not is_kind(one["type"], kind):
            yield f"promises {one['type']} for {one['name']} and has {kind}"
