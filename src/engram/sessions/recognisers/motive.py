"""OptiTrack Motive: exported ``.csv`` and raw ``.tak`` takes.

Source: https://docs.optitrack.com/motive/data-export/data-export-csv
"""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from engram.model.errors import Malformed
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import positive, real_time, text_of
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import by_folder, name_of
from engram.sessions.recognisers.trouble import each

_FIRST_LINE_BYTES = 4096
#: Of each folder so many tables are looked at, those that are called as Motive calls them first: each costs a look.
_MOST_TABLES = 32
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d{1,2})[.:](\d\d)[.:](\d\d)(?:\.(\d{1,6}))?(?: ?([AaPp])[Mm])?", re.ASCII)


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every take below *folder*."""
    for paths in by_folder(folder.ending(".csv")).values():
        likely = sorted(paths, key=lambda path: (not name_of(path).startswith("Take "), path))
        yield from each(likely[:_MOST_TABLES], partial(_export, folder))
    for path in folder.ending(".tak"):
        stem = name_of(path)[:-4]
        match = _TIME.search(stem)
        yield Recording(
            kind="tracking",
            device="motive",
            paths=(path,),
            started=None if match is None else _time(match),
            facts=(("take", stem),),
        )


def _export(folder: Folder, path: str) -> Iterator[Seen]:
    head = folder.read(path, _FIRST_LINE_BYTES)
    text = text_of(head)
    if not text.startswith("Format Version,"):
        return
    try:
        cells = next(csv.reader([text.partition("\n")[0].rstrip("\r")]))
    except csv.Error:
        raise Malformed(path, "a first line that is no CSV") from None
    tags = {name.strip(): value.strip() for name, value in zip(cells[::2], cells[1::2], strict=False)}
    # older versions spelled the last word with a small letter
    count = tags.get("Total Exported Frames") or tags.get("Total Frames in Take", "")
    frames = int(count) if count.isascii() and count.isdigit() and len(count) < 18 else None
    rate_hz = positive(tags, "Export Frame Rate", path)
    match = _TIME.fullmatch(tags.get("Capture Start Time", ""))
    yield Recording(
        kind="tracking",
        device="motive",
        paths=(path,),
        started=None if match is None else _time(match),
        duration_s=frames / rate_hz if frames and rate_hz else None,
        sampling_rate_hz=rate_hz,
        samples=frames,
        processing="exported",
        facts=tuple(_facts(tags)),
    )


def _time(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(match[place]) for place in range(1, 7))
    if match[8]:
        hour = hour % 12 + (12 if match[8] in "Pp" else 0)
    return real_time(year, month, day, hour, minute, second, int(((match[7] or "") + "000000")[:6]))


def _facts(tags: dict[str, str]) -> Iterator[tuple[str, Leaf]]:
    kept = {
        "Take Name": "take",
        "Format Version": "format_version",
        "Length Units": "units",
        "Rotation Type": "rotation",
    }
    for tag, name in kept.items():
        if value := tags.get(tag):
            yield name, value[:200]


RECOGNISER = Recogniser(
    name="OptiTrack Motive",
    suffixes=(".csv", ".tak"),
    recognise=recognise,
    source="https://docs.optitrack.com/motive/data-export/data-export-csv",
    reads="the first line of 32 .csv in each folder; of a .tak its name (the format is closed)",
)
