"""Open Ephys, binary format: ``structure.oebin`` beside ``continuous/<stream>/continuous.dat``.

Source: https://open-ephys.github.io/gui-docs/User-Manual/Recording-data/Binary-format.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from engram.model.errors import Malformed, Unreadable
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import parsed_json, text_of
from engram.sessions.reading.npy import read_npy_header
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.recognisers.paths import device_name, folder_of, name_of, within
from engram.sessions.recognisers.trouble import each

_LARGEST_STRUCTURE_BYTES = 4 << 20
_LARGEST_SETTINGS_BYTES = 1 << 18
_SAMPLE_BYTES = 2
_MOST_STREAMS = 256
_EPOCH_MS = re.compile(r"Software [Tt]ime[^:]{0,80}:\s*(\d{12,14})(?!\d)")
_SERIAL = re.compile(r'<NP_PROBE\b[^<>]{0,2000}?\bprobe_serial_number="(\d{1,20})"')


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every stream of every recording below *folder*."""
    structures = [path for path in folder.ending("structure.oebin") if name_of(path) == "structure.oebin"]
    yield from each(structures, partial(_structure, folder))
    nodes = {folder_of(folder_of(folder_of(path))) for path in structures}
    settings = [
        path
        for path in folder.ending(".xml")
        if folder_of(path) in nodes and re.fullmatch(r"settings(_\d+)?\.xml", name_of(path))
    ]
    if settings:
        yield Known(tuple(settings), "Open Ephys settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    """One entry of ``continuous``."""

    folder: str
    name: str
    processor: str
    rate_hz: float
    channels: int


def _structure(folder: Folder, path: str) -> Iterator[Seen]:
    place = folder_of(path)
    said = parsed_json(folder.read(path, _LARGEST_STRUCTURE_BYTES), path)
    entries = said.get("continuous")
    if not isinstance(entries, list):
        raise Malformed(path, "continuous is no list of streams")
    streams = [_stream(path, entry) for entry in entries[:_MOST_STREAMS]]
    started, serials = _started(folder, place), _serials(folder, place)
    below: dict[str, list[str]] = {stream.folder: [] for stream in streams}
    others = [path]
    for file in folder.ending(".dat", ".npy", ".txt"):
        if file.startswith(within(place, "continuous/")):
            name = file[len(within(place, "continuous/")) :].partition("/")[0]
            below.get(name, others).append(file)
        elif file.startswith((within(place, "events/"), within(place, "spikes/"))) or folder_of(file) == place:
            others.append(file)
    yield Known(tuple(dict.fromkeys(others)), "Open Ephys structure, events and spikes")
    version = said.get("GUI version")
    for stream in streams:
        facts: list[tuple[str, Leaf]] = [("open_ephys_version", version[:40] if isinstance(version, str) else None)]
        serial = serials[0] if len(serials) == 1 else ""
        yield from _recording(folder, place, stream, below[stream.folder], (started, serial, facts))


def _stream(path: str, entry: object) -> _Stream:
    if not isinstance(entry, dict):
        raise Malformed(path, "a stream that is no object")
    name, rate, channels = (entry.get(key) for key in ("folder_name", "sample_rate", "num_channels"))
    if not isinstance(name, str) or not isinstance(rate, int | float) or not isinstance(channels, int):
        raise Malformed(path, "a stream without folder_name, sample_rate or num_channels")
    if not 0 < rate < 1e9 or not 0 < channels < 1 << 20:
        raise Malformed(path, "a stream of an impossible rate or number of channels")
    told, processor = entry.get("stream_name"), entry.get("source_processor_name")
    return _Stream(
        folder=name.strip("/"),
        name=told if isinstance(told, str) and told else name.strip("/"),
        processor=processor if isinstance(processor, str) else "",
        rate_hz=float(rate),
        channels=channels,
    )


def _recording(
    folder: Folder,
    place: str,
    stream: _Stream,
    files: list[str],
    shared: tuple[datetime | None, str, list[tuple[str, Leaf]]],
) -> Iterator[Seen]:
    data = within(place, f"continuous/{stream.folder}/continuous.dat")
    if data not in files:
        message = f"There is no continuous.dat of the stream {stream.name[:100]}."
        yield Finding(code="missing-binary", path=within(place, "structure.oebin"), message=message)
        if files:
            yield Known(tuple(files), "Open Ephys stream without its data")
        return
    size_bytes = folder.size_bytes(data)
    samples, rest = divmod(size_bytes, stream.channels * _SAMPLE_BYTES)
    started, serial, facts = shared
    yield Recording(
        kind=_kind(stream),
        device=device_name(stream.name),
        paths=(data, *(path for path in files if path != data)),
        serial=serial if "Neuropix" in stream.processor else "",
        started=started,
        duration_s=samples / stream.rate_hz,
        sampling_rate_hz=stream.rate_hz,
        channels=stream.channels,
        samples=samples,
        facts=(*facts, ("rig", stream.processor[:200] or None)),
    )
    yield from _length(folder, data, samples, rest)


def _kind(stream: _Stream) -> str:
    if "Neuropix" in stream.processor:
        if stream.name.upper().endswith(("AP", "AP_BAND")):
            return "neuropixels-ap"
        if stream.name.upper().endswith(("LFP", "LF", "LFP_BAND")):
            return "neuropixels-lf"
    return "ephys"


def _length(folder: Folder, data: str, samples: int, rest: int) -> Iterator[Finding]:
    """Whole samples, and as many as there are times of them."""
    if rest:
        message = f"{rest} bytes are left over behind the last whole sample."
        yield Finding(code="truncated", path=data, message=message)
    for name in ("sample_numbers.npy", "timestamps.npy"):
        path = within(folder_of(data), name)
        if folder.holds(path):
            try:
                told = max(read_npy_header(folder, path).shape, default=0)
            except (Malformed, Unreadable):
                return
            if told != samples:
                code = "truncated" if samples < told else "size-mismatch"
                yield Finding(code=code, path=data, message=f"{samples} samples where {name} tells of {told}.")
            return


def _started(folder: Folder, place: str) -> datetime | None:
    """When the recording software says that it began, in UTC."""
    path = within(place, "sync_messages.txt")
    if not folder.holds(path):
        return None
    try:
        match = _EPOCH_MS.search(text_of(folder.read(path, 4096)))
    except Unreadable:
        return None
    return None if match is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1]))


def _serials(folder: Folder, place: str) -> list[str]:
    path = within(folder_of(folder_of(place)), "settings.xml")
    if not folder.holds(path):
        return []
    try:
        return list(dict.fromkeys(_SERIAL.findall(text_of(folder.read(path, _LARGEST_SETTINGS_BYTES)))))
    except Unreadable:
        return []


RECOGNISER = Recogniser(
    name="Open Ephys",
    suffixes=("structure.oebin",),
    recognise=recognise,
    source="https://open-ephys.github.io/gui-docs/User-Manual/Recording-data/Binary-format.html",
    reads="structure.oebin, sync_messages.txt, probes in settings.xml; the size of each continuous.dat and the header"
    " of its sample numbers",
)
