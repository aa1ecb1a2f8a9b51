"""Points that are no synapses, such as mitochondria: the tables that a configuration names, checked and loaded.

Unlike a synapse, an element needs no partner, and its body need not be in the database.

Source: flyem-snapshot, ``flyem_snapshot/inputs/elements.py``
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from engram.connectome.checking import (
    NO_BODY,
    NO_BODY_IN_WORDS,
    NUMBER,
    ROUNDED,
    TEXT,
    WHOLE,
    between_voxels,
    check_columns,
    check_kinds,
    check_unique,
)
from engram.connectome.config.inputs import ElementTable
from engram.connectome.engine import Work
from engram.connectome.points import COORDINATE_LIMIT, DROPPED, packed, unpacked
from engram.connectome.reading import Source, told
from engram.connectome.rois import Lookup, RoiProblem, RoiSet, Wanted, in_two_sets, look_up
from engram.connectome.sql import name, selected, text
from engram.model.errors import BadTables

#: A column with more values than these tells no types.
MOST_TYPES = 1000
#: Names of properties that elements get from their place and body.
_TAKEN = ("bodyId", "location")
_ENDS = tuple(f"{side}_{axis}" for side in ("source", "target") for axis in "xyz")
_FLOATS = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A table of elements that is open, and what the configuration says of it."""

    name: str
    wanted: ElementTable
    points: Source
    #: Pairs of points that lie close together.
    distances: Source | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """A table of elements in the work file: point_id, x, y, z, body, type, properties, and two columns a ROI set."""

    name: str
    #: What the engine calls it, and the table of pairs that lie close together; '' for none.
    table: str
    close: str
    #: Types by property, and the columns that have no value and are none.
    properties: Mapping[str, str]
    empty: frozenset[str]
    #: Types by property of a pair.
    of_pairs: Mapping[str, str]
    rois: Mapping[str, RoiSet]
    #: ROI sets that its points have no column of: they lie in none of their ROIs.
    lacking: tuple[str, ...]


# ---- what is wrong with them -----------------------------------------------------------------------------------------


def check_elements(work: Work, given: Given) -> list[str]:
    """Problems of a table of elements, and of its table of distances."""
    problems = _check_points(work, given)
    return problems + (_check_pairs(work, given.distances) if given.distances else [])


def _check_points(work: Work, given: Given) -> list[str]:
    source = given.points
    has_id = "point_id" in source.columns
    kinds: dict[str, Sequence[str]] = {"body": WHOLE, "type": TEXT, "point_id": WHOLE}
    kinds |= {} if has_id else dict.fromkeys("xyz", NUMBER)
    optional = ["point_id", *(["type"] if given.wanted.type else [])]
    problems = list(check_columns(source, kinds, optional=optional))
    problems += check_kinds(source, but=tuple(kinds))
    problems += [_line(source, one, "is a property that every element has from its place") for one in _taken(source)]
    if problems:
        return problems
    wrong = {"body": (NO_BODY, NO_BODY_IN_WORDS, "body")}
    if has_id:
        wrong["point_id"] = ("point_id IS NULL OR point_id < 0", "is no id of a point", "point_id")
    else:
        outside = " OR ".join(f"{axis} IS NULL OR NOT abs({axis}) < {COORDINATE_LIMIT}" for axis in "xyz")
        wrong["x, y, z"] = (outside, f"is no place within {COORDINATE_LIMIT} voxels", "[x, y, z]")
    if "type" in source.columns:
        other = f" OR type <> {text(given.wanted.type)}" if given.wanted.type else ""
        what = f"is not {given.wanted.type!r}, the type of the configuration," if other else "is empty"
        wrong["type"] = (f"coalesce(type, '') = ''{other}", what, "type")
    for column, kind in source.columns.items():
        if kind in _FLOATS and column not in "xyz":
            wrong[column] = (f"isinf({name(column)})", "is infinite", name(column))
    return [*_wrong(work, source, wrong), *_too_many_types(work, source)]


