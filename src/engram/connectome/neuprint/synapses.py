"""Nodes of synapses: T-bars and PSDs with their properties and ROIs.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/synapse.py``
"""

from collections.abc import Iterator, Mapping, Sequence

from engram.connectome.annotations import camel
from engram.connectome.engine import Work
from engram.connectome.neuprint.formulas import Formulas, computed
from engram.connectome.neuprint.nodes import EACH, File, lines_of, make_nodes, paths_of
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
    rois = [(roiset, roi) for roiset in roisets for roi in synapses.rois[roiset].names if roi != UNSPECIFIED]
    files = _make_synapses(work, scope.held_point, roisets, rois, neurotransmitters, split=split)
    for number, path in enumerate(paths_of(files, SYNAPSES.file)):
        flagged_here = [rois[roi] for roi in files[number].rois]
        tails = tails_of({roiset: synapses.rois[roiset] for roiset in roisets}, flagged_here)
        headers = (*columns, *(f"{roi}:boolean" for _, roi in flagged_here))
        yield Output(
            path=path,
            query=lines_of(work, "synapse", columns, tails, number),
            promise=SYNAPSES.concrete(given=dict.fromkeys(headers, "VARCHAR")),
            gives_lines=True,
        )


def _make_synapses(
    work: Work,
    point: str,
    roisets: Sequence[str],
    rois: Sequence[tuple[str, str]],
    neurotransmitters: Sequence[str],
    *,
    split: bool,
) -> list[File]:
    """Make the table ``synapse``: points, their neurotransmitters and their file. The files."""
    query = f"SELECT * FROM {point}"
    if neurotransmitters:
        listed = ", ".join(f"nt.{name(one)} AS {name('nt ' + one)}" for one in neurotransmitters)
        query = f'SELECT point.*, {listed} FROM {point} AS point LEFT JOIN "tbar nt" AS nt USING (point_id)'
    return make_flagged(work, "synapse", query, roisets, rois, split=split)


def make_flagged(
    work: Work, table: str, query: str, roisets: Sequence[str], rois: Sequence[tuple[str, str]], *, split: bool
) -> list[File]:
    """Make *table*: the points that *query* gives, and their file. The files, whose ROIs are places in *rois*."""
    number_of = {one: number for number, one in enumerate(rois)}

    def rois_of(row: Sequence[str]) -> Iterator[int]:
        pairs = zip(roisets, row, strict=True)
        return (number_of[pair] for pair in pairs if pair[1] != UNSPECIFIED)

    return make_nodes(work, table, query, roisets, rois_of, order="body, point_id", most_files=EACH if split else 0)


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
