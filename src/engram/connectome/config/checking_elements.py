"""What is wrong with tables of elements, and with what a snapshot says of them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from engram.connectome.config.nodes import Path
from engram.connectome.config.outputs import RESERVED_TOTALS, Neuprint
from engram.connectome.config.records import Config
from engram.model.nearest import nearest_of

_LABEL = re.compile(r":?[^\W\d]\w*")
_PROPERTY = re.compile(r"[^\W\d]\w*")


def element_complaints(config: Config) -> Iterator[tuple[Path, str]]:
    """Everything that is wrong with the tables of elements and with what names them."""
    yield from _tables(config)
    yield from _labels(config)
    yield from _totals(config.outputs.neuprint)
    yield from _restrictions(config)


def _tables(config: Config) -> Iterator[tuple[Path, str]]:
    seen: dict[str, str] = {}
    for name, table in config.inputs.elements.tables.items():
        path: Path = ("inputs", "elements", name)
        has_instance = bool(table.dvid_point_annotations.instance)
        if has_instance == bool(table.point_table):
            yield path, "name either a point-table or dvid-point-annotations, one of them"
        if seen.setdefault(name.lower(), name) != name:
            yield path, f"it differs from {seen[name.lower()]} in upper and lower case only: give it another name"


def _labels(config: Config) -> Iterator[tuple[Path, str]]:
    tables, neuprint = config.inputs.elements.tables, config.outputs.neuprint
    for key, named in (("element-labels", neuprint.element_labels), ("element-totals", neuprint.element_totals)):
        for name in named:
            if name not in tables:
                yield ("outputs", "neuprint", key, name), f"there are no elements {name}{_nearest(name, tables)}"
    for name, label in neuprint.element_labels.items():
        if label and not _LABEL.fullmatch(label):
            what = f"{label!r} is no label, as :Mito: letters, digits and _ may stand in it"
            yield ("outputs", "neuprint", "element-labels", name), what
    labels = set(neuprint.element_labels.values())
    for place, index in enumerate(neuprint.indexes.element_roisets_to_index):
        if index.neuprint_label not in labels:
            path: Path = ("outputs", "neuprint", "indexes", "element-roisets-to-index", place, "neuprint-label")
            yield path, f"no elements have the label {index.neuprint_label}{_nearest(index.neuprint_label, labels)}"


def _totals(neuprint: Neuprint) -> Iterator[tuple[Path, str]]:
    for key in ("compute_segment_totals_with_name", "compute_roi_totals_with_name"):
        names = {element: getattr(wanted, key) for element, wanted in neuprint.element_totals.items()}
        times = Counter(filter(None, names.values()))
        for element, name in names.items():
            path: Path = ("outputs", "neuprint", "element-totals", element, key.replace("_", "-"))
            if name and not _PROPERTY.fullmatch(name):
                yield path, f"{name!r} is no name of a property: letters, digits and _ may stand in it"
            if name in RESERVED_TOTALS:
                yield path, f"bodies have something else under the name {name}"
            if times[name] > 1:
                yield path, f"{name} is the name of {times[name]} totals"


def _restrictions(config: Config) -> Iterator[tuple[Path, str]]:
    """Elements must have the ROI sets that they are restricted to."""
    neuprint = config.outputs.neuprint
    if not neuprint.export_neuprint_snapshot:
        return
    for roiset in dict.fromkeys((neuprint.restrict_info_totals_to_roiset, neuprint.restrict_elements_to_roiset)):
        for name, table in config.inputs.elements.tables.items():
            if roiset in config.inputs.rois.roi_sets and roiset not in (table.roi_set_names or ()):
                path: Path = ("inputs", "elements", name, "roi-set-names")
                yield path, f"elements are restricted to {roiset}, and these have no column for it: add it"


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    return nearest_of(name, known) if known else "; there are none"
