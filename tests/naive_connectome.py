"""A connectome in plain Python, slow and obvious: what a snapshot of it must say. Written from the rules alone."""

import math
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import feather

UNSPECIFIED = "<unspecified>"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A T-bar or PSD of the input."""

    x: int
    y: int
    z: int
    kind: str
    conf: float
    body: int
    #: In the ROI sets ``big`` and ``small``; ``None`` for none.
    big: str | None
    small: str | None
    compartment: str | None

    @property
    def point_id(self) -> int:
        mask = (1 << 21) - 1
        return ((self.z & mask) << 42) | ((self.y & mask) << 21) | (self.x & mask)


@dataclass(frozen=True, kw_only=True)
class Connectome:
    """The input of a snapshot, and how it is wanted."""

    points: tuple[Point, ...]
    #: Places of a T-bar and a PSD among the points.
    partners: tuple[tuple[int, int], ...]
    min_confidence: float = 0.0
    permit_body_0: bool = False
    #: What a PSD must have for weight, and for weightHP.
    enough: float = 0.0
    high: float = 0.0


def float32(value: float) -> float:
    """The nearest 32-bit float."""
    return struct.unpack("f", struct.pack("f", value))[0]


def at_least(value: float, threshold: float) -> bool:
    """As 32-bit floats; what is no number is below everything."""
    return math.isfinite(value) and float32(value) >= float32(threshold)


@dataclass(kw_only=True)
class Naive:
    """What a snapshot of a connectome must say."""

    connectome: Connectome
    #: Places of the points that stay, and the pairs.
    points: set[int] = field(default_factory=set)
    pairs: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        given = self.connectome
        good = {
            place
            for place, point in enumerate(given.points)
            if point.kind != "Fake"
            and at_least(point.conf, given.min_confidence)
            and (point.body != 0 or given.permit_body_0)
        }
        self.pairs = [(pre, post) for pre, post in given.partners if pre in good and post in good]
        self.points = {place for pair in self.pairs for place in pair}

    def weights(self) -> dict[tuple[int, int], int]:
        """Synapses by pair of bodies: the flat table."""
        bodies = self.connectome.points
        return dict(Counter((bodies[pre].body, bodies[post].body) for pre, post in self.pairs))

    def _counted(self) -> Iterator[tuple[int, Point, Point]]:
        """The pairs that are in the database, which has no body 0."""
        for number, (pre, post) in enumerate(self.pairs):
            one, other = self.connectome.points[pre], self.connectome.points[post]
            if one.body and other.body:
                yield number, one, other

    def connections(self) -> dict[tuple[int, int], tuple[int, int, int, dict[str, int]]]:
        """weightHR, weight, weightHP and synapses by ROI of each pair of bodies."""
        found: dict[tuple[int, int], list[Point]] = defaultdict(list)
        for _, one, other in self._counted():
            found[one.body, other.body].append(other)
        told = {}
        for pair, posts in found.items():
            confident = [post for post in posts if at_least(post.conf, self.connectome.enough)]
            high = [post for post in posts if at_least(post.conf, self.connectome.high)]
            rois = Counter(
                roi for post in confident for roi in (post.big, post.small) if roi not in (None, UNSPECIFIED)
            )
            told[pair] = (len(posts), len(confident), len(high), dict(rois))
        return told

    def totals(self) -> dict[int, dict[str, int]]:
        """post, pre and downstream of each body of the database."""
        found: dict[int, Counter] = defaultdict(Counter)
        for place in self.points:
            point = self.connectome.points[place]
            if point.body:
                found[point.body]["post" if point.kind == "PostSyn" else "pre"] += 1
        for _, one, other in self._counted():
            if at_least(other.conf, self.connectome.enough):
                found[one.body]["downstream"] += 1
        return {body: {key: counts[key] for key in ("post", "pre", "downstream")} for body, counts in found.items()}

    def roi_info(self) -> dict[int, dict[str, dict[str, int]]]:
        """roiInfo of each body of the database, zeros left out."""
        found: dict[int, dict[str, Counter]] = {body: defaultdict(Counter) for body in self.totals()}
        for place in self.points:
            point = self.connectome.points[place]
            for roi in (point.big, point.small) if point.body else ():
                if roi not in (None, UNSPECIFIED):
                    kinds = ("post", "upstream", "synweight") if point.kind == "PostSyn" else ("pre",)
                    found[point.body][roi].update(kinds)
                    if point.kind == "PostSyn" and point.compartment in ("axon", "dendrite"):
                        found[point.body][roi][f"{point.compartment}In"] += 1
        for _, one, other in self._counted():
            if not at_least(other.conf, self.connectome.enough):
                continue
            for roi in (other.big, other.small):
                if roi not in (None, UNSPECIFIED):
                    found[one.body][roi].update(("downstream", "synweight"))
                    if one.compartment in ("axon", "dendrite"):
                        found[one.body][roi][f"{one.compartment}Out"] += 1
        return {body: {roi: dict(counts) for roi, counts in sorted(rois.items())} for body, rois in found.items()}


_CONFIG = """\
inputs:
  synapses:
    synapse-points: points.feather
    synapse-partners: partners.feather
    min-confidence: {min_confidence}
    permit-body-0: {permit_body_0}
    compartment-column: compartment
  annotations: {{body-annotations-table: annotations.feather}}
  rois:
    roi-sets:
      big: {{rois: {{}}, source: point-table}}
      small: {{rois: {{}}, source: point-table}}
outputs:
  flat-connectome: {{roi-set: big}}
  neuprint: {{export-neuprint-snapshot: true, meta: meta.yaml}}
job-settings: {{snapshot-tag: naive}}
"""
_META = """\
dataset: naive
postHighAccuracyThreshold: {enough}
postHPThreshold: {high}
primaryRois: []
roiHierarchy: {{all: {{}}}}
"""


def write_connectome(connectome: Connectome, folder: Path) -> Path:
    """The files of a snapshot's inputs; the path of the configuration."""
    folder.mkdir()
    names = ("x", "y", "z", "kind", "conf", "body", "big", "small", "compartment")
    columns: dict[str, list] = {name: [getattr(point, name) for point in connectome.points] for name in names}
    kinds = {"conf": pa.float32(), "body": pa.uint64(), "big": pa.string(), "small": pa.string()}
    kinds |= {"compartment": pa.string(), "kind": pa.string()}
    kinds |= dict.fromkeys("xyz", pa.int32())
    table = pa.table({name: pa.array(values, kinds[name]) for name, values in columns.items()})
    ids = [point.point_id for point in connectome.points]
    table = table.append_column("point_id", pa.array(ids, pa.uint64()))
    feather.write_feather(table, str(folder / "points.feather"))
    pairs = {
        name: pa.array([ids[pair[side]] for pair in connectome.partners], pa.uint64())
        for side, name in enumerate(("pre_id", "post_id"))
    }
    feather.write_feather(pa.table(pairs), str(folder / "partners.feather"))
    bodies = pa.table({"body": pa.array([], pa.int64()), "status": pa.array([], pa.string())})
    feather.write_feather(bodies, str(folder / "annotations.feather"))
    said = {
        "min_confidence": connectome.min_confidence,
        "permit_body_0": str(connectome.permit_body_0).lower(),
        "enough": connectome.enough,
        "high": connectome.high,
    }
    (folder / "config.yaml").write_text(_CONFIG.format(**said))
    (folder / "meta.yaml").write_text(_META.format(**said))
    return folder / "config.yaml"
