"""What a check needs to know of how a snapshot was made: a few keys of ``final-config.yaml``.

Anybody may have written it. flyem-snapshot writes the same file, so that its snapshots can be checked alike.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engram.connectome.config.nodes import LARGEST_BYTES, Listed, Node, Refused, Scalar
from engram.connectome.config.yaml_nodes import node_of_yaml
from engram.connectome.files import read_small_file

CONFIG = "final-config.yaml"


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
    )


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
