"""ScanImage: ``base_00001_00001.tif``; all files of one base name are one recording.

The first counter is a restart of the same recording, the second a split of a long file; a new base name is a new
recording. The date is the header's, not the name's.

Source: https://docs.scanimage.org/Appendix/ScanImage+BigTiff+Specification.html;
the Kavli Institute's rules for names: https://github.com/kavli-ntnu/dj-docs.
"""

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice

from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.tiff import ScanImage, scanimage
from engram.sessions.reading.window import Window
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import folder_of, name_of
from engram.sessions.recognisers.trouble import each

_NAME = re.compile(r"(?P<base>.+?)_(?P<first>\d{5})(?:_(?P<second>\d{5}))?\.tiff?", re.IGNORECASE)
_HEAD_BYTES = 1 << 16


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every base name below *folder* whose first file ScanImage wrote."""
    groups: dict[tuple[str, str], dict[tuple[int, int], str]] = {}
    for path in folder.ending(".tif", ".tiff"):
        if match := _NAME.fullmatch(name_of(path)):
            place = (int(match["first"]), int(match["second"] or 0))
            groups.setdefault((folder_of(path), match["base"]), {})[place] = path
    for (_, base), parts in groups.items():
        ordered = [parts[numbers] for numbers in sorted(parts)]
        yield from each(ordered[:1], partial(_base, folder, base, ordered, sorted(parts)))


def _base(folder: Folder, base: str, paths: list[str], numbers: list[tuple[int, int]], first: str) -> Iterator[Seen]:
    said = scanimage(Window.of(folder, first, first_bytes=_HEAD_BYTES))
    if said is None:
        return
    yield Recording(
        kind="imaging",
        device="scanimage",
        paths=tuple(paths),
        started=said.started,
        sampling_rate_hz=said.number("SI.hRoiManager.scanFrameRate"),
        channels=said.count("SI.hChannels.channelSave"),
        facts=tuple(_facts(said, base, numbers)),
    )
    if "_" in base:
        message = f"There may be no underscore in the base name {base}: what follows one is read as a counter."
        yield Finding(code="misnamed", path=first, message=message)
    yield from _gaps(base, first, numbers)


def _gaps(base: str, path: str, numbers: list[tuple[int, int]]) -> Iterator[Finding]:
    """The splits that must have been there: those of each restart count from 1 and leave no number out."""
    last: dict[int, int] = {}
    present: dict[int, int] = {}
    for first, second in numbers:
        if second:
            last[first] = max(second, last.get(first, 0))
            present[first] = present.get(first, 0) + 1
    count = sum(last.values()) - sum(present.values())
    if not count:
        return
    there = set(numbers)
    lacking = ((first, part) for first in last for part in range(1, last[first]) if (first, part) not in there)
    named = ", ".join(f"{base}_{first:05}_{part:05}.tif" for first, part in islice(lacking, 3))
    message = f"{count} between the others are missing: {named}{', …' if count > 3 else ''}."
    yield Finding(code="missing-binary", path=path, message=message)


def _facts(said: ScanImage, base: str, numbers: list[tuple[int, int]]) -> Iterator[tuple[str, Leaf]]:
    yield "base", base
    yield "restarts", len({first for first, _ in numbers})
    if rig := said.settings.get("SI.imagingSystem"):
        yield "rig", rig[:100]
    major, minor = (said.settings.get(f"SI.VERSION_{part}", "") for part in ("MAJOR", "MINOR"))
    if major:
        yield "scanimage_version", f"{major}.{minor}".rstrip(".")[:40]
    yield from ((name, size) for name, size in (("width", said.width), ("lines", said.lines)) if size)
    if planes := said.number("SI.hStackManager.numSlices"):
        yield "planes", int(planes) if planes < 1e6 else None
    if scanner := said.settings.get("SI.hScan2D.scannerType"):
        yield "scanner", scanner[:100]


RECOGNISER = Recogniser(
    name="ScanImage",
    suffixes=(".tif", ".tiff"),
    recognise=recognise,
    source="https://docs.scanimage.org/Appendix/ScanImage+BigTiff+Specification.html",
    reads="the header of the first file of each base name",
)
