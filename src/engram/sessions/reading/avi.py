"""The header of an AVI file, with what OpenDML adds for files over one gigabyte.

Source: https://learn.microsoft.com/en-us/windows/win32/directshow/avi-riff-file-reference;
https://web.archive.org/web/2023/http://www.jmcgowan.com/odmlff2.pdf (OpenDML).
"""

from engram.model.errors import Malformed
from engram.sessions.reading.film import Film
from engram.sessions.reading.window import Window

_MOST_CHUNKS = 200


def avi(window: Window) -> Film:
    """What the header of a film says. Raises `Malformed`."""
    head = window.some(0, 12)
    if head[:4] != b"RIFF" or head[8:12] != b"AVI ":
        raise Malformed(window.path, "no AVI")
    found = _Found()
    _walk(window, 12, 12 + (1 << 20), found, depth=0)
    if found.main is None:
        raise Malformed(window.path, "an AVI without its main header")
    microseconds, frames = (_u32(found.main, at) for at in (0, 16))
    if found.video is not None and _u32(found.video, 20):
        rate_hz = _u32(found.video, 24) / _u32(found.video, 20)
    else:
        rate_hz = 1e6 / microseconds if microseconds else 0.0
    frames = max(frames, found.total)
    return Film(
        width=_u32(found.main, 32),
        height=_u32(found.main, 36),
        frame_rate_hz=rate_hz or None,
        frames=frames or None,
        duration_s=frames / rate_hz if frames and rate_hz else None,
        codec=_fourcc(found.video),
        promised_bytes=None if found.total else _u32(head, 4) + 8,
    )


class _Found:
    """The parts of the header that count."""

    def __init__(self) -> None:
        self.main: bytes | None = None
        self.video: bytes | None = None
        #: Frames of the whole file, where OpenDML says so.
        self.total = 0
        self.chunks = 0


def _walk(window: Window, at: int, end: int, found: _Found, *, depth: int) -> None:
    while at + 8 <= end and found.chunks < _MOST_CHUNKS:
        found.chunks += 1
        tag = window.some(at, 12)
        if len(tag) < 8:
            return
        size = _u32(tag, 4)
        if tag[:4] == b"LIST" and tag[8:12] == b"movi":
            return
        if tag[:4] == b"LIST" and tag[8:12] in {b"hdrl", b"strl", b"odml"}:
            if depth < 3:
                _walk(window, at + 12, min(at + 8 + size, end), found, depth=depth + 1)
        else:
            _note(window, tag[:4], at + 8, size, found)
        at += 8 + size + (size & 1)


def _note(window: Window, tag: bytes, at: int, size: int, found: _Found) -> None:
    if tag == b"avih" and size >= 40:
        found.main = window.take(at, 40)
    elif tag == b"strh" and size >= 36 and found.video is None:
        header = window.take(at, 36)
        if header[:4] == b"vids":
            found.video = header
    elif tag == b"dmlh" and size >= 4:
        found.total = _u32(window.take(at, 4), 0)


def _fourcc(video: bytes | None) -> str:
    return "" if video is None else video[4:8].decode("latin-1").strip("\0 ")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
