"""The files of a session in the catalogue: which lie where, which belong to which recording."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeAlias

from sqlalchemy import select

from engram.catalogue.names import PATH_KEY_LENGTH, escaped, path_key
from engram.catalogue.session_parts import Known
from engram.catalogue.tables.recordings import FILE, RECORDING_FILE
from engram.catalogue.tables.sessions import SESSION_FOLDER
from engram.catalogue.unit import Row, Unit, Value
from engram.model.recordings import Session, on_share

#: A row as the database gives it.
Found: TypeAlias = dict[str, Any]
#: What a session calls one of its files: its path, with the share before it where that is not the session's.
Name: TypeAlias = str | tuple[str, str]
#: A share's number, and an escaped path on it.
Spot: TypeAlias = tuple[int, str]
#: Numbers of recordings, by id.
_Ids: TypeAlias = Mapping[str, int]
_AT_ONCE = 500


class Placed(NamedTuple):
    """A file with its place on the share."""

    #: As the scan has it.
    name: Name
    share_id: int
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

    @property
    def share(self) -> str:
        """The share that it lies on, where that is not the session's, and *path* is relative to; else ''."""
        ...


def placed(session: Session, files: Iterable[FileNow], shares: Mapping[str, int]) -> list[Placed]:
    """The files of a session with their places; *shares*: numbers by name. There may be a million of them."""
    folder, own = session.folder, shares[session.share]
    before = escaped(f"{folder}/") if folder else ""
    found = []
    for file in files:
        path, share = file.path, file.share
        if share:
            name: Name = (share, path)
            number, there = shares[share], escaped(path)
        else:
            name, number = path, own
            there = escaped(on_share(folder, path)) if "../" in path else before + escaped(path)
        found.append(Placed(name, number, there, path_key(there), file.size_bytes, file.modified_ns))
    return found


def add_files(
    unit: Unit, session: Session, numbers: tuple[int, Mapping[str, int]], files: Sequence[FileNow], recordings: _Ids
) -> None:
    """Let the catalogue have the files of a session that is new. Raises `IntegrityError` when others have some.

    There may be a million of them: one tuple is made for each, and none is looked at twice. *numbers*: those of the
    session, and of the shares by name; *recordings*: by id.
    """
    if not files:
        return
    session_id, shares = numbers
    own, folder, change = shares[session.share], session.folder, unit.change_id
    before = escaped(f"{folder}/") if folder else ""
    needed = {(one.share, path) for one in session.recordings for path in one.paths}
    ids: dict[Name, int] = {}
    rows: list[tuple[int | str | None, ...]] = []
    for number, file in zip(unit.new_ids(len(files)), files, strict=True):
        path, share = file.path, file.share
        if share or "\\" in path or "../" in path or not path.isascii():
            there = escaped(path if share else on_share(folder, path))
        else:
            there = before + path
        key = sha256(there.encode()).hexdigest()[:PATH_KEY_LENGTH]
        lies_on = shares[share] if share else own
        rows.append((number, session_id, lies_on, there, key, file.size_bytes, file.modified_ns, "there", change))
        if (share, path) in needed:
            ids[(share, path) if share else path] = number
    unit.add_many(FILE, rows)
    links = _wanted(session, ids, recordings).items()
    unit.add_many(RECORDING_FILE, [(recording, file, place, change) for (recording, file), place in links])


def record_files(
    unit: Unit,
    session: Session,
    session_id: int,
    shares: Mapping[str, int],
    files: Sequence[Placed],
    recordings: _Ids,
    *,
    known_before: Known,
) -> list[str]:
    """Let the catalogue say which files a session has now; what changed, in words."""
    now_in = [(shares[share], escaped(folder)) for share, folder in session.folders]
    known = _KnownFiles(unit, session_id, now_in, files, known_before)
    changes: list[str] = []
    ids: dict[Name, int] = {}
    new: list[Placed] = []
    for file in files:
        row = known.take(file)
        if row is None:
            new.append(file)
            continue
        ids[file.name] = row["file_id"]
        if changed := unit.edit(FILE, row, _now(file, session_id)):
            changes.append(f"{file.there}: {_words(changed)}")
    ids |= _add(unit, new, session_id)
    changes += [f"{file.there} is new" for file in new]
    for row in known.left():
        if unit.edit(FILE, row, {"file_state": "gone"}):
            changes.append(f"{row['file_path']} is gone")
    changes += _link(unit, session, ids, recordings)
    return changes


