"""Values of files that ``neo4j-admin`` imports, one function for each type: strict where Neo4j guesses.

Source: https://neo4j.com/docs/operations-manual/current/tools/neo4j-admin/neo4j-admin-import/ (data types)
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import partial

from engram.connectome.neo4j.header import BadFile, Column

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|NaN|-?Infinity")
_DURATION = re.compile(r"-?P(?=.)(?:[0-9.]+[YMWD])*(?:T(?:[0-9.]+[HMS])+)?")
_POINT = re.compile(r"\{\s*(?P<inner>[^{}]*)\}")
_COORDINATE = re.compile(r"\s*(?P<name>\w+)\s*:\s*(?P<value>[^,\s]+)\s*")
#: What a point has in each reference system. Source: https://neo4j.com/docs/cypher-manual/current/values-and-types/spatial/
_COORDINATES = {
    "9157": {"x", "y", "z"},
    "7203": {"x", "y"},
    "4979": {"longitude", "latitude", "height"},
    "4326": {"longitude", "latitude"},
}
_BITS = {"byte": 8, "short": 16, "int": 32, "long": 64}


def check_value(column: Column, text: str) -> None:
    """Look at a value that is not empty. Raises `BadFile`."""
    check = partial(_point, column) if column.kind == "point" else _CHECKS.get(column.kind)
    if check is None:
        return
    for part in text.split(";") if column.is_array else (text,):
        check(part)


def _whole(bits: int, text: str) -> None:
    if not _WHOLE.fullmatch(text):
        raise BadFile(f"{text!r} is no whole number")
    if not -(1 << (bits - 1)) <= int(text) < 1 << (bits - 1):
        raise BadFile(f"{text} needs more than {bits} bits")


def _fraction(text: str) -> None:
    if not _FRACTION.fullmatch(text):
        raise BadFile(f"{text!r} is no number")


def _truth(text: str) -> None:
    if text not in ("true", "false"):
        raise BadFile(f"{text!r} is neither true nor false: Neo4j takes it for false")


def _character(text: str) -> None:
    if len(text) != 1:
        raise BadFile(f"{text!r} is no single character")


def _moment(parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise BadFile(f"{text!r} is no date or time in ISO 8601") from error


def _duration(text: str) -> None:
    if not _DURATION.fullmatch(text):
        raise BadFile(f"{text!r} is no duration in ISO 8601")


def _point(column: Column, text: str) -> None:
    match = _POINT.fullmatch(text)
    parts = [_COORDINATE.fullmatch(part) for part in match["inner"].split(",")] if match else [None]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        raise BadFile(f"{text!r} is no point")
    names = [part["name"] for part in found]
    wanted = _COORDINATES.get(column.options.get("srid", ""), {"x", "y", "z"})
    if len(names) != len(wanted) or set(names) != wanted:
        raise BadFile(f"{text!r} does not have exactly {', '.join(sorted(wanted))}")
    for part in found:
        _fraction(part["value"])


_CHECKS: Mapping[str, Callable[[str], None]] = {
    **{kind: partial(_whole, bits) for kind, bits in _BITS.items()},
    "float": _fraction,
    "double": _fraction,
    "boolean": _truth,
    "char": _character,
    "date": partial(_moment, date.fromisoformat),
    "time": partial(_moment, time.fromisoformat),
    "localtime": partial(_moment, time.fromisoformat),
    "datetime": partial(_moment, datetime.fromisoformat),
    "localdatetime": partial(_moment, datetime.fromisoformat),
    "duration": _duration,
}
