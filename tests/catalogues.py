"""Fresh catalogues for tests, on each database: an empty one costs a copy of a file, or some DELETEs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, delete, insert, text

from engram.catalogue.addresses import Address, read_address
from engram.catalogue.migrating import create_catalogue
from engram.catalogue.opening import engine_for
from engram.catalogue.tables import whole_schema
from engram.catalogue.tables.changes import COUNTER
from engram.catalogue.unit import Author
from engram.durable import Steps
from engram.testing.databases import Server

ADA = Author(who="ada@rig", command="test")


class Catalogues:
    """Gives one empty catalogue after another; only the latest can be used."""

    def __init__(self, address: Address, template: Path | None) -> None:
        self.address = address
        self._template = template

    def fresh(self) -> Address:
        if self._template is None:
            empty(self.address)
        else:
            for rest in ("-wal", "-shm"):
                Path(self.address.file + rest).unlink(missing_ok=True)
            shutil.copyfile(self._template, self.address.file)
        return self.address


def on_sqlite(folder: Path) -> Catalogues:
    template = read_address(f"sqlite:///{folder}/template.db", "/")
    create_catalogue(template, Steps())
    return Catalogues(read_address(f"sqlite:///{folder}/catalogue.db", "/"), Path(template.file))


def on_server(server: Server, database: str) -> Catalogues:
    address = new_database(server, database)
    create_catalogue(address, Steps())
    return Catalogues(address, None)


def new_database(server: Server, database: str) -> Address:
    first = server.url("postgres" if server.kind == "postgresql" else "mysql")
    engine = create_engine(first, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {database}"))
    engine.dispose()
    return read_address(server.url(database), "/")


@contextmanager
def disposing(address: Address) -> Iterator["object"]:
    engine = engine_for(address)
    try:
        yield engine
    finally:
        engine.dispose()


def empty(address: Address) -> None:
    """Take all rows out, the history, too."""
    engine = engine_for(address)
    with engine.begin() as connection:
        for table in reversed(whole_schema().sorted_tables):
            connection.execute(delete(table))
        connection.execute(insert(COUNTER), {"counter_id": 1, "counter_next": 1})
    engine.dispose()
