"""The files of a session in the catalogue: which lie where, which belong to which recording."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeAlias

from sqlalchemy import select

from engram.catalogue.names import escaped, path_key
from engram.catalogue.session_parts import Known
from engram.catalogue.tables.recordings import FILE, RECORDING_FILE
from engram.catalogue.tables.sessions import SESSION_FOLDER
from engram.catalogue.unit import Row, Unit, Value
from engram.model.recordings import Session

#: A row as the database gives it.
Found: TypeAlias = dict[str, Any]
_AT_ONCE = 500


class Placed(NamedTuple):
    """A file with its place on the share."""

    #: Relative to the session's folder, as the scan has it.
    path: str
    #: Relative to the share, as the catalogue has it.
    there: str
    key: str
    size_bytes: int | None
    modified_ns: int | None


class FileNow(Protocol):
    """One file as a scan saw it."""

    @property
    def path(self) -> str:
        """POSIX, relative to the session's folder; surrogates for what is not UTF-8."""
        ...

    @property
    def size_bytes(self) -> int | None:
        """``None`` where nobody asked."""
        ...

    @property
    def modified_ns(self) -> int | None:
        """``None`` where nobody asked."""
        ...


def placed(folder: str, files: Iterable[FileNow]) -> list[Placed]:
    """The files below, or seen from, a session's folder, with their places. There may be a million of them."""
    before = escaped(f"{folder}/") if folder else ""
    found = []
    for file in files:
        path = file.path
        there = escaped(on_share(folder, path)) if "../" in path else before + escaped(path)
        found.append(Placed(path, there, path_key(there), file.size_bytes, file.modified_ns))
    return found


def on_share(folder: str, path: str) -> str:
    """A path relative to the share, from one that is relative to a folder on it."""
    joined = f"{folder}/{path}" if folder else path
    return posixpath.normpath(joined) if "../" in path else joined


def record_files(
    unit: Unit,
    session: Session,
    session_id: int,
    share_id: int,
    files: Sequence[Placed],
    recordings: Mapping[str, int],
    *,
    known_before: Known,
) -> list[str]:
    """Let the catalogue say which files a session has now; what changed, in words."""
    known = _KnownFiles(unit, session_id, share_id, files, known_before)
    changes, ids = [], {}
    new: list[Placed] = []
    for file in files:
        row = known.take(file)
        if row is None:
            new.append(file)
            continue
        ids[file.path] = row["file_id"]
        if changed := unit.edit(FILE, row, _now(file, session_id, share_id)):
            changes.append(f"{file.there}: {_words(changed)}")
    ids |= _add(unit, new, session_id, share_id)
    changes += [f"{file.there} is new" for file in new]
    for row in known.left():
        if unit.edit(FILE, row, {"file_state": "gone"}):
            changes.append(f"{row['file_path']} is gone")
    changes += _link(unit, session, ids, recordings, is_new=known_before is Known.NOTHING)
    return changes


def _now(file: Placed, session_id: int, share_id: int) -> Row:
    values: dict[str, Value] = {"session_id": session_id, "share_id": share_id, "file_state": "there"}
    values |= {"file_path": file.there, "file_key": file.key}
    if file.size_bytes is not None:
        values["file_size_bytes"] = file.size_bytes
    if file.modified_ns is not None:
        values["file_mtime_ns"] = file.modified_ns
    return values


def _words(changed: Iterable[tuple[str, Value, Value]]) -> str:
    return ", ".join(f"{name.removeprefix('file_').replace('_', ' ')} was {was}" for name, was, _ in changed)


def _add(unit: Unit, files: Sequence[Placed], session_id: int, share_id: int) -> dict[str, int]:
    """New rows, all at once: there may be a million of them, so none is looked at twice."""
    if not files:
        return {}
    change, ids = unit.change_id, unit.new_ids(len(files))
    rows = [
        (number, session_id, share_id, there, key, size_bytes, modified_ns, "there", change)
        for number, (_, there, key, size_bytes, modified_ns) in zip(ids, files, strict=True)
    ]
    unit.add_many(FILE, rows)
    return {file.path: number for number, file in zip(ids, files, strict=True)}


class _KnownFiles:
    """What the catalogue has of the files of a session, and of those that lie where its files lie."""

    def __init__(self, unit: Unit, session_id: int, share_id: int, files: Sequence[Placed], known: Known) -> None:
        self._by_place: dict[tuple[int, str], Found] = {}
        self._share_id = share_id
        self._folders: list[tuple[int, str]] = []
        self._now = {(share_id, file.key) for file in files}
        connection = unit.connection
        if known is Known.LOOK:
            mine = connection.execute(select(FILE).where(FILE.c.session_id == session_id)).mappings()
            self._by_place = {(row["share_id"], row["file_key"]): dict(row) for row in mine}
            places = select(SESSION_FOLDER.c.share_id, SESSION_FOLDER.c.folder_path)
            self._folders = [
                tuple(row) for row in connection.execute(places.where(SESSION_FOLDER.c.session_id == session_id))
            ]
        self._mine = set(self._by_place)
        new = () if known is Known.NOTHING else (key for share, key in self._now if (share, key) not in self._mine)
        for keys in _batches(new):
            others = select(FILE).where(FILE.c.share_id == share_id, FILE.c.file_key.in_(keys))
            for row in connection.execute(others).mappings():
                self._by_place[share_id, row["file_key"]] = dict(row)
        #: Whether it has any.
        self.any = bool(self._by_place)

    def take(self, file: Placed) -> Found | None:
        """The row of a file: that of its place, else of the place in a folder that the session has left."""
        if not self.any:
            return None
        row = self._by_place.pop((self._share_id, file.key), None)
        return self._where_it_was(file) if row is None else row

    def _where_it_was(self, file: Placed) -> Found | None:
        for share_id, folder in self._folders:
            there = f"{folder}/{escaped(file.path)}" if folder else escaped(file.path)
            place = (share_id, path_key(there))
            if place not in self._now and place in self._mine and place in self._by_place:
                return self._by_place.pop(place)
        return None

    def left(self) -> list[Found]:
        """The session's own rows that nothing was found for."""
        return [row for place, row in self._by_place.items() if place in self._mine]


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch


def _link(
    unit: Unit, session: Session, ids: Mapping[str, int], recordings: Mapping[str, int], *, is_new: bool
) -> list[str]:
    """Which file belongs to which recording, and as which of its files."""
    wanted = _wanted(session, ids, recordings)
    there = {} if is_new or not recordings else _links(unit, recordings)
    changes = 0
    for pair, row in there.items():
        if pair not in wanted:
            unit.remove(RECORDING_FILE, row)
            changes += 1
        elif unit.edit(RECORDING_FILE, row, {"recording_file_number": wanted[pair]}):
            changes += 1
    new = [(pair, number) for pair, number in wanted.items() if pair not in there]
    if new:
        change = unit.change_id
        unit.add_many(RECORDING_FILE, [(recording, file, number, change) for (recording, file), number in new])
    return ["its recordings have other files"] if changes or (there and new) else []


def _wanted(session: Session, ids: Mapping[str, int], recordings: Mapping[str, int]) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for recording in session.recordings:
        number = recordings[recording.id]
        for position, path in enumerate(recording.paths):
            if path in ids:
                found.setdefault((number, ids[path]), position)
    return found


def _links(unit: Unit, recordings: Mapping[str, int]) -> dict[tuple[int, int], Found]:
    mine = select(RECORDING_FILE).where(RECORDING_FILE.c.recording_id.in_(recordings.values()))
    return {(row["recording_id"], row["file_id"]): dict(row) for row in unit.connection.execute(mine).mappings()}
