"""MATLAB files that rigs write: synchronisation (``sync.mat``, ``sync_all.mat``), behaviour, bit codes.

Names and shapes of variables come from the file's own headers; files of version 7.3 (HDF5) and 4 go to the worker.

Source: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf;
https://github.com/mesoscale-activity-map/map-ephys (names of behaviour and bit code files).
"""

import re
from collections.abc import Iterator
from functools import partial

from engram.model.errors import ExtraMissing, Malformed, Unreadable
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import real_time
from engram.sessions.reading.mat import NotVersion5, is_hdf5, mat_variables
from engram.sessions.reading.window import Window
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import device_name, folder_of, name_of
from engram.sessions.recognisers.trouble import each, finding_for

_BEHAVIOUR = re.compile(
    r"(?P<alias>[a-zA-Z]{2}[^_]*)_(?P<task>.+)_(?P<date>\d{8})_(?P<time>\d{6})\.mat", re.ASCII | re.IGNORECASE
)
_BITCODE = re.compile(r"(?:.*?_)?(?P<probe>imec\d+_)?bitcode\.mat", re.IGNORECASE)
_CREATED = re.compile(rb"Created on: ([^\0]{10,40}?)\s*(?:\0|$)")


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every file below *folder* whose name says what it is for."""
    yield from each(folder.ending(".mat"), partial(_file, folder))


def _file(folder: Folder, path: str) -> Iterator[Seen]:
    name = name_of(path)
    if name.lower() in {"sync.mat", "sync_all.mat"}:
        # the one lies in the folder of its probe, the other is of the whole session
        device = name_of(folder_of(path)) if name.lower() == "sync.mat" and folder_of(path) else name[:-4].lower()
        yield from _recording(folder, path, kind="sync", device=device)
    elif match := _BITCODE.fullmatch(name):
        probe = (match["probe"] or "").rstrip("_").lower()
        yield from _recording(folder, path, kind="events", device=f"bitcode {probe}".rstrip())
    elif match := _BEHAVIOUR.fullmatch(name):
        yield from _recording(folder, path, kind="behaviour", device="behaviour", named=match)


def _recording(
    folder: Folder, path: str, *, kind: str, device: str, named: re.Match[str] | None = None
) -> Iterator[Seen]:
    facts: dict[str, Leaf] = {} if named is None else {"alias": named["alias"], "task": named["task"]}
    trouble: Finding | None = None
    try:
        facts |= _said(folder, path)
    except (Malformed, Unreadable, ExtraMissing) as error:
        trouble = finding_for(path, error)
    date, time = ("", "") if named is None else (named["date"], named["time"])
    pieces = [date[:4], date[4:6], date[6:], time[:2], time[2:4], time[4:]] if date else []
    yield Recording(
        kind=kind,
        device=device_name(device),
        paths=(path,),
        started=real_time(*map(int, pieces)) if pieces else None,
        facts=tuple(facts.items()),
    )
    if trouble is not None:
        yield trouble


def _said(folder: Folder, path: str) -> dict[str, Leaf]:
    window = Window.of(folder, path, first_bytes=1 << 13)
    head = window.some(0, 520)
    created = _CREATED.search(head[:128])
    said: dict[str, Leaf] = {} if created is None else {"written": created[1].decode(errors="replace")}
    if is_hdf5(head):
        return said | {"variables": _listed(_names_73(folder, path))}
    try:
        return said | {"variables": _listed([variable.name for variable in mat_variables(window)])}
    except NotVersion5:
        if head.startswith(b"MATLAB ") or len(head) < 20 or int.from_bytes(head[:4], "little") > 5000:
            raise
    variables = folder.in_worker(path, "mat_variables").get("variables")
    return said | {
        "variables": _listed([str(entry[0]) for entry in variables if entry] if isinstance(variables, list) else [])
    }


def _names_73(folder: Folder, path: str) -> list[str]:
    objects = folder.in_worker(path, "hdf5_top").get("objects")
    names = [str(name).strip("/") for name in objects] if isinstance(objects, dict) else []
    return [name for name in names if not name.startswith("#")]


def _listed(names: list[str]) -> str:
    return ", ".join(name for name in names if name)[:1000]


RECOGNISER = Recogniser(
    name="MATLAB files of rigs",
    suffixes=(".mat",),
    recognise=recognise,
    source="https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf",
    reads="of files whose name is known, the headers of the variables; version 7.3 in the worker",
)
