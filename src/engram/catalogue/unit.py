"""One change of the catalogue: a transaction that tells who made it, and forgets nothing that it overwrites."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, Select, String, Table, and_, bindparam, delete, insert, select, update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql import ColumnElement

from engram.catalogue.tables.changes import CHANGE, COUNTER, EDIT
from engram.model.errors import UsageError

#: What a column can hold.
Value: TypeAlias = str | int | float | date | datetime | None
#: A row, or a part of one, by the columns' names.
Row: TypeAlias = Mapping[str, Value]
#: Makes what a driver takes of a row.
Arguments: TypeAlias = Callable[[Row], tuple[Value, ...] | dict[str, Value]]

_NOBODY_YET = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes the catalogue, and on whose word."""

    #: ``ada@rig-3``.
    who: str
    #: ``subjects import``.
    command: str
    #: File or plan, with its digest; '' when it was typed.
    source: str = ""
    #: The reason that was given.
    why: str = ""


class Became(StrEnum):
    """What putting a row did."""

    ADDED = "added"
    EDITED = "edited"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Put:
    """A row that is in the catalogue now, and what that took."""

    row_id: int
    became: Became
    #: Columns whose value changed: before and after.
    changed: tuple[tuple[str, Value, Value], ...] = ()


class Unit:
    """Changes rows within one transaction. Each row notes the change that added it; what it held before is kept."""

    def __init__(self, connection: Connection, author: Author, now: datetime) -> None:
        """Waits until no other change is under way; *now* is UTC without a zone, as the catalogue keeps it."""
        self.connection = connection
        self._author = author
        self._now = now
        ((following,),) = self._run(_counter(connection.dialect)[0])
        self._first = self._next = int(str(following))
        self._change = _NOBODY_YET

    @property
    def following(self) -> int:
        """The number that the next row gets; negative in a catalogue that gives out none."""
        return self._next

    @property
    def change_id(self) -> int:
        """The number of this change; asking for it makes it one, even if no row follows."""
        if self._change == _NOBODY_YET:
            self._change = self.new_ids(1).start
            author = self._author
            row: Row = {
                "change_id": self._change,
                "change_made": self._now,
                "change_by": author.who,
                "change_command": author.command,
                "change_source": author.source,
                "change_why": author.why,
            }
            _check(CHANGE, row)
            self._insert(CHANGE, [row])
        return self._change

    @property
    def changed_something(self) -> bool:
        """Whether anything is different now."""
        return self._change != _NOBODY_YET

    def new_ids(self, count: int) -> range:
        """So many numbers that no row has, or ever had."""
        first = self._next
        self._next += count
        return range(first, self._next)

    def add(self, table: Table, values: Row) -> int:
        """A new row; its number. Text that is not given is '', anything else NULL."""
        (number,) = self.new_ids(1)
        identity = _identity(table)
        self.add_all(table, [{**values, identity: number} if identity else values])
        return number

    def add_all(self, table: Table, rows: Sequence[Row]) -> None:
        """New rows, all at once; those of a table with a number bring one of `new_ids`."""
        if not rows:
            return
        blank = {**_blank(table), _added_in(table): self.change_id}
        whole = [{**blank, **row} for row in rows]
        for row in whole:
            _check(table, row)
        self._insert(table, whole)

    def add_many(self, table: Table, rows: Sequence[tuple[int | str | None, ...]]) -> None:
        """New rows of a table without times, as its columns stand, with text that every database takes.

        There may be a million of them: nobody looks at one again.
        """
        if rows:
            self._run_many(*_in_order(table, self.connection.dialect, rows))

    def _insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Past SQLAlchemy's own way, which costs more than SQLite itself where sessions come one by one."""
        sql, arguments = _insertion(table, self.connection.dialect)
        self._run_many(sql, [arguments(row) for row in rows])

    def _run_many(self, sql: str, rows: Sequence[Any]) -> None:
        with self._cursor(sql) as cursor:
            cursor.executemany(sql, rows)

    def _run(self, sql: str, values: "tuple[Value, ...] | dict[str, Value]" = ()) -> Sequence[Any]:
        """The rows that a statement gives."""
        with self._cursor(sql) as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else ()

    @contextmanager
    def _cursor(self, sql: str) -> Iterator[DBAPICursor]:
        """The driver's own; what it refuses is raised as SQLAlchemy would."""
        dialect = self.connection.dialect
        errors = dialect.loaded_dbapi.Error
        cursor = self.connection.connection.cursor()
        try:
            yield cursor
        except errors as error:
            raise DBAPIError.instance(sql, None, error, errors, dialect=dialect) from error
        finally:
            cursor.close()

    @contextmanager
    def attempting(self) -> Iterator[None]:
        """What is done within is undone, alone, when the database refuses it. Raises SQLAlchemy's `IntegrityError`."""
        run = self._run  # SQLAlchemy's own savepoints cost as much as all the rest of a session
        run("SAVEPOINT attempt")
        try:
            yield
        except IntegrityError:
            run("ROLLBACK TO SAVEPOINT attempt")
            raise
        run("RELEASE SAVEPOINT attempt")

    def edit(self, table: Table, row: Row, values: Row) -> tuple[tuple[str, Value, Value], ...]:
        """Give a row other values; which changed, before and after. *row* is all of it, as it is now."""
        changed = tuple((name, row[name], value) for name, value in values.items() if row[name] != value)
        if changed:
            _check(table, values)
            self._keep(table, row, "edit", {name: was for name, was, _ in changed}, {n: now for n, _, now in changed})
            new = {name: now for name, _, now in changed}
            self.connection.execute(update(table).where(_is(table, row)).values(new))
        return changed

    def remove(self, table: Table, row: Row) -> None:
        """Take a row out; the history keeps all of it. *row* is all of it, as it is now."""
        self._keep(table, row, "remove", row, {})
        self.connection.execute(delete(table).where(_is(table, row)))

    def put(self, table: Table, natural: Row, values: Row) -> Put:
        """The row that *natural* names, with *values*: added, edited, or left as it is. Other columns stay."""
        row = self.find(table, natural)
        if row is None:
            return Put(self.add(table, {**natural, **values}), Became.ADDED)
        identity = _identity(table)
        changed = self.edit(table, row, values)
        number = row[identity] if identity else 0
        assert isinstance(number, int)
        return Put(number, Became.EDITED if changed else Became.SAME, changed)

    def find(self, table: Table, natural: Row) -> Row | None:
        """The one row with these values, or none."""
        asked = {f"{name}_is": value for name, value in natural.items()}
        found = self.connection.execute(_search(table, tuple(natural)), asked).mappings().one_or_none()
        return None if found is None else dict(found)

    def finish(self) -> None:
        """Note which numbers were given out; called once, before the transaction ends."""
        if self._next != self._first:
            by_place = self.connection.dialect.positional
            self._run(_counter(self.connection.dialect)[1], (self._next,) if by_place else {"following": self._next})

    def _keep(self, table: Table, row: Row, action: str, was: Row, now: Row) -> None:
        change = self.change_id
        edit: Row = {
            "edit_id": self.new_ids(1).start,
            "change_id": change,
            "edit_table": table.name,
            "edit_row": row_name(table, row),
            "edit_action": action,
            "edit_was": as_text(was),
            "edit_now": as_text(now) if now else "",
        }
        self._insert(EDIT, [edit])


