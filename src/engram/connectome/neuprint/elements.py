"""Nodes of elements that are no synapses, the sets that bodies have of them, and which lie close together.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/element.py`` and ``elementset.py``
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from engram.connectome.elements import Elements, ends_of
from engram.connectome.engine import Work
from engram.connectome.neuprint.formulas import Formulas, computed
from engram.connectome.neuprint.nodes import lines_of, paths_of
from engram.connectome.neuprint.synapses import make_flagged, tails_of
from engram.connectome.neuprint.types import POINT, header, written
from engram.connectome.outputs import Output
from engram.connectome.sql import UNSPECIFIED, name, selected, text
from engram.connectome.tables import AS_GIVEN, BODY, Column, Table

_ID = "VARCHAR"
ELEMENTS = Table(
    "Neuprint_Elements",
    "neuprint/Neuprint_Elements/{elements}/000000.csv",
    "element of the table of that name",
    "body, point",
    (
        Column(
            "…",
            AS_GIVEN,
            "A property of the element; true for each ROI that it lies in",
            when="if given",
            optional=True,
        ),
    ),
)
SETS = Table(
    "Neuprint_ElementSet",
    "neuprint/Neuprint_ElementSets/Neuprint_ElementSet_{type}.csv",
    "body with an element of that type",
    "body",
    (
        Column(":ID(ElementSet-ID)", _ID, "<body>_<type>"),
        Column("type:string", "VARCHAR", "The type of its elements"),
        Column(":Label", "VARCHAR", "ElementSet, and the same with the dataset's name"),
    ),
)
NEURON_TO_SET = Table(
    "Neuprint_Neuron_to_ElementSet",
    "neuprint/Neuprint_Neuron_to_ElementSet_{type}.csv",
    "set whose body is in the database: the body contains it",
    "body",
    (Column(":START_ID(Body-ID)", BODY, "The body"), Column(":END_ID(ElementSet-ID)", _ID, "The set")),
)
SET_TO_ELEMENT = Table(
    "Neuprint_ElementSet_to_Element",
    "neuprint/Neuprint_ElementSet_to_Element_{type}.csv",
    "element: its set contains it",
    "body, point",
    (Column(":START_ID(ElementSet-ID)", _ID, "The set"), Column(":END_ID(Element-ID)", "UBIGINT", "Id of the point")),
)
CLOSE_TO = Table(
    "Neuprint_Elements_CloseTo",
    "neuprint/Neuprint_Elements_CloseTo_{elements}.csv",
    "pair of points, both in the database, that lie close together",
    "the two points, then the properties",
    (
        Column("…", AS_GIVEN, "A property of the pair, as distance:float", when="if given", optional=True),
        Column(":START_ID(Element-ID)", "UBIGINT", "Id of the one"),
        Column(":END_ID(Element-ID)", "UBIGINT", "Id of the other"),
    ),
)
TABLES = (ELEMENTS, SETS, NEURON_TO_SET, SET_TO_ELEMENT, CLOSE_TO)


def held_of(one: Elements) -> str:
    """The table of those elements of a table that the database holds, quoted."""
    return name(f"held {one.table}")


def counted_of(one: Elements) -> str:
    """The table of those elements of a table that count in totals, quoted."""
    return name(f"counted {one.table}")


def make_element_scope(work: Work, elements: Sequence[Elements], *, totals: str, restriction: str) -> None:
    """Make the tables of elements that count, and of those that are held.

    Args:
        totals: the ROI set outside of which an element does not exist; '' for none.
        restriction: the ROI set outside of which it is not held; '' for none.
    """
    for one in elements:
        within = _within(totals)
        work.view(f"counted {one.table}", f"SELECT * FROM {name(one.table)} WHERE {within}")
        work.view(f"held {one.table}", f"SELECT * FROM {counted_of(one)} WHERE {_within(restriction)}")


def _within(roiset: str) -> str:
    return f"{name(roiset)} <> {text(UNSPECIFIED)}" if roiset else "true"


def element_outputs(
    work: Work,
    elements: Sequence[Elements],
    points: str,
    *,
    dataset: str,
    body: str,
    labels: Mapping[str, str],
    formulas: Formulas,
    split: bool,
) -> Iterator[Output]:
    """The files of elements, of their sets, and of pairs that lie close together.

    Args:
        points: the table of the synapses that are held, quoted.
        body: type of bodies.
        labels: by the name of a table, what its elements are labelled with, beside Element.
        formulas: by ROI set, properties that follow from the label of a ROI.
        split: a file for each combination of ROIs.
    """
    for one in elements:
        yield from _nodes(work, one, dataset, labels.get(one.name, ""), formulas, split=split)
    yield from _sets(work, elements, dataset, body)
    there = [points, *map(held_of, elements)]
    for one in elements:
        if one.close:
            more = {header(prop, kind): written(prop, kind, name(prop)) for prop, kind in one.of_pairs.items()}
            columns = {**more, ":START_ID(Element-ID)": "source", ":END_ID(Element-ID)": "target"}
            pairs = f"SELECT * FROM ({ends_of(name(one.close), there)}) ORDER BY ALL"
            query = f"SELECT {selected(columns)} FROM ({pairs})"
            promise = CLOSE_TO.concrete(given=dict.fromkeys(more, "VARCHAR"))
            yield Output(path=CLOSE_TO.file.format(elements=file_name(one.name)), query=query, promise=promise)


def _nodes(work: Work, one: Elements, dataset: str, label: str, formulas: Formulas, *, split: bool) -> Iterator[Output]:
    labels = ["Element", f"{dataset}_Element"]
    labels += [label.lstrip(":"), f"{dataset}_{label.lstrip(':')}"] if label else []
    columns = {":ID(Element-ID)": "point_id", "type:string": "type", "bodyId:long": "body"}
    columns |= {header(prop, kind): written(prop, kind, name(prop)) for prop, kind in one.properties.items()}
    columns |= {":Label": text(";".join(labels)), f"location:{POINT}": "concat('{x:', x, ', y:', y, ', z:', z, '}')"}
    for roiset, properties in formulas.items():
        if roiset in one.rois:
            columns |= computed(one.rois[roiset], properties)
    table = f"nodes of {one.table}"
    files = make_flagged(work, table, f"SELECT * FROM {held_of(one)}", one.rois, split=split)
    for number, path in enumerate(paths_of(len(files), ELEMENTS.file.format(elements=file_name(one.name)))):
        headers = (*columns, *(f"{roi}:boolean" for _, roi in files[number]))
        yield Output(
            path=path,
            query=lines_of(work, table, columns, tails_of(one.rois, files[number]), number),
            promise=ELEMENTS.concrete(given=dict.fromkeys(headers, "VARCHAR")),
            gives_lines=True,
        )


def _sets(work: Work, elements: Sequence[Elements], dataset: str, body: str) -> Iterator[Output]:
    """The files of each type: elements of several tables that have one type are in one set."""
    parts = " UNION ALL ".join(f"SELECT type, body, point_id FROM {held_of(one)}" for one in elements)
    if not parts:
        return
    work.make("typed element", f"SELECT * FROM ({parts}) ORDER BY type, body, point_id")
    for (kind,) in work.rows('SELECT DISTINCT type FROM "typed element" ORDER BY type'):
        of_type = f'"typed element" WHERE type = {text(kind)}'
        key = "concat(body, '_', type)"
        label = text(f"ElementSet;{dataset}_ElementSet")
        bodies = f"(SELECT DISTINCT body, type FROM {of_type})"
        known = 'WHERE body IN (SELECT ":ID(Body-ID)" FROM neuron)'
        queries = {
            SETS: f"SELECT {SETS.filled(key, 'type', label)} FROM {bodies} ORDER BY body",
            NEURON_TO_SET: f"SELECT {NEURON_TO_SET.filled('body', key)} FROM {bodies} {known} ORDER BY body",
            SET_TO_ELEMENT: f"SELECT {SET_TO_ELEMENT.filled(key, 'point_id')} FROM {of_type} ORDER BY body, point_id",
        }
        for table, query in queries.items():
            path = table.file.format(type=file_name(kind))
            yield Output(path=path, query=query, promise=table.concrete(body=body))


def file_name(kind: str) -> str:
    """A type as a part of a file's name: all but letters, digits, blanks and ``_.-`` is written as %xx.

    neo4j-admin takes a comma for the end of a name, and what regular expressions have for a pattern of names.

    >>> file_name("so ma"), file_name("../mito"), file_name("Größe"), file_name("a,b(c)")
    ('so ma', '..%2Fmito', 'Größe', 'a%2Cb%28c%29')
    """
    return "".join(one if one.isalnum() or one in " _.-" else quote(one, safe="") for one in kind)
