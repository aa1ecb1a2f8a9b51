"""DeepLabCut: poses in ``.h5`` with its ``.pickle``, and the configuration of the model.

Poses of single trials are tables ``<alias>_<camera>_<number>-0000.csv``: all of one camera are one recording, as its
films are. Kavli's folders are called ``dlc_<base name>``; DeepLabCut itself puts ``<video>DLC_<model>.h5`` and
``…_meta.pickle`` beside the video.

Source: https://deeplabcut.github.io/DeepLabCut/docs/standardDeepLabCut_UserGuide.html;
https://www.pytables.org/usersguide/file_format.html (the attributes of a table).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from engram.model.errors import ExtraMissing, Malformed, Unreadable
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import flat_yaml, iso_time, text_of
from engram.sessions.reading.pickles import unpickled
from engram.sessions.reading.window import Window
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.recognisers.paths import device_name, folder_of, name_of
from engram.sessions.recognisers.trouble import each, finding_for

_FOLDER = re.compile(r"dlc(?P<line>_?)(?P<base>.+)", re.IGNORECASE)
_OWN_NAME = re.compile(r"(?P<video>.+?)DLC_(?P<model>.+?)(?:_(?:filtered|el|bx|sk|full|meta|skeleton))*", re.IGNORECASE)
_TRIAL = re.compile(r"(?P<alias>[^_]+)_(?P<camera>.+)_(?P<number>\d{1,9})-\d{4}\.csv", re.IGNORECASE)
_LARGEST_TEXT_BYTES = 1 << 18
_NUMBER = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{3,}(?![0-9A-Za-z])|(?<=dlc)[1-9][0-9]{3,}(?![0-9A-Za-z])")


@dataclass(slots=True)
class _Output:
    """The files of one pose estimation."""

    base: str
    folder: str = ""
    tables: list[str] = field(default_factory=list)
    pickles: list[str] = field(default_factory=list)
    configs: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    #: Whether the folder is called as it should be.
    well_named: bool = True

    @property
    def paths(self) -> tuple[str, ...]:
        return (*self.tables, *self.pickles, *self.configs, *self.others)


@dataclass(slots=True)
class _Said:
    """What its files say."""

    started: datetime | None = None
    rate_hz: float | None = None
    frames: int | None = None
    scorer: str = ""
    facts: dict[str, Leaf] = field(default_factory=dict)


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every pose estimation below *folder*."""
    outputs: dict[tuple[str, str], _Output] = {}
    for path in folder.ending(".h5", ".pickle", ".yaml", ".yml", ".csv", ".json"):
        output = _output_of(path, outputs)
        if output is not None:
            _sort(path, output)
    for output in outputs.values():
        if output.tables or output.pickles:
            yield from each(output.paths[:1], partial(_output, folder, output))
        elif output.configs:
            yield Known(output.paths, "DeepLabCut configuration")
    taken = {path for output in outputs.values() for path in output.paths}
    for camera, paths in _trials(path for path in folder.ending(".csv") if path not in taken).items():
        yield from each(paths[:1], partial(_trial_poses, folder, camera, paths))


def _trials(paths: Iterable[str]) -> dict[tuple[str, str, str], list[str]]:
    """Tables of single trials by folder, alias and camera, each list in the order of the films."""
    found: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for path in paths:
        if match := _TRIAL.fullmatch(name_of(path)):
            group = found.setdefault((folder_of(path), match["alias"], match["camera"]), [])
            group.append((int(match["number"]), path))
    return {camera: [path for _, path in sorted(numbered)] for camera, numbered in found.items()}


