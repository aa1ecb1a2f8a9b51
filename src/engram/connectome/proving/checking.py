"""Prove a finished snapshot: every file by its digest and by what its table promises, and all of them by each other.

A snapshot that flyem-snapshot wrote has no digests and no promises within its files; the rest is proven alike.
"""

import csv
import json
import os
from collections.abc import Iterator
from itertools import chain

import duckdb
import msgspec
import pyarrow as pa

from engram.connectome.batches import add_table, looked_at
from engram.connectome.contents import NOT_HERE, Contents, Presence
from engram.connectome.crate import CRATE
from engram.connectome.engine import Work, give_back
from engram.connectome.folder import (
    PROVENANCE,
    UNFINISHED,
    Provenance,
    ToldFile,
    is_inside,
    is_part,
    read_provenance,
)
from engram.connectome.holding import PRIVATE
from engram.connectome.linked import seal_of
from engram.connectome.proving.database import Database
from engram.connectome.proving.dataset_laws import dataset_laws
from engram.connectome.proving.element_laws import element_laws
from engram.connectome.proving.flat_laws import flat_laws
from engram.connectome.proving.laws import Law, Never
from engram.connectome.proving.neuprint_laws import neuprint_laws
from engram.connectome.proving.other_laws import nt_laws, status_counts
from engram.connectome.proving.parts import Files, files_in
from engram.connectome.proving.report_laws import report_laws
from engram.connectome.proving.schema import complaints, promise_of, told_complaints
from engram.connectome.proving.seen import VIEWS, Seen
from engram.connectome.proving.settings import CONFIG, Made, read_made
from engram.connectome.proving.shape_laws import shape_laws
from engram.connectome.proving.summary_laws import summary_laws
from engram.connectome.proving.told import Kind, Looking, Sound, Told, Unproven, Wrong
from engram.connectome.proving.unproven import unproven
from engram.connectome.reading import told
from engram.connectome.sql import name
from engram.connectome.writing import digest_of
from engram.model.errors import EngramError, NoSnapshot

_DEBUG = "neuprint/Neuprint_Meta_debug.json"
_STATUS_COUNTS = "tables/body-status-counts-"


def check(folder: str, work: Work) -> Iterator[Told]:
    """Look at everything that is in a snapshot's folder; what is told of files comes in the order of their paths.

    Args:
        work: an empty work file, which lies elsewhere.

    Raises:
        NoSnapshot: there is none in the folder.
    """
    yield from _Check(folder, work).carry_out()


