"""The header of an MP4, QuickTime or Motion JPEG 2000 film: all are made of the same boxes.

Source: https://developer.apple.com/documentation/quicktime-file-format (boxes); ISO/IEC 14496-12.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engram.model.errors import Malformed
from engram.sessions.reading.film import Film
from engram.sessions.reading.window import Window

_MOST_BOXES = 400
_BRANCHES = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    #: Where what it holds begins and ends; the end is ``None`` for "up to the end of the file".
    start: int
    end: int | None


class Unfinished(Malformed):
    """A film whose header was never written: it is still being recorded, or was cut short."""


def mp4(window: Window) -> Film:
    """What the header of a film says. Raises `Unfinished` for one without, `Malformed` for what is none."""
    if window.some(0, 8)[4:8] not in {b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"jP  "}:
        raise Malformed(window.path, "no MP4")
    budget = [_MOST_BOXES]
    promised, found = 0, None
    for box in _boxes(window, 0, None, budget):
        promised = max(promised, box.end or box.start)
        if box.kind == b"moov":
            found = _Movie()
            found.read(window, box, budget)
    if found is None:
        raise Unfinished(window.path, "it has no header (moov)")
    return found.film(promised)


def _boxes(window: Window, at: int, end: int | None, budget: list[int]) -> Iterator[_Box]:
    while end is None or at + 8 <= end:
        head = window.some(at, 16)
        if len(head) < 8:
            return
        budget[0] -= 1
        if budget[0] < 0:
            raise Malformed(window.path, "an MP4 of too many boxes")
        size, kind, start = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if size == 1 and len(head) == 16:
            size, start = int.from_bytes(head[8:16], "big"), at + 16
        if size == 0:
            yield _Box(kind, start, end)
            return
        if at + size < start:
            raise Malformed(window.path, f"a box of {size} bytes")
        yield _Box(kind, start, at + size)
        at += size


class _Movie:
    """The parts of the header that count: of the whole, and of the first video track."""

    def __init__(self) -> None:
        self.created: datetime | None = None
        self.handler = b""
        self.scale = self.duration = self.frames = 0
        self.shape = (0, 0)
        self.codec = ""
        self.found = False

    def read(self, window: Window, box: _Box, budget: list[int]) -> None:
        for part in _boxes(window, box.start, box.end, budget):
            if part.kind == b"trak" and self.found:
                continue
            if part.kind in _BRANCHES:
                self.read(window, part, budget)
                self.found = self.found or (part.kind == b"trak" and self.handler == b"vide")
            elif not self.found:
                self.note(window, part)

    def note(self, window: Window, box: _Box) -> None:
        if box.kind == b"mvhd":
            wide, data = self._full(window, box, 12, 20)
            self.created = _time(int.from_bytes(data[:wide], "big"))
        elif box.kind == b"mdhd":
            wide, data = self._full(window, box, 16, 28)
            self.scale = int.from_bytes(data[2 * wide : 2 * wide + 4], "big")
            self.duration = int.from_bytes(data[2 * wide + 4 : 3 * wide + 4], "big")
        elif box.kind == b"hdlr":
            self.handler = window.take(box.start + 8, 4)
        elif box.kind == b"stsz":
            self.frames = int.from_bytes(window.take(box.start + 8, 4), "big")
        elif box.kind == b"stsd":
            entry = window.take(box.start + 8, 36)
            self.codec = entry[4:8].decode("latin-1").strip("\0 ")
            self.shape = (int.from_bytes(entry[32:34], "big"), int.from_bytes(entry[34:36], "big"))

    @staticmethod
    def _full(window: Window, box: _Box, narrow: int, wide: int) -> tuple[int, bytes]:
        """Width of its times, and what follows version and flags."""
        version = window.take(box.start, 4)[0]
        return (8, window.take(box.start + 4, wide)) if version == 1 else (4, window.take(box.start + 4, narrow))

    def film(self, promised: int) -> Film:
        if not self.found:
            return Film(created=self.created, promised_bytes=promised)
        duration_s = self.duration / self.scale if self.scale and self.duration else None
        return Film(
            width=self.shape[0] or None,
            height=self.shape[1] or None,
            frame_rate_hz=round(self.frames / duration_s, 6) if duration_s and self.frames else None,
            frames=self.frames or None,
            duration_s=duration_s,
            codec=self.codec,
            created=self.created,
            promised_bytes=promised,
        )


def _time(seconds: int) -> datetime | None:
    """Seconds since 1904; clocks that were never set stand at 0 or in 1970."""
    try:
        when = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return when if when.year > 1990 else None
