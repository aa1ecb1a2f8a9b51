"""matmot: ``matmot.mtv``, a stream of frames from Motive, beside its ``matmot.meta``.

The size law (bytes of a frame = 16 + 33 · rigid bodies + 20 · markers) holds on the real sample of its repository.

Source: https://github.com/brykko/matmot
"""

from collections.abc import Iterator
from functools import partial

from engram.model.errors import Malformed
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import integer, matlab_time, pairs
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import name_of
from engram.sessions.recognisers.trouble import each

_LARGEST_META_BYTES = 1 << 16
_FRAME_BYTES, _BODY_BYTES, _MARKER_BYTES = 16, 33, 20


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every stream below *folder*."""
    for path in folder.ending(".mtv"):
        meta = f"{path[:-4]}.meta"
        if folder.holds(meta):
            yield from each([meta], partial(_stream, folder, path))
        else:
            yield Finding(code="missing-meta", path=path, message=f"There is no {name_of(meta)} beside it.")
    metas = [path for path in folder.ending("matmot.meta") if not folder.holds(f"{path[:-5]}.mtv")]
    yield from each(metas, partial(_alone, folder))


def _alone(folder: Folder, path: str) -> Iterator[Seen]:
    if folder.read(path, 14) == b"MatMot Streame":
        yield Finding(code="missing-binary", path=path, message=f"There is no {name_of(path)[:-5]}.mtv beside it.")


def _stream(folder: Folder, binary: str, path: str) -> Iterator[Seen]:
    data = folder.read(path, _LARGEST_META_BYTES)
    first, _, rest = data.partition(b"\n")
    if not first.startswith(b"MatMot Streamer version"):
        raise Malformed(path, "no matmot .meta: its first line does not say so")
    tags = pairs(rest)
    frames = integer(tags, "n_frames", path)
    bodies, markers = (integer(tags, name, path) or 0 for name in ("n_rigid_bodies", "n_markers"))
    size_bytes = folder.size_bytes(binary)
    yield Recording(
        kind="tracking",
        device="matmot",
        paths=(binary, path),
        started=matlab_time(tags.get("time_started", "")),
        samples=frames,
        size_bytes=size_bytes + len(data),
        facts=tuple(_facts(tags, first, bodies, markers)),
    )
    yield from _law(binary, frames, _FRAME_BYTES + _BODY_BYTES * bodies + _MARKER_BYTES * markers, size_bytes)


def _law(path: str, frames: int | None, frame_bytes: int, size_bytes: int) -> Iterator[Finding]:
    if frames is None:
        message = "Its metadata has no n_frames yet: it is still being recorded, or was stopped."
        yield Finding(code="still-acquiring", path=path, message=message)
        return
    there, rest = divmod(size_bytes, frame_bytes)
    if not rest and there != frames:
        message = f"It holds {there} frames, its metadata tells of {frames}: one of the two is of another time."
        yield Finding(code="stale-copy", path=path, message=message)
    elif rest:
        code = "truncated" if there < frames else "size-mismatch"
        message = f"{size_bytes} bytes where {frames} frames of {frame_bytes} bytes should be."
        yield Finding(code=code, path=path, message=message)


def _facts(tags: dict[str, str], first: bytes, bodies: int, markers: int) -> Iterator[tuple[str, Leaf]]:
    yield "rigid_bodies", bodies
    yield "markers", markers
    yield "matmot_version", first.decode(errors="replace").rpartition(" ")[2].strip()[:40]
    for tag, name in {"host_ip": "host", "data_dir": "recorded_in"}.items():
        if value := tags.get(tag, "").strip():
            yield name, value[:1000]


RECOGNISER = Recogniser(
    name="matmot",
    suffixes=(".mtv", "matmot.meta"),
    recognise=recognise,
    source="https://github.com/brykko/matmot",
    reads="the .meta, the size of the .mtv",
)
