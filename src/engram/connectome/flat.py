"""The flat connectome: synapses, connections and bodies as plain tables.

Source: flyem-snapshot, ``flyem_snapshot/outputs/flat.py``
"""

from collections.abc import Iterator

from engram.connectome.engine import Work
from engram.connectome.outputs import Output
from engram.connectome.sql import UNSPECIFIED, counted, name, names, selected, text
from engram.connectome.synapses import Synapses
from engram.connectome.tables import AS_GIVEN, BODY, CATEGORY, ORDERED, Column, Table

_COMPARTMENT = "Part of the neuron (axon, dendrite, …) in which the {} lies"
_WEIGHTS = tuple(
    Column(
        f"weight{pre}{post}", "BIGINT", f"Synapses from the {pre.lower()} to the {post.lower()}", when="compartments"
    )
    for pre, post in (("Axon", "Dendrite"), ("Axon", "Axon"), ("Dendrite", "Dendrite"), ("Dendrite", "Axon"))
)
_PARTNERS = (
    Column("x_pre", "INTEGER", "Place of the T-bar", "voxel"),
    Column("y_pre", "INTEGER", "Place of the T-bar", "voxel"),
    Column("z_pre", "INTEGER", "Place of the T-bar", "voxel"),
    Column("body_pre", BODY, "Body of the T-bar"),
    Column("conf_pre", "FLOAT", "Confidence of the T-bar, 0 to 1"),
    Column("x_post", "INTEGER", "Place of the PSD", "voxel"),
    Column("y_post", "INTEGER", "Place of the PSD", "voxel"),
    Column("z_post", "INTEGER", "Place of the PSD", "voxel"),
    Column("body_post", BODY, "Body of the PSD"),
    Column("conf_post", "FLOAT", "Confidence of the PSD, 0 to 1"),
    Column("{roiset}_post", CATEGORY, f"ROI of the PSD, or {UNSPECIFIED}", when="each roiset"),
    Column("compartment_pre", CATEGORY, _COMPARTMENT.format("T-bar"), when="compartments"),
    Column("compartment_post", CATEGORY, _COMPARTMENT.format("PSD"), when="compartments"),
)
_CONNECTIONS = (
    Column("body_pre", BODY, "Body of the T-bars"),
    Column("body_post", BODY, "Body of the PSDs"),
    Column("weight", "BIGINT", "Synapses from body_pre to body_post"),
    *_WEIGHTS,
)
_TYPES = (
    Column("type_pre", "VARCHAR", "Cell type of body_pre", optional=True),
    Column("type_post", "VARCHAR", "Cell type of body_post", optional=True),
)
_BY_PARTNERS = "body_pre, body_post, T-bar, PSD"
_BY_WEIGHT = "weight from the largest on, body_pre, body_post"
_SIGNIFICANT = "both bodies have the status Sensory Anchor or a better one"
_TRACED = "both bodies have the status Leaves or a better one"

