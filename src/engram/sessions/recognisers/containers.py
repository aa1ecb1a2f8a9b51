"""Containers in HDF5: SLEAP (``.slp``, ``.analysis.h5``), WaveSurfer (``base_0001.h5``), Femtonics (``.mesc``).

Source: https://docs.sleap.ai/latest/learnings/export-analysis/; https://io.sleap.ai (``dims``);
https://wavesurfer.janelia.org/manual.html; https://github.com/LynnYuSmith/mesc-io (MESc: ``MSession_*/MUnit_*``)
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias

from engram.model.errors import ExtraMissing, Malformed, Unreadable
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import real_time
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import device_name, name_of
from engram.sessions.recognisers.trouble import each, finding_for

_SWEEPS = re.compile(r"(?P<base>.+)_\d{4}(?:-\d{4})?\.h5", re.IGNORECASE)
_UNIT = re.compile(r"/MSession_\d+/MUnit_\d+")

#: What an outline holds: by path, what is told of each object.
_Objects: TypeAlias = Mapping[str, Mapping[str, object]]


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every container below *folder* whose name and content both say so."""
    yield from each(folder.ending(".slp", ".analysis.h5"), partial(_container, folder, _sleap))
    yield from each(folder.ending(".mesc"), partial(_container, folder, _mesc))
    sweeps = [
        path
        for path in folder.ending(".h5")
        if _SWEEPS.fullmatch(name_of(path)) and "DLC" not in name_of(path) and "dlc" not in path
    ]
    yield from each(sweeps, partial(_container, folder, _wavesurfer))


def _container(folder: Folder, look: Callable[[str, _Objects], Recording | None], path: str) -> Iterator[Seen]:
    reader = "hdf5_units" if path.lower().endswith(".mesc") else "hdf5_outline"
    try:
        objects = folder.in_worker(path, reader).get("objects")
    except (Malformed, Unreadable, ExtraMissing) as error:
        yield finding_for(path, error)
        return
    found = (
        {name: said for name, said in objects.items() if isinstance(said, dict)} if isinstance(objects, dict) else {}
    )
    recording = look(path, found)
    if recording is not None:
        yield recording


def _sleap(path: str, objects: _Objects) -> Recording:
    """Frames of the analysis: tracks × coordinates × nodes × frames; of a project: the labelled ones."""
    tracks, frames = _shape(objects, "/tracks"), _shape(objects, "/frames")
    if not tracks and not frames:
        raise Malformed(path, "no SLEAP file: it has neither tracks nor frames")
    analysis = path.lower().endswith(".analysis.h5")
    facts: list[tuple[str, Leaf]] = []
    samples = tracks[-1] if analysis and tracks else (frames or (None,))[0]
    if analysis and len(tracks) == 4:
        length = dict(zip(_axes(objects), tracks, strict=True))
        facts = [("tracks", length["track"]), ("nodes", length["node"])]
        samples = length["frame"]
    return Recording(
        kind="pose",
        device=device_name(name_of(path).partition(".")[0]) or "sleap",
        paths=(path,),
        samples=samples,
        processing="exported" if analysis else "",
        facts=(("pose_software", "SLEAP"), *facts),
    )


def _axes(objects: _Objects) -> tuple[str, ...]:
    """What the axes of the tracks are, in their order: files say so since sleap-io 0.6."""
    attributes = objects["/tracks"].get("attributes")
    said = attributes.get("dims") if isinstance(attributes, dict) else None
    named = tuple(re.findall(r'"(\w{1,9})"', said[:100])) if isinstance(said, str) else ()
    return named if sorted(named) == sorted(_SLEAP_AXES) else _SLEAP_AXES


_SLEAP_AXES = ("track", "xy", "node", "frame")