def _taken(source: Source) -> list[str]:
    return [column for column in source.columns if column.lower() in map(str.lower, _TAKEN)]


def _check_pairs(work: Work, source: Source) -> list[str]:
    problems = [*check_columns(source, dict.fromkeys(_ENDS, NUMBER)), *check_kinds(source, but=_ENDS)]
    if problems:
        return problems
    outside = " OR ".join(f"{end} IS NULL OR NOT abs({end}) < {COORDINATE_LIMIT}" for end in _ENDS)
    wrong = {"source_x, …": (outside, f"is no place within {COORDINATE_LIMIT} voxels", f"[{', '.join(_ENDS)}]")}
    for column, kind in source.columns.items():
        if kind in _FLOATS and column not in _ENDS:
            wrong[column] = (f"isinf({name(column)})", "is infinite", name(column))
    return list(_wrong(work, source, wrong))


def _wrong(work: Work, source: Source, wrong: Mapping[str, tuple[str, str, str]]) -> Iterator[str]:
    """A line for each column: the condition of rows that are wrong, what they are, and what is shown of one."""
    counts = [
        f"count(*) FILTER (WHERE {condition}), min({shown}) FILTER (WHERE {condition})"
        for condition, _, shown in wrong.values()
    ]
    with told(source.path):
        (found,) = work.rows(f"SELECT {', '.join(counts)} FROM {name(source.view)}")
    for place, (column, (_, what, _)) in enumerate(wrong.items()):
        if count := found[2 * place]:
            yield _line(source, column, f"{what} in {count} rows; one of them: {found[2 * place + 1]}")


def _too_many_types(work: Work, source: Source) -> Iterator[str]:
    if "type" in source.columns:
        with told(source.path):
            count = work.count(f"SELECT count(DISTINCT type) FROM {name(source.view)}")
        if count > MOST_TYPES:
            yield _line(source, "type", f"has {count} values, and each becomes a file: at most {MOST_TYPES} are types")


def _line(source: Source, column: str, what: str) -> str:
    return f"{PurePath(source.path).name}, column {column}: {what}"


# ---- loading ---------------------------------------------------------------------------------------------------------


def load_elements(
    work: Work, given: Sequence[Given], sets: Mapping[str, Wanted], known: Mapping[str, RoiSet]
) -> tuple[list[Elements], list[tuple[str, str]]]:
    """Make the tables of elements, and ``element body``: a row for each body that has an element.

    Args:
        sets: every ROI set, by name.
        known: the ROI sets of the synapses: a ROI keeps its label.

    Returns:
        The tables, and what people should know of them: the name of a file, and a sentence.

    Raises:
        BadTables: ROIs that do not fit, and points that are there twice.
    """
    labels = {one: dict(rois.labels) for one, rois in known.items()}
    loaded: list[Elements] = []
    problems: list[str] = []
    for one in given:
        with told(one.points.path):
            try:
                wanted = [
                    replace(sets[roiset], known=labels.get(roiset, {}), may_lack=True) for roiset in _sets_of(one)
                ]
                loaded.append(_load(work, one, wanted))
            except RoiProblem as problem:
                problems.append(f"{PurePath(one.points.path).name}: {problem}")
                continue
        for roiset, rois in loaded[-1].rois.items():
            labels[roiset] = {**labels.get(roiset, {}), **rois.labels}
        problems += check_unique(work, loaded[-1].table, "point_id", one.points.path)
    if problems:
        raise BadTables(tuple(problems))
    bodies = " UNION ALL ".join(f"SELECT body FROM {name(one.table)} WHERE body <> 0" for one in loaded)
    work.make("element body", f"SELECT DISTINCT body FROM ({bodies or 'SELECT body FROM point LIMIT 0'}) ORDER BY body")
    _check_apart(work, loaded)
    return loaded, [*_rounded(work, given), *_outside(work, given, loaded), *_loose_ends(work, given, loaded)]


