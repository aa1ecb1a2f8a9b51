"""Every table that a snapshot promises, in the order of its folders."""

from engram.connectome import flat, overview
from engram.connectome.neuprint import connections, elements, meta, neurons, synapse_sets, synapses, totals
from engram.connectome.neurotransmitters import exporting
from engram.connectome.reports import promises as reports
from engram.connectome.shapes import exporting as shapes
from engram.connectome.tables import Table

TABLES: tuple[Table, ...] = (
    *flat.TABLES,
    *(*meta.TABLES, *neurons.TABLES, *connections.TABLES, *synapse_sets.TABLES, *synapses.TABLES, *totals.TABLES),
    *elements.TABLES,
    *exporting.TABLES,
    *overview.TABLES,
    *shapes.TABLES,
    *reports.TABLES,
)
