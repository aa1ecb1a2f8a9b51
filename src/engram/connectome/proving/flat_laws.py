"""Laws of the flat connectome: what of its tables follows from others of them."""

import re
from collections.abc import Iterator

from engram.connectome.flat import COMPARTMENT_TOTALS, body_totals, pair_weights
from engram.connectome.points import packed
from engram.connectome.proving.laws import Law, Never, Same, ranked, unique
from engram.connectome.proving.seen import Seen
from engram.connectome.sql import UNSPECIFIED, name, selected, text, threshold

_PRE, _POST = (packed(f"x_{side}", f"y_{side}", f"z_{side}") for side in ("pre", "post"))
_THRESHOLD = re.compile(r"-minconf-(?P<least>[0-9.]+(?:e-?[0-9]+)?)(?:-|$)")
#: Columns of points without which nothing follows from them.
_POINT = {
    "point_id": "CAST(point_id AS UBIGINT)",
    "body": "CAST(body AS UBIGINT)",
    "kind": "CAST(kind AS VARCHAR)",
}
OF_POINTS = ("point_id", "x", "y", "z", "kind", "body")


#: Tables of a part of the synapses, each within another one.
_PARTS = {"_significant": "", "_traced": "_significant"}


def flat_laws(seen: Seen) -> Iterator[Law]:
    """The laws of those tables that are there."""
    yield from (_weights(seen, part) for part in ("", *_PARTS) if seen.has(f"partners{part}", f"weights{part}"))
    yield from (_within(seen, *one) for one in _PARTS.items() if seen.has(*(f"weights{part}" for part in one)))
    if seen.has("partners"):
        yield from _partners(seen)
    if seen.has_column("points", *OF_POINTS):
        yield from _points(seen)
    if seen.has("stats"):
        yield from _stats(seen)
    if seen.has_column("annotations", "bodyId"):
        yield unique(seen.paths["annotations"], "annotations", "bodyId", "bodies stand in several rows")


def partner_rows(seen: Seen, table: str) -> str:
    """Partner rows in plain types: bodies, ids of both points, confidence of the PSD, compartments."""
    columns = {side: f"CAST({side} AS UBIGINT)" for side in ("body_pre", "body_post")}
    columns |= {"pre_id": _PRE, "post_id": _POST, "conf_post": "conf_post"}
    if has_compartments(seen, table):
        columns |= {f"compartment_{side}": f"CAST(compartment_{side} AS VARCHAR)" for side in ("pre", "post")}
    return f"SELECT {selected(columns)} FROM {table}"


def has_compartments(seen: Seen, table: str = "partners") -> bool:
    """Whether axons are told from dendrites."""
    return seen.has_column(table, "compartment_pre", "compartment_post")


def _weights(seen: Seen, part: str) -> Same:
    table, partners = f"weights{part}", f"partners{part}"
    bodies = {side: f"CAST({side} AS UBIGINT)" for side in ("body_pre", "body_post")}
    pairs = pair_weights() if has_compartments(seen, partners) and seen.has_column(table, "weightAxonDendrite") else {}
    here = {**bodies, **{one: f"CAST({one} AS BIGINT)" for one in ("weight", *pairs)}}
    there = {"body_pre": "body_pre", "body_post": "body_post", "weight": "count(*)", **pairs}
    return Same(
        path=seen.paths[table],
        what="connections",
        other=f"the synapses in {seen.paths[partners]}",
        here=f"SELECT {selected(here)} FROM {table}",
        there=f"SELECT {selected(there)} FROM ({partner_rows(seen, partners)}) GROUP BY body_pre, body_post",
    )


def _within(seen: Seen, part: str, of: str) -> Never:
    columns = "body_pre, body_post, weight"
    return Never(
        path=seen.paths[f"weights{part}"],
        what=f"connections are not in {seen.paths[f'weights{of}']}, or with another weight",
        query=f"SELECT {columns} FROM weights{part} EXCEPT ALL SELECT {columns} FROM weights{of}",
    )


def _partners(seen: Seen) -> Iterator[Law]:
    found = _THRESHOLD.search(f"-{seen.tags['partners']}")
    if found and "minconf" in seen.tags["partners"]:
        least = float(found["least"])
        low = " OR ".join(
            f"isnan(conf_{side}) OR conf_{side} < {threshold(least)}" for side in (("pre", "post") if least else ())
        )
        if low:
            query = f"SELECT body_pre, body_post, conf_pre, conf_post FROM partners WHERE {low}"
            what = f"synapses have less confidence than its name says, {found['least']}"
            yield Never(path=seen.paths["partners"], what=what, query=query)
    for part, of in _PARTS.items():
        if seen.has(f"partners{part}", f"partners{of}"):
            columns = "body_pre, x_pre, y_pre, z_pre, body_post, x_post, y_post, z_post"
            yield Never(
                path=seen.paths[f"partners{part}"],
                what=f"synapses are not in {seen.paths[f'partners{of}']}",
                query=f"SELECT {columns} FROM partners{part} EXCEPT ALL SELECT {columns} FROM partners{of}",
            )