def _sets_of(given: Given) -> tuple[str, ...]:
    return given.wanted.roi_set_names or ()


def _load(work: Work, given: Given, sets: Sequence[Wanted]) -> Elements:
    source, kept = given.points, f"kept elements {given.name}"
    point_id = f"CAST({name('point_id')} AS UBIGINT)" if "point_id" in source.columns else packed()
    columns = {"point_id": point_id, **_fixed(given)}
    raw = {column for roiset in sets for column in (roiset.name, f"{roiset.name}_label")}
    others = [one for one in source.columns if one not in columns and one not in (*DROPPED, "sv")]
    columns |= {one: _as_text(source, one) if one not in raw else f"given.{name(one)}" for one in others}
    stays = "true" if given.wanted.permit_body_0 else "given.body <> 0"
    work.make(kept, f"SELECT {selected(columns)} FROM {name(source.view)} AS given WHERE {stays}")
    lookups: dict[str, Lookup] = {}
    for roiset in sets:
        lookups[roiset.name] = look_up(work, roiset, source, lookups, points=kept)
    if twice := next(in_two_sets(lookups), ""):
        raise RoiProblem(twice)
    properties = _properties(work, kept, [one for one in others if one not in raw])
    chosen = {one: f"kept.{name(one)}" for one in ("point_id", "x", "y", "z", "body", "type")}
    chosen |= {one: expression for one, (_, expression) in properties.items()}
    for lookup in lookups.values():
        chosen |= {lookup.rois.name: lookup.roi, f"{lookup.rois.name}_label": lookup.label}
    joins = " ".join(lookup.join for lookup in lookups.values())
    table = f"elements {given.name}"
    work.make(table, f"SELECT {selected(chosen)} FROM {name(kept)} AS kept {joins} ORDER BY kept.body, kept.point_id")
    work.run(f"DROP TABLE {name(kept)}")
    close, of_pairs = _load_pairs(work, given)
    return Elements(
        name=given.name,
        table=table,
        close=close,
        properties={one: kind for one, (kind, _) in properties.items()},
        empty=frozenset(one for one in others if one not in raw and one not in properties),
        of_pairs=of_pairs,
        rois={one: lookup.rois for one, lookup in lookups.items()},
        lacking=tuple(one for one, lookup in lookups.items() if lookup.is_lacking),
    )


def _fixed(given: Given) -> dict[str, str]:
    columns = {axis: f"CAST({axis} AS INTEGER)" for axis in "xyz"}
    if not set("xyz") <= set(given.points.columns):
        columns = {axis: f"CAST({one} AS INTEGER)" for axis, one in unpacked("point_id").items()}
    kind = text(given.wanted.type) if given.wanted.type else "CAST(given.type AS VARCHAR)"
    return {**columns, "body": "CAST(given.body AS UBIGINT)", "type": kind}


def _as_text(source: Source, column: str) -> str:
    given = f"given.{name(column)}"
    return f"CAST({given} AS VARCHAR)" if column in source.categories else given


