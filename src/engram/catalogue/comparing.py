"""Whether two catalogues on whatever databases hold the same: every table's rows counted, and digested by value."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Double, Row, Table, and_, or_, select
from sqlalchemy.sql import ColumnElement

from engram.catalogue.columns import AnyColumn
from engram.catalogue.tables import whole_schema
from engram.catalogue.tables.changes import COUNTER

#: Rows that are in memory at the same time.
AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class TableDigest:
    """What a table holds, in two numbers."""

    table: str
    rows: int
    #: SHA-256 in hex over the values of all rows, in the order of their numbers.
    sha256: str


class Digesting:
    """Digests rows as they come. Values count, not how a database writes them down.

    They are taken as Python writes them: texts with everything that is not ASCII told apart, numbers to the last bit,
    NULL unlike '', days and moments to the microsecond. Zero has no sign: only PostgreSQL keeps one.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._value = _value_of(table)
        self._hash = hashlib.sha256()
        self._rows = 0

    def take(self, rows: Sequence[Row[Any]]) -> None:
        """The next ones."""
        self._rows += len(rows)
        self._hash.update("".join([ascii(self._value(row)) for row in rows]).encode())

    def digest(self) -> TableDigest:
        """What all of them were."""
        return TableDigest(self._table.name, self._rows, self._hash.hexdigest())


def _value_of(table: Table) -> Callable[[Row[Any]], tuple[Any, ...]]:
    """What of a row is compared."""
    if table is COUNTER:  # a closed catalogue will give out the same numbers, only not now
        return lambda row: tuple(map(abs, row))
    if any(isinstance(column.type, Double) for column in table.columns):
        return lambda row: tuple([value + 0.0 if type(value) is float else value for value in row])
    return tuple


def rows_of(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """All rows in the order of their numbers, some at a time; between two times nothing is open at the server."""
    numbers = list(table.primary_key.columns)
    asked = select(table).order_by(*numbers).limit(AT_ONCE)
    rows = connection.execute(asked).all()
    while rows:
        yield rows
        last = rows[-1][: len(numbers)]  # they are the first columns of every table
        rows = connection.execute(asked.where(_behind(numbers, last))).all()


def _behind(numbers: Sequence[AnyColumn], last: Sequence[int]) -> ColumnElement[bool]:
    """Whether a row comes behind the one with the numbers *last*."""
    (number, *more), (here, *rest) = numbers, last
    return or_(number > here, and_(number == here, _behind(more, rest))) if more else number > here


def digests(connection: Connection) -> Iterator[TableDigest]:
    """Every table's, those that others refer to first."""
    for table in whole_schema().sorted_tables:
        digesting = Digesting(table)
        for rows in rows_of(connection, table):
            digesting.take(rows)
        yield digesting.digest()