def _wavesurfer(path: str, objects: _Objects) -> Recording | None:
    if "/header" not in objects:
        return None  # another program's .h5
    sweeps = sorted(name for name in objects if re.fullmatch(r"/(?:sweep|trial)_\d{4,}", name))
    scans = [_shape(objects, f"{sweep}/analogScans") for sweep in sweeps]
    rate = _number(objects, "/header/AcquisitionSampleRate") or _number(objects, "/header/Acquisition/SampleRate")
    samples = sum(shape[-1] for shape in scans if shape) or None
    base = _SWEEPS.fullmatch(name_of(path))
    return Recording(
        kind="daq",
        device="wavesurfer",
        paths=(path,),
        started=_clock(objects.get("/header/ClockAtRunStart", {}).get("values")),
        duration_s=samples / rate if samples and rate else None,
        sampling_rate_hz=rate,
        channels=next((shape[0] for shape in scans if len(shape) == 2), None),
        samples=samples,
        facts=(("sweeps", len(sweeps)), ("base", base["base"][:200] if base else None)),
    )


def _clock(numbers: object) -> datetime | None:
    """MATLAB's six numbers of a moment, on the clock of the rig."""
    if not isinstance(numbers, list) or len(numbers) != 6 or not all(isinstance(one, int | float) for one in numbers):
        return None
    if not all(0 <= one < MAXYEAR for one in numbers):  # what is no number is not, either
        return None
    *whole, seconds = numbers
    minute = real_time(*map(int, whole)) if seconds < 60 else None
    return None if minute is None else minute + timedelta(seconds=seconds)


def _mesc(path: str, objects: _Objects) -> Recording:
    units = [name for name in objects if _UNIT.fullmatch(name)]
    if not units:
        raise Malformed(path, "no Femtonics file: it has no MSession_*/MUnit_*")
    times = [when for unit in units if (when := _posix(objects[unit])) is not None]
    rates = {rate for unit in units if (rate := _frames_a_second(objects[unit])) is not None}
    channels = {count for unit in units if (count := _attribute(objects[unit], "VecChannelsSize")) is not None}
    return Recording(
        kind="imaging",
        device="femtonics",
        paths=(path,),
        started=min(times, default=None),
        sampling_rate_hz=rates.pop() if len(rates) == 1 else None,
        channels=int(channels.pop()) if len(channels) == 1 else None,
        facts=(("units", len(units)), ("unit_names", ", ".join(name_of(unit) for unit in units)[:1000])),
    )


def _posix(said: Mapping[str, object]) -> datetime | None:
    seconds = _attribute(said, "MeasurementDatePosix")
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)


def _frames_a_second(said: Mapping[str, object]) -> float | None:
    """Of a unit whose third axis is time, in milliseconds for each frame; of a stack (axis 3: depth) there is none."""
    period_ms = _attribute(said, "ZAxisConversionConversionLinearScale")
    return None if period_ms is None or _attribute(said, "ZAxisGeomRole") == 3 else 1000 / period_ms


def _attribute(said: Mapping[str, object], name: str) -> float | None:
    """A number above 0; ``None`` for anything else."""
    attributes = said.get("attributes")
    value = attributes.get(name) if isinstance(attributes, dict) else None
    return value if isinstance(value, int | float) and 0 < value < 1e11 else None


def _shape(objects: _Objects, name: str) -> tuple[int, ...]:
    shape = objects.get(name, {}).get("shape")
    return tuple(shape) if isinstance(shape, list) and all(isinstance(length, int) for length in shape) else ()


def _number(objects: _Objects, name: str) -> float | None:
    value = objects.get(name, {}).get("value")
    return float(value) if isinstance(value, int | float) and 0 < value < 1e9 else None


RECOGNISER = Recogniser(
    name="SLEAP, WaveSurfer and Femtonics",
    suffixes=(".slp", ".analysis.h5", ".mesc", ".h5"),
    recognise=recognise,
    source="https://docs.sleap.ai/latest/learnings/export-analysis/",
    reads="names and shapes of what is in the file, in the worker",
)