def _properties(work: Work, kept: str, columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Type and expression of each column that is not empty throughout: floats that all are whole become whole."""
    kinds = work.columns(kept)
    found = {}
    for column in columns:
        value, kind = f"kept.{name(column)}", kinds[column]
        if kind in _FLOATS:
            value = f"CASE WHEN NOT isnan({value}) THEN {value} END"
            ((count, whole, largest),) = work.rows(
                f"SELECT count({value}), coalesce(bool_and({value} = trunc({value})), false), max(abs({value}))"
                f" FROM {name(kept)} AS kept"
            )
            if count and whole and largest < 1 << 63:
                kind = "INTEGER" if largest < 1 << 31 else "BIGINT"
                value = f"CAST({value} AS {kind})"
        else:
            count = work.count(f"SELECT count({value}) FROM {name(kept)} AS kept")
        if count:
            found[column] = (kind, value)
    return found


def _load_pairs(work: Work, given: Given) -> tuple[str, dict[str, str]]:
    source = given.distances
    if source is None:
        return "", {}
    ends = {f"{side}_place": packed(*(f"{side}_{axis}" for axis in "xyz")) for side in ("source", "target")}
    left_out = {*_ENDS, "source_id", "target_id"}
    more = {one: f"given.{name(one)}" for one in source.columns if one not in left_out}
    table = f"close elements {given.name}"
    with told(source.path):
        work.make(table, f"SELECT {selected(ends | more)} FROM {name(source.view)} AS given ORDER BY ALL")
    kinds = work.columns(table)
    return table, {one: kinds[one] for one in more}


def _check_apart(work: Work, loaded: Sequence[Elements]) -> None:
    """No two points of the database have one id: neo4j-admin would refuse it. Raises `BadTables`."""
    problems = []
    others: list[tuple[str, str]] = [("synapses", "point")]
    for one in loaded:
        for what, table in others:
            both = f"SELECT point_id FROM {name(one.table)} WHERE point_id IN (SELECT point_id FROM {name(table)})"
            ((count, example),) = work.rows(f"SELECT count(*), min(point_id) FROM ({both})")
            if count:
                problems.append(f"elements {one.name}: {count} of their points are {what}, too; one: {example}")
        others.append((f"elements {one.name}", one.table))
    if problems:
        raise BadTables(tuple(problems))


def ends_of(pairs: str, points: Sequence[str]) -> str:
    """A query for pairs as ``source`` and ``target``, the ids of the points at their places, and their properties.

    Pairs without a point at one of their ends are left out.

    Args:
        pairs: the table of pairs, quoted.
        points: tables that have point_id, x, y and z, quoted.
    """
    wanted = f"SELECT source_place FROM {pairs} UNION ALL SELECT target_place FROM {pairs}"
    found = " UNION ALL ".join(
        f"SELECT {packed()} AS place, point_id FROM {table} WHERE {packed()} IN ({wanted})" for table in points
    )
    ends = f"(SELECT place, min(point_id) AS point_id FROM ({found}) GROUP BY place)"
    return (
        f"SELECT source.point_id AS source, target.point_id AS target, pair.* EXCLUDE (source_place, target_place)"
        f" FROM {pairs} AS pair JOIN {ends} AS source ON source.place = source_place"
        f" JOIN {ends} AS target ON target.place = target_place"
    )


def _rounded(work: Work, given: Sequence[Given]) -> Iterator[tuple[str, str]]:
    for one in given:
        if not (between := between_voxels(one.points)):
            continue
        with told(one.points.path):
            query = f"SELECT count(*), min([x, y, z]) FROM {name(one.points.view)} WHERE {between}"
            ((count, place),) = work.rows(query)
        if count:
            yield PurePath(one.points.path).name, f"x, y, z of {count} elements {ROUNDED}; one of them: {place}"


def _outside(work: Work, given: Sequence[Given], loaded: Sequence[Elements]) -> Iterator[tuple[str, str]]:
    for source, one in zip(given, loaded, strict=True):
        for roiset in one.lacking:
            count = work.count(f"SELECT count(*) FROM {name(one.table)}")
            lacks = f"the table has no column {roiset} and none {roiset}_label"
            yield PurePath(source.points.path).name, f"{lacks}: its {count} elements count as outside of all its ROIs"


def _loose_ends(work: Work, given: Sequence[Given], loaded: Sequence[Elements]) -> Iterator[tuple[str, str]]:
    points = ["point", *(name(one.table) for one in loaded)]
    for source, one in zip(given, loaded, strict=True):
        if source.distances is not None:
            pairs = work.count(f"SELECT count(*) FROM {name(one.close)}")
            if count := pairs - work.count(f"SELECT count(*) FROM ({ends_of(name(one.close), points)})"):
                file = PurePath(source.distances.path).name
                yield file, f"{count} pairs are left out: no point of the snapshot lies at one of their ends"
