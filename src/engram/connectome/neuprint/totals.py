"""How many synapses bodies have, in all and in each ROI, and what neuPrint reads of it: roiInfo.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/segment.py``
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.flat import COMPARTMENT_TOTALS, body_totals
from engram.connectome.neuprint.scope import Scope
from engram.connectome.outputs import Output
from engram.connectome.sql import UNSPECIFIED, name, selected, text, threshold
from engram.connectome.synapses import Synapses
from engram.connectome.tables import AS_GIVEN, BODY, Column, Table

#: Bodies of a batch in roi_elements, as flyem-snapshot numbers them.
_BATCH_BODIES = 10_000

_TOTALS = (
    Column("post", "INTEGER", "PSDs"),
    Column("pre", "INTEGER", "T-bars"),
    Column("downstream", "INTEGER", "Synapses whose T-bar it has, if the PSD is confident enough for the weight"),
    Column("upstream", "INTEGER", "The same as post"),
    Column("synweight", "INTEGER", "The sum of upstream and downstream"),
    Column("axonIn", "INTEGER", "PSDs on the axon", when="compartments"),
    Column("dendriteIn", "INTEGER", "PSDs on dendrites", when="compartments"),
    Column("axonOut", "INTEGER", "Synapses whose T-bar is on the axon", when="compartments"),
    Column("dendriteOut", "INTEGER", "Synapses whose T-bar is on dendrites", when="compartments"),
)
_ELEMENTS = Column("…", AS_GIVEN, "Elements, all of a table or those of a kind", when="if given")
BODY_ELEMENTS = Table(
    "body_elements",
    "neuprint/body_elements.feather",
    "body of the database",
    "body",
    (Column("body", "BIGINT", "The body"), *_TOTALS, _ELEMENTS),
)
ROI_ELEMENTS = Table(
    "roi_elements",
    "neuprint/roi_elements.feather",
    "body and ROI in which it has synapses, or elements that are counted",
    "body, roi",
    (
        Column("body_batch", "BIGINT", f"Number of the body's batch of {_BATCH_BODIES} bodies, from 0"),
        Column("body", BODY, "The body"),
        Column("roi", "VARCHAR", f"The ROI; {UNSPECIFIED} for what lies in none of the first ROI set by name"),
        *_TOTALS,
        _ELEMENTS,
    ),
)
TABLES = (BODY_ELEMENTS, ROI_ELEMENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rois:
    """All ROIs of a database, in the order of their names: their place here is their number."""

    #: Names of the ROI sets, in alphabetical order.
    sets: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def real(self) -> tuple[str, ...]:
        """Those that are ROIs."""
        return tuple(one for one in self.names if one != UNSPECIFIED)


def rois_of(synapses: Synapses, sets: Sequence[str], more: Iterable[str] = ()) -> Rois:
    """The ROIs of some ROI sets, and *more*."""
    found = {*more, *(roi for one in sets for roi in synapses.rois[one].names)}
    return Rois(sets=tuple(sorted(sets)), names=tuple(sorted(found | {UNSPECIFIED})))


def number_in(rois: Rois, roiset: str, names: Iterable[str]) -> str:
    """The number of a ROI of a ROI set, whose names are these, in a table with a column of the set."""
    numbers = ", ".join(str(rois.names.index(roi)) for roi in names)
    return f"CAST(([{numbers}])[enum_code({name(roiset)}) + 1] AS INTEGER)"


def total_columns(compartment: str) -> tuple[str, ...]:
    """The totals of a body, in the order in which they are told."""
    return ("post", "pre", "downstream", "upstream", "synweight", *(COMPARTMENT_TOTALS if compartment else ()))


def make_totals(work: Work, synapses: Synapses, scope: Scope, rois: Rois, *, confidence: float) -> None:
    """Make the tables ``body total``, by body, and ``roi total``, by body and number of the ROI.

    Args:
        confidence: what the PSD of a synapse must have to count downstream.
    """
    confident = f"conf_post >= {threshold(confidence)}"
    point, partner = scope.counted_point, scope.counted_partner
    columns = {column: _total(column) for column in total_columns(synapses.compartment)}
    whole = body_totals(point, partner, synapses.compartment, confident=confident)
    work.make("body total", f"SELECT body, {selected(columns)} FROM ({whole}) WHERE {scope.bodies} ORDER BY body")
    parts = []
    for place, roiset in enumerate(rois.sets):
        number = number_in(rois, roiset, synapses.rois[roiset].names)
        within = body_totals(point, partner, synapses.compartment, by=roiset, confident=confident)
        only = "" if place == 0 else f" AND {name(roiset)} <> {text(UNSPECIFIED)}"
        numbered = f"{number} AS roi, {selected(columns)}"
        parts.append(f"SELECT body, {numbered} FROM ({within}) WHERE {scope.bodies}{only}")
    if not parts:
        none = rois.names.index(UNSPECIFIED)
        parts.append(f'SELECT body, {none} AS roi, * EXCLUDE (body) FROM "body total"')
    work.make("roi total", f"{' UNION ALL '.join(parts)} ORDER BY body, roi")


def _total(column: str) -> str:
    expression = {"upstream": "post", "synweight": "post + downstream"}.get(column, name(column))
    return f"CAST({expression} AS INTEGER)"


def make_roi_info(work: Work, rois: Rois) -> None:
    """Make the table ``roi info``: for each body of ``roi total`` its roiInfo, and its set of ROIs as bits.

    The set is in as many columns ``bits 0``, ``bits 1``, … as there are 60 ROIs.
    """
    work.run("CREATE TABLE roi_name (roi INTEGER, opening VARCHAR)")
    rows = ", ".join(f"({number}, {text(json.dumps(roi) + ':{')})" for number, roi in enumerate(rois.names))
    work.run(f"INSERT INTO roi_name VALUES {rows}")
    counts = [column for column in work.columns("roi total") if column not in ("body", "roi")]
    pieces = ", ".join(f"if({name(one)} > 0, {text(f',{json.dumps(one)}:')} || {name(one)}, '')" for one in counts)
    none = rois.names.index(UNSPECIFIED)
    words = {f"bits {word}": _bits(word, none) for word in range(words_of(rois))}
    columns = {"roiInfo": _joined(f"opening || substr(concat({pieces}), 2) || '}}'", none), **words}
    for query in parts_of(work, '"roi total"', "body"):
        make_or_add(
            work,
            "roi info",
            f"SELECT body, {selected(columns)} FROM ({query}) JOIN roi_name USING (roi) GROUP BY body ORDER BY body",
        )


BITS = 60


def words_of(rois: Rois) -> int:
    """How many columns of bits hold a set of these ROIs."""
    return max(1, -(-len(rois.names) // BITS))


def _bits(word: int, none: int) -> str:
    least = word * BITS
    within = f"roi >= {least} AND roi < {least + BITS} AND roi <> {none}"
    return f"coalesce(bit_or(CAST(1 AS BIGINT) << (roi % {BITS})) FILTER (WHERE {within}), 0)"


def has_roi(number: int) -> str:
    """The condition that a row of ``roi info`` holds a ROI."""
    return f"({name(f'bits {number // BITS}')} & {1 << (number % BITS)}) <> 0"


def rois_in(words: Iterable[str]) -> str:
    """The numbers of the ROIs of a set of bits, which is in these columns: a list that rises."""
    bits = [
        f"list_transform(list_filter(range({BITS}), lambda bit: {name(word)} >> bit & 1 = 1),"
        f" lambda bit: bit + {number * BITS})"
        for number, word in enumerate(words)
    ]
    return f"flatten([{', '.join(bits)}])"


def _joined(piece: str, none: int) -> str:
    return f"'{{' || coalesce(string_agg({piece}, ',' ORDER BY roi) FILTER (WHERE roi <> {none}), '') || '}}'"


def parts_of(work: Work, table: str, body: str) -> Iterator[str]:
    """Queries that together give a table, each of them with all rows of its bodies, and few enough to be held."""
    rows = work.count(f"SELECT count(*) FROM {table}")
    parts = max(1, -(-rows // work.rows_of_a_part))
    for part in range(parts):
        yield f"SELECT * FROM {table}" + (f" WHERE {name(body)} % {parts} = {part}" if parts > 1 else "")


def make_or_add(work: Work, table: str, query: str) -> None:
    """Make a table, or add rows to it."""
    known = work.count(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = {text(table)}")
    work.run(f"INSERT INTO {name(table)} {query}") if known else work.make(table, query)


def total_outputs(work: Work, synapses: Synapses) -> Iterator[Output]:
    """The feather files of totals: of ``body total`` with ``element total``, and of ``roi total``."""
    columns = total_columns(synapses.compartment)
    more = [column for column in work.columns("element total") if column != "body"]
    given = dict.fromkeys(more, "INTEGER")
    promise = BODY_ELEMENTS.concrete(compartments=bool(synapses.compartment), given=given)
    listed = ", ".join([*map(name, columns), *(f"coalesce({name(one)}, 0) AS {name(one)}" for one in more)])
    whole = f'SELECT CAST(body AS BIGINT) AS body, {listed} FROM "body total"'
    if more:
        whole += ' LEFT JOIN "element total" USING (body) ORDER BY body'
    yield Output(path=BODY_ELEMENTS.file, query=whole, promise=promise)


def roi_total_outputs(work: Work, synapses: Synapses, rois: Rois) -> Iterator[Output]:
    """The feather file of totals by ROI."""
    body, _, *columns = (kinds := work.columns("roi total"))
    given = dict.fromkeys(columns[len(total_columns(synapses.compartment)) :], "INTEGER")
    promise = ROI_ELEMENTS.concrete(body=kinds[body], compartments=bool(synapses.compartment), given=given)
    names = ", ".join(map(text, rois.names))
    numbered = "(dense_rank() OVER (ORDER BY body) - 1) // " + str(_BATCH_BODIES)
    query = (
        f"SELECT {numbered} AS body_batch, body, ([{names}])[roi + 1] AS roi, {', '.join(map(name, columns))}"
        ' FROM "roi total" ORDER BY body, "roi total".roi'
    )
    yield Output(path=ROI_ELEMENTS.file, query=query, promise=promise)
