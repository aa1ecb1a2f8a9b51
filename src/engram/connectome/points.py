"""Which synapses a snapshot has: points and partners of the input, filtered as flyem-snapshot filters them.

A point stays if it lies in the zone, is confident enough, has a body, and is in a partner row that stays; a partner row
stays if it is confident enough and both of its points stay.

Source: flyem-snapshot, ``flyem_snapshot/inputs/synapses.py``
"""

from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.reading import Source, distinct, read_once
from engram.connectome.sql import enum, name, selected, text, threshold

#: Bits of each coordinate in a point's id: x in the lowest, then y, then z; two's complement.
_BITS = 21
#: Coordinates lie below this, and above its opposite.
COORDINATE_LIMIT = 1 << (_BITS - 1)
#: Where the male CNS is cut in two, in voxels.
ZONE_Z = 45056
#: Columns of points that are dropped, whatever they hold.
DROPPED = ("roi_label", "user", "tbar_region")
#: What a point without a compartment has for one.
UNKNOWN = "unknown"
KINDS = ("PostSyn", "PreSyn")
#: A kind of points that belong to no synapse: dropped, and partner rows of id 0 with them.
FAKE = "Fake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Which synapses stay."""

    min_confidence: float = 0.0
    zone: str = ""
    permit_body_0: bool = False
    #: Column of the points that tells axon from dendrite; '' for none.
    compartment: str = ""
    #: Columns of the points that hold the ROIs of a ROI set, by name or by label.
    roi_columns: tuple[str, ...] = ()


def packed(x: str = "x", y: str = "y", z: str = "z") -> str:
    """The id of the point at x, y, z.

    Source: https://github.com/janelia-flyem/neuclease, ``neuclease/util/util.py`` (encode_coords_to_uint64)
    """
    parts = (
        f"((CAST({axis} AS BIGINT) & {(1 << _BITS) - 1}) << {shift})" for axis, shift in ((z, 42), (y, 21), (x, 0))
    )
    return f"CAST({' | '.join(parts)} AS UBIGINT)"


def unpacked(point_id: str) -> dict[str, str]:
    """Coordinates of a point by its id: expressions by axis, in the order z, y, x."""
    half, whole = 1 << (_BITS - 1), 1 << _BITS
    found = {}
    for axis, shift in (("z", 42), ("y", 21), ("x", 0)):
        bits = f"CAST((CAST({point_id} AS UBIGINT) >> {shift}) & {whole - 1} AS INTEGER)"
        found[axis] = f"({bits} + {half}) % {whole} - {half}"
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyTypes:
    """Types of bodies and supervoxels: 32 bits wherever all of them fit."""

    body: str
    sv: str


def narrowest(largest: int | None) -> str:
    """The type of bodies of which none is larger."""
    return "UINTEGER" if (largest or 0) < 1 << 32 else "UBIGINT"


def make_candidates(work: Work, source: Source, rules: Rules, types: BodyTypes) -> tuple[str, ...]:
    """Make the table ``candidate``: a row for each point that is good enough by itself.

    A confidence that is no number, or an infinite one, is below every threshold. Kinds and compartments become
    categories; columns of ROIs stay as they are. Returns the names of its columns in the order of the input, without
    ``point_id``.
    """
    columns = {column: _expression(work, source, column, rules, types) for column in _wanted(source)}
    for axis, expression in unpacked(name("point_id")).items():
        columns.setdefault(axis, expression)
    point_id = id_of(source)
    stays = " AND ".join(_conditions(rules, columns["z"]))
    with read_once(work, source):
        work.make(
            "candidate",
            f"SELECT {point_id} AS point_id, {selected(columns)} FROM {name(source.view)} AS given WHERE {stays}",
        )
    return tuple(columns)


def id_of(source: Source) -> str:
    """The id of a point of a table: its own, or that of its place."""
    return f"CAST({name('point_id')} AS UBIGINT)" if "point_id" in source.columns else packed()


def _wanted(source: Source) -> list[str]:
    return [column for column in source.columns if column != "point_id" and column not in DROPPED]


