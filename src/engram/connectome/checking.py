"""What is wrong with the tables of a snapshot: looked at before anything is made, and told all at once.

Each problem is one line: the table, the column, how many rows, and one of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from engram.connectome.engine import Work
from engram.connectome.feather import TYPES
from engram.connectome.points import COORDINATE_LIMIT, DROPPED, FAKE, KINDS, Rules, packed
from engram.connectome.reading import Source, told
from engram.connectome.sql import name, text

#: Types of numbers without a fraction, of all numbers, and of text.
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")
NUMBER = (*WHOLE, "FLOAT", "DOUBLE")
TEXT = ("VARCHAR",)
#: What a body cannot be, in SQL and in words: Neo4j, and much else that reads snapshots, counts them in 63 bits.
NO_BODY, NO_BODY_IN_WORDS = f"body IS NULL OR body < 0 OR body >= {1 << 63}", "is no body, from 0 to 2^63 - 1,"
#: What is told of points between voxels, as a part of a sentence.
ROUNDED = "are no whole voxels, and are rounded"
_WITH_FRACTIONS = ("FLOAT", "DOUBLE")
_IN_WORDS = {WHOLE: "whole numbers", NUMBER: "numbers", TEXT: "text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the look at the points found, beside problems."""

    #: The largest body, and the largest supervoxel; ``None`` where there are none.
    largest_body: int | None = None
    largest_sv: int | None = None
    #: Points without a number for their confidence.
    without_confidence: int = 0
    #: Points whose confidence is infinite.
    infinite: int = 0
    #: Points of the kind 'Fake'.
    fakes: int = 0
    #: Points that lie elsewhere than their ids say, and the id of one of them.
    displaced: int = 0
    one_displaced: int | None = None
    #: Points that lie between voxels, and the place of one of them.
    between: int = 0
    one_between: Sequence[float] | None = None


def check_columns(source: Source, kinds: Mapping[str, Sequence[str]], *, optional: Sequence[str] = ()) -> Iterator[str]:
    """Columns that are missing, hold the wrong kind of value, or have one name but for upper and lower case."""
    seen: dict[str, str] = {}
    for column in source.names:
        if column.lower() in seen:
            yield _line(source, column, f"differs from {seen[column.lower()]!r} in upper and lower case only")
        seen[column.lower()] = column
    for column, kind in kinds.items():
        if column not in source.columns:
            if column not in optional:
                yield _line(source, column, f"is missing; it has {', '.join(source.columns) or 'no columns'}")
        elif source.columns[column].partition("(")[0] not in kind:
            yield _line(source, column, f"holds {source.columns[column]}, not {_IN_WORDS[tuple(kind)]}")


def check_kinds(source: Source, *, but: Sequence[str] = ()) -> Iterator[str]:
    """Columns that would go into the tables of a snapshot, which have no place for what they hold."""
    for column, kind in source.columns.items():
        if column not in but and not kind.startswith("ENUM(") and kind.removesuffix("[]") not in TYPES:
            yield _line(source, column, f"holds {kind}, which no table of a snapshot holds: leave it out")


def check_points(work: Work, source: Source, rules: Rules) -> tuple[list[str], Facts]:
    """Problems of the table of points."""
    has_id = "point_id" in source.columns
    kinds: dict[str, Sequence[str]] = {
        **dict.fromkeys("xyz", NUMBER),
        "kind": TEXT,
        "conf": NUMBER,
        "body": WHOLE,
        "point_id": WHOLE,
        "sv": WHOLE,
    }
    kinds |= {rules.compartment: TEXT} if rules.compartment else {}
    optional = ("point_id", "sv", *("xyz" if has_id else ""))
    problems = [*check_columns(source, kinds, optional=optional), *check_kinds(source, but=(*kinds, *DROPPED))]
    if problems:
        return problems, Facts()
    known = ", ".join(map(text, (*KINDS, FAKE)))
    wrong = {
        "kind": (f"kind IS NULL OR kind NOT IN ({known})", f"is not {' or '.join(KINDS)}", "kind"),
        "body": (NO_BODY, NO_BODY_IN_WORDS, "body"),
    }
    if has_id:
        wrong["point_id"] = ("point_id IS NULL", "is empty", "body")
    else:
        outside = " OR ".join(f"{axis} IS NULL OR abs({axis}) >= {COORDINATE_LIMIT}" for axis in "xyz")
        wrong["x, y, z"] = (outside, f"is no place within {COORDINATE_LIMIT} voxels", "[x, y, z]")
    nan, infinite = "conf IS NULL OR isnan(CAST(conf AS DOUBLE))", "isinf(CAST(conf AS DOUBLE))"
    counts = [
        f"count(*) FILTER (WHERE {condition}), min({shown}) FILTER (WHERE {condition})"
        for condition, _, shown in wrong.values()
    ]
    supervoxel = "max(sv)" if "sv" in source.columns else "NULL"
    elsewhere = _elsewhere() if has_id and set("xyz") <= source.columns.keys() else "false"
    between = between_voxels(source)
    one_between = f"min([x, y, z]) FILTER (WHERE {between})" if between else "NULL"
    with told(source.path):
        ((*found, body, sv, without, endless, halves, half, fakes, displaced, one),) = work.rows(
            f"SELECT {', '.join(counts)}, max(body), {supervoxel}, count(*) FILTER (WHERE {nan}),"
            f" count(*) FILTER (WHERE {infinite}), count(*) FILTER (WHERE {between or 'false'}), {one_between},"
            f" count(*) FILTER (WHERE kind = {text(FAKE)}), count(*) FILTER (WHERE {elsewhere}),"
            f" {f'min(point_id) FILTER (WHERE {elsewhere})' if has_id else 'NULL'} FROM {name(source.view)}"
        )
    for place, (column, (_, what, _)) in enumerate(wrong.items()):
        if count := found[2 * place]:
            problems.append(_line(source, column, f"{what} in {count} rows; one of them: {found[2 * place + 1]}"))
    facts = Facts(
        largest_body=body,
        largest_sv=sv,
        without_confidence=without,
        infinite=endless,
        between=halves,
        one_between=half,
        fakes=fakes,
        displaced=displaced,
        one_displaced=one,
    )
    return problems, facts