def _trial_poses(folder: Folder, camera: tuple[str, str, str], paths: list[str], first: str) -> Iterator[Seen]:
    lines = text_of(folder.read(first, 4096)).splitlines()
    if not lines or not lines[0].startswith("scorer,"):
        return  # another program's table
    cells = [line.split(",") for line in lines[:2]]
    facts: list[tuple[str, Leaf]] = [("alias", camera[1][:100]), ("videos", len(paths)), ("scorer", cells[0][1][:200])]
    if len(cells) > 1 and cells[1][0] == "bodyparts":
        facts.append(("bodyparts", ", ".join(dict.fromkeys(cells[1][1:]))[:1000]))
    yield Recording(kind="pose", device=device_name(camera[2]), paths=tuple(paths), facts=tuple(facts))


def _output_of(path: str, outputs: dict[tuple[str, str], _Output]) -> _Output | None:
    place, name = folder_of(path), name_of(path)
    if match := _FOLDER.fullmatch(name_of(place)):
        new = _Output(match["base"], place, well_named=match["line"] == "_")
        return outputs.setdefault((place, ""), new)
    stem = name.rpartition(".")[0]
    if not name.endswith((".yaml", ".yml")) and (match := _OWN_NAME.fullmatch(stem)):
        return outputs.setdefault((place, f"{match['video']}DLC_{match['model']}"), _Output(match["video"]))
    return None


def _sort(path: str, output: _Output) -> None:
    suffix = path.rpartition(".")[2].lower()
    if suffix == "h5":
        output.tables.append(path)
    elif suffix == "pickle":
        output.pickles.append(path)
    elif suffix in {"yaml", "yml"}:
        output.configs.append(path)
    elif "DLC" in name_of(path) or output.folder:
        output.others.append(path)


def _output(folder: Folder, output: _Output, first: str) -> Iterator[Seen]:
    said = _Said()
    trouble = [
        *_looked(folder, output.configs, said, _config),
        *_looked(folder, output.pickles, said, _pickle),
        *_looked(folder, output.tables, said, _table),
    ]
    frames = said.frames
    yield Recording(
        kind="pose",
        device=device_name(output.base),
        paths=output.paths,
        started=said.started,
        duration_s=frames / said.rate_hz if frames and said.rate_hz else None,
        sampling_rate_hz=said.rate_hz,
        samples=frames,
        facts=tuple({"scorer": said.scorer, **said.facts}.items() if said.scorer else said.facts.items()),
    )
    yield from trouble
    yield from _names(folder, output)
    if not output.tables:
        yield Finding(code="missing-binary", path=first, message="There is no .h5 beside it.")


def _names(folder: Folder, output: _Output) -> Iterator[Finding]:
    if not output.well_named:
        right = f"dlc_{output.base}"
        message = f"{name_of(output.folder)} was read as {right}."
        yield Finding(code="misnamed", path=output.paths[0], message=message)
    if not folder.subject.isdigit():
        return
    for path in (name_of(output.folder), *map(name_of, output.paths)):
        for number in _NUMBER.findall(path.lower()):
            if len(number) == len(folder.subject) and number != folder.subject:
                message = f"It is named for {number}, but lies with subject {folder.subject}."
                yield Finding(code="subject-mismatch", path=output.paths[0], message=message)
                return


def _looked(
    folder: Folder, paths: list[str], said: _Said, look: Callable[[Folder, str, _Said], list[Finding]]
) -> list[Finding]:
    found: list[Finding] = []
    for path in paths[:16]:
        try:
            found += look(folder, path, said)
        except (Malformed, Unreadable, ExtraMissing) as error:
            found.append(finding_for(path, error))
    return found


def _config(folder: Folder, path: str, said: _Said) -> list[Finding]:
    data = folder.read(path, _LARGEST_TEXT_BYTES + 1)
    if len(data) > _LARGEST_TEXT_BYTES:
        raise Malformed(path, "a configuration that is too long")
    config = flat_yaml(data)
    if not {"Task", "scorer"} & config.keys():
        raise Malformed(path, "no DeepLabCut configuration: it names neither Task nor scorer")
    kept = {"Task": "task", "date": "model_date", "iteration": "iteration", "snapshotindex": "snapshot"}
    for name, kept_as in kept.items():
        if isinstance(text := config.get(name), str):
            said.facts[kept_as] = text[:100]
    if isinstance(fractions := config.get("TrainingFraction"), tuple):
        said.facts["training_fraction"] = ", ".join(fractions)[:100]
    if isinstance(parts := config.get("bodyparts"), tuple):
        said.facts["bodyparts"] = ", ".join(parts)[:1000]
    return []


