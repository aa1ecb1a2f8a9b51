"""Neuralynx: ``.ncs``, ``.ntt``, ``.nse``, ``.nst``, ``.nev``, ``.nvt``, each with 16 KB of text in front.

Source: https://neuralynx.com/_software/NeuralynxDataFileFormats.pdf
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from engram.model.errors import Malformed
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import real_time
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.recognisers.paths import by_folder, folder_of, name_of
from engram.sessions.recognisers.trouble import each

_HEADER_BYTES = 16_384
_MARK = b"######## Neuralynx"
#: What the files of one suffix are, and what they are called here.
_KINDS = {
    ".ncs": ("ephys", "neuralynx"),
    ".ntt": ("ephys", "neuralynx tetrodes"),
    ".nse": ("ephys", "neuralynx electrodes"),
    ".nst": ("ephys", "neuralynx stereotrodes"),
    ".nev": ("events", "neuralynx"),
    ".nvt": ("tracking", "neuralynx"),
}
#: Cheetah 5.4 and older; newer ones have ``-TimeCreated 2018/02/25 10:25:08``.
_OPENED = re.compile(
    r"Time Opened \(m/d/y\): (\d{1,2})/(\d{1,2})/(\d{4})\s+(?:At Time: |\(h:m:s\.ms\) )(\d{1,2}):(\d{1,2}):(\d{1,2})"
)
_CREATED = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)")


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every kind of file in every folder: all that lie side by side are one recording."""
    places: set[str] = set()
    for suffix, (kind, device) in _KINDS.items():
        for place, paths in by_folder(folder.ending(suffix)).items():
            yield from each(paths[:1], partial(_files, folder, kind, device, paths))
            places.add(place)
    logs = tuple(
        path
        for path in (folder.ending(".txt") if places else ())
        if name_of(path).startswith("Cheetah") and folder_of(path) in places
    )
    if logs:
        yield Known(logs, "Cheetah log")


def _files(folder: Folder, kind: str, device: str, paths: list[str], first: str) -> Iterator[Seen]:
    head = folder.read(first, _HEADER_BYTES)
    if not head.startswith(_MARK):
        raise Malformed(first, "it does not begin with Neuralynx's header")
    text = head.decode("latin-1").rstrip("\0")
    fields = dict(_fields(text))
    channels = fields.get("NumADChannels", "")
    yield Recording(
        kind=kind,
        device=device,
        paths=tuple(paths),
        started=_started(text, fields),
        sampling_rate_hz=_rate_hz(fields) if kind == "ephys" else None,
        channels=len(paths) * int(channels) if re.fullmatch(r"[1-9]\d{0,4}", channels) else None,
        facts=tuple(_facts(fields, len(paths))),
    )
    size = fields.get("RecordSize", "")
    if re.fullmatch(r"[1-9]\d{0,8}", size):
        rest = (folder.size_bytes(first) - _HEADER_BYTES) % int(size)
        if len(head) < _HEADER_BYTES or rest:
            message = f"It does not end with a whole record of {size} bytes."
            yield Finding(code="truncated", path=first, message=message)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """The lines of the form ``-Name value``."""
    for line in text.splitlines():
        if line.startswith("-"):
            name, _, value = line[1:].partition(" ")
            yield name, value.strip()[:200]


def _started(text: str, fields: dict[str, str]) -> datetime | None:
    if created := _CREATED.fullmatch(fields.get("TimeCreated", "")):
        return real_time(*map(int, created.groups()))
    if opened := _OPENED.search(text):
        month, day, year, hour, minute, second = map(int, opened.groups())
        return real_time(year, month, day, hour, minute, second)
    return None


def _rate_hz(fields: dict[str, str]) -> float | None:
    text = fields.get("SamplingFrequency", "")
    return float(text) if re.fullmatch(r"[1-9]\d{0,8}(?:\.\d{1,9})?", text) else None


def _facts(fields: dict[str, str], count: int) -> Iterator[tuple[str, Leaf]]:
    yield "files", count
    names = {"ApplicationName": "software", "AcquisitionSystem": "system", "SessionUUID": "session_uuid"}
    for field, name in names.items():
        if value := fields.get(field, "").strip('"'):
            yield name, value


RECOGNISER = Recogniser(
    name="Neuralynx",
    suffixes=tuple(_KINDS),
    recognise=recognise,
    source="https://neuralynx.com/_software/NeuralynxDataFileFormats.pdf",
    reads="the 16 KB header and the size of the first file of each kind in a folder",
)
