"""Names that no node of the database can have, or that would stand for two things in one: told before it is written.

A ROI becomes a property of bodies, synapses and elements, true where they lie in it; what else they have are
properties, too, some under names that are fixed. Two columns of one name cannot be imported, nor can a column whose
name Neo4j reads as something else.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from engram.connectome.annotations import Annotations, camel
from engram.connectome.config.outputs import OF_BODIES, OF_POINTS
from engram.connectome.elements import Elements
from engram.connectome.neo4j.header import is_readable
from engram.connectome.neuprint.formulas import Formulas
from engram.connectome.neuprint.totals import total_columns
from engram.connectome.rois import RoiSet
from engram.connectome.sql import UNSPECIFIED
from engram.connectome.synapses import Synapses

#: Columns of points that become properties under another name, or none.
_OTHERWISE = ("x", "y", "z", "sv", "point_id", "kind", "conf", "body")
_UNREADABLE = "Neo4j reads no property of the name {name!r} from a file, as braces tell it something else"
_RENAME_PROPERTY = "rename or drop it with outputs.neuprint.annotation-property-names"
_RENAME = "give the ROI another name: inputs.rois.roi-sets.{roiset}.rename-rois"


def taken_names(
    synapses: Synapses,
    elements: Sequence[Elements],
    formulas: Formulas,
    *,
    sets: Collection[str],
    given: Collection[str],
    of_bodies: Collection[str],
    of_synapses: Collection[str],
    sizes: bool,
) -> Iterator[str]:
    """Each name that would be there twice, or cannot be read, with what to do.

    Args:
        sets: ROI sets whose ROIs become properties.
        given: columns of the points.
        of_bodies: properties of bodies beside totals and annotations, as totals of elements.
        of_synapses: columns of neurotransmitters that synapses have.
        sizes: whether bodies have a size that is no annotation.
    """
    rois = {roiset: synapses.rois[roiset] for roiset in sets}
    fixed = {*total_columns(synapses.compartment), "roiInfo", *(["size"] if sizes else [])}
    yield from _annotated(synapses.annotations, fixed)
    yield from _rois("bodies", rois, {*OF_BODIES, *fixed, *of_bodies, *synapses.annotations.properties})
    columns = {column for roiset in rois for column in (roiset, f"{roiset}_label")} | {*_OTHERWISE}
    more = [column for column in given if column not in columns]
    predicted = {camel(column) for column in of_synapses}
    for column in more:
        if column in (*OF_POINTS, *predicted):
            yield f"the points, column {column}: synapses have another property of that name: rename the column"
    yield from _rois("synapses", rois, {*OF_POINTS, *more, *predicted, *_computed(formulas, rois)})
    for one in elements:
        known = {*OF_POINTS, *one.properties, *_computed(formulas, one.rois)} - {"confidence"}
        yield from _rois(f"elements {one.name}", one.rois, known)
    yield from _unreadable(synapses, elements, formulas, sets=rois, of_points=[*more, *of_synapses])


def _unreadable(
    synapses: Synapses,
    elements: Sequence[Elements],
    formulas: Formulas,
    *,
    sets: Mapping[str, RoiSet],
    of_points: Sequence[str],
) -> Iterator[str]:
    """Each name that cannot be read from the header of a file."""
    for roiset, found in (*sets.items(), *(pair for one in elements for pair in one.rois.items())):
        for roi in _odd(found.names):
            yield f"ROI set {roiset}: {_UNREADABLE.format(name=roi)}: {_RENAME.format(roiset=roiset)}"
    for prop in _odd(synapses.annotations.properties):
        yield f"the annotations: {_UNREADABLE.format(name=prop)}: {_RENAME_PROPERTY}"
    columns = [("the points", column) for column in of_points]
    columns += [(f"elements {one.name}", column) for one in elements for column in (*one.properties, *one.of_pairs)]
    for table, column in columns:
        for odd in _odd([column]):
            yield f"{table}, column {odd}: {_UNREADABLE.format(name=odd)}: rename the column"
    for roiset, properties in formulas.items():
        for prop in _odd(properties):
            where = f"outputs.neuprint.roi-synapse-properties.{roiset}"
            yield f"{where}: {_UNREADABLE.format(name=prop)}: give it another name"


def _odd(names: Iterable[str]) -> list[str]:
    return [one for one in names if not is_readable(one)]


def _annotated(annotations: Annotations, fixed: Collection[str]) -> Iterator[str]:
    for prop in annotations.properties:
        if prop in fixed:
            yield (
                f"the annotations: a column becomes the property {prop}, which bodies have from elsewhere:"
                f" {_RENAME_PROPERTY}"
            )


def _computed(formulas: Formulas, rois: Collection[str]) -> Iterator[str]:
    """Properties that follow from the labels of ROIs."""
    return (prop for roiset, properties in formulas.items() if roiset in rois for prop in properties)


def _rois(what: str, rois: Mapping[str, RoiSet], known: Collection[str]) -> Iterator[str]:
    for roiset, found in rois.items():
        for roi in found.names:
            if roi in known and roi != UNSPECIFIED:
                yield f"ROI set {roiset}: {what} have a property {roi}: {_RENAME.format(roiset=roiset)}"
