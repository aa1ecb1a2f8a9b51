"""The folders ``skeletons-<name>/`` and ``meshes-<name>/`` of a snapshot.

A table beside the files says what became of each body. What it says is done is not done again: a body whose file and
settings are what they were keeps what was made of it, and those that failed are tried anew.
"""

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from engram.connectome.config.outputs import Meshes, Skeletons
from engram.connectome.contents import Contents, Presence
from engram.connectome.engine import Work
from engram.connectome.outputs import BytesOutput, EarlierOutput, TextOutput
from engram.connectome.shapes import BadShape, ngmesh, swc
from engram.connectome.shapes.folders import LARGEST_BYTES, bodies_in, read_body
from engram.connectome.tables import Column, Table

_COLUMNS = (
    Column("body", "UBIGINT", "The body"),
    Column(
        "state",
        "VARCHAR",
        "What became of it: ok; missing, where it has no file; or broken, where nothing can be made of it",
    ),
    Column("reason", "VARCHAR", "Why it is broken", optional=True),
    Column("sha256", "VARCHAR", "Digest of the file that was read", optional=True),
    Column("made_with", "VARCHAR", "What it depends on besides", optional=True),
    Column("made_sha256", "VARCHAR", "Digest of what was made of it", optional=True),
)
SKELETONS = Table("skeletons", "skeletons-{name}/skeletons.csv", "body whose skeleton is wanted", "body", _COLUMNS)
MESHES = Table("meshes", "meshes-{name}/meshes.csv", "body whose mesh is wanted", "body", _COLUMNS)
TABLES = (SKELETONS, MESHES)

#: Raised with every change of what is made of an SWC file.
_VERSION = 1

#: A file of a part.
ShapeOutput: TypeAlias = BytesOutput | EarlierOutput | TextOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """One set of skeletons or meshes, and how they are made."""

    #: ``skeletons-<name>`` or ``meshes-<name>``: its part of the snapshot.
    part: str
    table: Table
    #: Where the table lies, below the part.
    table_path: str
    #: Where the files of bodies lie, and how their names end.
    folder: str
    ending: str
    #: A larger file is no body.
    most_bytes: int
    #: Below the part, for a body: where a copy of its file goes, and what is made of it.
    copy: str
    made: str
    #: Path and text of what describes the files to Neuroglancer.
    info: tuple[str, str]
    #: What the result depends on besides the file.
    made_with: str
    #: Gives what is made of a file; raises `BadShape`.
    make: Callable[[int, bytes], bytes] = field(repr=False)


def skeletons_of(name: str, wanted: Skeletons) -> Shapes:
    """A set of skeletons."""
    resolution = wanted.coordinate_resolution_nm
    return Shapes(
        part=f"skeletons-{name}",
        table=SKELETONS,
        table_path="skeletons.csv",
        folder=wanted.folder,
        ending=".swc",
        most_bytes=swc.MOST_BYTES,
        copy="skeletons-swc/{body}.swc",
        made="skeletons-precomputed/{body}",
        info=("skeletons-precomputed/info", swc.INFO),
        made_with=" ".join(map(str, (_VERSION, *map(float, resolution)))),
        make=lambda _, data: swc.precomputed(data, resolution),
    )


def meshes_of(name: str, wanted: Meshes) -> Shapes:
    """A set of meshes."""
    return Shapes(
        part=f"meshes-{name}",
        table=MESHES,
        table_path="meshes.csv",
        folder=wanted.folder,
        ending=".ngmesh",
        most_bytes=LARGEST_BYTES,
        copy="single-res-meshes/{body}.ngmesh",
        made="single-res-meshes/{body}:0",
        info=("single-res-meshes/info", ngmesh.INFO),
        made_with=str(_VERSION),
        make=_fragments,
    )


def _fragments(body: int, data: bytes) -> bytes:
    ngmesh.check_mesh(data)
    return f'{{"fragments": ["{body}.ngmesh"]}}\n'.encode()