def _pickle(folder: Folder, path: str, said: _Said) -> list[Finding]:
    read = unpickled(Window.of(folder, path))
    if read.forbidden:
        message = f"It would call {read.forbidden[:80]}, which DeepLabCut does not write."
        return [Finding(code="unsafe-pickle", path=path, message=message)]
    if not isinstance(read.value, dict) or not isinstance(data := read.value.get("data"), dict):
        return []  # detections of every frame, skeletons, …
    if isinstance(stamp := read.value.get("Start Timestamp"), str):
        said.started = iso_time(stamp, "Start Timestamp", path)
    if isinstance(rate := data.get("fps"), int | float) and 0 < rate < 1e6:
        said.rate_hz = float(rate)
    if isinstance(frames := data.get("nframes"), int) and 0 <= frames < 1 << 53:
        said.frames = frames
    if isinstance(scorer := data.get("Scorer"), str):
        said.scorer = scorer[:200]
    return []


def _table(folder: Folder, path: str, said: _Said) -> list[Finding]:
    outline = folder.in_worker(path, "hdf5_outline")
    objects = outline.get("objects")
    if not isinstance(objects, dict) or not isinstance(table := objects.get("/df_with_missing/table"), dict):
        raise Malformed(path, "no DeepLabCut table (df_with_missing) in it")
    columns = _columns(path, objects)
    found: list[Finding] = []
    scorer = columns[0][0] if columns else ""
    if said.scorer and scorer and scorer != said.scorer:
        message = f"It was made by {scorer[:100]}, its pickle tells of {said.scorer[:100]}."
        found.append(Finding(code="stale-copy", path=path, message=message))
    shape = table.get("shape")
    if isinstance(shape, list) and len(shape) == 1 and isinstance(rows := shape[0], int):
        if said.frames is not None and said.frames != rows:
            message = f"It has {rows} frames, its pickle tells of {said.frames}."
            found.append(Finding(code="stale-copy", path=path, message=message))
        said.frames = rows if said.frames is None else said.frames
    said.scorer = said.scorer or scorer
    if "bodyparts" not in said.facts and columns:
        said.facts["bodyparts"] = ", ".join(dict.fromkeys(column[1] for column in columns))[:1000]
    return found


def _columns(path: str, objects: Mapping[str, object]) -> list[tuple[str, str]]:
    """Scorer and body part of each column: pandas keeps them as a pickle in an attribute."""
    group = objects.get("/df_with_missing")
    attributes = group.get("attributes") if isinstance(group, dict) else None
    text = attributes.get("non_index_axes") if isinstance(attributes, dict) else None
    if not isinstance(text, str):
        return []
    data = text.encode("utf-8", errors="replace")
    axes = unpickled(Window(path, lambda count, offset: data[offset : offset + count])).value
    if not isinstance(axes, list) or not axes or not isinstance(axes[0], tuple) or len(axes[0]) != 2:
        return []
    names = axes[0][1]
    if not isinstance(names, list):
        return []
    named = (name for name in names if isinstance(name, tuple) and len(name) >= 2)
    return [(name[0], name[-2]) for name in named if isinstance(name[0], str) and isinstance(name[-2], str)]


RECOGNISER = Recogniser(
    name="DeepLabCut",
    suffixes=(".h5", ".pickle", ".yaml", ".yml", ".csv"),
    recognise=recognise,
    source="https://deeplabcut.github.io/DeepLabCut/docs/standardDeepLabCut_UserGuide.html",
    reads="the configuration, the pickle without running it, the .h5 in the worker; of the tables of trials the first",
)