PARTNERS = Table("syn-partners", "flat-connectome/syn-partners-{tag}.feather", "synapse", _BY_PARTNERS, _PARTNERS)
PARTNERS_SIGNIFICANT = Table(
    "syn-partners, significant only",
    "flat-connectome/syn-partners-{tag}-significant-only.feather",
    f"synapse where {_SIGNIFICANT}",
    _BY_PARTNERS,
    _PARTNERS,
)
PARTNERS_TRACED = Table(
    "syn-partners, traced only",
    "flat-connectome/syn-partners-{tag}-traced-only.feather",
    f"synapse where {_TRACED}",
    _BY_PARTNERS,
    _PARTNERS,
)
POINTS = Table(
    "syn-points",
    "flat-connectome/syn-points-{tag}.feather",
    "T-bar or PSD that is part of a synapse",
    "body, point_id",
    (
        Column("…", AS_GIVEN, "A column of the table of points, or a ROI or its label", optional=True, when="if given"),
        Column("point_id", "UBIGINT", "Id of the point: z, y and x in 21 bits each"),
    ),
)
CONNECTIONS = Table(
    "connectome-weights",
    "flat-connectome/connectome-weights-{tag}.feather",
    "ordered pair of bodies with a synapse",
    _BY_WEIGHT,
    _CONNECTIONS,
)
CONNECTIONS_SIGNIFICANT = Table(
    "connectome-weights, significant only",
    "flat-connectome/connectome-weights-{tag}-significant-only.feather",
    f"ordered pair of bodies with a synapse, where {_SIGNIFICANT}",
    _BY_WEIGHT,
    (*_CONNECTIONS, *_TYPES),
)
CONNECTIONS_TRACED = Table(
    "connectome-weights, traced only",
    "flat-connectome/connectome-weights-{tag}-traced-only.feather",
    f"ordered pair of bodies with a synapse, where {_TRACED}",
    _BY_WEIGHT,
    (*_CONNECTIONS, *_TYPES),
)
BODY_ANNOTATIONS = Table(
    "body-annotations",
    "flat-connectome/body-annotations-{tag}.feather",
    "body with an annotation",
    "body",
    (Column("…", AS_GIVEN, "A column of the annotations, under its name in neuPrint", optional=True, when="if given"),),
)
BODY_STATS = Table(
    "body-stats",
    "flat-connectome/body-stats-{tag}.feather",
    "body with a synapse",
    "synweight from the largest on, body",
    (
        Column("body", BODY, "The body"),
        Column("pre", "INTEGER", "Its T-bars"),
        Column("post", "INTEGER", "Its PSDs"),
        Column(
            "status_fine",
            ORDERED,
            "How far it is traced, as DVID says it; '' for bodies without a status",
            when="if given",
        ),
        Column("superclass", "VARCHAR", "Coarse kind of cell", optional=True, when="if given"),
        Column("class", "VARCHAR", "Kind of cell", optional=True, when="if given"),
        Column("type", "VARCHAR", "Cell type", optional=True, when="if given"),
        Column("instance", "VARCHAR", "Name of the cell", optional=True, when="if given"),
        Column("downstream", "BIGINT", "Synapses whose T-bar it has"),
        Column("synweight", "BIGINT", "The sum of post and downstream"),
        Column("rank", "BIGINT", "Its place in this order, from 1"),
        Column("axonIn", "BIGINT", "PSDs on its axon", when="compartments"),
        Column("dendriteIn", "BIGINT", "PSDs on its dendrites", when="compartments"),
        Column("axonOut", "BIGINT", "Synapses whose T-bar is on its axon", when="compartments"),
        Column("dendriteOut", "BIGINT", "Synapses whose T-bar is on its dendrites", when="compartments"),
    ),
)
TABLES = (
    *(PARTNERS, PARTNERS_SIGNIFICANT, PARTNERS_TRACED, POINTS),
    *(CONNECTIONS, CONNECTIONS_SIGNIFICANT, CONNECTIONS_TRACED, BODY_ANNOTATIONS, BODY_STATS),
)

_PAIRS = (("Axon", "Dendrite"), ("Axon", "Axon"), ("Dendrite", "Dendrite"), ("Dendrite", "Axon"))
#: Columns of the annotations that body-stats has, where they are given.
_ANNOTATED = ("superclass", "class", "type", "instance")


def pair_weights(condition: str = "true") -> dict[str, str]:
    """The weight of a connection by compartments, over those rows of ``partner`` that fulfil a condition."""
    return {
        f"weight{pre}{post}": counted(
            f"compartment_pre = {text(pre.lower())} AND compartment_post = {text(post.lower())} AND {condition}"
        )
        for pre, post in _PAIRS
    }


