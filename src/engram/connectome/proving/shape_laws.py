"""Laws of folders of skeletons and meshes: what their table says of each body lies there, and nothing else."""

import csv
import json
import os
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from engram.connectome.proving.schema import promise_of
from engram.connectome.proving.told import Unproven, Wrong
from engram.connectome.shapes import BadShape, ngmesh, swc
from engram.connectome.shapes.exporting import MESHES, SKELETONS
from engram.connectome.shapes.folders import read_body

_STATES = ("ok", "missing", "broken")
_COUNTS = struct.Struct("<II")
#: Bytes of a node and of an edge of a skeleton.
_NODE_BYTES, _EDGE_BYTES = 12, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How a kind of folder looks: paths below it for a body, its description, and what it describes."""

    copy: str
    made: str
    info: str
    text: str


_KINDS = {
    SKELETONS: _Kind(
        copy="skeletons-swc/{body}.swc",
        made="skeletons-precomputed/{body}",
        info="skeletons-precomputed/info",
        text=swc.INFO,
    ),
    MESHES: _Kind(
        copy="single-res-meshes/{body}.ngmesh",
        made="single-res-meshes/{body}:0",
        info="single-res-meshes/info",
        text=ngmesh.INFO,
    ),
}


def shape_laws(folder: str, digests: Mapping[str, str], absent: Collection[str]) -> Iterator[Wrong | Unproven]:
    """What is wrong with each folder of shapes.

    Args:
        digests: SHA-256 of each file of the snapshot that can be read, by its path.
        absent: paths of files whose content is elsewhere: nothing is said of them.
    """
    parts: dict[str, list[str]] = {}
    gone = frozenset(absent)
    for path in digests:
        part = path.partition("/")[0]
        if part.startswith(("skeletons-", "meshes-")):
            parts.setdefault(part, []).append(path)
    for part, paths in parts.items():
        tables = {path: table for path in paths if (table := promise_of(path)[0]) in _KINDS}
        if not tables and not any(path.startswith(f"{part}/") for path in absent):
            yield Unproven(path=part, why="there is no table that says what belongs there")
        for path, table in tables.items():
            if table is not None:
                here = {one: digests[one] for one in paths}
                found = _of_part(folder, part, path, _KINDS[table], here)
                yield from (one for one in found if one.path in here or one.path not in gone)


def _of_part(folder: str, part: str, table: str, kind: _Kind, digests: Mapping[str, str]) -> Iterator[Wrong]:
    listed = {table, f"{part}/{kind.info}"}
    try:
        with open(os.path.join(folder, table), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
        bodies = [int(row["body"]) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError) as error:
        yield Wrong(path=table, message=f"cannot be read: {error}")
        return
    if any(one >= other for one, other in pairwise(bodies)):
        yield Wrong(path=table, message="has its bodies out of order, or one of them twice")
    for body, row in zip(bodies, rows, strict=True):
        wanted = {f"{part}/{kind.copy.format(body=body)}": row["sha256"]}
        wanted |= {f"{part}/{kind.made.format(body=body)}": row["made_sha256"]}
        if row["state"] == "ok":
            listed |= wanted.keys()
            yield from _of_body(folder, table, body, wanted, digests)
        elif row["state"] not in _STATES or row["sha256"] or bool(row["reason"]) != (row["state"] == "broken"):
            yield Wrong(path=table, message=f"body {body}: contradicts itself: {', '.join(row.values())}")
    for path in digests.keys() - listed:
        yield Wrong(path=path, message=f"is of no body that {table} has")
    yield from _described(folder, f"{part}/{kind.info}", kind, digests)


def _of_body(
    folder: str, table: str, body: int, wanted: Mapping[str, str], digests: Mapping[str, str]
) -> Iterator[Wrong]:
    for path, digest in wanted.items():
        if path not in digests:
            yield Wrong(path=path, message=f"is missing, though {table} says that it is there")
        elif digests[path] != digest:
            yield Wrong(path=path, message=f"is not what {table} says: its SHA-256 is another one")
        elif problem := _problem(os.path.join(folder, path), body):
            yield Wrong(path=path, message=problem)


def _problem(place: str, body: int) -> str:
    """Why a file cannot be shown; '' if it can."""
    try:
        data = read_body(place)
        if place.endswith(".ngmesh"):
            ngmesh.check_mesh(data)
        elif place.endswith(":0"):
            if json.loads(data) != {"fragments": [f"{body}.ngmesh"]}:
                return "names other fragments than its mesh"
        elif not place.endswith(".swc"):
            nodes, edges = _COUNTS.unpack_from(data)
            if not nodes or len(data) != _COUNTS.size + nodes * _NODE_BYTES + edges * _EDGE_BYTES:
                return f"has {len(data)} bytes, which are not those of {nodes} nodes and {edges} edges"
    except (BadShape, ValueError, struct.error) as error:
        return f"cannot be shown: {error}"
    return ""


def _described(folder: str, path: str, kind: _Kind, digests: Mapping[str, str]) -> Iterator[Wrong]:
    if path not in digests:
        yield Wrong(path=path, message="is missing: without it nothing there can be shown")
        return
    try:
        with open(os.path.join(folder, path), "rb") as file:
            said = json.load(file)
    except (OSError, ValueError) as error:
        yield Wrong(path=path, message=f"cannot be read: {error}")
        return
    if said != json.loads(kind.text):
        yield Wrong(path=path, message="does not describe what lies beside it")
