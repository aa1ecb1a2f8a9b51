"""Elements in plain Python, slow and obvious: what a snapshot must say of them. Written from the rules alone."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import yaml
from pyarrow import csv, feather

from tests.naive_connectome import UNSPECIFIED, Connectome, Naive, Point, write_connectome


@dataclass(frozen=True, kw_only=True)
class Element:
    """A point that is no synapse."""

    x: int
    y: int
    z: int
    body: int
    type: str
    #: In the ROI sets ``big`` and ``small``; ``None`` for none.
    big: str | None
    small: str | None
    #: What kinds are counted by; a number with an odd name; a truth.
    kind: str | None
    radius: float | None
    good: bool | None

    @property
    def point_id(self) -> int:
        mask = (1 << 21) - 1
        return ((self.z & mask) << 42) | ((self.y & mask) << 21) | (self.x & mask)


@dataclass(frozen=True, kw_only=True)
class ElementTable:
    """A table of elements, and how it is wanted."""

    elements: tuple[Element, ...]
    #: Type of all of them; '' for the column's.
    type: str = ""
    permit_body_0: bool = False
    label: str = ""
    #: Names of totals of bodies and of ROIs; '' for none. Whether kinds are counted, too.
    of_bodies: str = ""
    of_rois: str = ""
    by_kind: bool = False
    #: Whether the file is CSV.
    is_csv: bool = False


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A connectome with elements."""

    connectome: Connectome
    tables: Mapping[str, ElementTable]
    #: Pairs of points by id that lie close together, under the name of a table: source, target, distance.
    close: Mapping[str, tuple[tuple[int, int, float], ...]]
    #: A ROI set, or '' for none.
    inside_info: str = ""
    inside_elements: str = ""


def _in(point: Element | Point, roiset: str) -> bool:
    return not roiset or getattr(point, roiset) not in (None, UNSPECIFIED)


