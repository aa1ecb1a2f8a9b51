"""Backups: a catalogue of any database as an SQLite file, of the same version, that can take its place."""

import os
from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, Table, func, insert, select, update

from engram.catalogue.addresses import Address, read_address
from engram.catalogue.migrating import migrate
from engram.catalogue.opening import engine_for
from engram.catalogue.refusals import refusals_told
from engram.catalogue.tables.changes import COUNTER
from engram.catalogue.versions import VERSION_TABLE, version_of
from engram.durable import Steps, make_folders, open_new, remove, rename, sync_file, sync_folder
from engram.model.errors import CatalogueDamaged, CatalogueUnusable, TargetExists

_UNFINISHED = ".engram-new"
_AT_ONCE = 5000


def back_up(address: Address, path: str, steps: Steps) -> int:
    """Copy all rows of a catalogue, as they are at one moment, into a new SQLite file; how many there are.

    The file appears whole, proven to hold as many rows of each table, or not at all. Works on an older version, too.
    Raises `TargetExists`, `CatalogueUnusable`, `StorageFailed`, `CatalogueDamaged`.
    """
    if os.path.lexists(path):
        raise TargetExists(path, "is there already", "Name another file: a backup is never overwritten.")
    make_folders(steps, os.path.dirname(path))
    unfinished = read_address(f"sqlite:///{path}{_UNFINISHED}", "/")
    for rest in ("", "-journal", "-wal", "-shm"):
        if os.path.lexists(unfinished.file + rest):
            remove(steps, unfinished.file + rest)
    os.close(open_new(steps, unfinished.file))  # an empty file is an empty database
    count = _copy(address, unfinished)
    sync_file(steps, unfinished.file)
    rename(steps, unfinished.file, path)
    sync_folder(steps, os.path.dirname(path))
    return count


def _copy(address: Address, into: Address) -> int:
    source, copy = engine_for(address), engine_for(into)
    # PostgreSQL and MariaDB see one state of all tables only when they are asked to; SQLite always does.
    source = source if address.file else source.execution_options(isolation_level="REPEATABLE READ")
    try:
        with (
            refusals_told(into.shown),
            copy.connect() as target,
            target.begin(),
            refusals_told(address.shown),
            source.connect() as connection,
            connection.begin(),
        ):
            version = version_of(connection)
            if not version:
                raise CatalogueUnusable(address.shown, "is empty: nobody has set it up", "There is nothing to save.")
            migrate(target, version)
            count = sum(_copy_table(connection, target, table) for table in _tables(target))
            # That of one that has moved away, too, can take a catalogue's place.
            target.execute(update(COUNTER).values(counter_next=func.abs(COUNTER.c.counter_next)))
            return count
    finally:
        source.dispose()
        copy.dispose()


def _tables(connection: Connection) -> list[Table]:
    """Every table of this version, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != VERSION_TABLE]


def _copy_table(connection: Connection, target: Connection, table: Table) -> int:
    if table.name == COUNTER.name:
        target.execute(table.delete())
    count = 0
    for rows in _batches(connection, table):
        target.execute(insert(table), rows)
        count += len(rows)
    there = target.execute(select(func.count()).select_from(table)).scalar_one()
    if there != count:
        raise CatalogueDamaged(str(target.engine.url), f"{count} rows of {table.name} became {there}")
    return count


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, object]]]:
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(select(table)).mappings()
    for part in rows.partitions():
        yield [dict(row) for row in part]
