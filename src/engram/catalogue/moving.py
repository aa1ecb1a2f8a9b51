"""A catalogue that moves to another database: copied, proven to be the same, and only then the one that counts.

At every moment one of the two at most can be changed, and one of them holds everything: the copy stays closed until the
old one says that it has moved. Whenever this ends early, the same again goes on.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, ProgrammingError

from engram.catalogue.addresses import Address
from engram.catalogue.closing import Closed, Why, close, closed, forget_why, prepare_to_close, refuse_closed, reopen
from engram.catalogue.comparing import Digesting, TableDigest, digests, rows_of
from engram.catalogue.migrating import create_catalogue, is_half_made, refuse_strangers
from engram.catalogue.opening import WRITES, engine_for
from engram.catalogue.refusals import refusals_told
from engram.catalogue.tables import whole_schema
from engram.catalogue.tables.changes import COUNTER
from engram.catalogue.versions import refuse_other_versions, version_of
from engram.durable import Steps
from engram.model.errors import CatalogueDamaged, CatalogueUnusable, MoveNotProven
from engram.model.progress import Progress

_LOCKED = select(COUNTER.c.counter_next).with_for_update()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From where to where, by whom."""

    source: Address
    target: Address
    #: ``ada@rig-3``.
    by: str
    #: UTC without a zone.
    now: datetime

    @property
    def gone(self) -> Closed:
        """What the old one says in the end."""
        return Closed(why=Why.MOVED, other=self.target.shown, when=self.now, by=self.by)

    @property
    def coming(self) -> Closed:
        """What the new one says until then."""
        return Closed(why=Why.ARRIVING, other=self.source.shown, when=self.now, by=self.by)


def rows_to_move(move: Move) -> tuple[tuple[str, int], ...]:
    """Every table with its number of rows; nothing is changed. Raises what `move_catalogue` raises before it begins."""
    with _engine(move.source) as engine, refusals_told(move.source.shown), engine.connect() as connection:
        if not _has_moved(connection, move):
            _look_at_target(move)
        tables = whole_schema().sorted_tables
        return tuple((table.name, _count(connection, table)) for table in tables)


def move_catalogue(move: Move, steps: Steps, progress: Progress) -> tuple[TableDigest, ...]:
    """What both hold, table by table, which was read back from both and is the same; the old one is closed then.

    Nobody changes the old one meanwhile; reading goes on. Gives nothing when an earlier call came to its end.

    Raises:
        CatalogueUnusable: when the old one cannot move, or the new place holds something.
        CatalogueUnavailable, StorageFailed: nothing is lost, the same call again goes on.
        MoveNotProven: when the copy differs; the old one is as it was.
    """
    with _engine(move.source) as engine, _engine(move.target, must_be=False) as into:
        with refusals_told(move.source.shown), engine.connect() as connection:
            moved_before = _has_moved(connection, move)
        if not moved_before:
            _look_at_target(move)
            with refusals_told(move.source.shown), engine.connect() as connection, connection.begin():
                prepare_to_close(connection)
        with _held(engine, move) as holding:
            if _has_moved(holding, move):  # now, or by somebody who was faster
                return _finish(move, engine, into, steps)
            same = _carry(move, engine, into, steps, progress)
            steps.take("close", move.source.shown)
            with refusals_told(move.source.shown):
                close(holding, move.gone)
        _open(move, into, steps)
        return same


@contextmanager
def _engine(address: Address, *, must_be: bool = True) -> Iterator[Engine]:
    if must_be and address.file and not os.path.exists(address.file):
        raise CatalogueUnusable(address.shown, "is not there", "Put its latest backup there, then run this again.")
    engine = engine_for(address)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _held(engine: Engine, move: Move) -> Iterator[Connection]:
    """Nobody else changes the old catalogue; what is done to it here is kept at the end."""
    with refusals_told(move.source.shown), engine.connect() as plain:
        connection = plain.execution_options(**{WRITES: True})
        with connection.begin():
            connection.execute(_LOCKED)
            yield connection


def _has_moved(connection: Connection, move: Move) -> bool:
    """Whether the old catalogue says that it moved to where it is to go. Raises `CatalogueUnusable` if elsewhere."""
    refuse_other_versions(connection, move.source.shown)
    note = closed(connection, move.source.shown)
    if note is None or (note.why is Why.MOVED and note.other == move.target.shown):
        return note is not None
    refuse_closed(connection, move.source.shown)
    return False


def _look_at_target(move: Move) -> bool:
    """Whether an unfinished copy lies there. Raises `CatalogueUnusable` when it is neither that nor empty."""
    target = move.target
    if target.file and not os.path.exists(target.file):
        return False
    try:
        with _engine(target) as engine, refusals_told(target.shown), engine.connect() as connection:
            return _is_unfinished(connection, move)
    except CatalogueDamaged as error:
        raise CatalogueUnusable(target.shown, "is there, and is no database", "Name another file.") from error


