"""Laws of a neuPrint database that go beyond its nodes and edges: its own node, and the flat tables."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engram.connectome.engine import Work
from engram.connectome.proving.database import TOTALS
from engram.connectome.proving.flat_laws import partner_rows, roi_of
from engram.connectome.proving.laws import Law, Never, Same
from engram.connectome.proving.scope import (
    BODIES,
    META_ROWS,
    entries_of,
    has_all_roisets,
    is_whole,
    roisets_of,
    thresholds,
)
from engram.connectome.proving.seen import Seen
from engram.connectome.sql import UNSPECIFIED, name, selected, text, threshold


def dataset_laws(work: Work, seen: Seen) -> Iterator[Law]:
    """The laws of those tables that are there."""
    if seen.has("meta", "neuron"):
        yield from _meta(work, seen)
    if is_whole(seen):
        yield from _from_flat(work, seen)
        if seen.has("roi_elements", "body_elements") and has_all_roisets(seen) and roisets_of(seen):
            yield _in_no_roi(seen)


def _meta(work: Work, seen: Seen) -> Iterator[Law]:
    path = seen.paths["meta"]
    if not seen.made.connectivity_restriction:
        for column, total in (("totalPreCount:int", "pre"), ("totalPostCount:int", "post")):
            yield Same(
                path=path,
                what=f"values of {column.partition(':')[0]}",
                other=f"the sum of {total} in {seen.paths['neuron']}",
                here=f'SELECT TRY_CAST(value AS BIGINT) AS total FROM ({META_ROWS}) WHERE "column" = {text(column)}',
                there=f"SELECT CAST(coalesce(sum({total}), 0) AS BIGINT) AS total FROM neuron",
            )
    if seen.has("roi_elements"):
        entries = "unnest(map_entries(TRY_CAST(TRY_CAST(value AS JSON) AS MAP(VARCHAR, JSON))))"
        pairs = f"SELECT {entries} AS pair FROM ({META_ROWS}) WHERE \"column\" = 'roiInfo:string'"
        found = ", ".join(
            f"TRY_CAST(json_extract(pair.value, '$.{one}') AS BIGINT) AS {one}" for one in ("pre", "post")
        )
        yield Same(
            path=path,
            what="ROIs in roiInfo",
            other=f"the sums in {seen.paths['roi_elements']}",
            here=f"SELECT pair.key AS roi, {found} FROM ({pairs})",
            there="SELECT roi, CAST(sum(pre) AS BIGINT) AS pre, CAST(sum(post) AS BIGINT) AS post FROM roi_elements"
            f" WHERE roi <> {text(UNSPECIFIED)} GROUP BY roi",
        )
    if seen.has("neuron_table"):
        yield from _properties(work, seen)
    yield from _debug(work, seen)


def _properties(work: Work, seen: Seen) -> Iterator[Never]:
    """The dataset names each property of bodies, and its type."""
    heads = (head.partition(":") for head in seen.columns["neuron_table"] if ":" in head)
    known = {prop: kind for prop, _, kind in heads if prop and kind.upper() != "LABEL"}
    said = dict(work.rows(META_ROWS)).get("neuronProperties:string")
    try:
        told = json.loads(said or "{}")
    except ValueError:
        told = None
    pairs = told.items() if isinstance(told, dict) else ()
    odd = {prop for prop, kind in pairs if known.get(prop) != kind} | {
        prop for prop in known if prop not in dict(pairs)
    }
    if odd:
        yield Never(
            path=seen.paths["meta"],
            what=f"names in neuronProperties are not those of the columns of {seen.paths['neuron_table']}",
            query=f"SELECT unnest([{', '.join(map(text, sorted(odd)))}]) AS property",
        )


def _debug(work: Work, seen: Seen) -> Iterator[Law]:
    """What people read of the dataset is what the database gets: compared here, because it is one small file."""
    told: Mapping[str, Any] = json.loads(seen.tags.get("meta debug", "{}"))
    rows = dict(work.rows(META_ROWS))
    for head, value in rows.items():
        key, _, kind = head.partition(":")
        if key in told and kind in ("int", "float", "string") and not _agree(told[key], value):
            yield Never(
                path=path_of_debug(seen),
                what=f"value {key} is not that of {seen.paths['meta']}",
                query=f"SELECT {text(key)} AS key",
            )


def path_of_debug(seen: Seen) -> str:
    """Where the same is told to people."""
    return seen.paths["meta"].replace("Neuprint_Meta.csv", "Neuprint_Meta_debug.json")


def _agree(told: Any, written: str | None) -> bool:  # noqa: ANN401 (of a JSON file)
    if told is None or told == "" or isinstance(told, str):
        return (told or "") == (written or "")
    try:
        return bool(json.loads(written or "null") == told)
    except ValueError:
        return False


def _from_flat(work: Work, seen: Seen) -> Iterator[Law]:
    partners, points = seen.paths["partners"], seen.paths["points"]
    rows = f"SELECT * FROM ({partner_rows(seen, 'partners')}) WHERE body_pre <> 0 AND body_post <> 0"
    least, most = (f"conf_post >= {threshold(one)} AND NOT isnan(conf_post)" for one in thresholds(work))
    if seen.has("connects"):
        weights = {"weight": f"count(*) FILTER (WHERE {least})", "weightHP": f"count(*) FILTER (WHERE {most})"}
        bodies = {"start": "CAST(body_pre AS VARCHAR)", "end": "CAST(body_post AS VARCHAR)"}
        here = {one: f"TRY_CAST({one} AS BIGINT)" for one in weights}
        yield Same(
            path=seen.paths["connects"],
            what="connections",
            other=f"the confidences in {partners}",
            here=f'SELECT "start", "end", {selected(here)} FROM connects',
            there=f"SELECT {selected({**bodies, **weights})} FROM ({rows}) GROUP BY body_pre, body_post",
        )
        yield from _connection_info(seen, f"{rows} AND {least}")
    if seen.has("synapse"):
        yield _synapses(seen, points)


def _connection_info(seen: Seen, rows: str) -> Iterator[Same]:
    if not has_all_roisets(seen):
        return
    parts = " UNION ALL ".join(
        f"SELECT body_pre, body_post, CAST({name(roiset)} AS VARCHAR) AS roi FROM ({rows}) AS one"
        f" JOIN points ON points.point_id = one.post_id WHERE {roi_of(roiset)}"
        for roiset in roisets_of(seen)
    )
    if parts:
        # of a million connections, some thousands have another roiInfo than all before them: each is parsed once
        distinct = "SELECT DISTINCT roiInfo FROM connects"
        parsed = f"SELECT roiInfo, {entries_of('roiInfo', ('post',))} AS pair FROM ({distinct})"
        pairs = f'SELECT "start", "end", pair FROM connects JOIN ({parsed}) USING (roiInfo)'
        yield Same(
            path=seen.paths["connects"],
            what="ROIs in roiInfo",
            other=f"the ROIs of its PSDs in {seen.paths['points']}",
            here=f'SELECT "start", "end", pair.key AS roi, pair.value[\'post\'] AS post FROM ({pairs})',
            there=f"SELECT {BODIES}, roi, count(*) AS post FROM ({parts}) GROUP BY ALL",
        )


def _synapses(seen: Seen, points: str) -> Same:
    columns = {"point": "CAST(point_id AS UBIGINT)", "kind": "if(CAST(kind AS VARCHAR) = 'PreSyn', 'pre', 'post')"}
    columns |= {"body": "CAST(body AS UBIGINT)"}
    if seen.has_column("points", "conf"):
        columns["conf"] = "CAST(conf AS FLOAT)"
    if seen.made.compartment and seen.has_column("points", seen.made.compartment):
        columns["compartment"] = f"CAST({name(seen.made.compartment)} AS VARCHAR)"
    here = dict.fromkeys(columns, "")
    if has_all_roisets(seen):
        listed = ", ".join(f"nullif(CAST({name(one)} AS VARCHAR), '<unspecified>')" for one in roisets_of(seen))
        columns["flags"] = f"hash(coalesce(array_to_string(list_sort(CAST([{listed}] AS VARCHAR[])), ';'), ''))"
        here["flags"] = ""
    return Same(
        path=seen.paths["synapse"],
        what="points",
        other=points,
        here=f"SELECT {', '.join(here)} FROM synapse",
        there=f"SELECT {selected(columns)} FROM points WHERE body <> 0",
    )


def _in_no_roi(seen: Seen) -> Same:
    """What lies in no ROI of the first ROI set by name, which alone is told of, is what is left of a body's totals."""
    roiset = name(min(roisets_of(seen)))
    columns = [one for one in TOTALS if seen.has_column("roi_elements", one) and seen.has_column("body_elements", one)]
    here = ", ".join(f"CAST({name(one)} AS BIGINT) AS {name(one)}" for one in columns)
    there = ", ".join(f"CAST({name(one)} - coalesce(known.{name(one)}, 0) AS BIGINT) AS {name(one)}" for one in columns)
    there = there.replace("CAST(", "CAST(whole.")
    sums = ", ".join(f"sum({name(one)}) AS {name(one)}" for one in columns)
    rois = f"SELECT DISTINCT CAST({roiset} AS VARCHAR) FROM points WHERE {roi_of(min(roisets_of(seen)))}"
    known = f"SELECT body, {sums} FROM roi_elements WHERE roi IN ({rois}) GROUP BY body"
    some = " + ".join(map(name, columns))
    body = "CAST(body AS BIGINT) AS body"
    return Same(
        path=seen.paths["roi_elements"],
        what="totals in no ROI",
        other=f"what its ROIs leave of {seen.paths['body_elements']}",
        here=f"SELECT {body}, {here} FROM roi_elements WHERE roi = {text(UNSPECIFIED)} AND {some} > 0",
        there=f"SELECT * FROM (SELECT CAST(whole.body AS BIGINT) AS body, {there} FROM body_elements AS whole"
        f" LEFT JOIN ({known}) AS known ON known.body = whole.body) WHERE {some} > 0",
    )
