"""Run as a program: 1,000 sessions with 100 files each, a durable transaction for each, by engram or by sqlite3 alone.

Arguments: what to do, a folder, the number of sessions. ``engram`` ingests, ``engram-made`` makes an empty catalogue
and the sessions alone. ``sqlite3`` writes the rows that engram's store writes, into the same tables, and nothing else:
what no store on SQLite can be cheaper than; ``sqlite3-read`` reads them alone. ``sqlite3-move`` copies all rows of that
catalogue into another, in one transaction, and reads both back.
"""

import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from engram.catalogue.addresses import Address, read_address
from engram.catalogue.directory import Directory
from engram.catalogue.migrating import create_catalogue
from engram.catalogue.opening import open_catalogue
from engram.catalogue.sessions import record_session
from engram.catalogue.subjects import put_subject
from engram.catalogue.unit import Author
from engram.durable import Steps
from engram.model.recordings import Recording, Session, Task, session_id
from engram.sessions.scanned import FileSeen

_ADA = Author(who="ada@rig", command="bench")
#: What a session's rows are in, in the order of what refers to what.
_TABLES = ("catalogue_change", "session", "session_folder", "recording", "file", "recording_file", "task")
_SUBJECTS = 50


def sessions(count: int) -> Iterator[tuple[Session, tuple[FileSeen, ...]]]:
    """So many sessions: four recordings, of two files each, among a hundred files."""
    for number in range(count):
        subject = str(10_000 + number % _SUBJECTS)
        started = datetime.fromisoformat("2020-01-01T10:00:30") + timedelta(hours=number)
        files = tuple(
            FileSeen(f"probe_{part % 4}/npx_g0_t0.imec{part % 4}.part{part:03d}.bin", 1000 * part, 10**18 + part)
            for part in range(100)
        )
        recordings = tuple(_recording(probe, started, files) for probe in range(4))
        yield (
            Session(
                id=session_id(subject, started),
                subject=subject,
                started=started,
                share="recordings",
                folder=f"{subject}/{started:%Y%m%d_%H}",
                recordings=recordings,
                tasks=(Task(name="open_field_1", start_s=30.0),),
            ),
            files,
        )


def _recording(probe: int, started: datetime, files: tuple[FileSeen, ...]) -> Recording:
    serial = str(18_000_000_000 + probe)
    return Recording(
        kind="neuropixels-ap",
        device=f"imec{probe}",
        paths=tuple(file.path for file in files[probe::4][:2]),
        id=f"neuropixels-ap:{serial}:{started.isoformat()}",
        serial=serial,
        started=started,
        duration_s=3600.5,
        sampling_rate_hz=30_000.0,
        channels=385,
        samples=108_015_000,
        size_bytes=83_171_550_000,
        facts=(("probe", "NP1010"),),
    )


def _new(place: Path) -> Address:
    address = read_address(f"sqlite:///{place}", "/")
    create_catalogue(address, Steps())
    return address


def by_engram(place: Path, count: int) -> None:
    """What ingesting a plan costs the catalogue."""
    directory = Directory()
    with open_catalogue(_new(place)) as catalogue:
        with catalogue.changing(_ADA) as unit:
            for number in range(_SUBJECTS):
                put_subject(unit, str(10_000 + number), {})
        for session, files in sessions(count):
            with catalogue.changing(_ADA) as unit:
                record_session(unit, session, files, directory=directory)


def by_sqlite3(place: Path, made: Path, *, write: bool = True) -> None:
    """The rows of a catalogue that engram made, once more, by nothing but Python's sqlite3."""
    _new(place)
    old, new = sqlite3.connect(made), sqlite3.connect(place, isolation_level=None)
    new.execute("PRAGMA synchronous = FULL")
    for table in ("catalogue_change", "share", "subject"):
        rows = old.execute(f"SELECT * FROM {table}").fetchall()
        new.executemany(_into(table, rows), rows)
    parts = [_by_session(old, table) for table in _TABLES[1:]]
    if not write:
        return
    new.execute("PRAGMA foreign_keys = ON")
    for number in parts[0]:
        new.execute("BEGIN IMMEDIATE")
        for table, rows_of in zip(_TABLES[1:], parts, strict=True):
            new.executemany(_into(table, rows_of[number]), rows_of[number])
        new.execute("COMMIT")


def move_by_sqlite3(place: Path, made: Path) -> None:
    """All rows of a catalogue in another one, and looked at whether they are the same."""
    _new(place)
    old, new = sqlite3.connect(made), sqlite3.connect(place, isolation_level=None)
    new.execute("PRAGMA synchronous = FULL")
    names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    tables = [name for (name,) in old.execute(names)]
    new.execute("BEGIN IMMEDIATE")
    for table in tables:
        new.execute(f"DELETE FROM {table}")
        rows = old.execute(f"SELECT * FROM {table}").fetchall()
        if rows:
            new.executemany(_into(table, rows), rows)
    new.execute("COMMIT")
    for table in tables:
        was, now = (iter(one.execute(f"SELECT * FROM {table}")) for one in (old, new))
        if any(before != after for before, after in zip(was, now, strict=True)):
            raise ValueError(table)


def _by_session(old: sqlite3.Connection, table: str) -> dict[int, list[tuple[object, ...]]]:
    found: dict[int, list[tuple[object, ...]]] = {}
    query = f"SELECT session_id, {table}.* FROM {table}"
    if table == "recording_file":
        query += " JOIN recording USING (recording_id)"
    for number, *row in old.execute(query):
        found.setdefault(number, []).append(tuple(row))
    return found


def _into(table: str, rows: list[tuple[object, ...]]) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"


def main(how: str, folder: str, count: str) -> None:
    made = Path(folder, "engram.db")
    if how == "engram":
        made.unlink(missing_ok=True)
        by_engram(made, int(count))
        return
    place = Path(folder, "bare.db")
    place.unlink(missing_ok=True)
    if how == "engram-made":
        by_engram(place, 0)
        for _ in sessions(int(count)):
            pass
    elif how == "sqlite3-move":
        move_by_sqlite3(place, made)
    else:
        by_sqlite3(place, made, write=how == "sqlite3")


if __name__ == "__main__":
    main(*sys.argv[1:])