def _now(file: Placed, session_id: int) -> Row:
    values: dict[str, Value] = {"session_id": session_id, "share_id": file.share_id, "file_state": "there"}
    values |= {"file_path": file.there, "file_key": file.key}
    if file.size_bytes is not None:
        values["file_size_bytes"] = file.size_bytes
    if file.modified_ns is not None:
        values["file_mtime_ns"] = file.modified_ns
    return values


def _words(changed: Iterable[tuple[str, Value, Value]]) -> str:
    return ", ".join(f"{name.removeprefix('file_').replace('_', ' ')} was {was}" for name, was, _ in changed)


def _add(unit: Unit, files: Sequence[Placed], session_id: int) -> dict[Name, int]:
    """New rows, all at once: there may be a million of them, so none is looked at twice."""
    if not files:
        return {}
    change, ids = unit.change_id, unit.new_ids(len(files))
    rows = [
        (number, session_id, share_id, there, key, size_bytes, modified_ns, "there", change)
        for number, (_, share_id, there, key, size_bytes, modified_ns) in zip(ids, files, strict=True)
    ]
    unit.add_many(FILE, rows)
    return {file.name: number for number, file in zip(ids, files, strict=True)}


class _KnownFiles:
    """What the catalogue has of the files of a session, and of those that lie where its files lie."""

    def __init__(
        self, unit: Unit, session_id: int, now_in: Sequence[Spot], files: Sequence[Placed], known: Known
    ) -> None:
        self._by_place: dict[Spot, Found] = {}
        self._now_in = now_in
        self._folders: list[Spot] = []
        #: Whether it has any.
        self.any = False
        self._mine: set[Spot] = set()
        self._now = {(file.share_id, file.key) for file in files}
        connection = unit.connection
        if known is Known.LOOK:
            mine = connection.execute(select(FILE).where(FILE.c.session_id == session_id)).mappings()
            self._by_place = {(row["share_id"], row["file_key"]): dict(row) for row in mine}
            places = select(SESSION_FOLDER.c.share_id, SESSION_FOLDER.c.folder_path)
            self._folders = [
                tuple(row) for row in connection.execute(places.where(SESSION_FOLDER.c.session_id == session_id))
            ]
        self._mine = set(self._by_place)
        for share_id in {share for share, _ in self._now}:
            for keys in _batches(key for share, key in self._now - self._mine if share == share_id):
                others = select(FILE).where(FILE.c.share_id == share_id, FILE.c.file_key.in_(keys))
                for row in connection.execute(others).mappings():
                    self._by_place[share_id, row["file_key"]] = dict(row)
        self.any = bool(self._by_place)

    def take(self, file: Placed) -> Found | None:
        """The row of a file: that of its place, else of the place in a folder that the session has left."""
        if not self.any:
            return None
        row = self._by_place.pop((file.share_id, file.key), None)
        return self._where_it_was(file) if row is None else row

    def _where_it_was(self, file: Placed) -> Found | None:
        inner = self._inner(file)
        for share_id, folder in self._folders if inner else ():
            there = f"{folder}/{inner}" if folder else inner
            place = (share_id, path_key(there))
            if place not in self._now and place in self._mine and place in self._by_place:
                return self._by_place.pop(place)
        return None

    def _inner(self, file: Placed) -> str:
        """A file's path below the session's folder that holds it; '' for one that lies in none."""
        for share_id, folder in self._now_in:
            if share_id == file.share_id and (not folder or file.there.startswith(f"{folder}/")):
                return file.there[len(folder) + 1 :] if folder else file.there
        return ""

    def left(self) -> list[Found]:
        """The session's own rows that nothing was found for."""
        return [row for place, row in self._by_place.items() if place in self._mine]


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch


def _link(unit: Unit, session: Session, ids: Mapping[Name, int], recordings: _Ids) -> list[str]:
    """Which file belongs to which recording, and as which of its files."""
    wanted = _wanted(session, ids, recordings)
    there = _links(unit, recordings) if recordings else {}
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


def _wanted(session: Session, ids: Mapping[Name, int], recordings: _Ids) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for recording in session.recordings:
        number, share = recordings[recording.id], recording.share
        for position, path in enumerate(recording.paths):
            name: Name = (share, path) if share else path
            if name in ids:
                found.setdefault((number, ids[name]), position)
    return found


def _links(unit: Unit, recordings: _Ids) -> dict[tuple[int, int], Found]:
    mine = select(RECORDING_FILE).where(RECORDING_FILE.c.recording_id.in_(recordings.values()))
    return {(row["recording_id"], row["file_id"]): dict(row) for row in unit.connection.execute(mine).mappings()}
