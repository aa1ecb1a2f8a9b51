"""Nodes of bodies: every body with a synapse is a :Segment, important ones are :Neuron, too.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/segment.py``
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engram.connectome.annotations import camel
from engram.connectome.config.outputs import NeuronLabelCriteria
from engram.connectome.engine import Work
from engram.connectome.neuprint.nodes import lines_of, make_nodes, paths_of
from engram.connectome.neuprint.totals import Rois, has_roi, make_or_add, rois_in, total_columns, words_of
from engram.connectome.neuprint.types import as_kept, as_written, header
from engram.connectome.outputs import Output
from engram.connectome.sql import name, selected, text
from engram.connectome.synapses import Synapses
from engram.connectome.tables import AS_GIVEN, CATEGORY, ORDERED, Column, Table

_WHAT = "A property of the body: totals, annotations, neurotransmitters, roiInfo, size"
NEURONS = Table(
    "Neuprint_Neurons",
    "neuprint/Neuprint_Neurons.feather",
    "body of the database",
    "body",
    (Column("…", AS_GIVEN, _WHAT, optional=True, when="if given"),),
)
NEURON_NODES = Table(
    "Neuprint_Neurons, nodes",
    "neuprint/Neuprint_Neurons/0.csv",
    "body of the database",
    "body",
    (Column("…", AS_GIVEN, f"{_WHAT}; true for each ROI that it has synapses in", optional=True, when="if given"),),
)
TABLES = (NEURONS, NEURON_NODES)

#: Columns of neurotransmitters that are no properties.
_NOT_SHOWN = ("body", "cell_type", "ground_truth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Neurons:
    """The table ``neuron`` of the work file."""

    #: Types of its columns, whose names are headers; ``roiset_hash`` is no property.
    columns: Mapping[str, str]

    @property
    def properties(self) -> dict[str, str]:
        """Types in neo4j by property, in the order of the columns."""
        split = (column.partition(":") for column in self.columns if ":" in column)
        return {prop: kind for prop, _, kind in split if prop and not kind.startswith(("LABEL", "ID("))}


def make_neurons(
    work: Work,
    synapses: Synapses,
    rois: Rois,
    *,
    dataset: str,
    criteria: NeuronLabelCriteria,
    neurotransmitters: bool,
    sizes: bool,
    keep_all: bool,
) -> Neurons:
    """Make the table ``neuron``: everything that the database knows of a body, by body.

    It is made in parts, one after the other, since all of it at once takes memory that grows with it. Totals are those
    of ``body total`` and ``element total``; ROIs those of ``roi info``, whose bits are columns of the table, too.

    Args:
        neurotransmitters: whether there is a table ``body nt``.
        sizes: whether there is a table ``body size``.
        keep_all: bodies without synapses that are annotated are in, too.
    """
    described = {prop: kind for prop, kind in synapses.annotations.properties.items() if prop != "bodyId"}
    nt = nt_columns(work) if neurotransmitters else {}
    totals = total_columns(synapses.compartment)
    counted = [column for column in work.columns("element total") if column != "body"]
    known = {*map(camel, nt), *counted}
    label = _label(dataset, criteria, described)
    columns = {":ID(Body-ID)": "CAST(total.body AS BIGINT)"}
    columns |= {f"{one}:int": f"coalesce(total.{name(one)}, 0)" for one in totals}
    columns |= {f"{one}:int": f"coalesce(element.{name(one)}, 0)" for one in counted}
    columns |= {
        header(prop, kind): as_kept(prop, kind, f"known.{name(prop)}")
        for prop, kind in described.items()
        if prop not in known
    }
    columns = _before(columns, "status:string", {"bodyId:long": "CAST(total.body AS BIGINT)"})
    columns |= {_nt_header(column, kind): _nt_value(column, kind) for column, kind in nt.items()}
    words = {f"bits {word}": f"coalesce(info.{name(f'bits {word}')}, 0)" for word in range(words_of(rois))}
    hashed = ", ',', ".join(words.values())
    columns["roiset_hash"] = f"md5_number_lower(concat({hashed}))"
    columns["roiInfo:string"] = "coalesce(info.roiInfo, '{}')"
    columns |= {"size:long": "CAST(size AS BIGINT)"} if sizes else {}
    columns[":LABEL"] = label
    joined = {"roi info": ("info", "body"), "described": ("known", "bodyId")}
    joined |= {"element total": ("element", "body")} if counted else {}
    joined |= {"body nt": ("nt", "body")} if neurotransmitters else {}
    joined |= {"body size": ("sizes", "body")} if sizes else {}
    bodies = '"body total"'
    if keep_all:
        bodies = f"(SELECT * FROM {bodies} FULL JOIN (SELECT bodyId AS body FROM described) USING (body))"
    _make_in_parts(work, columns | words, bodies, joined)
    known_columns = work.columns("neuron")
    return Neurons(columns={column: kind for column, kind in known_columns.items() if column not in words})


def _make_in_parts(work: Work, columns: Mapping[str, str], bodies: str, joined: Mapping[str, tuple[str, str]]) -> None:
    """Make the table ``neuron`` of *bodies* and what is *joined*: tables, what they are called, their body."""
    for within in _ranges_of(work, bodies):
        joins = " ".join(
            f"LEFT JOIN (SELECT * FROM {name(table)} WHERE {within.format(body)}) AS {called}"
            f" ON {called}.{body} = total.body"
            for table, (called, body) in joined.items()
        )
        total = f"(SELECT * FROM {bodies} WHERE {within.format('body')}) AS total"
        make_or_add(work, "neuron", f"SELECT {selected(columns)} FROM {total} {joins} ORDER BY total.body")


#: What a row of a body may take, several times over: the text on its ROIs alone has 1 to 10 KB.
_PARTS_OF_A_PART = 8


def _ranges_of(work: Work, bodies: str) -> Iterator[str]:
    """Conditions for a body, in whose place stands ``{}``, of parts that can be held, one after the other."""
    rows = max(1, work.rows_of_a_part // _PARTS_OF_A_PART)
    numbered = f"SELECT body, row_number() OVER (ORDER BY body) AS place FROM {bodies}"
    firsts = [body for (body,) in work.rows(f"SELECT body FROM ({numbered}) WHERE place % {rows} = 0 ORDER BY body")]
    for least, end in zip([None, *firsts], [*firsts, None], strict=True):
        limits = [
            *([f"{{0}} >= {least}"] if least is not None else []),
            *([f"{{0}} < {end}"] if end is not None else []),
        ]
        yield " AND ".join(limits) or "true"


def _before(columns: dict[str, str], place: str, more: dict[str, str]) -> dict[str, str]:
    """The columns, with some put before one of them."""
    found: dict[str, str] = {}
    for column, expression in columns.items():
        found |= more if column == place else {}
        found[column] = expression
    return found if place in columns else found | more


def nt_columns(work: Work) -> dict[str, str]:
    """What is predicted of bodies and is told of them: columns of the table ``body nt``, and their types."""
    return {column: kind for column, kind in work.columns("body nt").items() if column not in _NOT_SHOWN}


def _nt_header(column: str, kind: str) -> str:
    """Numbers are floats: a body that nothing is predicted of has none."""
    return f"{camel(column)}:{'string' if kind == 'VARCHAR' else 'float'}"


def _nt_value(column: str, kind: str) -> str:
    return f"nt.{name(column)}" if kind == "VARCHAR" else f"CAST(nt.{name(column)} AS DOUBLE)"


def _label(dataset: str, criteria: NeuronLabelCriteria, described: Mapping[str, str]) -> str:
    """Both labels of a neuron, or that of a segment alone."""
    limits = {"synweight": criteria.synweight, "pre": criteria.pre, "post": criteria.post}
    reasons = [f"total.{column} >= {limit}" for column, limit in limits.items()]
    reasons += [f"known.{name(prop)} IS NOT NULL" for prop in criteria.properties if prop in described]
    status = "coalesce(known.status, '')" if "status" in described else "''"
    reasons += [f"{status} = {text(one)}" for one in criteria.status]
    excluded = [f"{status} <> {text(one)}" for one in criteria.excluded_status]
    segment = f"Segment;{dataset}_Segment"
    both = f"{segment};Neuron;{dataset}_Neuron"
    condition = " AND ".join([f"coalesce({' OR '.join(reasons)}, false)", *excluded])
    return f"CASE WHEN {condition} THEN {text(both)} ELSE {text(segment)} END"


def neuron_outputs(work: Work, neurons: Neurons, rois: Rois, *, most_files: int) -> Iterator[Output]:
    """The feather file of bodies, and the CSV files of their nodes.

    Args:
        most_files: bodies are dealt to so many files by their ROIs; 0: to one, or as few as ROIs allow.
    """
    given = {column: _kept(column, kind) for column, kind in neurons.columns.items()}
    listed = ", ".join(map(name, given))
    promise = NEURONS.concrete(given=given)
    yield Output(path=NEURONS.file, query=f"SELECT {listed} FROM neuron", promise=promise)
    written = {one: as_written(one, kind) for one, kind in neurons.columns.items() if one != "roiset_hash"}
    words = [f"bits {word}" for word in range(words_of(rois))]
    files = make_nodes(
        work,
        "neuron node",
        "SELECT * FROM neuron",
        words,
        rois_in(words),
        order='":ID(Body-ID)"',
        most_files=most_files,
        is_in_order=True,
    )
    for number, path in enumerate(paths_of(len(files), NEURON_NODES.file)):
        flags = [f"if({has_roi(roi)}, ',true', ',')" for roi in files[number]]
        headers = (*written, *(f"{rois.names[roi]}:boolean" for roi in files[number]))
        yield Output(
            path=path,
            query=lines_of(work, "neuron node", written, flags, number),
            promise=NEURON_NODES.concrete(given=dict.fromkeys(headers, "VARCHAR")),
            gives_lines=True,
        )


def _kept(column: str, kind: str) -> str:
    if kind.startswith("ENUM"):
        return ORDERED if column.startswith("statusLabel:") else CATEGORY
    return kind