def between_voxels(source: Source) -> str:
    """The condition of points whose place is rounded, as x, y and z count voxels; '' where there are none."""
    parts = [f"{axis} <> trunc({axis})" for axis in "xyz" if source.columns.get(axis) in _WITH_FRACTIONS]
    return " OR ".join(parts) if set("xyz") <= source.columns.keys() else ""


def _elsewhere() -> str:
    """Whether a point's id is not that of its place."""
    x, y, z = (f"TRY_CAST({axis} AS BIGINT)" for axis in "xyz")
    return f"{packed(x, y, z)} IS DISTINCT FROM TRY_CAST(point_id AS UBIGINT)"


def check_partners(work: Work, source: Source) -> list[str]:
    """Problems of the table of partners."""
    confidences = dict.fromkeys(("conf_pre", "conf_post"), NUMBER)
    kinds = {"pre_id": WHOLE, "post_id": WHOLE, **confidences}
    problems = list(check_columns(source, kinds, optional=tuple(confidences)))
    if problems:
        return problems
    with told(source.path):
        ((pre, post),) = work.rows(
            "SELECT count(*) FILTER (WHERE pre_id IS NULL), count(*) FILTER (WHERE post_id IS NULL)"
            f" FROM {name(source.view)}"
        )
    return [
        _line(source, column, f"is empty in {count} rows")
        for column, count in (("pre_id", pre), ("post_id", post))
        if count
    ]


def check_bodies(work: Work, source: Source, more: Mapping[str, Sequence[str]]) -> list[str]:
    """Problems of a table with one row for each body, which needs some columns more."""
    problems = list(check_columns(source, {"body": WHOLE, **more}))
    if problems:
        return problems
    problems += check_unique(work, source.view, "body", source.path)
    with told(source.path):
        ((count, one),) = work.rows(
            f"SELECT count(*), min(body) FROM {name(source.view)} WHERE body IS NOT NULL AND ({NO_BODY})"
        )
    return [
        *problems,
        *([_line(source, "body", f"{NO_BODY_IN_WORDS} in {count} rows; one of them: {one}")] if count else []),
    ]


def check_unique(work: Work, table: str, column: str, path: str) -> Iterator[str]:
    """Values that a column holds more than once, or not at all."""
    key = name(column)
    with told(path):
        ((count, one),) = work.rows(
            f"SELECT count(*), min({key}) FROM (SELECT {key} FROM {name(table)} GROUP BY {key} HAVING count(*) > 1)"
        )
        empty = work.count(f"SELECT count(*) FROM {name(table)} WHERE {key} IS NULL")
    if count:
        yield f"{PurePath(path).name}, column {column}: {count} values stand in several rows; one of them: {one}"
    if empty:
        yield f"{PurePath(path).name}, column {column}: is empty in {empty} rows"


def status_column() -> dict[str, Sequence[str]]:
    """What annotations must have beside the body."""
    return {"status": TEXT}


def size_column() -> dict[str, Sequence[str]]:
    """What sizes must have beside the body."""
    return {"size": WHOLE}


def _line(source: Source, column: str, what: str) -> str:
    return f"{PurePath(source.path).name}, column {column}: {what}"
