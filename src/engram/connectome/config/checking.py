"""What is wrong with a completed configuration whose every value is of the right kind.

Each check is a generator of complaints: the keys that lead to a value, and what is wrong with it.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeAlias

from engram.connectome.config.checking_elements import element_complaints
from engram.connectome.config.checking_names import unknown_rois
from engram.connectome.config.checking_rois import roi_set_complaints, sets_out_of_order, taken_rois, unknown_sets
from engram.connectome.config.hierarchy import Written, roisets_of
from engram.connectome.config.meta import Meta
from engram.connectome.config.nodes import Path
from engram.connectome.config.outputs import ReportSet
from engram.connectome.config.records import Config
from engram.connectome.config.unsupported import unsupported
from engram.connectome.expressions import read_formula
from engram.connectome.operations import BadFormula
from engram.model.nearest import nearest_of

#: Where a complaint belongs, and what it says.
Complaint: TypeAlias = tuple[Path, str]

_SEPARATORS = re.compile(r"[/\\\x00-\x1f\x7f]")
_LONGEST_NAME = 100
_DATASET = re.compile(r"[\w-]+")
_PROPERTY = re.compile(r"[^\W\d]\w*")


def complaints(config: Config, broken: Collection[Path] = ()) -> Iterator[Complaint]:
    """Everything that is wrong with a completed configuration, but what its description for neuPrint says.

    Args:
        config: where a value was of the wrong kind it holds the default.
        broken: where values were of the wrong kind: what depends on these is not looked at.
    """
    for check, reads in _CHECKS:
        if not any(_within(one, section) for one in broken for section in reads):
            for path, message in check(config):
                if not any(_within(path, one) for one in broken if one):
                    yield path, message


def _within(path: Path, section: Path) -> bool:
    return path[: len(section)] == section


def place_complaints(config: Config, *, folder: str, here: str) -> Iterator[Complaint]:
    """What is wrong with the output folder that a configuration names itself.

    It may lie in the folder of the configuration or in the current one: a configuration may come from anybody, and
    what is written elsewhere is the user's to say.
    """
    path: Path = ("job-settings", "output-dir")
    output = config.job_settings.output_dir
    if any(_file_name(path, config.job_settings.snapshot_tag)):
        return  # that is told already, and the folder may follow from it
    inside = [place for place in (folder, here) if _lies_in(output, place)]
    if not inside:
        yield path, f"{output} lies outside of the folder of the configuration: name it yourself with -o {output}"
    if _lies_in(folder, output):
        yield path, f"{output} holds the configuration: give the snapshot a folder of its own"


def _lies_in(path: str, folder: str) -> bool:
    real, around = os.path.realpath(path), os.path.realpath(folder)
    return os.path.commonpath((real, around)) == around


# ---- names that become names of files --------------------------------------------------------------------------------


def _names(config: Config) -> Iterator[Complaint]:
    tag: Path = ("job-settings", "snapshot-tag")
    if not config.job_settings.snapshot_tag:
        yield tag, "it is missing: without a DVID server nothing else names the snapshot"
    else:
        yield from _file_name(tag, config.job_settings.snapshot_tag)
    named: tuple[tuple[Path, Collection[str]], ...] = (
        (("inputs", "rois", "roi-sets"), config.inputs.rois.roi_sets),
        (("inputs", "elements"), config.inputs.elements.tables),
        (("outputs", "skeletons"), config.outputs.skeletons.sets),
        (("outputs", "meshes"), config.outputs.meshes.sets),
    )
    for path, names in named:
        for name in names:
            yield from _file_name((*path, name), name)


def _file_name(path: Path, name: str) -> Iterator[Complaint]:
    what = ""
    if not name or name in (".", ".."):
        what = "is none"
    elif _SEPARATORS.search(name):
        what = "holds a slash or a control character"
    elif name[0] in ".-" or name != name.strip():
        what = "begins with a dot or a dash, or has blanks around it"
    elif len(name.encode()) > _LONGEST_NAME:
        what = f"is longer than {_LONGEST_NAME} bytes"
    if what:
        yield path, f"{name!r} becomes the name of a file, and {what}"


# ---- sections --------------------------------------------------------------------------------------------------------


def _skeletons(config: Config) -> Iterator[Complaint]:
    for name, one in config.outputs.skeletons.sets.items():
        if one.export_skeletons and one.folder and min(one.coordinate_resolution_nm) <= 0:
            path: Path = ("outputs", "skeletons", name, "coordinate-resolution-nm")
            yield path, "a voxel has a size above 0: without a DVID server nothing else tells it"


def _annotations(config: Config) -> Iterator[Complaint]:
    for place, one in enumerate(config.inputs.annotations.replace_values):
        if not one.source_column:
            yield ("inputs", "annotations", "replace-values", place, "source-column"), "it names no column"


def _neurotransmitters(config: Config) -> Iterator[Complaint]:
    given, export = config.inputs.neurotransmitters, config.outputs.neurotransmitters
    if export.export_neurotransmitters and not given.synister_feather:
        path: Path = ("outputs", "neurotransmitters", "export-neurotransmitters")
        yield path, "there is nothing to export: inputs.neurotransmitters.synister-feather names no table"
    if given.restrict_to_roi.roi and not given.restrict_to_roi.roiset:
        yield ("inputs", "neurotransmitters", "restrict-to-roi", "roi"), "its ROI set is not named: roiset"


def _properties(config: Config) -> Iterator[Complaint]:
    seen: set[str] = set()
    for roiset, properties in config.outputs.neuprint.roi_synapse_properties.items():
        for name, formula in properties.items():
            path: Path = ("outputs", "neuprint", "roi-synapse-properties", roiset, name)
            if not _PROPERTY.fullmatch(name):
                yield path, f"{name!r} is no name of a property: letters, digits and _ may stand in it"
            if name in seen:
                yield path, f"{name} is the property of another ROI set, too"
            seen.add(name)
            try:
                read_formula(formula)
            except BadFormula as error:
                yield path, f"{formula!r} is no formula: {error}"


def _reports(config: Config) -> Iterator[Complaint]:
    sets: set[str] = set()
    for place, reports in enumerate(config.outputs.connectivity_reports):
        path: Path = ("outputs", "connectivity-reports", place)
        if reports.roiset in sets:
            yield (*path, "roiset"), f"{reports.roiset} has reports already: they would be written over each other"
        sets.add(reports.roiset)
        names = [report.name for report in reports.reports]
        if names and not reports.roiset:
            yield (*path, "roiset"), "it is missing: reports tell the ROIs of a ROI set"
        for name, times in Counter("-".join(name.split()) for name in names).items():
            if times > 1:
                yield (*path, "reports"), f"{times} reports have the name {name}: give each its own"
        for number, name in enumerate(names):
            yield from _file_name((*path, "reports", number, "name"), name)
        yield from _groups((*path, "capture-summary-subsets"), reports, names)


def _groups(path: Path, reports: ReportSet, names: Collection[str]) -> Iterator[Complaint]:
    for group, members in reports.capture_summary_subsets.items():
        yield from _file_name((*path, group), group)
        if group == reports.roiset:
            yield (*path, group), f"{group} is the name of the group with every report"
        for member, times in Counter(members).items():
            if times > 1:
                yield (*path, group), f"{member} stands in it twice"
            if member not in names:
                yield (*path, group), f"there is no report {member}{_nearest(member, names)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    return nearest_of(name, known) if known else "; there are none"


# ---- the description for neuPrint ------------------------------------------------------------------------------------


def meta_complaints(meta: Meta, roi_sets: Collection[str]) -> Iterator[Complaint]:
    """Everything that is wrong with the description of a dataset."""
    if not _DATASET.fullmatch(meta.dataset):
        yield ("dataset",), f"{meta.dataset!r} is no name of a dataset: letters, digits, _ and - may stand in it"
    if meta.tag:
        yield from _file_name(("tag",), meta.tag)
    if min(meta.voxel_size) <= 0:
        yield ("voxelSize",), "a voxel has a size above 0"
    ids = Counter(column.id for column in meta.neuron_columns_ordered)
    for name in (name for name, times in ids.items() if times > 1):
        yield ("neuronColumnsOrdered",), f"{name} stands in it twice"
    for key, names in (("primaryRois", meta.primary_rois), ("overviewRois", meta.overview_rois or ())):
        for name in (name for name, times in Counter(names).items() if times > 1):
            yield (key,), f"{name} stands in it twice"
    yield from _hierarchy(meta.hierarchy, roi_sets)


def _hierarchy(written: Written, roi_sets: Collection[str]) -> Iterator[Complaint]:
    path: Path = ("roiHierarchy",)
    if not isinstance(written, dict) or len(written) != 1:
        yield path, "one ROI stands at its top, and all others within it"
    for name in roisets_of(written):
        if name not in roi_sets:
            yield path, f"roiset://{name}: there is no ROI set {name}{_nearest(name, roi_sets)}"


#: Each check with the sections that it compares others with.
_CHECKS: tuple[tuple[Callable[[Config], Iterator[Complaint]], tuple[Path, ...]], ...] = (
    (unsupported, (("inputs", "rois"),)),
    (_names, ()),
    (roi_set_complaints, (("inputs", "rois"),)),
    (unknown_sets, (("inputs", "rois"), ("inputs", "synapses"))),
    (sets_out_of_order, (("inputs", "rois"),)),
    (taken_rois, (("inputs", "rois"), ("inputs", "synapses"), ("outputs", "neuprint"))),
    (unknown_rois, (("inputs", "rois"),)),
    (element_complaints, (("inputs", "elements"),)),
    (_skeletons, ()),
    (_annotations, ()),
    (_neurotransmitters, (("inputs", "neurotransmitters"),)),
    (_properties, ()),
    (_reports, (("outputs", "connectivity-reports"),)),
)
