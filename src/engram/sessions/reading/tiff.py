"""The first page of a TIFF or BigTIFF, and what ScanImage writes there; pages are not counted.

Source: https://www.awaresystems.be/imaging/tiff/bigtiff.html (layout);
https://docs.scanimage.org/Appendix/ScanImage+BigTiff+Specification.html (ScanImage's own header).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from engram.model.errors import Malformed
from engram.sessions.reading.lines import real_time
from engram.sessions.reading.window import Window

_WIDTH, _LENGTH, _DESCRIPTION, _SOFTWARE = 256, 257, 270, 305
#: Sizes of BYTE, ASCII, SHORT, LONG, and of LONG8.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 16: 8}
_WANTED = (_WIDTH, _LENGTH, _DESCRIPTION, _SOFTWARE)
_MOST_TAGS = 1000
_LONGEST_TEXT_BYTES = 1 << 18
_STATIC_MAGIC = 0x07030301
_EPOCH = re.compile(r"^epoch = \[([0-9. ]{5,80})\]", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanImage:
    """What ScanImage says in the header of a file."""

    #: ``SI.hRoiManager.scanFrameRate`` and the like; numbers and lists as MATLAB writes them.
    settings: Mapping[str, str]
    #: Clock of the acquisition computer; the format has no zone.
    started: datetime | None
    width: int | None
    lines: int | None

    def number(self, name: str) -> float | None:
        """A setting that is a number."""
        try:
            return float(self.settings[name])
        except (KeyError, ValueError):
            return None

    def count(self, name: str) -> int | None:
        """How many entries a setting that is a list has: ``[1;2]`` two, ``1`` one."""
        text = self.settings.get(name, "").strip("[]{} ")
        return len(re.split(r"[;, ]+", text)) if text else None


def scanimage(window: Window) -> ScanImage | None:
    """What ScanImage says in a file; ``None`` for a TIFF of another program. Raises `Malformed`."""
    layout = _Layout.of(window)
    static = _static_text(window) if layout.big else ""
    tags = dict(layout.tags(window))
    software = tags.get(_SOFTWARE)
    text = software if isinstance(software, str) and software.startswith("SI.") else static
    description = tags.get(_DESCRIPTION)
    described = description if isinstance(description, str) else ""
    if not text and described.startswith(("scanimage.SI", "frameNumbers = ")):
        text = described
    if not text.lstrip().startswith(("SI.", "scanimage.SI", "frameNumbers")):
        return None
    return ScanImage(
        settings=dict(_settings(text)),
        started=_epoch(described),
        width=_whole(tags.get(_WIDTH)),
        lines=_whole(tags.get(_LENGTH)),
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """Byte order, and how wide the offsets are."""

    order: str
    big: bool
    first: int

    @classmethod
    def of(cls, window: Window) -> "_Layout":
        head = window.some(0, 16)
        order = {b"II": "little", b"MM": "big"}.get(head[:2])
        if order is None or len(head) < 8:
            raise Malformed(window.path, "no TIFF")
        version = _number(head[2:4], order)
        if version == 42:
            return cls(order, big=False, first=_number(head[4:8], order))
        if version != 43 or len(head) < 16:
            raise Malformed(window.path, "no TIFF")
        return cls(order, big=True, first=_number(head[8:16], order))

    def tags(self, window: Window) -> Iterator[tuple[int, str | int]]:
        """The tags of the first page that are wanted."""
        wide, count_width, entry = (8, 8, 20) if self.big else (4, 2, 12)
        count = _number(window.take(self.first, count_width, ahead=1 << 14), self.order)
        if count > _MOST_TAGS:
            raise Malformed(window.path, f"a TIFF page of {count} tags")
        table = window.take(self.first + count_width, count * entry)
        for at in range(0, count * entry, entry):
            tag, kind = _number(table[at : at + 2], self.order), _number(table[at + 2 : at + 4], self.order)
            if tag in _WANTED:
                value = self._value(window, kind, table[at + 4 : at + entry], wide)
                if value is not None:
                    yield tag, value

    def _value(self, window: Window, kind: int, rest: bytes, wide: int) -> str | int | None:
        length = _number(rest[:wide], self.order) * _SIZES.get(kind, 0)
        field = rest[wide:]
        if kind != 2:
            return _number(field[: _SIZES[kind]], self.order) if kind in _SIZES and length else None
        length = min(length, _LONGEST_TEXT_BYTES)
        data = field[:length] if length <= wide else window.take(_number(field, self.order), length)
        return data.rstrip(b"\0").decode(errors="replace")


def _static_text(window: Window) -> str:
    """What ScanImage 5.1 and newer put between the header and the first page: settings, then the fields of view."""
    head = window.some(16, 16)
    if len(head) < 16 or _number(head[:4], "little") != _STATIC_MAGIC:
        return ""
    length = min(_number(head[8:12], "little"), _LONGEST_TEXT_BYTES)
    return window.take(32, length).rstrip(b"\0").decode(errors="replace")


def _settings(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            yield name.strip().removeprefix("scanimage."), value.strip().strip("'")


def _epoch(description: str) -> datetime | None:
    match = _EPOCH.search(description)
    if match is None:
        return None
    fields = match[1].split()
    if len(fields) != 6 or not all(field.isdigit() for field in fields[:5]):
        return None
    whole, _, part = fields[5].partition(".")
    return real_time(*map(int, fields[:5]), int(whole or 0), int((part + "000000")[:6]))


def _whole(value: str | int | None) -> int | None:
    return value if isinstance(value, int) else None


def _number(data: bytes, order: str) -> int:
    return int.from_bytes(data, "big" if order == "big" else "little")
