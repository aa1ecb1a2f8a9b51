"""Skeletons: SWC files, and Neuroglancer's precomputed format.

A line of an SWC file is a node: its id, type, x, y, z, radius, and the id of its parent, -1 for none. A file may hold
several trees, and nodes may stand in any order.

Source: https://neuroinformatics.nl/swcPlus/ (SWC);
https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/skeletons.md
"""

import math
import operator
import struct
import sys
from array import array
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice

from engram.connectome.shapes import BadShape

_FIELDS = 7
_NO_PARENT = -1
#: Ids of nodes lie below this.
_ID_LIMIT = 1 << 63
#: A larger file is no skeleton: the largest real ones have a million nodes of about 50 bytes.
MOST_BYTES = 1 << 28
#: So many lines are read at once.
_LINES = 50_000
#: Digits of a number; more are a bomb for whoever reads it.
_LONGEST_WORD = 64
#: What describes a folder of skeletons: places are nanometres as they are, and nodes have no more than a place.
INFO = (
    '{"@type": "neuroglancer_skeletons", "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], "vertex_attributes": []}\n'
)


def precomputed(swc: bytes, resolution_nm: Sequence[float]) -> bytes:
    """The skeleton of an SWC file for Neuroglancer: nodes in their order, and an edge from each to its parent.

    Costs about 6 µs on one core and 100 bytes of memory for each node.

    Args:
        resolution_nm: size of a voxel along x, y and z; of 1 where the file has nanometres.

    Raises:
        BadShape: it is no SWC file, or its nodes make no trees.
    """
    nodes = _Nodes()
    for lines in _chunks(swc):
        nodes.read(lines)
    if not nodes.ids:
        raise BadShape("it has no nodes")
    parents = _rows_of_parents(nodes.ids, nodes.parents)
    _refuse_cycles(nodes.ids, parents)
    positions = array("f", bytes(12 * len(nodes.ids)))
    for axis, (places, size) in enumerate(zip(nodes.places, resolution_nm, strict=True)):
        positions[axis::3] = array("f", (place * size for place in places))
    edges = array("I", (end for row, parent in enumerate(parents) if parent != _NO_PARENT for end in (row, parent)))
    if not all(map(math.isfinite, positions)):
        raise BadShape("a node lies farther than Neuroglancer can say")
    if sys.byteorder == "big":
        positions.byteswap()
        edges.byteswap()
    return struct.pack("<II", len(nodes.ids), len(edges) // 2) + positions.tobytes() + edges.tobytes()


def _chunks(swc: bytes) -> Iterator[list[tuple[int, list[bytes]]]]:
    """The words of lines that hold any, with their numbers, some lines at a time."""
    numbered = enumerate(BytesIO(swc), start=1)
    split = ((number, line.split()) for number, line in numbered)
    filled = ((number, words) for number, words in split if words and not words[0].startswith(b"#"))
    while chunk := list(islice(filled, _LINES)):
        yield chunk


class _Nodes:
    """Ids, places and parents of nodes."""

    def __init__(self) -> None:
        self.ids, self.parents = array("q"), array("q")
        self.places = (array("d"), array("d"), array("d"))

    def read(self, lines: Sequence[tuple[int, list[bytes]]]) -> None:
        """Add the nodes of some lines. Raises `BadShape`."""
        for number, words in lines:
            if len(words) != _FIELDS:
                raise BadShape(f"line {number} has {len(words)} values, not {_FIELDS}")
        ids, _, *places, _, parents = zip(*(words for _, words in lines), strict=True)
        try:
            self._add(ids, places, parents)
        except (ValueError, OverflowError):
            for number, words in lines:
                _complain(number, words)
            raise  # what is wrong with all of them is wrong with one

    def _add(self, ids: Sequence[bytes], places: Sequence[Sequence[bytes]], parents: Sequence[bytes]) -> None:
        for words in (ids, *places, parents):
            if max(map(len, words)) > _LONGEST_WORD or b"_" in b"".join(words):
                raise ValueError
        new = array("q", map(int, ids))
        if min(new) < 0:
            raise ValueError
        self.ids.extend(new)
        self.parents.extend(array("q", map(int, parents)))
        for axis, words in zip(self.places, places, strict=True):
            new_places = array("d", map(float, words))
            if not all(map(math.isfinite, new_places)):
                raise ValueError
            axis.extend(new_places)


def _complain(number: int, words: Sequence[bytes]) -> None:
    """Say what is wrong with a line, if anything is."""
    try:
        if _id(words[0]) < 0:
            raise ValueError("has an id below 0")
        _id(words[6])
        for word in words[2:5]:
            _place(word)
    except ValueError as error:
        raise BadShape(f"line {number} {error}") from None


def _id(word: bytes) -> int:
    if len(word) > _LONGEST_WORD or not word.removeprefix(b"-").isdigit():
        raise ValueError("has no whole number for an id")
    found = int(word)
    if not -_ID_LIMIT < found < _ID_LIMIT:
        raise ValueError("has an id that is too large")
    return found


def _place(word: bytes) -> float:
    if len(word) > _LONGEST_WORD or b"_" in word:
        raise ValueError("has no number for a place")
    try:
        found = float(word)
    except ValueError:
        raise ValueError("has no number for a place") from None
    if not math.isfinite(found):
        raise ValueError("has a place that is nowhere")
    return found


def _rows_of_parents(ids: Sequence[int], parents: Sequence[int]) -> Sequence[int]:
    """The row of each node's parent, or `_NO_PARENT`. Raises `BadShape`."""
    first, last = ids[0], ids[0] + len(ids) - 1
    if all(map(operator.eq, ids, range(first, last + 1))):  # as in most files
        rows = array("q", (parent - first if first <= parent <= last else _NO_PARENT for parent in parents))
    else:
        row_of = {one: row for row, one in enumerate(ids)}
        if len(row_of) < len(ids):
            raise BadShape("two nodes have one id")
        rows = array("q", (row_of.get(parent, _NO_PARENT) for parent in parents))
    for row, (parent, found) in enumerate(zip(parents, rows, strict=True)):
        if found == _NO_PARENT and parent != _NO_PARENT:
            raise BadShape(f"node {ids[row]} has a parent that is not there")
    return rows


def _refuse_cycles(ids: Sequence[int], parents: Sequence[int]) -> None:
    """Every way up ends. *parents*: the row of each node's parent."""
    if all(map(operator.lt, parents, range(len(parents)))):  # every parent stands before its children
        return
    seen_from = array("q", [_NO_PARENT]) * len(parents)
    for start in range(len(parents)):
        row = start
        while row != _NO_PARENT and seen_from[row] == _NO_PARENT:
            seen_from[row] = start
            row = parents[row]
        if row != _NO_PARENT and seen_from[row] == start:
            raise BadShape(f"the parents of node {ids[row]} lead back to it")
