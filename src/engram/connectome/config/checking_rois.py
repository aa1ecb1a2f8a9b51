"""What is wrong with ROI sets, and with what names them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from engram.connectome.config.checking_names import known_rois
from engram.connectome.config.inputs import RoiSet
from engram.connectome.config.nodes import Path
from engram.connectome.config.outputs import OF_BODIES, OF_POINTS
from engram.connectome.config.records import Config
from engram.connectome.expressions import read_template
from engram.connectome.operations import BadFormula
from engram.model.nearest import nearest_of

#: Keys that name ROI sets which elements may have, and synapses not.
_OF_ELEMENTS = {"elements", "restrict-elements-to-roiset", "roi-synapse-properties", "exclude-roisets", "roisets"}
#: What a point without a ROI has as its ROI.
UNSPECIFIED = "<unspecified>"


def roi_set_complaints(config: Config) -> Iterator[tuple[Path, str]]:
    """What is wrong with each ROI set."""
    sets = config.inputs.rois.roi_sets
    owners: dict[str, str] = {}
    for number, (name, roi_set) in enumerate(sets.items()):
        path: Path = ("inputs", "rois", "roi-sets", name)
        before = list(sets)[:number]
        yield from _of_rois(roi_set, path)
        yield from _of_source(roi_set, path, before)
        yield from _of_parents(roi_set, path, before)
        for roi in known_rois(roi_set):
            if owners.setdefault(roi, name) != name:
                yield (*path, "rois"), f"{roi} is a ROI of {owners[roi]}, too: a ROI belongs to one set"


def taken_rois(config: Config) -> Iterator[tuple[Path, str]]:
    """ROIs of the database whose names its bodies or synapses have for something else, whatever the tables hold."""
    neuprint, sets = config.outputs.neuprint, config.inputs.rois.roi_sets
    wanted = neuprint.roi_set_names if neuprint.roi_set_names is not None else config.inputs.synapses.roi_set_names
    for name in sets if wanted is None else wanted:
        for roi in known_rois(sets[name]) if name in sets and neuprint.export_neuprint_snapshot else ():
            if roi in OF_BODIES or roi in OF_POINTS:
                what = f"bodies or synapses of neuPrint have a property {roi}: give the ROI another name"
                yield ("inputs", "rois", "roi-sets", name, "rename-rois"), what


def _of_rois(roi_set: RoiSet, path: Path) -> Iterator[tuple[Path, str]]:
    rois = roi_set.rois
    if isinstance(rois, str) and rois:
        yield from _of_template(rois, (*path, "rois"))
    elif not rois and roi_set.source != "point-table":
        yield (*path, "rois"), f"it names no ROIs, and {roi_set.source} does not tell them"
    if UNSPECIFIED in rois:
        yield (*path, "rois"), f"{UNSPECIFIED} stands for no ROI, and can be none"
    if isinstance(rois, tuple):
        for name in (name for name, times in Counter(rois).items() if times > 1):
            yield (*path, "rois"), f"{name} stands in it twice"
    if isinstance(rois, Mapping):
        ids = Counter(value for value in rois.values() if isinstance(value, int))
        for number in (number for number, times in ids.items() if times > 1):
            yield (*path, "rois"), f"{ids[number]} ROIs have the id {number}"


def _of_template(text: str, path: Path) -> Iterator[tuple[Path, str]]:
    try:
        template = read_template(text)
        if template(1) == template(2):
            yield path, f"{text!r} gives all ROIs the same name: {{x}} stands for the id; a file ends in .json"
    except BadFormula as error:
        yield path, f"{text!r} gives no names: {error}"


def _of_source(roi_set: RoiSet, path: Path, before: list[str]) -> Iterator[tuple[Path, str]]:
    if bool(roi_set.labelmap) != (roi_set.source == "dvid-labelmap"):
        yield (*path, "labelmap"), "it is named exactly when the source is dvid-labelmap"
    lists = isinstance(roi_set.rois, Mapping) and any(isinstance(value, tuple) for value in roi_set.rois.values())
    if roi_set.source != "unions-of-subrois":
        if lists:
            yield (*path, "rois"), "lists of subROIs belong to the source unions-of-subrois"
        return
    source = roi_set.union_source_roiset
    if source not in before:
        near = nearest_of(source, before) if before else ""
        message = f"{source or 'the ROI set of the subROIs'} does not stand before this set{near}"
        yield (*path, "union-source-roiset"), message
    if not lists:
        if roi_set.rois:
            yield (*path, "rois"), "for unions, each new ROI has a list of subROIs"
        return
    yield from _of_unions(roi_set, path)


def _of_unions(roi_set: RoiSet, path: Path) -> Iterator[tuple[Path, str]]:
    rois = roi_set.rois if isinstance(roi_set.rois, Mapping) else {}
    unions = {name: subs for name, subs in rois.items() if isinstance(subs, tuple)}
    for name, subs in unions.items():
        if not subs:
            yield (*path, "rois", name), "it is made of no subROIs"
    for sub in (sub for sub, times in Counter(sub for subs in unions.values() for sub in subs).items() if times > 1):
        yield (*path, "rois"), f"{sub} is a part of several ROIs: a point lies in one ROI of a set"


def _of_parents(roi_set: RoiSet, path: Path, before: list[str]) -> Iterator[tuple[Path, str]]:
    if roi_set.parent_roiset and roi_set.parent_roiset not in before:
        near = nearest_of(roi_set.parent_roiset, before) if before else ""
        yield (*path, "parent-roiset"), f"{roi_set.parent_roiset} does not stand before this set{near}"
    if roi_set.parent_rois and not roi_set.parent_roiset:
        yield (*path, "parent-rois"), "their ROI set is not named: parent-roiset"


def unknown_sets(config: Config) -> Iterator[tuple[Path, str]]:
    """Each place that names a ROI set which is not there, or of which synapses have no column."""
    sets, loaded = config.inputs.rois.roi_sets, config.inputs.synapses.roi_set_names or ()
    for path, name in _named_sets(config):
        if name not in sets:
            near = nearest_of(name, sets) if sets else "; inputs.rois.roi-sets is empty"
            yield path, f"there is no ROI set {name}{near}"
        elif name not in loaded and not _OF_ELEMENTS.intersection(path) and path[1] != "synapses":
            yield path, f"synapses have no column for {name}: add it to inputs.synapses.roi-set-names"


def sets_out_of_order(config: Config) -> Iterator[tuple[Path, str]]:
    """Each list of ROI sets in which one stands without, or before, another one that it is made of."""
    inputs = config.inputs
    lists: list[tuple[Path, tuple[str, ...] | None]] = [
        (("inputs", "elements", name, "roi-set-names"), table.roi_set_names)
        for name, table in inputs.elements.tables.items()
    ]
    lists.append((("inputs", "synapses", "roi-set-names"), inputs.synapses.roi_set_names))
    for path, names in lists:
        for place, name in enumerate(names or ()):
            roi_set = inputs.rois.roi_sets.get(name, RoiSet())
            unions = roi_set.source == "unions-of-subrois"
            for needed in (roi_set.union_source_roiset if unions else "", roi_set.parent_roiset):
                if needed in inputs.rois.roi_sets and needed not in (names or ())[:place]:
                    yield path, f"{name} is made of {needed}, which must stand before it"


def _named_sets(config: Config) -> Iterator[tuple[Path, str]]:
    inputs = config.inputs
    yield from _each(("inputs", "synapses", "roi-set-names"), inputs.synapses.roi_set_names)
    for table, one in inputs.elements.tables.items():
        yield from _each(("inputs", "elements", table, "roi-set-names"), one.roi_set_names)
    predictions = inputs.neurotransmitters
    restricted = predictions.restrict_to_roi.roiset if predictions.synister_feather else ""
    yield from _one(("inputs", "neurotransmitters", "restrict-to-roi", "roiset"), restricted)
    nt, flat = config.outputs.neurotransmitters, config.outputs.flat_connectome
    if nt.export_neurotransmitters:
        yield from _each(("outputs", "neurotransmitters", "roi-sets"), nt.roi_sets)
        yield from _one(("outputs", "neurotransmitters", "restrict-export"), nt.restrict_export)
    if flat.export_connectome:
        path: Path = ("outputs", "flat-connectome")
        yield from _one((*path, "roi-set"), flat.roi_set)
        yield from _one((*path, "restrict-connectivity-to-roiset"), flat.restrict_connectivity_to_roiset)
    if config.outputs.neuprint.export_neuprint_snapshot:
        yield from _of_neuprint(config)
    for place, reports in enumerate(config.outputs.connectivity_reports):
        if any(report.rois for report in reports.reports) or reports.roiset:
            yield ("outputs", "connectivity-reports", place, "roiset"), reports.roiset


def _of_neuprint(config: Config) -> Iterator[tuple[Path, str]]:
    neuprint, path = config.outputs.neuprint, ("outputs", "neuprint")
    yield from _each((*path, "roi-set-names"), neuprint.roi_set_names)
    yield from _one((*path, "restrict-info-totals-to-roiset"), neuprint.restrict_info_totals_to_roiset)
    yield from _one((*path, "restrict-connectivity-to-roiset"), neuprint.restrict_connectivity_to_roiset)
    yield from _one((*path, "restrict-elements-to-roiset"), neuprint.restrict_elements_to_roiset)
    for name in neuprint.roi_synapse_properties:
        yield (*path, "roi-synapse-properties", name), name
    yield from _each((*path, "indexes", "exclude-roisets"), neuprint.indexes.exclude_roisets)
    for place, index in enumerate(neuprint.indexes.element_roisets_to_index):
        yield from _each((*path, "indexes", "element-roisets-to-index", place, "roisets"), index.roisets)


def _each(path: Path, names: tuple[str, ...] | None) -> Iterator[tuple[Path, str]]:
    for place, name in enumerate(names or ()):
        yield (*path, place), name


def _one(path: Path, name: str) -> Iterator[tuple[Path, str]]:
    if name:
        yield path, name