def flat_outputs(work: Work, synapses: Synapses, *, tag: str, roiset: str, restriction: str) -> Iterator[Output]:
    """The files of ``flat-connectome/``.

    Args:
        tag: the snapshot's, with the least confidence.
        roiset: the ROI set that partners get a column of; '' for none.
        restriction: the ROI set in which a PSD must lie; '' for none.
    """
    whole = f"{tag}-{restriction}" if restriction else tag
    partner, point = _within(work, restriction)
    flat = _Flat(synapses, whole, roiset, partner, point)
    yield flat.points(work)
    yield from flat.partners()
    yield flat.annotations(work)
    yield flat.bodies()


def _within(work: Work, restriction: str) -> tuple[str, str]:
    """The tables of partners and points that stay."""
    if not restriction:
        return "partner", "point"
    work.view("flat partner", f"SELECT * FROM partner WHERE {name(restriction)} <> {text(UNSPECIFIED)}")
    ids = 'SELECT pre_id FROM "flat partner" UNION ALL SELECT post_id FROM "flat partner"'
    work.make("flat point", f"SELECT * FROM point WHERE point_id IN ({ids}) ORDER BY body, point_id")
    return "flat partner", "flat point"


class _Flat:
    """What all tables of one flat connectome have in common."""

    def __init__(self, synapses: Synapses, tag: str, roiset: str, partner: str, point: str) -> None:
        self.synapses = synapses
        self.tag = tag
        self.roisets = (roiset,) if roiset else ()
        self.partner, self.point = name(partner), name(point)

    def points(self, work: Work) -> Output:
        given = {column: kind for column, kind in work.columns("point").items() if column != "point_id"}
        promise = POINTS.concrete(given={column: _kept_kind(kind) for column, kind in given.items()})
        query = f"SELECT {names((*given, 'point_id'))} FROM {self.point}"
        return Output(path=self._path(POINTS), query=query, promise=promise, index="point_id")

    def partners(self) -> Iterator[Output]:
        columns = {column.name: name(column.name) for column in _PARTNERS if not column.when}
        columns |= {f"{roiset}_post": name(roiset) for roiset in self.roisets}
        columns |= self._compartments({f"compartment_{side}": f"compartment_{side}" for side in ("pre", "post")})
        weights = {"body_pre": "body_pre", "body_post": "body_post", "weight": "count(*)"}
        weights |= self._compartments(pair_weights())
        least = ((0, PARTNERS, CONNECTIONS), (1, PARTNERS_SIGNIFICANT, CONNECTIONS_SIGNIFICANT))
        for rank, synapses, connections in (*least, (2, PARTNERS_TRACED, CONNECTIONS_TRACED)):
            if rank and not self.synapses.annotations.order:
                continue
            known = f" WHERE rank_pre >= {rank} AND rank_post >= {rank}" if rank else ""
            yield self._output(synapses, f"SELECT {selected(columns)} FROM {self.partner}{known}")
            counted_up = f"SELECT {selected(weights)} FROM {self.partner}{known} GROUP BY body_pre, body_post"
            yield self._output(connections, self._typed(counted_up) if rank else f"{counted_up} ORDER BY {_LARGEST}")

    def _typed(self, connections: str) -> str:
        given = "type" in self.synapses.annotations.columns
        types = {f"type_{side}": f"{side}.type" if given else "CAST(NULL AS VARCHAR)" for side in ("pre", "post")}
        joins = (
            "LEFT JOIN annotation AS pre ON pre.body = body_pre LEFT JOIN annotation AS post ON post.body = body_post"
        )
        return f"SELECT one.*, {selected(types)} FROM ({connections}) AS one {joins} ORDER BY {_LARGEST}"

    def annotations(self, work: Work) -> Output:
        given = {column: _kept_kind(kind) for column, kind in work.columns("described").items()}
        given |= {"statusLabel": ORDERED} if "statusLabel" in given and self.synapses.annotations.order else {}
        promise = BODY_ANNOTATIONS.concrete(given=given)
        return Output(path=self._path(BODY_ANNOTATIONS), query="SELECT * FROM described", promise=promise)

    def bodies(self) -> Output:
        annotations = self.synapses.annotations
        status = (
            {"status_fine": f"coalesce(status, CAST('' AS {annotations.columns['status']}))"}
            if annotations.order
            else {}
        )
        known = {column: f"CAST({name(column)} AS VARCHAR)" for column in _ANNOTATED if column in annotations.columns}
        columns = {
            "body": "total.body",
            "pre": "CAST(pre AS INTEGER)",
            "post": "CAST(post AS INTEGER)",
            **status,
            **known,
            "downstream": "CAST(downstream AS BIGINT)",
            "synweight": "CAST(post + downstream AS BIGINT)",
            "rank": "row_number() OVER (ORDER BY post + downstream DESC, total.body)",
            **self._compartments({one: f"CAST({name(one)} AS BIGINT)" for one in COMPARTMENT_TOTALS}),
        }
        totals = body_totals(self.point, self.partner, self.synapses.compartment)
        query = (
            f"SELECT {selected(columns)} FROM ({totals}) AS total"
            " LEFT JOIN annotation ON annotation.body = total.body ORDER BY rank"
        )
        given = dict.fromkeys(known, "VARCHAR") | dict.fromkeys(status, ORDERED)
        return self._output(BODY_STATS, query, given)

    def _output(self, table: Table, query: str, given: dict[str, str] | None = None) -> Output:
        promise = table.concrete(
            body=self.synapses.body, roisets=self.roisets, compartments=bool(self.synapses.compartment), given=given
        )
        return Output(path=self._path(table), query=query, promise=promise)

    def _path(self, table: Table) -> str:
        return table.file.format(tag=self.tag)

    def _compartments(self, columns: dict[str, str]) -> dict[str, str]:
        return columns if self.synapses.compartment else {}