def _is_unfinished(connection: Connection, move: Move) -> bool:
    shown = move.target.shown
    if not version_of(connection) or is_half_made(connection):
        refuse_strangers(connection, shown)
        return False
    refuse_other_versions(connection, shown)
    note = closed(connection, shown)
    if note is not None:
        if note.why is Why.ARRIVING and note.other == move.source.shown:
            return True
        refuse_closed(connection, shown)
    full = [table.name for table in whole_schema().sorted_tables if _has_rows(connection, table)]
    if full:
        found = f"is not empty: it holds rows of {', '.join(full[:3])}"
        raise CatalogueUnusable(shown, found, "A catalogue moves into an empty database, or a file that is not there.")
    return False


def _has_rows(connection: Connection, table: Table) -> bool:
    return table is not COUNTER and connection.execute(select(table).limit(1)).first() is not None


def _carry(move: Move, engine: Engine, into: Engine, steps: Steps, progress: Progress) -> tuple[TableDigest, ...]:
    """Copy everything as it is at one moment, and read it back. Raises `MoveNotProven`."""
    if not _look_at_target(move):
        create_catalogue(move.target, steps)
    with refusals_told(move.target.shown), into.connect() as connection, connection.begin():
        prepare_to_close(connection)
    with _reading(engine, move.source) as source:
        total = sum(_count(source, table) for table in whole_schema().sorted_tables)
        progress.start("moving", total, "rows")
        try:
            held = _copy(source, into, move, steps, progress)
        finally:
            progress.finish()
    return _proven(move, held, into)


def _copy(source: Connection, into: Engine, move: Move, steps: Steps, progress: Progress) -> tuple[TableDigest, ...]:
    """All rows, in one transaction, into a catalogue that stays closed; what was read."""
    with refusals_told(move.target.shown), into.connect() as plain:
        target = plain.execution_options(**{WRITES: True})
        with target.begin():
            target.execute(_LOCKED)
            for table in reversed(whole_schema().sorted_tables):
                target.execute(delete(table))
            tables = whole_schema().sorted_tables  # those that others refer to first
            read = tuple(_copy_table(source, target, table, move, steps, progress) for table in tables)
            close(target, move.coming)
            steps.take("commit", move.target.shown)
    return read


def _copy_table(
    source: Connection, target: Connection, table: Table, move: Move, steps: Steps, progress: Progress
) -> TableDigest:
    digesting = Digesting(table)
    for rows in rows_of(source, table):
        steps.take("copy", table.name)
        digesting.take(rows)
        with _values_told(table, move):
            target.execute(insert(table), [row._asdict() for row in rows])
        progress.advance(len(rows))
    return digesting.digest()


@contextmanager
def _values_told(table: Table, move: Move) -> Iterator[None]:
    """A value that the old database took and the new one does not."""
    try:
        yield
    except (DataError, IntegrityError, InterfaceError, ProgrammingError) as error:
        reason = " ".join(str(error.orig).split())[:200]
        raise CatalogueUnusable(
            move.target.shown,
            f"does not take a row of {table.name} ({reason})",
            "The lab goes on with its old catalogue. What is wrong with that is told by: engram lab check",
        ) from error


@contextmanager
def _reading(engine: Engine, address: Address) -> Iterator[Connection]:
    """One state of all tables, however long it is read."""
    asked = engine if address.file else engine.execution_options(isolation_level="REPEATABLE READ")
    with refusals_told(address.shown), asked.connect() as connection, connection.begin():
        yield connection


def _proven(move: Move, held: tuple[TableDigest, ...], into: Engine) -> tuple[TableDigest, ...]:
    """What the old one held, when the new one holds the same."""
    with _reading(into, move.target) as connection:
        for was, is_now in zip(held, digests(connection), strict=True):
            if was != is_now:
                said = f"{was.rows} rows became {is_now.rows}" if was.rows != is_now.rows else "a value became another"
                raise MoveNotProven(move.target.shown, was.table, said)
    return held


def _finish(move: Move, engine: Engine, into: Engine, steps: Steps) -> tuple[TableDigest, ...]:
    """The old one says that it moved; what the new one still lacks."""
    with _reading(engine, move.source) as source:
        if not _has_arrived(move, into, source):
            raise CatalogueUnusable(
                move.target.shown,
                f"does not hold what {move.source.shown} says has moved there",
                "The old one has it all: engram lab backup FILE, then name that file in engram.toml under [catalogue].",
            )
        with _reading(into, move.target) as target:
            if closed(target, move.target.shown) is None:
                return ()
        same = _proven(move, tuple(digests(source)), into)
    _open(move, into, steps)
    return same


def _has_arrived(move: Move, into: Engine, source: Connection) -> bool:
    if move.target.file and not os.path.exists(move.target.file):
        return False
    with _reading(into, move.target) as target:
        if not version_of(target):
            return False
        is_closed = closed(target, move.target.shown) is not None
        return is_closed or _holds_something(target) or not _holds_something(source)


def _holds_something(connection: Connection) -> bool:
    return any(_has_rows(connection, table) for table in whole_schema().sorted_tables)


def _open(move: Move, into: Engine, steps: Steps) -> None:
    steps.take("open", move.target.shown)
    with refusals_told(move.target.shown), into.connect() as plain:
        connection = plain.execution_options(**{WRITES: True})
        with connection.begin():
            connection.execute(_LOCKED)
            reopen(connection)
        with connection.begin():
            forget_why(connection)


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
