"""What all outputs of a snapshot are made from: points, partners and annotations in the work file."""

from collections.abc import Mapping
from dataclasses import dataclass

from engram.connectome.annotations import Annotations
from engram.connectome.rois import RoiSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Synapses:
    """The tables ``point``, ``partner`` and ``annotation``, and what is known of them."""

    #: Type of bodies.
    body: str
    #: Column of the points that tells axon from dendrite; '' for none.
    compartment: str
    #: ROI sets by name, in the order of the configuration.
    rois: Mapping[str, RoiSet]
    annotations: Annotations
