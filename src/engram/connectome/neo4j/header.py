"""Headers of files that ``neo4j-admin`` imports: ``name:type``, ``:ID(space)``, ``location:point{srid:9157}``.

Neo4j 4.4 looks for a space of ids behind the last colon alone. Neo4j 5 takes the first brackets of the whole header for
one: ``AL(L):boolean`` is a property ``AL`` there (found with a server of 5.26).

Source: https://neo4j.com/docs/operations-manual/current/tools/neo4j-admin/neo4j-admin-import/ (CSV file header format)
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engram.connectome.neo4j.rows import opened_rows

#: Fields that are no property; case does not count.
_OF_NODES = frozenset({"ID", "LABEL", "IGNORE"})
_OF_RELATIONSHIPS = frozenset({"START_ID", "END_ID", "TYPE", "IGNORE"})
_TYPES = frozenset(
    "int long float double boolean byte short char string point"
    " date localtime time localdatetime datetime duration".split()
)
_FIELD = re.compile(r"(?P<kind>[A-Za-z_]+)(?:\((?P<space>[^()]*)\))?(?P<array>\[\])?")
_OPTION = re.compile(r"\s*(?P<name>\w+)\s*:\s*(?P<value>[^,]+?)\s*")


class BadFile(ValueError):
    """Why a file is not taken, as a part of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file."""

    #: Name of the property; '' for what is none.
    name: str
    #: ``ID``, ``LABEL``, ``IGNORE``, ``START_ID``, ``END_ID``, ``TYPE``; else the type of a property, as ``int``.
    kind: str
    #: The space of ids; '' for that of all files.
    space: str = ""
    is_array: bool = False
    #: What stands in braces behind the type: ``{"srid": "9157"}``.
    options: Mapping[str, str]

    @property
    def is_property(self) -> bool:
        """Whether its values become properties."""
        return self.kind in _TYPES


def read_header(cells: Sequence[str], *, of_nodes: bool, version: str = "4.4") -> tuple[Column, ...]:
    """The columns of a file of nodes or of relationships, as a version of Neo4j reads them. Raises `BadFile`.

    Args:
        version: ``4.4`` or ``5``.

    >>> [column.kind for column in read_header([":ID(Body-ID)", "pre:int", ":LABEL"], of_nodes=True)]
    ['ID', 'int', 'LABEL']
    >>> [read_header(["AL(L):boolean"], of_nodes=True, version=one)[0].name for one in ("4.4", "5")]
    ['AL(L)', 'AL']
    """
    columns = tuple(_column(cell, _OF_NODES if of_nodes else _OF_RELATIONSHIPS) for cell in cells)
    if version == "5":
        columns = tuple(_as_5(column) for column in columns)
    names = Counter(column.name for column in columns if column.is_property)
    kinds = Counter(column.kind for column in columns)
    for name, times in names.items():
        if times > 1:
            raise BadFile(f"the property {name} has {times} columns")
    for kind in ("ID", "START_ID", "END_ID", "TYPE"):
        if kinds[kind] > 1:
            raise BadFile(f"there are {kinds[kind]} columns :{kind}")
    for kind in () if of_nodes else ("START_ID", "END_ID"):
        if not kinds[kind]:
            raise BadFile(f"there is no column :{kind}")
    return columns


def is_readable(name: str) -> bool:
    """Whether a property can have this name: Neo4j takes what stands behind a brace for options of its type.

    >>> is_readable("ME(R)"), is_readable("x{y}")
    (True, False)
    """
    try:
        (column,) = read_header([f"{name}:boolean"], of_nodes=True)
    except BadFile:
        return False
    return column.name == name


def _as_5(column: Column) -> Column:
    """A column as Neo4j 5 reads it: brackets in its name are a space of ids."""
    name, bracket, rest = column.name.partition("(")
    return replace(column, name=name, space=rest.partition(")")[0]) if bracket else column


def read_otherwise(cells: Sequence[str], *, of_nodes: bool) -> list[str]:
    """Those headers of a file that 4.4 takes which Neo4j 5 reads as something else. Raises `BadFile`."""
    columns = read_header(cells, of_nodes=of_nodes)
    return [cell for cell, column in zip(cells, columns, strict=True) if _as_5(column) != column]


def _column(cell: str, special: frozenset[str]) -> Column:
    text, options = _split_options(cell)
    name, colon, spec = text.rpartition(":")
    if not colon:
        name, spec = text, "string"
    match = _FIELD.fullmatch(spec.strip())
    if match is None:
        raise BadFile(f"{cell!r} is no name:type")
    kind, space, is_array = match["kind"], match["space"] or "", bool(match["array"])
    if kind.upper() in special:
        return Column(name=name, kind=kind.upper(), space=space, options={})
    if kind not in _TYPES or space:
        raise BadFile(f"{cell!r} has an unknown type")
    if not name:
        raise BadFile(f"{cell!r} names no property")
    return Column(name=name, kind=kind, is_array=is_array, options=options)


def _split_options(cell: str) -> tuple[str, dict[str, str]]:
    text, brace, rest = cell.partition("{")
    if not brace:
        return text, {}
    if not rest.endswith("}"):
        raise BadFile(f"{cell!r} has a brace that is not closed, or text behind it")
    options = {}
    for part in rest[:-1].split(","):
        match = _OPTION.fullmatch(part)
        if match is None:
            raise BadFile(f"{cell!r} has options that do not parse")
        options[match["name"]] = match["value"]
    return text, options


def header_of(path: str) -> list[str]:
    """The first row of a file. Raises `BadFile`."""
    try:
        with opened_rows(path) as rows:
            heads = next(rows, None)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"cannot be read: {str(error) or type(error).__name__}") from error
    if not heads:
        raise BadFile("has no header")
    return heads