class NaiveElements:
    """What a snapshot of a scene must say of its elements."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.synapses = Naive(connectome=scene.connectome)
        if scene.inside_info:
            points = scene.connectome.points
            naive = self.synapses
            naive.pairs = [pair for pair in naive.pairs if _in(points[pair[1]], scene.inside_info)]
            naive.pairs = [pair for pair in naive.pairs if points[pair[0]].body and points[pair[1]].body]
            naive.points = {place for pair in naive.pairs for place in pair}

    def counted(self, name: str) -> Iterator[Element]:
        """The elements of a table that are in the database, or in its totals."""
        table = self.scene.tables[name]
        for one in table.elements:
            if (one.body or table.permit_body_0) and _in(one, self.scene.inside_info):
                yield replace(one, type=table.type or one.type)

    def held(self, name: str) -> Iterator[Element]:
        """The elements of a table that are in the database."""
        return (one for one in self.counted(name) if _in(one, self.scene.inside_elements))

    def nodes(self) -> dict[int, tuple[str, int, str, frozenset[str], frozenset[str]]]:
        """Type, body, place, labels and ROIs of each element by its id."""
        found = {}
        for name, table in self.scene.tables.items():
            labels = {"Element", "naive_Element"}
            labels |= {table.label, f"naive_{table.label}"} if table.label else set()
            for one in self.held(name):
                rois = {roi for roi in (one.big, one.small) if roi not in (None, UNSPECIFIED)}
                place = f"{{x:{one.x}, y:{one.y}, z:{one.z}}}"
                found[one.point_id] = (one.type, one.body, place, frozenset(labels), frozenset(rois))
        return found

    def sets(self) -> dict[str, tuple[str, frozenset[int]]]:
        """Type and elements of each set of elements."""
        found: dict[str, tuple[str, set[int]]] = {}
        for name in self.scene.tables:
            for one in self.held(name):
                found.setdefault(f"{one.body}_{one.type}", (one.type, set()))[1].add(one.point_id)
        return {key: (kind, frozenset(members)) for key, (kind, members) in found.items()}

    def contained_sets(self) -> set[tuple[int, str]]:
        """Bodies of the database and their sets."""
        bodies = self.synapses.totals()
        pairs = {(one.body, f"{one.body}_{one.type}") for name in self.scene.tables for one in self.held(name)}
        return {(body, key) for body, key in pairs if body in bodies}

    def close(self) -> dict[str, Counter[tuple[int, int, float]]]:
        """Edges between points that are both in the database."""
        points = self.scene.connectome.points
        there = set(self.nodes()) | {points[p].point_id for p in self.synapses.points if points[p].body}
        return {
            name: Counter(edge for edge in edges if edge[0] in there and edge[1] in there)
            for name, edges in self.scene.close.items()
        }

    def totals(self) -> dict[int, dict[str, int]]:
        """What bodies of the database have of elements."""
        found: dict[int, Counter[str]] = {body: Counter() for body in self.synapses.totals()}
        for name, table in self.scene.tables.items():
            for one in self.counted(name):
                if one.body in found:
                    found[one.body].update(_names(table, table.of_bodies, table.of_rois, one))
        return {body: dict(counts) for body, counts in found.items()}

    def roi_info(self) -> dict[int, dict[str, dict[str, int]]]:
        """roiInfo of synapses and elements, zeros left out."""
        found: dict[int, dict[str, Counter[str]]] = {}
        for body, rois in self.synapses.roi_info().items():
            found[body] = defaultdict(Counter, {roi: Counter(counts) for roi, counts in rois.items()})
        for name, table in self.scene.tables.items():
            for one in self.counted(name):
                for roi in (one.big, one.small) if one.body in found else ():
                    counted = _names(table, table.of_rois, table.of_bodies, one)
                    if roi not in (None, UNSPECIFIED) and counted:
                        found[one.body][roi].update(counted)
        return {body: {roi: dict(counts) for roi, counts in rois.items()} for body, rois in found.items()}


def _names(table: ElementTable, here: str, elsewhere: str, one: Element) -> list[str]:
    """What an element counts as: kinds are counted where totals are, and everywhere if there are no totals."""
    kinds = [one.kind] if table.by_kind and one.kind is not None and (here or not elsewhere) else []
    return [*([here] if here else []), *kinds]


def write_scene(scene: Scene, folder: Path) -> Path:
    """The files of a snapshot's inputs; the path of the configuration."""
    path = write_connectome(scene.connectome, folder)
    config = yaml.safe_load(path.read_text())
    neuprint = config["outputs"]["neuprint"]
    elements = config["inputs"]["elements"] = {}
    for key in ("element-labels", "element-totals"):
        neuprint[key] = {}
    for name, table in scene.tables.items():
        ending = "csv" if table.is_csv else "feather"
        _write_elements(table, folder / f"{name}.{ending}")
        elements[name] = {"point-table": f"{name}.{ending}", "permit-body-0": table.permit_body_0, "type": table.type}
        if table.label:
            neuprint["element-labels"][name] = f":{table.label}"
        neuprint["element-totals"][name] = {
            "compute-segment-totals-with-name": table.of_bodies,
            "compute-roi-totals-with-name": table.of_rois,
            "compute-kind-totals-for-column": "kind" if table.by_kind else "",
        }
        if name in scene.close:
            _write_close(scene.close[name], folder / f"{name}-close.feather")
            elements[name]["distance-table"] = f"{name}-close.feather"
    neuprint["restrict-info-totals-to-roiset"] = scene.inside_info
    neuprint["restrict-elements-to-roiset"] = scene.inside_elements
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def _write_elements(table: ElementTable, path: Path) -> None:
    kinds = {"x": pa.int32(), "y": pa.int32(), "z": pa.int32(), "body": pa.uint64(), "type": pa.string()}
    kinds |= dict.fromkeys(("big", "small", "kind"), pa.string())
    kinds |= {"radius": pa.float64(), "good": pa.bool_()}
    columns = {name: pa.array([getattr(one, name) for one in table.elements], kind) for name, kind in kinds.items()}
    if table.type:
        del columns["type"]
    written = pa.table(columns)
    csv.write_csv(written, path) if table.is_csv else feather.write_feather(written, str(path))


def _write_close(edges: tuple[tuple[int, int, float], ...], path: Path) -> None:
    columns: dict[str, list[float]] = defaultdict(list)
    for source, target, distance in edges:
        for side, point_id in (("source", source), ("target", target)):
            for axis, shift in (("z", 42), ("y", 21), ("x", 0)):
                bits = point_id >> shift & (1 << 21) - 1
                columns[f"{side}_{axis}"].append(bits - (1 << 21 if bits >> 20 else 0))
        columns["distance"].append(distance)
    kinds = {f"{side}_{axis}": pa.int64() for side in ("source", "target") for axis in "xyz"}
    written = {name: pa.array(columns[name], kind) for name, kind in kinds.items()}
    written["distance"] = pa.array(columns["distance"], pa.float32())
    feather.write_feather(pa.table(written), str(path))
