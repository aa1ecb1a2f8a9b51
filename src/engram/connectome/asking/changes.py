"""What is told of two versions of a snapshot. Nothing is imported that only the extra ``connectome`` has."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotChange:
    """How much of one kind of thing changed between two snapshots."""

    #: ``bodies``, ``types``, ``connections`` or ``rois``.
    part: str
    #: How many the older one has, and the newer one.
    old: int
    new: int
    #: How many only the newer one has, and only the older one.
    added: int
    removed: int
    #: How many both have, with other values.
    changed: int

    def as_json(self) -> dict[str, Any]:
        """The record ``snapshot-change``. Fields may be added, never changed."""
        return {"record": "snapshot-change", **asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotDifference:
    """One thing that changed between two snapshots."""

    #: ``bodies``, ``types``, ``connections`` or ``rois``.
    part: str
    #: The body, the type or the ROI; of a connection both bodies: ``5 -> 6``.
    item: str
    #: ``added``, ``removed`` or ``changed``.
    change: str
    #: Its values in the older one, and in the newer one: all, or those that differ; none where it is not.
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The record ``snapshot-difference``. Fields may be added, never changed."""
        told = {"part": self.part, "item": self.item, "change": self.change}
        return {"record": "snapshot-difference", **told, "old": dict(self.old), "new": dict(self.new)}