class _Check:
    def __init__(self, folder: str, work: Work) -> None:
        self._folder, self._work = folder, work
        self._wrong: dict[str, list[Wrong]] = {}
        self._rows: dict[str, int] = {}
        self._digests: dict[str, str] = {}
        self._unproven: list[Unproven] = []
        #: Files of ours: they say themselves what they promise.
        self._promising = False

    def carry_out(self) -> Iterator[Told]:
        provenance = self._provenance()
        files = files_in(self._folder, provenance)
        if provenance is None and not (
            self._wrong or any(promise_of(path)[0] for path in (*files.told, *files.absent))
        ):
            raise NoSnapshot(self._folder)  # a folder named reports/ makes no snapshot
        for one in files.wrong:
            self._complain(one)
        for path, message in files.told_absent():
            self._complain(Wrong(path=path, message=message, kind=Kind.ABSENT))
        made = read_made(self._folder)
        if made is None:
            self._note(CONFIG, "it is not there, or cannot be read: laws were tried as if no setting left anything out")
        seen = Seen(made or Made())
        yield Looking(what="the digest of each file")
        for path, known in files.told.items():
            self._digest(path, known)
        self._crate(provenance, files)
        yield from self._tables(files, seen)
        yield from self._laws(seen, files)
        self._unproven += unproven(seen, files, has_provenance=provenance is not None or PROVENANCE in self._wrong)
        yield from self._told(files)

    def _provenance(self) -> Provenance | None:
        place = os.path.join(self._folder, PROVENANCE)
        ours = os.path.isdir(os.path.join(self._folder, PRIVATE))
        parts = list(filter(is_part, os.listdir(self._folder)))
        if not os.path.lexists(place):
            if not parts:
                raise NoSnapshot(self._folder)
            if ours:
                self._complain(
                    Wrong(
                        path=PROVENANCE,
                        message=UNFINISHED,
                        kind=Kind.DAMAGED,
                    )
                )
            return None
        if Contents(self._folder).look(place) is Presence.ABSENT:
            self._complain(Wrong(path=PROVENANCE, message=NOT_HERE, kind=Kind.ABSENT))
            return None
        try:
            data = read_provenance(self._folder)
            found = msgspec.json.decode(data, type=Provenance)
        except (OSError, msgspec.MsgspecError) as error:
            self._complain(Wrong(path=PROVENANCE, message=f"cannot be read: {error}"))
            return None
        if odd := [one.path for one in found.tables if not is_inside(one.path)]:
            self._complain(
                Wrong(path=PROVENANCE, message=f"tells of files that are in no snapshot: {', '.join(odd[:3])}")
            )
            return None
        said = json.loads(data)
        if "seal" in said and said["seal"] != seal_of(said):
            self._complain(Wrong(path=PROVENANCE, message="was changed after it was written", kind=Kind.DAMAGED))
        self._promising = True
        return found

    def _complain(self, wrong: Wrong) -> None:
        self._wrong.setdefault(wrong.path, []).append(wrong)

    def _digest(self, path: str, known: ToldFile | None) -> None:
        place = os.path.join(self._folder, path)
        try:
            size_bytes = os.path.getsize(place)
            self._digests[path] = digest_of(place)
        except OSError as error:
            self._complain(Wrong(path=path, message=f"cannot be read: {error.strerror or error}"))
            return
        if known is None:
            return
        if size_bytes != known.size_bytes:
            self._complain(
                Wrong(
                    path=path,
                    message=f"has {size_bytes} bytes, and had {known.size_bytes} when it was built",
                    kind=Kind.DAMAGED,
                )
            )
        elif self._digests[path] != known.sha256:
            self._complain(
                Wrong(path=path, message="is not what was built: its SHA-256 is another one", kind=Kind.DAMAGED)
            )

    def _crate(self, provenance: Provenance | None, files: Files) -> None:
        """The crate is made of provenance, which tells its digest."""
        place = os.path.join(self._folder, CRATE)
        there = os.path.lexists(place)
        if provenance is None or provenance.crate is None:
            if provenance is not None or there:
                self._note(CRATE, "provenance.json does not tell of it: an older engram built this, or somebody else")
            return
        if there and (os.path.isfile(place) or not os.path.exists(place)):  # a FIFO would be waited for
            files.told[CRATE] = provenance.crate
            self._digest(CRATE, provenance.crate)
        else:
            message = "is no file" if there else "is missing"
            self._complain(Wrong(path=CRATE, message=message, kind=Kind.DAMAGED))

    # ---- each table by itself ----------------------------------------------------------------------------------------

    def _tables(self, files: Files, seen: Seen) -> Iterator[Looking]:
        readable = [path for path in files.told if path in self._digests]
        yield Looking(what="tables")
        for path in readable:
            if path.endswith((".feather", ".parquet")):
                self._table(path, seen)
                give_back()
        yield Looking(what="nodes and edges")
        database = Database(self._work, self._folder, seen)
        for path in readable:
            if path.endswith((".csv", ".csv.gz")):
                self._csv(path, database)
        for path in files.absent:
            database.leave_out(path)
        database.finish()
        self._rows |= {path: rows for path, rows in database.rows.items() if rows >= 0}
        self._count(files)
        yield Looking(what="ids")
        if not any(_is_of_database(path) for path in files.absent):
            self._ids(database)
        if _DEBUG in self._digests:
            self._debug(seen)

    def _csv(self, path: str, database: Database) -> None:
        if not path.startswith("neuprint/"):
            self._small_csv(path)
            return
        for wrong in database.read(path):
            self._complain(wrong)
        give_back()
        self._heads(path)

    def _count(self, files: Files) -> None:
        for path, known in files.told.items():
            rows = known.rows if known is not None else None
            if rows is not None and self._rows.get(path, rows) != rows:
                message = f"has {self._rows[path]} rows, and had {rows} when it was built"
                self._complain(Wrong(path=path, message=message, kind=Kind.DAMAGED))

    def _table(self, path: str, seen: Seen) -> None:
        place = os.path.join(self._folder, path)
        try:
            with told(path):
                schema, rows, empty = looked_at(place)
        except EngramError as error:
            self._complain(Wrong(path=path, message=f"cannot be read: {getattr(error, 'reason', error)}"))
            return
        self._rows[path] = rows
        columns = dict(zip(schema.names, schema.types, strict=True))
        table, tag = promise_of(path)
        problems = list(complaints(table, columns, empty, rows)) if table else []
        problems += self._own_promise(schema, columns)
        for problem in problems:
            self._complain(Wrong(path=path, message=problem))
        view = VIEWS.get(table) if table else None
        if view is None or problems:
            return
        if seen.has(view):
            self._note(path, f"{seen.paths[view]} is of the same table: this one was not compared")
            return
        try:
            seen.columns[view] = add_table(self._work, view, place)
        except duckdb.Error as error:
            self._not_compared(path, error)
            return
        seen.paths[view], seen.tags[view] = path, tag

    def _own_promise(self, schema: pa.Schema, columns: dict[str, pa.DataType]) -> list[str]:
        """What the promise that stands in the file itself says."""
        said = (schema.metadata or {}).get(b"engram.table")
        if said is None:
            return ["promises nothing: engram writes what each column is into its files"] if self._promising else []
        try:
            promised = json.loads(said)["columns"]
            return list(told_complaints(promised, columns))
        except (ValueError, KeyError, TypeError) as error:
            return [f"has a promise that cannot be read: {error}"]

    def _heads(self, path: str) -> None:
        """The header of a CSV file of the database, against what its table promises."""
        table, _ = promise_of(path)
        if table is None or any(column.name == "…" for column in table.columns):
            return
        heads = self._header(path)
        for problem in complaints(table, dict.fromkeys(heads), {}, 0):
            self._complain(Wrong(path=path, message=problem))

    def _header(self, path: str) -> list[str]:
        from engram.connectome.neo4j.header import BadFile, header_of

        try:
            return header_of(os.path.join(self._folder, path))
        except BadFile:  # told already
            return []

    def _small_csv(self, path: str) -> None:
        """A table that people read: whether it is one."""
        try:
            with open(os.path.join(self._folder, path), newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file, strict=True))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self._complain(Wrong(path=path, message=f"cannot be read: {error}"))
            return
        if not rows or any(len(row) != len(rows[0]) for row in rows):
            self._complain(Wrong(path=path, message="has rows of different lengths, or none"))
            return
        self._rows[path] = len(rows) - 1
        table, _ = promise_of(path)
        for problem in complaints(table, dict.fromkeys(rows[0]), {}, 0) if table else ():
            self._complain(Wrong(path=path, message=problem))

    def _debug(self, seen: Seen) -> None:
        try:
            with open(os.path.join(self._folder, _DEBUG), "rb") as file:
                said = file.read()
            if not isinstance(json.loads(said), dict):
                raise ValueError("it holds no object")
            seen.tags["meta debug"] = said.decode()
        except (OSError, ValueError) as error:
            self._complain(Wrong(path=_DEBUG, message=f"cannot be read: {error}"))

    # ---- all of them together ----------------------------------------------------------------------------------------

    def _ids(self, database: Database) -> None:
        """Ids of one space are there once, and both ends of every relationship are there."""
        where = {"Body-ID": "neuprint/Neuprint_Neurons", "Element-ID": "neuprint/Neuprint_Synapses"}
        for space in database.spaces:
            query = f"SELECT id, count(*) AS nodes FROM ({database.nodes(space)}) GROUP BY id HAVING count(*) > 1"
            path = where.get(space, "neuprint/Neuprint_SynapseSet.csv")
            self._try(Never(path=path, what=f"ids of the space {space} are there more than once", query=query))
        for table, path, start, end in database.ends:
            for side, space in (("start", start), ("end", end)):
                if space in database.unread:
                    continue
                known = f"SELECT 1 FROM ({database.nodes(space)}) AS node WHERE node.id = one.{name(side)}"
                query = f"SELECT {name(side)} AS node FROM {name(table)} AS one WHERE NOT EXISTS ({known})"
                what = f"relationships have no node at their {side} in the space {space}"
                self._try(Never(path=path, what=what, query=query))

    def _laws(self, seen: Seen, files: Files) -> Iterator[Looking]:
        parts = {
            "flat-connectome": flat_laws(seen),
            "neuprint": chain(neuprint_laws(self._work, seen), dataset_laws(self._work, seen)),
            "elements": element_laws(self._work, seen),
            "nt": nt_laws(seen),
            "reports": report_laws(self._work, seen, self._folder, self._fit(files)),
        }
        for part, laws in parts.items():
            yield Looking(what=f"sums of {part}")
            for law in laws:
                self._try(law)
        yield Looking(what="summaries, skeletons and meshes")
        paths = [path for path in files.told if path.startswith(_STATUS_COUNTS) and path in self._digests]
        for one in chain(
            summary_laws(self._work, seen, self._folder, self._fit(files)),
            shape_laws(self._folder, self._digests, files.absent),
            *(status_counts(self._work, seen, self._folder, path) for path in paths),
        ):
            if isinstance(one, Wrong):
                self._complain(one)
            else:
                self._unproven.append(one)

    def _fit(self, files: Files) -> list[str]:
        """The files that can be read, and with which nothing is wrong as far as they tell themselves."""
        bad = {path for path, all_ in self._wrong.items() if any(one.kind is not Kind.DAMAGED for one in all_)}
        return [path for path in files.told if path in self._digests and path not in bad]

    def _try(self, law: Law) -> None:
        try:
            for wrong in law.broken(self._work):
                self._complain(wrong)
            give_back()
        except duckdb.Error as error:
            self._not_compared(law.path, error)

    def _not_compared(self, path: str, error: duckdb.Error) -> None:
        """Tell of values that the engine does not take. Raises what the engine lacks: memory, or room on the disk."""
        if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
            raise error
        said = str(error).splitlines()[0]
        self._complain(Wrong(path=path, message=f"holds values that cannot be compared: {said}"))

    def _note(self, path: str, why: str) -> None:
        self._unproven.append(Unproven(path=path, why=why))

    def _told(self, files: Files) -> Iterator[Told]:
        known = [path for path in files.told if path in self._digests and path not in self._wrong]
        for path in sorted({*known, *self._wrong}):
            if path in self._wrong:
                yield from self._wrong[path]
                continue
            size_bytes = os.path.getsize(os.path.join(self._folder, path))
            proof = "as it was built" if files.told[path] is not None else "agrees with the others"
            yield Sound(
                path=path, rows=self._rows.get(path), size_bytes=size_bytes, sha256=self._digests[path], proof=proof
            )
        yield from self._unproven


def _is_of_database(path: str) -> bool:
    return path.startswith("neuprint/") and path.endswith((".csv", ".csv.gz"))
