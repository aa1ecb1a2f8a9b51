"""Whether a catalogue is sound: what its database says, and what our own rules say."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, inspect, select, text

from engram.catalogue.tables import whole_schema
from engram.catalogue.tables.changes import COUNTER


def row_counts(connection: Connection) -> Iterator[tuple[str, int]]:
    """Every table with its number of rows, by name."""
    for name, table in sorted(whole_schema().tables.items()):
        yield name, int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def problems(connection: Connection) -> Iterator[str]:
    """What is wrong with a catalogue, a sentence each; nothing when it is sound."""
    yield from _missing_parts(connection)
    if connection.dialect.name == "sqlite":
        yield from _of_sqlite(connection)
    highest = _highest(connection)
    following = connection.execute(select(COUNTER.c.counter_next)).scalar()
    if following is None:
        yield "The row that gives out numbers is missing."
    elif following <= highest:
        yield f"The next number is {following}, and there is a row {highest} already."


def _missing_parts(connection: Connection) -> Iterator[str]:
    found = inspect(connection)
    there = set(found.get_table_names())
    for name, table in whole_schema().tables.items():
        if name not in there:
            yield f"The table {name} is missing."
            continue
        columns = {column["name"] for column in found.get_columns(name)}
        lacking = (column.name for column in table.columns if column.name not in columns)
        yield from (f"The column {name}.{column} is missing." for column in lacking)


def _of_sqlite(connection: Connection) -> Iterator[str]:
    for (said,) in connection.execute(text("PRAGMA integrity_check(20)")):
        if said != "ok":
            yield f"SQLite says: {said}."
    for row in connection.execute(text("PRAGMA foreign_key_check")).fetchmany(20):
        yield f"A row of {row[0]} refers to one of {row[2]} that is not there."


def _highest(connection: Connection) -> int:
    """The highest number of any row."""
    tables = [table for table in whole_schema().tables.values() if table is not COUNTER]
    columns = [next(iter(table.primary_key)) for table in tables if len(table.primary_key.columns) == 1]
    return max(int(connection.execute(select(func.max(column))).scalar() or 0) for column in columns)