def _expression(work: Work, source: Source, column: str, rules: Rules, types: BodyTypes) -> str:
    given = f"given.{name(column)}"
    fixed = {"body": types.body, "sv": types.sv, "x": "INTEGER", "y": "INTEGER", "z": "INTEGER", "conf": "FLOAT"}
    if column in fixed:
        return f"CAST({given} AS {fixed[column]})"
    if column == "kind":
        return f"CAST({given} AS {enum(KINDS)})"
    if column == rules.compartment:
        texts = dict.fromkeys((*distinct(work, source, column), UNKNOWN))
        return f"CAST(coalesce(CAST({given} AS VARCHAR), {text(UNKNOWN)}) AS {enum(texts)})"
    if column in source.categories and column not in rules.roi_columns:
        return f"CAST({given} AS {enum(source.categories[column])})"
    return given


def _conditions(rules: Rules, z: str) -> list[str]:
    confidence = "CAST(given.conf AS FLOAT)"
    found = [
        f"given.kind <> {text(FAKE)}",
        f"isfinite({confidence}) AND {confidence} >= {threshold(rules.min_confidence)}",
    ]
    if not rules.permit_body_0:
        found.append("given.body <> 0")
    if rules.zone:
        found.append(f"{z} {'<' if rules.zone == 'brain' else '>='} {ZONE_Z}")
    return found


def make_links(work: Work, source: Source, rules: Rules) -> None:
    """Make the table ``link``: partner rows whose points both are candidates, with the confidences of both sides.

    A partner row's own confidence wins over that of its point. ``is_turned``: it does not lead from a T-bar to a PSD.
    """
    confidence = {
        side: f"CAST(given.conf_{side} AS FLOAT)" if f"conf_{side}" in source.columns else f"{side}.conf"
        for side in ("pre", "post")
    }
    stays = " AND ".join(
        f"isfinite({one}) AND {one} >= {threshold(rules.min_confidence)}" for one in confidence.values()
    )
    with read_once(work, source):
        work.make(
            "link",
            f"SELECT pre.point_id AS pre_id, post.point_id AS post_id,"
            f" {confidence['pre']} AS conf_pre, {confidence['post']} AS conf_post,"
            f" pre.kind <> 'PreSyn' OR post.kind <> 'PostSyn' AS is_turned"
            f" FROM {name(source.view)} AS given"
            f" JOIN candidate AS pre ON pre.point_id = CAST(given.pre_id AS UBIGINT)"
            f" JOIN candidate AS post ON post.point_id = CAST(given.post_id AS UBIGINT) WHERE {stays}",
        )


#: The points that are in a partner row: of a table of rows that have both ids.
IN_A_LINK = "point_id IN (SELECT pre_id FROM link UNION ALL SELECT post_id FROM link)"


def make_partners(work: Work, roisets: tuple[str, ...], *, compartment: str) -> None:
    """Make the table ``partner``, a row for each synapse between two points, by body_pre, body_post, pre_id, post_id.

    The ROIs of a synapse are those of its PSD. ``rank_pre`` and ``rank_post`` tell how well both bodies are known: 2
    for traced ones, 1 for other significant ones, 0 for the rest.
    """
    columns = {
        "body_pre": "body_pre",
        "body_post": "body_post",
        "pre_id": "pre_id",
        "post_id": "post_id",
        **{f"{axis}_{side}": f"{axis}_{side}" for side in ("pre", "post") for axis in "xyz"},
        "conf_pre": "conf_pre",
        "conf_post": "conf_post",
        **{roiset: name(roiset) for roiset in roisets},
        **({f"compartment_{side}": f"compartment_{side}" for side in ("pre", "post")} if compartment else {}),
        "rank_pre": "rank_pre",
        "rank_post": "rank_post",
    }
    rows = "link"
    for side in ("pre", "post"):  # one after the other, and then in order: all at once takes memory that grows
        found = {f"body_{side}": "one.body", **{f"{axis}_{side}": f"one.{axis}" for axis in "xyz"}}
        found |= {f"compartment_{side}": f"one.{name(compartment)}"} if compartment else {}
        found |= {roiset: f"one.{name(roiset)}" for roiset in roisets} if side == "post" else {}
        work.pass_on(
            f"{rows} {side}",
            f"SELECT rows.*, {selected(found)}, coalesce(known.rank, 0) AS rank_{side} FROM {name(rows)} AS rows"
            f" JOIN point AS one ON one.point_id = {side}_id LEFT JOIN known ON known.body = one.body",
        )
        rows = f"{rows} {side}"
    work.make("partner", f"SELECT {selected(columns)} FROM {name(rows)} ORDER BY ALL")
    work.run('DROP TABLE "link pre"; DROP TABLE "link pre post"')
