"""Set up a catalogue, or bring an older one to this program's version."""

import os

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Integer, insert, inspect, literal_column, select
from sqlalchemy import table as plain_table

from engram.catalogue.addresses import Address
from engram.catalogue.closing import NOTE_TABLE, refuse_closed
from engram.catalogue.for_datajoint import LINEAGE_TABLE, note_lineage
from engram.catalogue.opening import engine_for, set_up_sqlite
from engram.catalogue.refusals import refusals_told
from engram.catalogue.tables import whole_schema
from engram.catalogue.tables.changes import COUNTER
from engram.catalogue.versions import HEAD, VERSION_TABLE, refuse_other_versions, version_of
from engram.durable import Steps, make_folders, open_new, remove, rename, sync_file, sync_folder
from engram.model.errors import CatalogueUnusable

#: A new SQLite catalogue has this at the end of its name until it is whole.
UNFINISHED = ".engram-new"


def create_catalogue(address: Address, steps: Steps) -> bool:
    """Set a catalogue up, whole or not at all; false when there was one of this version already.

    Raises `CatalogueUnusable` for one of another version, or for a database that holds something else.
    """
    if address.file:
        return _create_sqlite(address, steps)
    return _set_up(engine_for(address), address)


def _create_sqlite(address: Address, steps: Steps) -> bool:
    if os.path.exists(address.file):
        return _set_up(engine_for(address), address)
    folder = os.path.dirname(address.file)
    make_folders(steps, folder)
    unfinished = Address(address.url, address.file + UNFINISHED)
    for rest in ("", "-journal", "-wal", "-shm"):
        if os.path.lexists(unfinished.file + rest):
            remove(steps, unfinished.file + rest)
    os.close(open_new(steps, unfinished.file))  # an empty file is an empty database
    _set_up(engine_for(unfinished), unfinished)
    sync_file(steps, unfinished.file)
    rename(steps, unfinished.file, address.file)
    sync_folder(steps, folder)
    return True


def _set_up(engine: Engine, address: Address) -> bool:
    try:
        with refusals_told(address.shown):
            if address.file:
                set_up_sqlite(engine)
            with engine.connect() as connection, connection.begin():
                if version_of(connection) and not is_half_made(connection):
                    refuse_other_versions(connection, address.shown)
                    refuse_closed(connection, address.shown)
                    return False
                refuse_strangers(connection, address.shown)
                migrate(connection, HEAD)
            return True
    finally:
        engine.dispose()


def refuse_strangers(connection: Connection, shown: str) -> None:
    """Raise `CatalogueUnusable` for a database that holds tables of something else."""
    ours = {*whole_schema().tables, LINEAGE_TABLE, NOTE_TABLE, VERSION_TABLE}
    strange = sorted(set(inspect(connection).get_table_names()) - ours)
    if strange:
        found = f"holds tables of something else ({', '.join(strange[:3])})"
        raise CatalogueUnusable(shown, found, "Give the catalogue an empty database of its own.")


def is_half_made(connection: Connection) -> bool:
    """Whether setting it up was cut off: it is of an older version, and nothing is in it yet.

    MariaDB keeps the tables of each migration that came to its end, and of the one that did not.
    """
    if version_of(connection) >= HEAD:
        return False
    there = set(inspect(connection).get_table_names()) & (set(whole_schema().tables) - {COUNTER.name})
    return not any(_holds_rows(connection, name) for name in sorted(there))


def _holds_rows(connection: Connection, table: str) -> bool:
    # by its name alone: what columns it had in an older version is not declared any more
    asked = select(literal_column("1", Integer)).select_from(plain_table(table)).limit(1)
    return connection.execute(asked).first() is not None


def needs_upgrade(address: Address) -> bool:
    """Whether a catalogue is of an older version. Raises `CatalogueUnusable` for an empty or a newer one."""
    if address.file and not os.path.exists(address.file):
        raise CatalogueUnusable(address.shown, "is not there", "Begin a new one: engram lab create")
    engine = engine_for(address)
    try:
        with refusals_told(address.shown), engine.connect() as connection:
            version = version_of(connection)
            if not version or version > HEAD:
                refuse_other_versions(connection, address.shown)
            return version < HEAD
    finally:
        engine.dispose()


def upgrade_catalogue(address: Address) -> tuple[str, str]:
    """Bring a catalogue to this program's version; the version before and after. Make a backup first.

    Raises `CatalogueUnusable` for an empty one or a newer one.
    """
    engine = engine_for(address)
    try:
        with refusals_told(address.shown), engine.connect() as connection, connection.begin():
            before = version_of(connection)
            if not before or before > HEAD:
                refuse_other_versions(connection, address.shown)
            migrate(connection, HEAD)
            return before, version_of(connection)
    finally:
        engine.dispose()


def migrate(connection: Connection, version: str) -> None:
    """Run the migrations up to *version* within the connection's transaction (MariaDB's tables know none)."""
    config = Config()
    config.set_main_option("script_location", os.path.join(os.path.dirname(__file__), "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, version)
    if connection.execute(select(COUNTER.c.counter_id)).first() is None:
        connection.execute(insert(COUNTER), {"counter_id": 1, "counter_next": 1})
    if version == HEAD:
        note_lineage(connection)