_LARGEST = "weight DESC, body_pre, body_post"
#: PSDs and outgoing synapses by compartment: what of points or of partners each of them counts.
COMPARTMENT_TOTALS = ("axonIn", "dendriteIn", "axonOut", "dendriteOut")


def body_totals(point: str, partner: str, compartment: str, *, by: str = "", confident: str = "true") -> str:
    """A query that counts points and partners by body.

    Args:
        point, partner: the tables, quoted.
        compartment: the column of the points that tells axon from dendrite; '' for none.
        by: a column of both tables to count by, too: that of a ROI set.
        confident: which partner rows count.
    """
    more = f", {name(by)} AS {name(by)}" if by else ""
    grouped = f"GROUP BY body{', ' + name(by) if by else ''}"
    sides = ("axon", "dendrite") if compartment else ()
    of_points = {"post": counted("kind = 'PostSyn'"), "pre": counted("kind = 'PreSyn'"), "downstream": "0"}
    of_points |= {f"{side}In": counted(f"kind = 'PostSyn' AND {name(compartment)} = {text(side)}") for side in sides}
    of_points |= {f"{side}Out": "0" for side in sides}
    of_partners = {"post": "0", "pre": "0", "downstream": "count(*)", **{f"{side}In": "0" for side in sides}}
    of_partners |= {f"{side}Out": counted(f"compartment_pre = {text(side)}") for side in sides}
    added = {column: f"CAST(sum({name(column)}) AS BIGINT)" for column in of_points}
    return (
        f"SELECT body{more}, {selected(added)} FROM ("
        f"SELECT body{more}, {selected(of_points)} FROM {point} GROUP BY ALL UNION ALL "
        f"SELECT body_pre AS body{more}, {selected(of_partners)} FROM {partner} WHERE {confident} GROUP BY ALL"
        f") {grouped}"
    )


def _kept_kind(kind: str) -> str:
    """The type of a column that is written as it is."""
    return CATEGORY if kind.startswith("ENUM") else kind