def _points(seen: Seen) -> Iterator[Law]:
    path = seen.paths["points"]
    yield unique(path, "points", "point_id", "ids stand in several rows")
    yield Never(
        path=path,
        what="points have another id than their place gives",
        query=f"SELECT point_id, x, y, z FROM points WHERE point_id <> {packed()}",
    )
    if not seen.has("partners"):
        return
    sides = (("pre", "PreSyn"), ("post", "PostSyn"))
    yield Same(
        path=path,
        what="points",
        other=f"those of the synapses in {seen.paths['partners']}",
        here=f"SELECT {selected(_POINT)} FROM points",
        there=" UNION ALL ".join(
            f"SELECT DISTINCT {side}_id AS point_id, body_{side} AS body, '{kind}' AS kind"
            f" FROM ({partner_rows(seen, 'partners')})"
            for side, kind in sides
        ),
    )
    yield from _properties(seen)


def _properties(seen: Seen) -> Iterator[Same]:
    """What partners say of their points: ROI of the PSD, compartments of both."""
    compartment = seen.made.flat_compartment
    columns = {f"compartment_{side}": (compartment, side) for side in ("pre", "post")} if has_compartments(seen) else {}
    columns |= {
        column: (column.removesuffix("_post"), "post")
        for column in seen.columns["partners"]
        if column.endswith("_post") and not column.startswith("compartment")
    }
    for column, (of, side) in columns.items():
        if of in seen.columns["points"]:
            point = {"pre": _PRE, "post": _POST}[side]
            mine, theirs = (f"CAST({name(one)} AS VARCHAR) AS {name(of)}" for one in (column, of))
            if seen.columns["points"][of].startswith(("FLOAT", "INT", "UINT", "UBIG", "BIG")):
                continue
            yield Same(
                path=seen.paths["partners"],
                what=f"values of {column}",
                other=f"those of their points in {seen.paths['points']}",
                here=f"SELECT {point} AS point, {mine} FROM partners",
                there=f"SELECT point, {theirs} FROM (SELECT {point} AS point FROM partners)"
                " JOIN points ON point_id = point",
            )


def _stats(seen: Seen) -> Iterator[Law]:
    path = seen.paths["stats"]
    yield unique(path, "stats", "body", "bodies stand in several rows")
    yield Never(
        path=path,
        what="bodies have another synweight than post and downstream together",
        query="SELECT body, post, downstream, synweight FROM stats WHERE synweight <> post + downstream",
    )
    yield ranked(path, "stats")
    before = "lag(synweight) OVER (ORDER BY rank)"
    yield Never(
        path=path,
        what="bodies are ranked behind others with a smaller synweight",
        query=f"SELECT body, rank, synweight FROM (SELECT *, {before} AS before FROM stats) WHERE before < synweight",
    )
    if seen.has_column("points", *OF_POINTS) and seen.has("partners"):
        compartment = seen.made.flat_compartment if seen.has_column("stats", "axonIn") else ""
        compartment = compartment if compartment in seen.columns["points"] and has_compartments(seen) else ""
        totals = ("pre", "post", "downstream", *(COMPARTMENT_TOTALS if compartment else ()))
        columns = {"body": "CAST(body AS UBIGINT)", **{one: f"CAST({name(one)} AS BIGINT)" for one in totals}}
        yield Same(
            path=path,
            what="bodies",
            other=f"their points and synapses in {seen.paths['points']} and {seen.paths['partners']}",
            here=f"SELECT {selected(columns)} FROM stats",
            there=f"SELECT {selected(columns)} FROM ({totals_of_bodies(seen, compartment)})",
        )


def totals_of_bodies(seen: Seen, compartment: str, *, only: str = "true") -> str:
    """A query that counts the points and partner rows of each body; *only* is a condition on partner rows."""
    held = {"body": "body", "kind": "CAST(kind AS VARCHAR)"}
    held |= {compartment: f"CAST({name(compartment)} AS VARCHAR)"} if compartment else {}
    points = f"(SELECT {selected(held)} FROM points)"
    return body_totals(points, f"({partner_rows(seen, 'partners')})", compartment, confident=only)


def roi_of(roiset: str) -> str:
    """A condition that a point lies in a ROI of a set."""
    return f"CAST({name(roiset)} AS VARCHAR) <> {text(UNSPECIFIED)}"
