"""Axona: one ``.set`` for each recording, beside it ``.bin``, ``.1`` and more tetrodes, ``.eeg``, ``.egf``, ``.pos``.

Source: http://space-memory-navigation.org/DacqUSBFileFormats.pdf
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
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.trouble import each

_HEADER_BYTES = 1 << 15
#: A packet of a raw .bin: its head, three samples of all 64 channels, its tail.
_PACKET_BYTES, _PACKET_SAMPLES = 432, 3
#: Of a tetrode.
_CHANNELS = 4
_PART = re.compile(r"(?:bin|[1-9]\d?|eeg\d*|egf\d*|pos|inp|stm|log)", re.IGNORECASE)
_PARTS = (".bin", ".eeg", ".egf", ".pos", ".inp", ".stm", *(f".{number}" for number in range(1, 65)))
_PARTS += tuple(f".{kind}{number}" for kind in ("eeg", "egf") for number in range(2, 17))
_DATE = re.compile(r"(?:\w+, )?(\d{1,2}) (\w{3})\w* (\d{4})", re.ASCII)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every recording below *folder*."""
    sets = folder.ending(".set")
    parts: dict[str, list[str]] = {path[:-4]: [] for path in sets}
    for path in folder.ending(*_PARTS) if sets else ():
        stem, _, part = path.rpartition(".")
        if stem in parts and _PART.fullmatch(part):
            parts[stem].append(path)
    for path in sets:
        yield from each([path], partial(_recording, folder, parts[path[:-4]]))


def _recording(folder: Folder, parts: list[str], path: str) -> Iterator[Seen]:
    text = folder.read(path, _HEADER_BYTES).decode("latin-1")
    tags = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    if not text.startswith("trial_date"):
        raise Malformed(path, "no Axona .set: it does not begin with trial_date")
    duration = tags.get("duration", "").strip()
    raw = next((part for part in parts if part.lower().endswith(".bin")), None)
    size = None if raw is None else folder.size_bytes(raw)
    yield Recording(
        kind="ephys",
        device="axona",
        paths=(path, *parts),
        started=_started(tags),
        duration_s=float(duration) if re.fullmatch(r"\d{1,7}(?:\.\d{1,6})?", duration) else None,
        sampling_rate_hz=_whole(tags, "rawRate") if size is not None else None,
        channels=_CHANNELS * _tetrodes(tags) or None if size is not None else None,
        samples=size // _PACKET_BYTES * _PACKET_SAMPLES if size else None,
        facts=tuple(_facts(tags, parts)),
    )
    if raw is not None and size and size % _PACKET_BYTES:
        message = f"{size} bytes are no whole number of packets of {_PACKET_BYTES}."
        yield Finding(code="size-mismatch", path=raw, message=message)


def _tetrodes(tags: dict[str, str]) -> int:
    """How many of them were collected."""
    return sum(_whole(tags, f"collectMask_{number}") == 1 for number in range(1, 17))


def _whole(tags: dict[str, str], tag: str) -> int | None:
    text = tags.get(tag, "").strip()
    return int(text) if re.fullmatch(r"[1-9]\d{0,6}", text, re.ASCII) else None


def _started(tags: dict[str, str]) -> datetime | None:
    date = _DATE.fullmatch(tags.get("trial_date", "").strip())
    time = re.fullmatch(r"(\d{1,2}):(\d\d):(\d\d)", tags.get("trial_time", "").strip(), re.ASCII)
    if date is None or time is None or date[2].lower() not in _MONTHS:
        return None
    return real_time(int(date[3]), _MONTHS.index(date[2].lower()) + 1, int(date[1]), *map(int, time.groups()))


def _facts(tags: dict[str, str], parts: list[str]) -> Iterator[tuple[str, Leaf]]:
    yield "tetrodes", sum(path.rpartition(".")[2].isdigit() for path in parts)
    for tag, name in {"sw_version": "dacq_version", "experimenter": "experimenter", "comments": "notes"}.items():
        if value := tags.get(tag, "").strip():
            yield name, value[:1000]


RECOGNISER = Recogniser(
    name="Axona",
    suffixes=(".set",),
    recognise=recognise,
    source="http://space-memory-navigation.org/DacqUSBFileFormats.pdf",
    reads="the .set",
)
