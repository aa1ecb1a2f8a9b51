"""The tables of a snapshot that laws are tried on, as the engine knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engram.connectome import flat
from engram.connectome.neuprint import connections, neurons, totals
from engram.connectome.neurotransmitters import exporting
from engram.connectome.overview import ANNOTATIONS
from engram.connectome.proving.settings import Made
from engram.connectome.tables import Table

#: What the engine calls each feather file, by its table.
VIEWS: Mapping[Table, str] = {
    flat.PARTNERS: "partners",
    flat.PARTNERS_SIGNIFICANT: "partners_significant",
    flat.PARTNERS_TRACED: "partners_traced",
    flat.POINTS: "points",
    flat.CONNECTIONS: "weights",
    flat.CONNECTIONS_SIGNIFICANT: "weights_significant",
    flat.CONNECTIONS_TRACED: "weights_traced",
    flat.BODY_ANNOTATIONS: "annotations",
    flat.BODY_STATS: "stats",
    neurons.NEURONS: "neuron_table",
    connections.CONNECTIONS: "connection_table",
    totals.BODY_ELEMENTS: "body_elements",
    totals.ROI_ELEMENTS: "roi_elements",
    exporting.TBARS: "nt_tbars",
    exporting.BODIES: "nt_bodies",
    ANNOTATIONS: "given_annotations",
}


@dataclass(slots=True)
class Seen:
    """What there is: by what the engine calls it."""

    made: Made
    #: The path of each table's file in the snapshot's folder; of a table of several files, that of their folder.
    paths: dict[str, str] = field(default_factory=dict)
    #: Columns and their types, as DuckDB spells them.
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    #: What stands for ``{tag}`` in the name of a table's file.
    tags: dict[str, str] = field(default_factory=dict)
    #: Headers of CSV files that Neo4j 5 reads otherwise than 4.4, by the path of the file.
    read_otherwise: dict[str, list[str]] = field(default_factory=dict)

    def has(self, *tables: str) -> bool:
        """Whether all of them are there, and whole."""
        return all(one in self.paths for one in tables)

    def has_column(self, table: str, *columns: str) -> bool:
        """Whether a table is there and has some columns."""
        return table in self.paths and all(one in self.columns[table] for one in columns)
