"""Read a configuration: the file, those that it names, and everything that is wrong with them at once."""

import json
import os
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from engram.connectome.config.checking import complaints, meta_complaints, place_complaints
from engram.connectome.config.completing import complete
from engram.connectome.config.hierarchy import Written, with_files
from engram.connectome.config.kinds import Rois
from engram.connectome.config.meta import Meta
from engram.connectome.config.nodes import (
    LARGEST_BYTES,
    MOST_PROBLEMS,
    Listed,
    Mapped,
    Node,
    Path,
    Problem,
    Refused,
    Scalar,
    Where,
    spelled,
)
from engram.connectome.config.records import Config
from engram.connectome.config.shaping import NOTHING, Shaper
from engram.connectome.config.yaml_nodes import node_of_yaml
from engram.connectome.fetching import is_link
from engram.connectome.files import read_small_file
from engram.connectome.neuroglancer import BadView, link_to_bodies, view_of
from engram.model.errors import BadSnapshotConfig, UsageError

Record = TypeVar("Record", bound=msgspec.Struct)

_META: Path = ("outputs", "neuprint", "meta")
_VIEW: Path = ("outputs", "neuprint", "neuroglancer", "json-state")
_WHENCE = "Name the file with -c. One to begin with: engram snapshot config --comments"
#: Files that name files that name files: hierarchies of ROIs may, but not for ever.
_DEEPEST_FILES, _MOST_FILES = 8, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A configuration, and which files it was read from."""

    #: With every default, and every path absolute.
    config: Config
    #: Absolute paths: the configuration, the file for neuPrint, files of ROIs, the view of Neuroglancer.
    files: tuple[str, ...]


def read_config(path: str, *, here: str, output_dir: str = "") -> Config:
    """A snapshot's configuration, complete: see `read_whole`."""
    return read_whole(path, here=here, output_dir=output_dir).config


def read_whole(path: str, *, here: str, output_dir: str = "") -> Reading:
    """A snapshot's configuration and what it was read from. Input tables are not looked at.

    Args:
        path: absolute path of a YAML file as flyem-snapshot reads it. Paths in it are relative to it.
        here: absolute path of the folder in which an unnamed output folder is made.
        output_dir: absolute path of the output folder, whatever the file says; '' for what it says.

    Raises:
        UsageError: there is no such file, it cannot be read, or the output folder is a file.
        BadSnapshotConfig: with every problem of the file and of those that it names.
    """
    folder = os.path.dirname(path)
    files = _Files(folder, os.path.basename(path))
    shaper = Shaper(os.path.basename(path))
    config = _shaped(shaper, Config, files.yaml(path))
    if config is None:
        raise _refusal(path, shaper.problems)
    config = complete(config, shaper, folder=folder, here=here, output_dir=output_dir)
    config = _with_rois(config, files, shaper)
    config, meta_shaper, meta_path = _with_meta(config, files, shaper, path)
    _look_at_meta(config, meta_shaper, meta_path)
    _look_at_view(config, files, shaper)
    _look_at_views_of_reports(config, files, shaper)
    for where, message in complaints(config, shaper.broken):
        shaper.note(where, message)
    if not output_dir:
        for where, message in place_complaints(config, folder=folder, here=here):
            shaper.note(where, message)
    problems = [*shaper.problems, *files.problems, *meta_shaper.problems]
    if problems:
        raise _refusal(path, problems)
    _look_at_place(config.job_settings.output_dir)
    return Reading(config=config, files=tuple(files.read))


