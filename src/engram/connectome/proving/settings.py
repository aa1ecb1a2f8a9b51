"""What a check needs to know of how a snapshot was made: a few keys of ``final-config.yaml``.

Anybody may have written it. flyem-snapshot writes the same file, so that its snapshots can be checked alike.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engram.connectome.config.nodes import LARGEST_BYTES, Listed, Node, Refused, Scalar
from engram.connectome.config.yaml_nodes import node_of_yaml
from engram.connectome.files import read_small_file
from engram.connectome.reports.exporting import dashed

CONFIG = "final-config.yaml"


@dataclass(frozen=True, kw_only=True)
class MadeReport:
    """How one connectivity report was made."""

    roiset: str
    #: Its name in full.
    name: str
    #: The ROIs that are taken together; none for all synapses.
    rois: tuple[str, ...]
    #: Bodies after this rank are left out.
    stop_at_rank: int = 1_000_000
    #: Statuses of bodies that count as captured.
    captured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTotals:
    """How elements of a table were counted: names of their number in bodies, and in ROIs; '' for none."""

    of_bodies: str
    of_rois: str
    #: The column each of whose values was counted alone, '' for none.
    kinds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a snapshot was made."""

    #: Column of the points that tells axon from dendrite, '' for none: in flat tables, and in the database.
    flat_compartment: str = ""
    compartment: str = ""
    #: ROI sets of the database; ``None`` for all.
    roisets: tuple[str, ...] | None = None
    #: Settings that leave synapses out, '' for none: of the flat tables; of the database.
    flat_restriction: str = ""
    totals_restriction: str = ""
    connectivity_restriction: str = ""
    elements_restriction: str = ""
    #: Properties of synapses and elements that follow from a ROI's id.
    formulas: frozenset[str] = frozenset()
    #: Totals by the name of a table of elements.
    element_totals: Mapping[str, MadeTotals] = field(default_factory=dict)
    #: Reports by ROI set and by the name of their folder.
    reports: Mapping[tuple[str, str], MadeReport] = field(default_factory=dict)


def read_made(folder: str) -> Made | None:
    """What the configuration in a snapshot's folder says; None where there is none that can be read."""
    try:
        data = read_small_file(os.path.join(folder, CONFIG), most_bytes=LARGEST_BYTES)
        node = node_of_yaml(data.decode()) if len(data) <= LARGEST_BYTES else None
    except (OSError, UnicodeDecodeError, Refused):
        return None
    config = _plain(node) if node is not None else None
    if not isinstance(config, Mapping):
        return None
    compartment = _text(config, "inputs", "synapses", "compartment-column")
    roisets = _at(config, "outputs", "neuprint", "roi-set-names")
    if roisets is None:
        roisets = _at(config, "inputs", "synapses", "roi-set-names")
    return Made(
        flat_compartment=_text(config, "outputs", "flat-connectome", "compartment-column") or compartment,
        compartment=_text(config, "outputs", "neuprint", "compartment-column") or compartment,
        roisets=tuple(map(str, roisets)) if isinstance(roisets, list) else None,
        flat_restriction=_text(config, "outputs", "flat-connectome", "restrict-connectivity-to-roiset"),
        totals_restriction=_text(config, "outputs", "neuprint", "restrict-info-totals-to-roiset"),
        connectivity_restriction=_text(config, "outputs", "neuprint", "restrict-connectivity-to-roiset"),
        elements_restriction=_text(config, "outputs", "neuprint", "restrict-elements-to-roiset"),
        formulas=frozenset(_formulas(config)),
        element_totals=dict(_element_totals(config)),
        reports={(one.roiset, dashed(one.name)): one for one in _reports(config)},
    )


def _formulas(config: Mapping[str, Any]) -> Iterator[str]:
    found = _at(config, "outputs", "neuprint", "roi-synapse-properties")
    for properties in found.values() if isinstance(found, Mapping) else ():
        yield from map(str, properties if isinstance(properties, Mapping) else ())


def _element_totals(config: Mapping[str, Any]) -> Iterator[tuple[str, MadeTotals]]:
    found = _at(config, "outputs", "neuprint", "element-totals")
    for elements, given in found.items() if isinstance(found, Mapping) else ():
        if isinstance(given, Mapping):
            yield (
                elements,
                MadeTotals(
                    of_bodies=_text(given, "compute-segment-totals-with-name"),
                    of_rois=_text(given, "compute-roi-totals-with-name"),
                    kinds=_text(given, "compute-kind-totals-for-column"),
                ),
            )


def _reports(config: Mapping[str, Any]) -> Iterator[MadeReport]:
    """The reports whose settings can be read."""
    for given in _listed(_at(config, "outputs", "connectivity-reports")):
        roiset, stop = _text(given, "roiset"), _at(given, "stop-at-rank")
        captured = _at(given, "capture-statuses")
        captured = tuple(map(str, captured)) if isinstance(captured, list) else ()
        for one in _listed(_at(given, "reports")):
            rois = _at(one, "rois") or []
            if isinstance(rois, list) and (name := _text(one, "name") or "-".join(map(str, rois))):
                stops = int(stop) if isinstance(stop, int | float) and stop < 1e18 else MadeReport.stop_at_rank
                texts = {"rois": tuple(map(str, rois)), "captured": captured}
                yield MadeReport(roiset=roiset, name=name, stop_at_rank=stops, **texts)


def _listed(found: Any) -> list[Any]:  # noqa: ANN401 (of a YAML file)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _plain(node: Node) -> Any:  # noqa: ANN401 (of a YAML file)
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listed):
        return [_plain(item) for item in node.items]
    entries = node.entries
    return {key.text: _plain(value) for key, value in entries if isinstance(key, Scalar)}


def _at(config: Mapping[str, Any], *path: str) -> Any:  # noqa: ANN401 (of a YAML file)
    found: Any = config
    for word in path:
        found = found.get(word) if isinstance(found, Mapping) else None
    return found


def _text(config: Mapping[str, Any], *path: str) -> str:
    found = _at(config, *path)
    return found if isinstance(found, str) else ""
