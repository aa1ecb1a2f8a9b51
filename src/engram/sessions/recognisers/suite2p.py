"""suite2p: ``suite2p/plane*`` and ``suite2p/combined`` with the cells that were found in an imaging recording.

``ops.npy`` and ``stat.npy`` are pickles: they are read by a reader that runs nothing.

Source: https://suite2p.readthedocs.io/en/latest/outputs.html
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from engram.model.errors import Malformed, Unreadable
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.npy import npy_header, read_npy_header
from engram.sessions.reading.pickles import Pickled, PickledArray, unpickled
from engram.sessions.reading.window import Window
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import device_name, folder_of, name_of, within
from engram.sessions.recognisers.trouble import each, finding_for

_PLANE = re.compile(r"plane\d+|combined")
_KNOWN = frozenset(
    "ops.npy db.npy F.npy Fneu.npy F_chan2.npy Fneu_chan2.npy spks.npy stat.npy iscell.npy redcell.npy Fall.mat"
    " data.bin data_chan2.bin data_raw.bin data_chan2_raw.bin settings.npy reg_outputs.npy detect_outputs.npy".split()
)


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every output below *folder*: all planes of one run together."""
    runs: dict[str, list[str]] = {}
    for path in folder.ending("ops.npy"):
        plane = folder_of(path)
        if name_of(path) == "ops.npy" and _PLANE.fullmatch(name_of(plane)):
            runs.setdefault(folder_of(plane), []).append(plane)
    for run, planes in runs.items():
        best = next((plane for plane in planes if name_of(plane) == "combined"), planes[0])
        yield from each([within(best, "ops.npy")], partial(_run, folder, run, planes))


def _run(folder: Folder, run: str, planes: list[str], ops: str) -> Iterator[Seen]:
    best = folder_of(ops)
    paths = [ops, *(path for plane in planes for path in _files(folder, plane) if path != ops)]
    window = Window.of(folder, ops, first_bytes=1 << 14)
    read = unpickled(window, npy_header(ops, window.head).data_at)
    said = _ops(read)
    cells, frames = _sizes(folder, best)
    yield Recording(
        kind="segmentation",
        device=device_name(_device(run)),
        paths=tuple(paths),
        sampling_rate_hz=_number(said.get("fs")),
        channels=_count(said.get("nchannels")),
        samples=frames,
        processing="combined" if name_of(best) == "combined" else "",
        facts=tuple(_facts(said, planes, cells)),
    )
    if read.forbidden:
        message = f"It would call {read.forbidden[:80]}, which suite2p does not write."
        yield Finding(code="unsafe-pickle", path=ops, message=message)
    for plane in planes:
        yield from _holds_together(folder, plane)
    declared = _count(said.get("nframes"))
    if name_of(best) != "combined" and declared is not None and frames is not None and frames != declared:
        message = f"F.npy has {frames} frames, ops.npy tells of {declared}."
        yield Finding(code="stale-copy", path=ops, message=message)


def _files(folder: Folder, plane: str) -> Iterator[str]:
    below = f"{plane}/"
    for path in folder.ending(".npy", ".mat", ".bin", ".tif", ".tiff"):
        if path.startswith(below):
            rest = path[len(below) :]
            if rest in _KNOWN or rest.startswith(("reg_tif/", "reg_tif_chan2/")):
                yield path


def _ops(read: Pickled) -> Mapping[object, object]:
    value = read.value
    if isinstance(value, PickledArray) and value.values:
        value = value.values[0]
    return value if isinstance(value, dict) else {}


def _sizes(folder: Folder, plane: str) -> tuple[int | None, int | None]:
    """How many regions and frames F.npy has."""
    path = within(plane, "F.npy")
    if not folder.holds(path):
        return None, None
    try:
        shape = read_npy_header(folder, path).shape
    except (Malformed, Unreadable):
        return None, None
    return (shape[0], shape[1]) if len(shape) == 2 else (None, None)


def _holds_together(folder: Folder, plane: str) -> Iterator[Finding]:
    """Whether all of a plane tell of as many regions; and whether the pickle of them begins as suite2p's do."""
    counts: dict[str, int] = {}
    for name in ("F.npy", "iscell.npy", "stat.npy"):
        path = within(plane, name)
        if not folder.holds(path):
            continue
        try:
            window = Window.of(folder, path, first_bytes=1 << 12, most_bytes=1 << 12)
            header = npy_header(path, window.head)
        except (Malformed, Unreadable) as error:
            yield finding_for(path, error)
            continue
        counts[name] = header.shape[0] if header.shape else 0
        if header.is_pickle:
            yield from _first_names(window, header.data_at)
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} in {name}" for name, count in counts.items())
        yield Finding(code="stale-copy", path=within(plane, "ops.npy"), message=f"Regions differ: {told}.")


def _first_names(window: Window, at: int) -> Iterator[Finding]:
    """The first kilobytes of a pickle are looked at; what comes behind them is not, and nothing is said of it."""
    try:
        forbidden = unpickled(window, at).forbidden
    except Malformed:
        return
    if forbidden:
        message = f"It would call {forbidden[:80]}, which suite2p does not write."
        yield Finding(code="unsafe-pickle", path=window.path, message=message)


def _device(run: str) -> str:
    """``suite2p``, or with the folder above that says which recording was split off: ``suite2p split_openfield``."""
    above = name_of(folder_of(run)) if name_of(run) == "suite2p" else name_of(run)
    return f"suite2p {above}" if above.startswith(("split_", "combined")) else "suite2p"


def _facts(said: Mapping[object, object], planes: list[str], cells: int | None) -> Iterator[tuple[str, Leaf]]:
    yield "planes", sum(name_of(plane) != "combined" for plane in planes)
    yield "combined", any(name_of(plane) == "combined" for plane in planes)
    if cells is not None:
        yield "regions", cells
    if isinstance(version := said.get("suite2p_version"), str):
        yield "suite2p_version", version[:40]
    if isinstance(when := said.get("date_proc"), datetime):
        yield "processed", when.isoformat()
    if isinstance(made_of := said.get("filelist"), list):
        names = [name.replace("\\", "/").rpartition("/")[2] for name in made_of[:100] if isinstance(name, str)]
        yield "made_of", ", ".join(names)[:1000]


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53 else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e9 else None


RECOGNISER = Recogniser(
    name="suite2p",
    suffixes=("ops.npy",),
    recognise=recognise,
    source="https://suite2p.readthedocs.io/en/latest/outputs.html",
    reads="ops.npy of one plane without running it; the headers of F, iscell and stat",
)
