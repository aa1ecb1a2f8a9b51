"""ROIs that a configuration names and that their ROI set does not have: a misspelt one would be lost without a word."""

from collections.abc import Collection, Iterator, Mapping

from engram.connectome.config.inputs import RoiSet
from engram.connectome.config.nodes import Path
from engram.connectome.config.records import Config
from engram.model.nearest import nearest_of


def known_rois(roi_set: RoiSet) -> tuple[str, ...]:
    """The ROIs of a set that its configuration names, renamed; none where the tables alone tell them."""
    if isinstance(roi_set.rois, str):
        return ()
    return tuple(dict.fromkeys(roi_set.rename_rois.get(roi, roi) for roi in roi_set.rois))


def unknown_rois(config: Config) -> Iterator[tuple[Path, str]]:
    """Each ROI that is named of a set which has no such ROI. Sets whose ROIs the tables tell are left to them."""
    sets = config.inputs.rois.roi_sets
    for path, name, rois in (*_named_in_sets(config), *_named_elsewhere(config)):
        known = known_rois(sets[name]) if name in sets else ()
        for roi in rois:
            if known and roi not in known:
                yield path, f"{name} has no ROI {roi}{nearest_of(roi, known)}"
    for name, roi_set in sets.items():
        if roi_set.rename_rois and roi_set.rois and not isinstance(roi_set.rois, str):
            for roi in roi_set.rename_rois:
                if roi not in roi_set.rois:
                    path = ("inputs", "rois", "roi-sets", name, "rename-rois", roi)
                    yield path, f"{name} has no ROI {roi}{nearest_of(roi, roi_set.rois)}"


def _named_in_sets(config: Config) -> Iterator[tuple[Path, str, Collection[str]]]:
    for name, roi_set in config.inputs.rois.roi_sets.items():
        path: Path = ("inputs", "rois", "roi-sets", name)
        yield (*path, "parent-rois"), roi_set.parent_roiset, roi_set.parent_rois
        if roi_set.source == "unions-of-subrois" and isinstance(roi_set.rois, Mapping):
            for union, subs in roi_set.rois.items():
                yield (*path, "rois", union), roi_set.union_source_roiset, subs if isinstance(subs, tuple) else ()


def _named_elsewhere(config: Config) -> Iterator[tuple[Path, str, Collection[str]]]:
    restricted = config.inputs.neurotransmitters.restrict_to_roi
    if restricted.roi and restricted.roiset:
        yield ("inputs", "neurotransmitters", "restrict-to-roi", "roi"), restricted.roiset, (restricted.roi,)
    for place, reports in enumerate(config.outputs.connectivity_reports):
        for number, report in enumerate(reports.reports):
            path: Path = ("outputs", "connectivity-reports", place, "reports", number, "rois")
            yield path, reports.roiset, report.rois
