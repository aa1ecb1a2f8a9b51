"""mtscomp's ``.ch`` header of a packed recording.

Source: https://github.com/int-brain-lab/mtscomp
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engram.model.errors import Malformed
from engram.sessions.reading.lines import parsed_json
from engram.sessions.reading.window import Readable

#: A day of one-second chunks has some three megabytes.
_LARGEST_HEADER_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """What a ``.cbin`` holds."""

    channels: int
    samples: int
    packed_bytes: int
    #: Of what was packed, lower-case; '' when it was not told.
    sha1: str


def packing(folder: Readable, path: str) -> Packing:
    """What the header at *path* says. Raises `Malformed`."""
    said = parsed_json(folder.read(path, _LARGEST_HEADER_BYTES), path)
    channels = said.get("n_channels")
    if not isinstance(channels, int) or channels < 1:
        raise Malformed(path, "n_channels is no number of channels")
    digest = said.get("sha1_uncompressed")
    return Packing(
        channels=channels,
        samples=_last(said, "chunk_bounds", path),
        packed_bytes=_last(said, "chunk_offsets", path),
        sha1=digest.lower() if isinstance(digest, str) else "",
    )


def _last(said: Mapping[str, object], name: str, path: str) -> int:
    numbers = said.get(name)
    if not isinstance(numbers, list) or not numbers or not isinstance(numbers[-1], int) or numbers[-1] < 0:
        raise Malformed(path, f"{name} is no list of positions")
    return int(numbers[-1])
