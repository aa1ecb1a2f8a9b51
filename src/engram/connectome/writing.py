"""Write the files of a snapshot, and tell what was written."""

import hashlib
import os
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from engram.connectome.compressing import compress
from engram.connectome.engine import Work
from engram.connectome.feather import PromiseBroken, write_feather, write_parquet
from engram.connectome.folder import Folder
from engram.connectome.neuprint.nodes import header_of
from engram.connectome.outputs import BytesOutput, EarlierOutput, Output, TextOutput
from engram.connectome.sql import name, text
from engram.durable import Steps, link, remove, write_new

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One file of a snapshot."""

    #: POSIX path in the snapshot's folder.
    path: str
    #: ``None`` for what is no table.
    rows: int | None
    columns: int | None
    size_bytes: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """The record ``table``. Fields may be added, never changed."""
        return {"record": "table", **asdict(self)}


#: Any file of a snapshot.
AnyOutput: TypeAlias = Output | TextOutput | BytesOutput | EarlierOutput


def write_output(work: Work, folder: Folder, steps: Steps, output: AnyOutput) -> Written:
    """Make one file of a snapshot."""
    place = folder.make_room(output.path)
    rows: int | None
    columns: int | None
    whole = place
    if isinstance(output, TextOutput):
        write_new(steps, place, output.text.encode(), sync=False)
        rows, columns = output.rows, output.columns
    elif isinstance(output, BytesOutput):
        write_new(steps, place, output.content, sync=False)
        rows = columns = None
    elif isinstance(output, EarlierOutput):
        link(steps, output.place, place)  # of a link into an annex another one, which leads there once it is in place
        whole, rows, columns = output.place, None, None
    elif place.endswith((".csv", ".csv.gz")):
        plain = place.removesuffix(".gz")
        rows, columns = _write_csv(work, output, plain), len(output.promise.columns)
        if plain != place:
            compress(steps, plain, place, threads=work.threads)
            remove(steps, plain)
    else:
        write = write_parquet if place.endswith(".parquet") else write_feather
        rows = write(work.relation(output.query), place, output.promise, index=output.index)
        columns = len(output.promise.columns)
    return Written(
        path=output.path, rows=rows, columns=columns, size_bytes=os.path.getsize(whole), sha256=digest_of(whole)
    )


#: Between fields of a line that has none, and that is in no text.
_NO_DELIMITER = "\x1f"


def _write_lines(work: Work, output: Output, place: str) -> int:
    header = header_of(column.name for column in output.promise.columns)
    query = f"SELECT line AS {name(header)} FROM ({output.query})"
    options = f"FORMAT csv, HEADER, QUOTE '', ESCAPE '', DELIMITER {text(_NO_DELIMITER)}"
    return work.count(f"COPY ({query}) TO {text(place)} ({options})")


def _write_csv(work: Work, output: Output, place: str) -> int:
    if output.gives_lines:
        return _write_lines(work, output, place)
    found = work.relation(output.query).columns
    promised = [column.name for column in output.promise.columns]
    if found != promised:
        raise PromiseBroken(f"{output.promise.name}: {found} instead of {promised}")
    return work.count(f"COPY ({output.query}) TO {text(place)} (FORMAT csv, HEADER)")


def digest_of(path: str) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