def shape_outputs(
    work: Work, shapes: Shapes, earlier: str, findings: list[tuple[str, str]], *, excluded: Sequence[str] = ()
) -> Iterator[ShapeOutput]:
    """The files of one part; what people should know of them is added to *findings* at the end.

    Args:
        earlier: the folder of the snapshot that was built before, if there is one.
        excluded: statuses of bodies that are left out.

    Raises:
        Unreadable: the folder of the files.
    """
    files = bodies_in(shapes.folder, shapes.ending)
    done = _done(os.path.join(earlier, shapes.part, shapes.table_path))
    rows: list[_Row] = []
    for body in _wanted(work, files, excluded):
        if body not in files:
            rows.append(_Row(body=body, state="missing"))
            continue
        try:
            row, outputs = _of_body(shapes, earlier, body, files[body], done)
        except BadShape as error:
            rows.append(_Row(body=body, state="broken", reason=str(error)))
        else:
            yield from outputs
            rows.append(row)
    path, info = shapes.info
    yield TextOutput(path=f"{shapes.part}/{path}", text=info)
    table = _as_csv(rows)
    yield TextOutput(path=f"{shapes.part}/{shapes.table_path}", text=table, rows=len(rows), columns=len(_COLUMNS))
    findings.extend((shapes.part, message) for message in _told(rows))


def _wanted(work: Work, files: Mapping[int, str], excluded: Sequence[str]) -> list[int]:
    """Annotated bodies but those of some statuses, rising; where nothing is annotated, those that have a file."""
    if not work.count("SELECT count(*) FROM annotation"):
        return list(files)
    rows = work.rows(
        "SELECT DISTINCT body, coalesce(CAST(status AS VARCHAR), '') FROM annotation WHERE body <> 0 ORDER BY body"
    )
    return [int(body) for body, status in rows if status not in excluded]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What became of a body."""

    body: int
    state: str
    reason: str = ""
    sha256: str = ""
    made_with: str = ""
    made_sha256: str = ""


def _of_body(
    shapes: Shapes, snapshot: str, body: int, path: str, done: Mapping[int, _Row]
) -> tuple[_Row, list[ShapeOutput]]:
    """What becomes of a body's file: what was made of it before, if it and the settings are the same."""
    data = read_body(path, most_bytes=shapes.most_bytes)
    sha256 = _sha256(data)
    names = {shapes.copy.format(body=body): sha256, shapes.made.format(body=body): ""}
    row = done.get(body)
    if row is not None and (row.sha256, row.made_with) == (sha256, shapes.made_with):
        names[shapes.made.format(body=body)] = row.made_sha256
        contents, earlier = Contents(snapshot), os.path.join(snapshot, shapes.part)
        if all(_is(os.path.join(earlier, name), digest, contents) for name, digest in names.items()):
            return row, [
                EarlierOutput(path=f"{shapes.part}/{name}", place=os.path.join(earlier, name)) for name in names
            ]
    made = shapes.make(body, data)
    row = _Row(body=body, state="ok", sha256=sha256, made_with=shapes.made_with, made_sha256=_sha256(made))
    outputs = zip(names, (data, made), strict=True)
    return row, [BytesOutput(path=f"{shapes.part}/{name}", content=one) for name, one in outputs]


def _is(place: str, digest: str, contents: Contents) -> bool:
    try:
        return contents.look(place) is Presence.HERE and _sha256(read_body(place)) == digest
    except BadShape:  # it is not there any more
        return False


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _as_csv(rows: Sequence[_Row]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(column.name for column in _COLUMNS)
    writer.writerows([getattr(row, column.name) for column in _COLUMNS] for row in rows)
    return file.getvalue()


def _done(path: str) -> dict[int, _Row]:
    """The bodies that an earlier build has finished; none where its table is not there, or is none of ours."""
    with suppress(OSError, ValueError, KeyError, csv.Error), open(path, encoding="utf-8", newline="") as file:
        found = (row for row in csv.DictReader(file) if row["state"] == "ok")
        texts = ("sha256", "made_with", "made_sha256")
        return {
            int(row["body"]): _Row(body=int(row["body"]), state="ok", **{one: row[one] for one in texts})
            for row in found
        }
    return {}


def _told(rows: Sequence[_Row]) -> Iterator[str]:
    for state, what in (("missing", "have no file"), ("broken", "have a file of which nothing can be made")):
        found = [row for row in rows if row.state == state]
        if found:
            reason = f" ({found[0].reason})" if found[0].reason else ""
            yield f"{len(found)} of {len(rows)} bodies {what}; one of them: {found[0].body}{reason}"
