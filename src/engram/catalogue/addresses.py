"""Where a catalogue lies: its URL, read and shown."""

import os
from dataclasses import dataclass

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from engram.model.errors import UsageError

#: Where a lab's catalogue lies when nobody says otherwise; relative to the lab's folder.
USUAL_URL = "sqlite:///.engram/catalogue.db"
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_SEE = "Write sqlite:///FILE, postgresql+psycopg://USER@HOST/DATABASE or mysql+pymysql://USER@HOST/DATABASE"


@dataclass(frozen=True, slots=True)
class Address:
    """The URL of a catalogue, understood."""

    url: URL
    #: The file of an SQLite catalogue, absolute; '' for a server's.
    file: str = ""

    @property
    def shown(self) -> str:
        """What people are told: the file, or the URL without a password."""
        return self.file or self.url.render_as_string(hide_password=True)

    @property
    def database(self) -> str:
        """``sqlite``, ``postgresql`` or ``mysql``."""
        return self.url.get_backend_name()


def read_address(url: str, folder: str) -> Address:
    """The address that a lab's file gives; a relative path starts in *folder*. Raises `UsageError`."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UsageError("The catalogue's URL does not parse.", _SEE) from error
    database, _, driver = parsed.drivername.partition("+")
    if database not in _DRIVERS or driver not in ("", _DRIVERS[database].partition("+")[2]):
        raise UsageError(f"No catalogue can lie on {parsed.drivername}.", _SEE)
    if parsed.password is not None:
        raise UsageError(
            "A password in the catalogue's URL would be read by everybody who sees the file.",
            "Leave it out: PostgreSQL's stands in ~/.pgpass, MariaDB's in a file named by ?read_default_file=…",
        )
    if database != "sqlite":
        return _on_a_server(parsed.set(drivername=_DRIVERS[database]))
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise UsageError("The URL of an SQLite catalogue names a file, and nothing else.", _SEE)
    return Address(parsed, os.path.normpath(os.path.join(folder, parsed.database)))


def _on_a_server(url: URL) -> Address:
    if not url.database:
        raise UsageError(f"The URL {url.render_as_string()} names no database.", _SEE)
    return Address(url)
