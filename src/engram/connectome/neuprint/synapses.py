"""Nodes of synapses: T-bars and PSDs with their properties and ROIs.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/synapse.py``
"""

from collections.abc import Iterator, Mapping, Sequence

from engram.connectome.annotations import camel
from engram.connectome.engine import Work
from engram.connectome.neuprint.formulas import Formulas, computed
from engram.connectome.neuprint.nodes import EACH, lines_of, make_nodes, paths_of
from engram.connectome.neuprint.scope import Scope
from engram.connectome.neuprint.types import POINT, header, written
from engram.connectome.outputs import Output
from engram.connectome.rois import RoiSet
from engram.connectome.sql import UNSPECIFIED, name, text
from engram.connectome.synapses import Synapses
from engram.connectome.tables import AS_GIVEN, Column, Table

SYNAPSES = Table(
    "Neuprint_Synapses",
    "neuprint/Neuprint_Synapses/000000.csv",
    "T-bar or PSD",
    "body, point",
    (
        Column(
            "…",
            AS_GIVEN,
            "A property of the synapse; true for each ROI that it lies in",
            when="if given",
            optional=True,
        ),
    ),
)
TABLES = (SYNAPSES,)

_NOT_SHOWN = ("x", "y", "z", "sv", "point_id")
_RENAMED = {"kind": "type:string", "conf": "confidence:float", "body": "bodyId:long"}


def synapse_outputs(
    work: Work,
    synapses: Synapses,
    scope: Scope,
    roisets: Sequence[str],
    *,
    dataset: str,
    neurotransmitters: Sequence[str],
    formulas: Formulas,
    split: bool,
) -> Iterator[Output]:
    """The files of synapses: one, or several where there are too many ROIs.

    Args:
        roisets: the ROI sets whose ROIs become flags; columns of others are properties.
        neurotransmitters: columns of the table ``tbar nt`` that are properties; none if there is no such table.
        formulas: by ROI set, properties that follow from the label of a ROI.
        split: a file for each combination of ROIs.
    """
    given = work.columns("point")
    columns: dict[str, str] = {":ID(Element-ID)": "point_id"}
    flagged = {column for roiset in roisets for column in (roiset, f"{roiset}_label")}
    for column, kind in given.items():
        if column not in flagged and column not in _NOT_SHOWN:
            columns[_RENAMED.get(column) or header(column, kind)] = _value(column, kind)
    kinds = work.columns("tbar nt") if neurotransmitters else {}
    columns |= {header(camel(column), kinds[column]): name(f"nt {column}") for column in neurotransmitters}
    columns[":Label"] = text(f"Synapse;{dataset}_Synapse;Element;{dataset}_Element")
    columns[f"location:{POINT}"] = "concat('{x:', x, ', y:', y, ', z:', z, '}')"
    for roiset, properties in formulas.items():
        if roiset in synapses.rois:
            columns |= computed(synapses.rois[roiset], properties)
    sets = {roiset: synapses.rois[roiset] for roiset in roisets}
    files = _make_synapses(work, scope.held_point, sets, neurotransmitters, split=split)
    for number, path in enumerate(paths_of(len(files), SYNAPSES.file)):
        tails = tails_of(sets, files[number])
        headers = (*columns, *(f"{roi}:boolean" for _, roi in files[number]))
        yield Output(
            path=path,
            query=lines_of(work, "synapse", columns, tails, number),
            promise=SYNAPSES.concrete(given=dict.fromkeys(headers, "VARCHAR")),
            gives_lines=True,
        )


def _make_synapses(
    work: Work, point: str, sets: Mapping[str, RoiSet], neurotransmitters: Sequence[str], *, split: bool
) -> list[list[tuple[str, str]]]:
    """Make the table ``synapse``: points, their neurotransmitters and their file. The ROIs of the files' flags."""
    query = f"SELECT * FROM {point}"
    if neurotransmitters:
        listed = ", ".join(f"nt.{name(one)} AS {name('nt ' + one)}" for one in neurotransmitters)
        query = f'SELECT point.*, {listed} FROM {point} AS point LEFT JOIN "tbar nt" AS nt USING (point_id)'
    return make_flagged(work, "synapse", query, sets, split=split)


def make_flagged(
    work: Work, table: str, query: str, sets: Mapping[str, RoiSet], *, split: bool
) -> list[list[tuple[str, str]]]:
    """Make *table*: points that *query* gives, and their file. Of each file the ROIs of its flags, and their sets."""
    rois = [(roiset, roi) for roiset, found in sets.items() for roi in found.names if roi != UNSPECIFIED]
    number_of = {one: str(number) for number, one in enumerate(rois)}
    numbers = [
        f"([{', '.join(number_of.get((roiset, roi), 'NULL') for roi in found.names)}])[enum_code({name(roiset)}) + 1]"
        for roiset, found in sets.items()
    ]
    within = f"list_filter([{', '.join(numbers)}], lambda number: number IS NOT NULL)"
    most_files = EACH if split else 0
    files = make_nodes(work, table, query, tuple(sets), within, order="body, point_id", most_files=most_files)
    return [[rois[number] for number in numbers] for numbers in files]


def tails_of(sets: Mapping[str, RoiSet], flagged: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The flags of a line, one piece for each ROI set of which the file has any."""
    return filter(None, (_tail(roiset, found.names, flagged) for roiset, found in sets.items()))


def _tail(roiset: str, names: Sequence[str], rois: Sequence[tuple[str, str]]) -> str:
    """The flags of a ROI set: a text for each of its ROIs, with as many commas as it has flags in the file."""
    flags = [roi for of, roi in rois if of == roiset]
    if not flags:
        return ""
    tails = ", ".join(text("".join(",true" if roi == flag else "," for flag in flags)) for roi in names)
    return f"([{tails}])[enum_code({name(roiset)}) + 1]"


def _value(column: str, kind: str) -> str:
    if column == "kind":
        return "if(kind = 'PreSyn', 'pre', 'post')"
    return name(column) if column in _RENAMED else written(column, kind, name(column))
