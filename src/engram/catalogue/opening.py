"""A catalogue that is open: reading, and changing as one transaction."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event
from sqlalchemy.exc import NoSuchModuleError

from engram.catalogue.addresses import Address
from engram.catalogue.closing import gives_numbers, may_be_moving, refuse_closed
from engram.catalogue.refusals import refusals_told
from engram.catalogue.unit import Author, Unit
from engram.catalogue.versions import refuse_other_versions
from engram.model.errors import CatalogueMoving, CatalogueUnavailable, CatalogueUnusable, EngramError, ExtraMissing

#: How long one change waits for another before it gives up.
PATIENCE_S = 30
_MOVING = "nobody changes it until that is done"
#: An option of a connection that will change something.
WRITES = "engram_writes"


class Catalogue:
    """One catalogue of this program's own version."""

    def __init__(self, address: Address, engine: Engine, *, clock: Callable[[], datetime] | None = None) -> None:
        self.address = address
        self._engine = engine
        self._clock = clock or (lambda: datetime.now(UTC))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the catalogue; nothing it does is kept."""
        with refusals_told(self.address.shown), self._engine.connect() as connection:
            # SQLite always shows one state to one transaction, the others only when they are asked to.
            yield connection if self.address.file else connection.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def changing(self, author: Author) -> Iterator[Unit]:
        """One change, all or nothing: what is raised within undoes it. Waits for the one that is under way."""
        with self._unit(author) as (unit, _):
            yield unit
            unit.finish()

    @contextmanager
    def rehearsing(self, author: Author) -> Iterator[Unit]:
        """The same, and undone at the end: what would happen, found out by doing it."""
        with self._unit(author) as (unit, transaction):
            yield unit
            transaction.rollback()

    @contextmanager
    def _unit(self, author: Author) -> Iterator[tuple[Unit, RootTransaction]]:
        with self._moves_told(), refusals_told(self.address.shown), self._engine.connect() as plain:
            connection = plain.execution_options(**{WRITES: True})
            with connection.begin() as transaction:
                unit = Unit(connection, author, self._clock().astimezone(UTC).replace(tzinfo=None))
                if not gives_numbers(unit.following):  # it may have moved while this waited
                    refuse_closed(connection, self.address.shown)
                yield unit, transaction

    @contextmanager
    def _moves_told(self) -> Iterator[None]:
        """Who waited in vain because the catalogue is being moved is told so."""
        try:
            yield
        except CatalogueUnavailable as error:
            if not self._is_moving():
                raise
            raise CatalogueMoving(error.catalogue, _MOVING) from error

    def _is_moving(self) -> bool:
        try:
            with refusals_told(self.address.shown), self._engine.connect() as connection:
                return may_be_moving(connection)
        except EngramError:  # it has gone away altogether
            return False

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


@contextmanager
def open_catalogue(
    address: Address, *, clock: Callable[[], datetime] | None = None, patience_s: int = PATIENCE_S
) -> Iterator[Catalogue]:
    """A catalogue, open meanwhile. A change waits *patience_s* for another, then raises `CatalogueUnavailable`.

    Raises `CatalogueUnusable` when it is not there, has moved elsewhere, or is older or newer than this program.
    """
    if address.file and not os.path.exists(address.file):
        advice = "Put its latest backup there, or begin a new one: engram lab create"
        raise CatalogueUnusable(address.shown, "is not there", advice)
    engine = engine_for(address, patience_s=patience_s)
    catalogue = Catalogue(address, engine, clock=clock)
    try:
        with catalogue.reading() as connection:
            refuse_other_versions(connection, address.shown)
            refuse_closed(connection, address.shown)
        yield catalogue
    finally:
        catalogue.close()


def engine_for(address: Address, *, patience_s: int = PATIENCE_S) -> Engine:
    """SQLAlchemy's engine for an address. An SQLite file that is missing is not made."""
    if address.file:
        return _sqlite_engine(address.file, patience_s)
    try:
        if address.database == "postgresql":
            return _postgresql_engine(address, patience_s)
        return _mariadb_engine(address, patience_s)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        extra = "postgresql" if address.database == "postgresql" else "mariadb"
        raise ExtraMissing(f"a driver for {extra}", f"pip install '.[{extra}]' in engram's clone") from error


def _postgresql_engine(address: Address, patience_s: int) -> Engine:
    options = f"-c lock_timeout={patience_s * 1000} -c timezone=UTC"
    arguments = {"options": options, "connect_timeout": 10}
    return create_engine(address.url, pool_pre_ping=True, connect_args=arguments)


def _mariadb_engine(address: Address, patience_s: int) -> Engine:
    strict = f"SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = {patience_s}"
    arguments = {"charset": "utf8mb4", "init_command": strict, "connect_timeout": 10}
    return create_engine(address.url, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=arguments)


def _sqlite_engine(file: str, patience_s: int) -> Engine:
    place = f"file:{quote(os.fsencode(file))}?mode=rw"

    def connect() -> sqlite3.Connection:
        # We say ourselves when a transaction begins: Python would let reading see several states.
        connection = sqlite3.connect(place, uri=True, isolation_level=None, timeout=patience_s, check_same_thread=False)
        # What has returned is on the disk, as everywhere in this house.
        for setting in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {setting}")
        return connection

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=_pool())
    event.listen(engine, "begin", _begin)
    return engine


def _pool() -> type:
    from sqlalchemy.pool import QueuePool  # else SQLAlchemy takes the pool of a database in memory

    return QueuePool


def _begin(connection: Connection) -> None:
    """A change takes SQLite's write lock at its beginning: one that takes it later may have to be undone."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def set_up_sqlite(engine: Engine) -> None:
    """Readers and one writer at the same time, from now on: the file remembers it."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection  # SQLAlchemy itself would begin a transaction
        assert raw is not None
        raw.execute("PRAGMA journal_mode = WAL")
