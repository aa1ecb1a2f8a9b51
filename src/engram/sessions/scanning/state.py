"""What a scan saw, kept for the next one: a small SQLite file in the lab. Losing it costs a full scan, no more."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from engram.durable import Steps, remove
from engram.model.records import record
from engram.sessions.scanning.packing import as_json

_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS share (name TEXT PRIMARY KEY, rules TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unit (
    share TEXT NOT NULL, folder BLOB NOT NULL, about BLOB NOT NULL, session BLOB NOT NULL, files BLOB NOT NULL,
    stats BLOB NOT NULL, PRIMARY KEY (share, folder)
);
"""
#: Units that are written together: what a killed scan loses of its memory.
_TOGETHER = 500


@record
class Kept:
    """One session's folder as the last scan left it."""

    #: Folders below it, '' for itself, and when names in them changed last.
    folders: tuple[tuple[str, int], ...]
    #: Folders of other sessions that lie below it.
    inner: tuple[str, ...]
    #: Newest time of any folder or file that was asked for.
    newest_ns: int
    #: Sizes and times were equal in two scans, or it is old; nothing in it is being written.
    settled: bool
    #: The session, packed; see `engram.sessions.scanning.packing`.
    session: bytes
    #: Paths, relative to it, sorted; with NUL between them.
    files: bytes
    #: Size and time of the files that were asked for, as JSON.
    stats: bytes

    def paths(self) -> list[str]:
        """Its files."""
        return self.files.decode("utf-8", "surrogateescape").split("\0") if self.files else []

    def known_stats(self) -> dict[str, tuple[int, int]]:
        """Size and time of the files that were asked for."""
        return {path: (size, time) for path, (size, time) in json.loads(self.stats).items()}


def joined(paths: Iterable[str]) -> bytes:
    """Paths as `Kept.files` holds them."""
    return "\0".join(paths).encode("utf-8", "surrogateescape")


class ScanState:
    """What is kept of one share. Only the thread that opened it may use it."""

    def __init__(self, steps: Steps, path: str, *, share: str, rules: str) -> None:
        """Open the file, or make it; what was seen by other *rules* is forgotten."""
        #: Why nothing can be kept; '' when all is well.
        self.trouble = ""
        self._share = share
        #: Rows that were not written yet.
        self._waiting: list[tuple[object, ...]] = []
        #: Nothing of this share was kept when it was opened: nothing is looked for.
        self._is_blank = False
        self._connection: sqlite3.Connection | None = None
        if not path:
            self.trouble = "the lab's folder cannot be written"
            return
        try:
            self._open(path, rules)
        except sqlite3.OperationalError as error:  # locked, full, read-only: the scan itself goes on
            self._give_up(error)
        except sqlite3.DatabaseError:  # damaged
            remove(steps, path)
            self._open(path, rules)

    def _open(self, path: str, rules: str) -> None:
        connection = sqlite3.connect(path, timeout=5, isolation_level=None)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                connection.executescript("DROP TABLE IF EXISTS share; DROP TABLE IF EXISTS unit")
            connection.executescript(f"PRAGMA synchronous = NORMAL; PRAGMA user_version = {_VERSION}; {_TABLES}")
            had = connection.execute("SELECT rules FROM share WHERE name = ?", (self._share,)).fetchone()
            if had != (rules,):
                self._is_blank = True
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DELETE FROM unit WHERE share = ?", (self._share,))
                connection.execute("INSERT OR REPLACE INTO share VALUES (?, ?)", (self._share, rules))
                connection.execute("COMMIT")
        except sqlite3.Error:
            connection.close()
            raise
        self._connection = connection

    def _give_up(self, error: sqlite3.Error) -> None:
        self.trouble = str(error)
        self._waiting = []
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # the next scan looks again
                connection.close()

    def count(self) -> int:
        """How many sessions the last scan saw here."""
        for (found,) in self._rows("SELECT count(*) FROM unit WHERE share = ?", self._share):
            return int(found)
        return 0

    def get(self, folder: str) -> Kept | None:
        """What is kept of a session's folder."""
        if self._is_blank:
            return None
        sql = "SELECT about, session, files, stats FROM unit WHERE share = ? AND folder = ?"
        for about, session, files, stats in self._rows(sql, self._share, _name(folder)):
            folders, inner, newest_ns, settled = json.loads(about)
            return Kept(
                folders=tuple((path, time) for path, time in folders),
                inner=tuple(inner),
                newest_ns=newest_ns,
                settled=settled,
                session=session,
                files=files,
                stats=stats,
            )
        return None

    def keep(self, folder: str, kept: Kept) -> None:
        """Note what a session's folder holds now."""
        about = as_json([kept.folders, kept.inner, kept.newest_ns, kept.settled])
        self._waiting.append((self._share, _name(folder), about, kept.session, kept.files, kept.stats))
        if len(self._waiting) >= _TOGETHER:
            self._flush()

    def forget_all_but(self, folders: set[str]) -> None:
        """Forget sessions whose folders are gone; only a walk that came to its end knows them all."""
        self._flush()
        names = (bytes(name) for (name,) in self._rows("SELECT folder FROM unit WHERE share = ?", self._share))
        gone = [(self._share, name) for name in names if name.decode("utf-8", "surrogateescape") not in folders]
        self._write("DELETE FROM unit WHERE share = ? AND folder = ?", gone)

    def close(self) -> None:
        """Bring what was noted to the disk."""
        self._flush()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        self._write("INSERT OR REPLACE INTO unit VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _rows(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        if self._connection is None:
            return iter(())
        try:
            return iter(self._connection.execute(sql, values).fetchall())
        except sqlite3.Error as error:
            self._give_up(error)
            return iter(())

    def _write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._connection is None or not rows:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(sql, rows)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)


def _name(folder: str) -> bytes:
    return folder.encode("utf-8", "surrogateescape")
