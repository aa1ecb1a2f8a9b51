"""What databases refuse, as errors of this house: the one place where their codes are known."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from engram.model.errors import (
    CatalogueDamaged,
    CatalogueUnavailable,
    CatalogueUnusable,
    EngramError,
    StorageFailed,
)

#: What to do about a failure, in four words.
Kind: TypeAlias = str
_LATER, _DISK, _BROKEN, _REFUSED = "later", "disk", "broken", "refused"

#: Source: https://www.sqlite.org/rescode.html (primary codes)
_SQLITE: Mapping[int, Kind] = {
    sqlite3.SQLITE_BUSY: _LATER,
    sqlite3.SQLITE_LOCKED: _LATER,
    sqlite3.SQLITE_FULL: _DISK,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_READONLY: _DISK,
    sqlite3.SQLITE_CANTOPEN: _DISK,
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_NOTADB: _BROKEN,
}
#: By the first characters of the SQLSTATE. Source: https://www.postgresql.org/docs/15/errcodes-appendix.html
_POSTGRESQL: Mapping[str, Kind] = {
    "08": _LATER,
    "40": _LATER,
    "53100": _DISK,
    "53": _LATER,
    "55": _LATER,
    "57": _LATER,
    "58": _DISK,
    "28": _REFUSED,
    "3D": _REFUSED,
    "42501": _REFUSED,
    "XX": _BROKEN,
}
#: How PostgreSQL says that it is there, and does not let this account into that database.
_NOT_LET_IN = ("does not exist", "authentication failed", "no password supplied", "pg_hba.conf", "permission denied")
#: What SQLite takes for its index of a journal; with less on the disk not even reading is possible.
_ROOM_BYTES = 64 * 1024
#: Source: https://mariadb.com/kb/en/mariadb-error-code-reference/
_MARIADB: Mapping[int, Kind] = {
    **dict.fromkeys((1205, 1213, 1040, 1053, 1152, 1158, 1159, 1160, 1161, 1927), _LATER),
    **dict.fromkeys((2002, 2003, 2006, 2013, 2014, 2055), _LATER),
    **dict.fromkeys((1021, 1026, 1030, 1114, 3), _DISK),
    **dict.fromkeys((1044, 1045, 1049, 1142, 1227, 1370, 1698), _REFUSED),
    **dict.fromkeys((1034, 1194, 1195), _BROKEN),
}


@contextmanager
def refusals_told(catalogue: str) -> Iterator[None]:
    """What the database refuses within, as an `EngramError` about *catalogue*; anything else passes through."""
    try:
        yield
    except exc.TimeoutError as error:  # no connection became free
        raise CatalogueUnavailable(catalogue, _one_line(error)) from error
    except DBAPIError as error:
        raise _told(catalogue, error) from error


def _told(catalogue: str, error: DBAPIError) -> EngramError | DBAPIError:
    reason = _one_line(error.orig or error)
    if isinstance(error, IntegrityError):
        return CatalogueUnavailable(catalogue, f"somebody else changed the same meanwhile ({reason})")
    kind = _kind(error)
    if kind == _DISK:
        return StorageFailed(catalogue, _with_room(catalogue, reason))
    if kind == _BROKEN:
        return CatalogueDamaged(catalogue, reason)
    if kind == _REFUSED:
        advice = "Ask whoever runs the database for an account and an empty database, then: engram lab check"
        return CatalogueUnusable(catalogue, f"cannot be used ({reason})", advice)
    if kind == _LATER or error.connection_invalidated:
        return CatalogueUnavailable(catalogue, reason)
    return error


def _kind(error: DBAPIError) -> Kind:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _SQLITE.get((getattr(original, "sqlite_errorcode", None) or 0) & 0xFF, "")
    number = original.args[0] if original is not None and original.args else None
    if isinstance(number, int):  # MariaDB's: many of them share one SQLSTATE
        return _MARIADB.get(number, "")
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str):
        return next((kind for start, kind in _POSTGRESQL.items() if state.startswith(start)), "")
    # psycopg has no SQLSTATE where no connection came about, only what the server said
    if any(words in str(original) for words in _NOT_LET_IN):
        return _REFUSED
    return _LATER if isinstance(error, OperationalError) else ""


def _with_room(file: str, reason: str) -> str:
    """SQLite calls a full disk an I/O error as often as not; *file* is an address where there is a server."""
    try:
        found = os.statvfs(os.path.dirname(file))
    except (OSError, ValueError):
        return reason
    room_bytes = found.f_bavail * found.f_frsize
    is_full = room_bytes < _ROOM_BYTES or (found.f_files > 0 and found.f_favail == 0)
    return f"there is no room left on its disk ({reason})" if is_full and os.path.isabs(file) else reason


def _one_line(error: BaseException) -> str:
    text = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], str) else str(error)
    return " ".join(text.split()).rstrip(".?")[:300] or type(error).__name__
