"""Edges between bodies: ConnectsTo, with weights at three confidences and the ROIs of the synapses.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/segment.py``
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.flat import pair_weights
from engram.connectome.neuprint.scope import Scope
from engram.connectome.neuprint.totals import Rois, make_or_add, number_in, parts_of
from engram.connectome.outputs import Output
from engram.connectome.sql import UNSPECIFIED, counted, name, selected, text, threshold
from engram.connectome.synapses import Synapses
from engram.connectome.tables import BODY, Column, Table

_COLUMNS = (
    Column(":START_ID(Body-ID)", BODY, "Body of the T-bars"),
    Column(":END_ID(Body-ID)", BODY, "Body of the PSDs"),
    Column("weightHR:int", "BIGINT", "Synapses"),
    Column("weight:int", "BIGINT", "Those whose PSD has at least postHighAccuracyThreshold"),
    Column("weightHP:int", "BIGINT", "Those whose PSD has at least postHPThreshold"),
    Column("weightAxonDendrite:int", "INTEGER", "Part of weight from axon to dendrite", when="compartments"),
    Column("weightAxonAxon:int", "INTEGER", "Part of weight from axon to axon", when="compartments"),
    Column("weightDendriteDendrite:int", "INTEGER", "Part of weight from dendrite to dendrite", when="compartments"),
    Column("weightDendriteAxon:int", "INTEGER", "Part of weight from dendrite to axon", when="compartments"),
    Column("roiInfo:string", "VARCHAR", "JSON: for each ROI the synapses of weight whose PSD lies in it"),
)
CONNECTIONS = Table(
    "Neuprint_Neuron_Connections",
    "neuprint/Neuprint_Neuron_Connections.feather",
    "ordered pair of bodies with a synapse",
    "body of the T-bars, body of the PSDs",
    _COLUMNS,
)
CONNECTION_EDGES = Table(
    "Neuprint_Neuron_Connections, edges",
    "neuprint/Neuprint_Neuron_Connections.csv",
    CONNECTIONS.row,
    CONNECTIONS.order,
    _COLUMNS,
)
TABLES = (CONNECTIONS, CONNECTION_EDGES)

#: No HUGEINT is larger.
_LARGEST = 1 << 126


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidences:
    """What a PSD must have to count in ``weight``, and in ``weightHP``."""

    confidence: float
    high_confidence: float


def make_connections(work: Work, synapses: Synapses, scope: Scope, rois: Rois, confidences: Confidences) -> None:
    """Make the table ``connection``: a row for each ordered pair of bodies, by both.

    Most pairs have one synapse. What such a synapse says of ROIs is one of few texts, which are made once each and
    looked up; only for other pairs synapses are counted by ROI.
    """
    enough = f"conf_post >= {threshold(confidences.confidence)}"
    high = f"conf_post >= {threshold(confidences.high_confidence)}"
    pairs = pair_weights(enough) if synapses.compartment else {}
    weights = {"weightHR": "count(*)", "weight": counted(enough), "weightHP": counted(high)}
    weights |= {column: f"CAST({expression} AS INTEGER)" for column, expression in pairs.items()}
    place = _place(work, synapses, rois)
    only = f"min({place}) FILTER (WHERE {enough})" if place else "CAST(NULL AS HUGEINT)"
    work.make(
        "pair",
        f"SELECT body_pre, body_post, {selected(weights)}, {only} AS place FROM {scope.held_partner}"
        " GROUP BY body_pre, body_post",
    )
    _make_infos(work, synapses, rois, scope.held_partner, enough, place)
    work.make(
        "connection",
        f"SELECT pair.body_pre, pair.body_post, {', '.join(map(name, weights))},"
        " coalesce(many.roiInfo, one.roiInfo, '{}') AS roiInfo FROM pair"
        ' LEFT JOIN "place info" AS one ON weight = 1 AND one.place = pair.place'
        ' LEFT JOIN "pair info" AS many ON many.body_pre = pair.body_pre AND many.body_post = pair.body_post'
        " ORDER BY pair.body_pre, pair.body_post",
    )
    work.run('DROP TABLE pair; DROP TABLE "pair info"; DROP TABLE "place info"')


def _place(work: Work, synapses: Synapses, rois: Rois) -> str:
    """A number for all that the ROIs and compartments of a synapse are; '' where there are more than numbers."""
    sizes = {name(roiset): len(synapses.rois[roiset].names) for roiset in rois.sets}
    if synapses.compartment:
        kind = work.columns("partner")["compartment_pre"]
        compartments = work.count(f"SELECT len(enum_range(CAST(NULL AS {kind})))")
        sizes |= {"compartment_pre": compartments, "compartment_post": compartments}
    number = "CAST(0 AS HUGEINT)"
    for column, size in sizes.items():
        number = f"({number} * {size} + enum_code({column}))"
    return number if math.prod(sizes.values()) < _LARGEST else ""


def _make_infos(work: Work, synapses: Synapses, rois: Rois, partner: str, enough: str, place: str) -> None:
    """Make the tables ``place info``, of what one synapse says, and ``pair info``, for pairs with several of them."""
    columns = [*map(name, rois.sets), *(("compartment_pre", "compartment_post") if synapses.compartment else ())]
    work.make(
        "place",
        f"SELECT {place or 'CAST(NULL AS HUGEINT)'} AS place, {', '.join([*columns, '1 AS conf_post'])} FROM {partner}"
        f" WHERE {enough} GROUP BY ALL",
    )
    _make_info(work, synapses, rois, "place info", "place", ("place",))
    work.run("DROP TABLE place")
    work.make(
        "several",
        f"SELECT partner.* FROM {partner} AS partner JOIN pair USING (body_pre, body_post)"
        f" WHERE pair.weight > {1 if place else 0} AND {enough}",
    )
    _make_info(work, synapses, rois, "pair info", "several", ("body_pre", "body_post"))
    work.run("DROP TABLE several")


def _make_info(work: Work, synapses: Synapses, rois: Rois, table: str, of: str, keys: Sequence[str]) -> None:
    """Make a table of the roiInfo of synapses that have the same keys."""
    weights = pair_weights() if synapses.compartment else {}
    counts = {"post": "count(*)", **weights}
    counts = {column: f"CAST({expression} AS INTEGER)" for column, expression in counts.items()}
    key = ", ".join(keys)
    parts = [f"SELECT {key}, {selected(counts)}, 0 AS roi FROM {of} WHERE false GROUP BY {key}"]
    for roiset in rois.sets:
        number = number_in(rois, "one", synapses.rois[roiset].names)
        parts.append(
            f"SELECT * EXCLUDE (one), {number} AS roi FROM (SELECT {key}, {selected(counts)}, {name(roiset)} AS one"
            f" FROM {of} WHERE {name(roiset)} <> {text(UNSPECIFIED)} GROUP BY {key}, one)"
        )
    work.make("counted", " UNION ALL ".join(parts))
    pieces = "".join(f", if({name(one)} > 0, ',\"{one}\":' || {name(one)}, '')" for one in weights)
    opening = ", ".join(text(json.dumps(roi) + ':{"post":') for roi in rois.names)
    piece = f"concat(([{opening}])[roi + 1], post{pieces}, '}}')"
    for query in parts_of(work, "counted", keys[0]):
        info = f"'{{' || string_agg({piece}, ',' ORDER BY roi) || '}}' AS roiInfo"
        make_or_add(work, table, f"SELECT {key}, {info} FROM ({query}) GROUP BY {key}")
    work.run("DROP TABLE counted")


def connection_outputs(work: Work, synapses: Synapses) -> Iterator[Output]:
    """The connections as feather, and as CSV."""
    promise = CONNECTIONS.concrete(body=synapses.body, compartments=bool(synapses.compartment))
    columns = [column.name for column in promise.columns]
    query = f"SELECT {selected(dict(zip(columns, map(name, work.columns('connection')), strict=True)))} FROM connection"
    yield Output(path=CONNECTIONS.file, query=query, promise=promise)
    promise = CONNECTION_EDGES.concrete(body=synapses.body, compartments=bool(synapses.compartment))
    yield Output(path=CONNECTION_EDGES.file, query=query, promise=promise)
