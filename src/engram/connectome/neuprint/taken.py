"""Names that would stand for two things in one node of the database: told before anything of it is written.

A ROI becomes a property of bodies, synapses and elements, true where they lie in it; what else they have are
properties, too, some under names that are fixed. Two columns of one name cannot be imported.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from engram.connectome.annotations import Annotations, camel
from engram.connectome.config.outputs import OF_BODIES, OF_POINTS
from engram.connectome.elements import Elements
from engram.connectome.neuprint.formulas import Formulas
from engram.connectome.neuprint.totals import total_columns
from engram.connectome.rois import RoiSet
from engram.connectome.sql import UNSPECIFIED
from engram.connectome.synapses import Synapses

#: Columns of points that become properties under another name, or none.
_OTHERWISE = ("x", "y", "z", "sv", "point_id", "kind", "conf", "body")
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
    """Each name that would be there twice, with what to do.

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


def _annotated(annotations: Annotations, fixed: Collection[str]) -> Iterator[str]:
    for prop in annotations.properties:
        if prop in fixed:
            yield (
                f"the annotations: a column becomes the property {prop}, which bodies have from elsewhere: rename or"
                " drop it with outputs.neuprint.annotation-property-names"
            )


def _computed(formulas: Formulas, rois: Collection[str]) -> Iterator[str]:
    """Properties that follow from the labels of ROIs."""
    return (prop for roiset, properties in formulas.items() if roiset in rois for prop in properties)


def _rois(what: str, rois: Mapping[str, RoiSet], known: Collection[str]) -> Iterator[str]:
    for roiset, found in rois.items():
        for roi in found.names:
            if roi in known and roi != UNSPECIFIED:
                yield f"ROI set {roiset}: {what} have a property {roi}: {_RENAME.format(roiset=roiset)}"
