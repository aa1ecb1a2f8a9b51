"""Edges between bodies: ConnectsTo, with weights at three confidences and the ROIs of the synapses.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/segment.py``
"""

import json
from collections.abc import Iterator

from engram.connectome.engine import Work
from engram.connectome.flat import pair_weights
from engram.connectome.neuprint.scope import Scope
from engram.connectome.neuprint.totals import Rois, make_or_add, parts_of
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


def make_connections(
    work: Work, synapses: Synapses, scope: Scope, rois: Rois, *, confidence: float, high_confidence: float
) -> None:
    """Make the table ``connection``: a row for each ordered pair of bodies, by both.

    Args:
        confidence, high_confidence: what a PSD must have to count in ``weight``, and in ``weightHP``.
    """
    enough = f"conf_post >= {threshold(confidence)}"
    high = f"conf_post >= {threshold(high_confidence)}"
    pairs = pair_weights(enough) if synapses.compartment else {}
    weights = {"weightHR": "count(*)", "weight": counted(enough), "weightHP": counted(high)}
    weights |= {column: f"CAST({expression} AS INTEGER)" for column, expression in pairs.items()}
    work.make(
        "pair",
        f"SELECT body_pre, body_post, {selected(weights)} FROM {scope.held_partner} GROUP BY body_pre, body_post",
    )
    _make_pair_rois(work, synapses, scope, rois, enough)
    pieces = "".join(f", if({name(one)} > 0, ',\"{one}\":' || {name(one)}, '')" for one in pairs)
    numbered = ", ".join(text(json.dumps(roi) + ':{"post":') for roi in rois.names)
    piece = f"concat(([{numbered}])[roi + 1], post{pieces}, '}}')"
    for query in parts_of(work, '"pair roi"', "body_pre"):
        make_or_add(
            work,
            "pair info",
            f"SELECT body_pre, body_post, '{{' || string_agg({piece}, ',' ORDER BY roi) || '}}' AS roiInfo"
            f" FROM ({query}) GROUP BY body_pre, body_post",
        )
    work.run('DROP TABLE "pair roi"')
    listed = ", ".join(("body_pre", "body_post", *map(name, weights)))
    work.make(
        "connection",
        f"SELECT {listed}, coalesce(roiInfo, '{{}}') AS roiInfo FROM pair"
        ' LEFT JOIN "pair info" USING (body_pre, body_post) ORDER BY body_pre, body_post',
    )
    work.run('DROP TABLE pair; DROP TABLE "pair info"')


def _make_pair_rois(work: Work, synapses: Synapses, scope: Scope, rois: Rois, enough: str) -> None:
    """Make the table ``pair roi``: synapses of a pair by ROI, of those that are confident enough and lie in one."""
    counts = {"post": "count(*)", **(pair_weights() if synapses.compartment else {})}
    counts = {column: f"CAST({expression} AS INTEGER)" for column, expression in counts.items()}
    pair = f"body_pre, body_post, {selected(counts)}"
    parts = [f"SELECT {pair}, 0 AS roi FROM {scope.held_partner} WHERE false GROUP BY body_pre, body_post"]
    for roiset in rois.sets:
        numbers = ", ".join(str(rois.names.index(roi)) for roi in synapses.rois[roiset].names)
        number = f"CAST(([{numbers}])[enum_code(one) + 1] AS INTEGER)"
        within = f"{enough} AND {name(roiset)} <> {text(UNSPECIFIED)}"
        parts.append(
            f"SELECT * EXCLUDE (one), {number} AS roi FROM (SELECT {pair}, {name(roiset)} AS one"
            f" FROM {scope.held_partner} WHERE {within} GROUP BY body_pre, body_post, one)"
        )
    work.make("pair roi", " UNION ALL ".join(parts))


def connection_outputs(work: Work, synapses: Synapses) -> Iterator[Output]:
    """The connections as feather, and as CSV."""
    promise = CONNECTIONS.concrete(body=synapses.body, compartments=bool(synapses.compartment))
    columns = [column.name for column in promise.columns]
    query = f"SELECT {selected(dict(zip(columns, map(name, work.columns('connection')), strict=True)))} FROM connection"
    yield Output(path=CONNECTIONS.file, query=query, promise=promise)
    promise = CONNECTION_EDGES.concrete(body=synapses.body, compartments=bool(synapses.compartment))
    yield Output(path=CONNECTION_EDGES.file, query=query, promise=promise)