def _look_at_place(output_dir: str) -> None:
    """Whether the snapshot's folder is one, or can become one. Raises `UsageError`."""
    there = output_dir
    while not os.path.lexists(there) and there != os.path.dirname(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise UsageError(f"No snapshot can be built in {output_dir}: {there} is no folder.", "Name another: -o DIR")


def read_meta(path: str) -> Meta:
    """The description of a dataset for neuPrint, complete. Raises what `read_config` raises."""
    files = _Files(os.path.dirname(path), os.path.basename(path))
    shaper = Shaper(os.path.basename(path))
    meta = _shaped(shaper, Meta, files.yaml(path))
    if meta is None or shaper.problems:
        raise _refusal(path, shaper.problems)
    meta = _whole_meta(meta, path, files)
    if files.problems:
        raise _refusal(path, files.problems)
    return meta


def parse_config(text: str) -> Config:
    """What a text says, with defaults, and nothing else done to it. Raises `BadSnapshotConfig`."""
    return _parsed(Config, text)


def parse_meta(text: str) -> Meta:
    """What a text says of a dataset, with defaults. Raises `BadSnapshotConfig`."""
    return _parsed(Meta, text)


def _parsed(kind: type[Record], text: str) -> Record:
    shaper = Shaper("")
    try:
        record = _shaped(shaper, kind, node_of_yaml(text))
    except Refused as refused:
        raise BadSnapshotConfig("The text", (str(Problem(refused.where, "", "", refused.message)),)) from refused
    if record is None or shaper.problems:
        raise _refusal("The text", shaper.problems)
    return record


def _shaped(shaper: Shaper, kind: type[Record], node: Node | None) -> Record | None:
    return shaper.record(kind, Mapped((), Where(1, 1)) if node is None else node, ())


def _refusal(path: str, problems: list[Problem]) -> BadSnapshotConfig:
    told = [str(problem) for problem in sorted(set(problems))]
    more = [f"and {len(told) - MOST_PROBLEMS} more"] if len(told) > MOST_PROBLEMS else []
    return BadSnapshotConfig(path, (*told[:MOST_PROBLEMS], *more))


class _Files:
    """Reads the files of a configuration, and remembers which."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder, self._name = folder, name
        self.read: list[str] = []
        self.problems: list[Problem] = []
        self._opened = 0

    def yaml(self, path: str) -> Node | None:
        """The configuration itself. Raises `UsageError`, `BadSnapshotConfig`."""
        if not os.path.exists(path):
            raise UsageError(f"There is no configuration {path}.", _WHENCE)
        try:
            return self._node(path)
        except Refused as refused:
            problem = Problem(refused.where, os.path.basename(path), "", refused.message)
            raise BadSnapshotConfig(path, (str(problem),)) from refused
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}.", "Name a file.") from error

    def named(self, path: str, where: Where, key: str) -> Node | None:
        """A file that another one names; None, and a problem, when it cannot be read."""
        try:
            return self._node(path)
        except Refused as refused:
            self.problems.append(Problem(refused.where, self.shown(path), "", refused.message))
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}"
            self.problems.append(Problem(where, self._name, key, message))
        return None

    def shown(self, path: str) -> str:
        """A path as it is told: relative where it lies beside the configuration."""
        inside = path.startswith(f"{self._folder}{os.sep}")
        return os.path.relpath(path, self._folder) if inside else path

    def _node(self, path: str) -> Node | None:
        self._opened += 1
        if self._opened > _MOST_FILES:
            raise Refused(f"more than {_MOST_FILES} files are named, or they name each other")
        data = read_small_file(path, most_bytes=LARGEST_BYTES)
        if len(data) > LARGEST_BYTES:
            raise Refused(f"it is larger than {LARGEST_BYTES >> 20} MiB")
        if path not in self.read:
            self.read.append(path)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise Refused("it is no text in UTF-8", Where(line, 1)) from error
        return _node_of_json(text) if path.lower().endswith(".json") else node_of_yaml(text)


def _node_of_json(text: str) -> Node:
    try:
        return _node_of(json.loads(text, object_pairs_hook=_Pairs))
    except json.JSONDecodeError as error:
        raise Refused(f"it is no JSON: {error.msg}", Where(error.lineno, error.colno)) from error
    except (RecursionError, ValueError) as error:
        raise Refused(f"it is no JSON: {type(error).__name__}") from error


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, with keys that are there twice."""


def _node_of(value: object) -> Node:
    if isinstance(value, _Pairs):
        return Mapped(tuple((Scalar(key, quoted=True), _node_of(inner)) for key, inner in value))
    if isinstance(value, list):
        return Listed(tuple(map(_node_of, value)))
    if isinstance(value, str):
        return Scalar(value, quoted=True)
    return Scalar(json.dumps(value))


def _with_rois(config: Config, files: _Files, shaper: Shaper) -> Config:
    """The configuration with the content of the ``.json`` files that its ROI sets name."""
    sets = dict(config.inputs.rois.roi_sets)
    for name, roi_set in sets.items():
        if isinstance(roi_set.rois, str) and roi_set.rois.lower().endswith(".json"):
            path = ("inputs", "rois", "roi-sets", name, "rois")
            node = files.named(roi_set.rois, shaper.places[path], spelled(path))
            inner = Shaper(files.shown(roi_set.rois))
            found = NOTHING if node is None else inner.shape(Rois, node, ())
            shaper.problems += inner.problems
            if found is NOTHING or inner.problems:
                shaper.broken.append(path)
            sets[name] = msgspec.structs.replace(roi_set, rois={} if found is NOTHING else found)
    rois = msgspec.structs.replace(config.inputs.rois, roi_sets=sets)
    inputs = msgspec.structs.replace(config.inputs, rois=rois)
    return msgspec.structs.replace(config, inputs=inputs)


def _with_meta(config: Config, files: _Files, shaper: Shaper, path: str) -> tuple[Config, Shaper, Path]:
    """The configuration with what describes the dataset for neuPrint, what knows where that stands, and its path."""
    neuprint = config.outputs.neuprint
    if isinstance(neuprint.meta, Meta):
        return _replaced(config, _whole_meta(neuprint.meta, path, files)), shaper, _META
    inner = Shaper(files.shown(neuprint.meta))
    if not neuprint.export_neuprint_snapshot:
        return config, inner, ()
    if not neuprint.meta:
        shaper.note(_META, "it is missing: neuPrint needs it (engram snapshot config --meta shows one)")
        return config, inner, ()
    node = files.named(neuprint.meta, shaper.places[_META], spelled(_META))
    meta = _shaped(inner, Meta, node) if node is not None else None
    return config if meta is None else _replaced(config, _whole_meta(meta, neuprint.meta, files)), inner, ()


def _replaced(config: Config, meta: Meta) -> Config:
    neuprint = msgspec.structs.replace(config.outputs.neuprint, meta=meta)
    return msgspec.structs.replace(config, outputs=msgspec.structs.replace(config.outputs, neuprint=neuprint))


def _look_at_meta(config: Config, shaper: Shaper, path: Path) -> None:
    """Note what is wrong with the description for neuPrint, where its values are of the right kind."""
    if config.meta is not None and not any(one[: len(path)] == path for one in shaper.broken):
        for where, message in meta_complaints(config.meta, config.inputs.rois.roi_sets):
            shaper.note((*path, *where), message)


def _look_at_view(config: Config, files: _Files, shaper: Shaper) -> None:
    """Note what is wrong with the template of Neuroglancer's view, where one will be written."""
    wanted, meta = config.outputs.neuprint.neuroglancer, config.meta
    if not wanted.json_state or meta is None:
        return
    try:
        view_of(wanted.json_state, wanted.replacements, dataset=meta.dataset, tag=meta.tag, uuid=meta.uuid)
        files.read.append(wanted.json_state)
    except BadView as error:
        shaper.note(_VIEW, f"{wanted.json_state}: {error}")
    except OSError as error:
        shaper.note(_VIEW, f"{wanted.json_state} cannot be read: {error.strerror}")


def _look_at_views_of_reports(config: Config, files: _Files, shaper: Shaper) -> None:
    """Note what is wrong with the views that reports link bodies into."""
    for place, reports in enumerate(config.outputs.connectivity_reports):
        view = reports.neuroglancer_base_state
        if not view or is_link(view):  # what is behind links is looked at when it is built
            continue
        where: Path = ("outputs", "connectivity-reports", place, "neuroglancer-base-state")
        try:
            link_to_bodies(view)
            files.read.append(view)
        except BadView as error:
            shaper.note(where, f"{view}: {error}")
        except OSError as error:
            shaper.note(where, f"{view} cannot be read: {error.strerror}")


def _whole_meta(meta: Meta, path: str, files: _Files) -> Meta:
    """The description with what stands in files of its hierarchy in their place."""

    def content(folder: str, deep: int) -> Any:  # noqa: ANN401 (a function from a name to what is there)
        def of(name: str) -> Written:
            whole = os.path.join(folder, name)
            if deep > _DEEPEST_FILES:
                files.problems.append(Problem(Where(), files.shown(whole), "", "files name each other too often"))
                return None
            node = files.named(whole, Where(), "roiHierarchy")
            if node is None:
                return None
            inner = Shaper(files.shown(whole))
            written = inner.tree(node, ())
            files.problems.extend(inner.problems)
            return with_files(written, content(os.path.dirname(whole), deep + 1))

        return of

    whole = with_files(meta.hierarchy, content(os.path.dirname(path), 1))
    return msgspec.structs.replace(meta, roi_hierarchy=whole)