@cache
def _counter(dialect: Dialect) -> tuple[str, str]:
    """How a driver is asked which number is next, waiting for others, and told the one that follows."""
    asked = select(COUNTER.c.counter_next).with_for_update()
    told = update(COUNTER).values(counter_next=bindparam("following"))
    return str(asked.compile(dialect=dialect)), str(told.compile(dialect=dialect))


def _in_order(
    table: Table, dialect: Dialect, rows: Sequence[tuple[int | str | None, ...]]
) -> tuple[str, "Sequence[tuple[int | str | None, ...] | dict[str, Any]]"]:
    sql, _ = _insertion(table, dialect)
    if dialect.positional:
        return sql, rows
    names = [column.name for column in table.columns]
    return sql, [dict(zip(names, row, strict=True)) for row in rows]


def row_name(table: Table, row: Row) -> str:
    """How the history names a row: its number, or both with a space between."""
    return " ".join(str(row[column.name]) for column in table.primary_key)


def as_text(values: Row) -> str:
    """Values as the history keeps them."""
    return json.dumps({name: _leaf(value) for name, value in values.items()}, ensure_ascii=False)


def _leaf(value: Value) -> str | int | float | None:
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date, too


def _is(table: Table, row: Row) -> ColumnElement[bool]:
    return and_(*(column == row[column.name] for column in table.primary_key))


@lru_cache(maxsize=256)
def _search(table: Table, names: tuple[str, ...]) -> Select[Any]:
    return select(table).where(*(table.c[name] == bindparam(f"{name}_is") for name in names))


@lru_cache(maxsize=256)
def _insertion(table: Table, dialect: Dialect) -> tuple[str, Arguments]:
    """How a driver is asked for a new row of a table, and how a row becomes what it takes."""
    compiled = insert(table).compile(dialect=dialect)
    kinds = ((column.name, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in table.columns)
    made = {name: process for name, process in kinds if process is not None}
    order = compiled.positiontup
    assert [column.name for column in table.columns] == list(compiled.params)

    def by_position(row: Row) -> tuple[Value, ...]:
        return tuple([made[name](row[name]) if name in made else row[name] for name in order or ()])

    def by_name(row: Row) -> dict[str, Value]:
        return {name: made[name](value) if name in made else value for name, value in row.items()}

    return str(compiled), by_name if order is None else by_position


@cache
def _identity(table: Table) -> str:
    """The column of a row's own number; '' where two others tell rows apart."""
    columns = list(table.primary_key)
    return columns[0].name if len(columns) == 1 and not columns[0].foreign_keys else ""


@cache
def _added_in(table: Table) -> str:
    return next(column.name for column in table.columns if column.name.endswith("_added_in"))


@cache
def _blank(table: Table) -> dict[str, Value]:
    return {column.name: _nothing(column.nullable) for column in table.columns if not column.primary_key}


def _nothing(nullable: bool | None) -> str | None:
    return None if nullable else ""


@cache
def _limits(table: Table) -> dict[str, int | None]:
    return {column.name: column.type.length for column in table.columns if isinstance(column.type, String)}


def _check(table: Table, row: Row) -> None:
    """Raise `UsageError` for text that not every database takes: too long, a NUL, half of a character."""
    for name, longest in _limits(table).items():
        text = row.get(name, "")
        if not isinstance(text, str):
            continue
        if longest is not None and len(text) > longest:
            raise UsageError(f"{text[:40]}… is longer than the {longest} characters of {name}.", "Shorten it.")
        if "\0" in text or not _encodes(text):
            raise UsageError(f"{name} holds what is no text: {text[:40]!r}.", "Type it anew.")


def _encodes(text: str) -> bool:
    return text.isascii() or text == text.encode(errors="replace").decode()
