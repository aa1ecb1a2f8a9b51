"""Films of cameras: ``.mp4``, ``.avi`` and their kin.

``<alias>_<camera>_<number>-0000.avi`` are the films of single trials: all of one camera are one recording, with the
list that says which trial each is (``<alias>_<date>_<camera>.txt``: number, tabulator, trial).

Source: https://github.com/mesoscale-activity-map/map-ephys (names); the containers: `engram.sessions.reading`.
"""

import re
from collections.abc import Iterator
from functools import partial

from engram.model.errors import Malformed
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.avi import avi
from engram.sessions.reading.film import Film
from engram.sessions.reading.mp4 import Unfinished, mp4
from engram.sessions.reading.window import Window
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import device_name, folder_of, name_of
from engram.sessions.recognisers.trouble import each

_TRIAL = re.compile(r"(?P<alias>[^_]+)_(?P<camera>.+)_(?P<number>\d{1,9})-\d{4}\.(?:avi|mp4|mj2)", re.IGNORECASE)
_LIST = re.compile(r"(?P<alias>[^_]+)_\d{6,8}_(?P<camera>.+)\.txt", re.IGNORECASE)
_SUFFIXES = (".mp4", ".avi", ".m4v", ".mov", ".mj2")
_HEAD_BYTES = 1 << 13


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every camera's films below *folder*."""
    cameras: dict[tuple[str, str, str], dict[int, str]] = {}
    alone: list[str] = []
    for path in folder.ending(*_SUFFIXES):
        match = _TRIAL.fullmatch(name_of(path))
        if match is None:
            alone.append(path)
        else:
            group = cameras.setdefault((folder_of(path), match["alias"], match["camera"]), {})
            group.setdefault(int(match["number"]), path)
            if group[int(match["number"])] != path:
                alone.append(path)
    yield from each(alone, partial(_film, folder))
    lists = _lists(folder) if cameras else {}
    for camera, films in cameras.items():
        yield from each([films[min(films)]], partial(_trials, folder, camera, films, lists.get(camera)))


def _lists(folder: Folder) -> dict[tuple[str, str, str], str]:
    found = {}
    for path in folder.ending(".txt"):
        if match := _LIST.fullmatch(name_of(path)):
            found[folder_of(path), match["alias"], match["camera"]] = path
    return found


def _film(folder: Folder, path: str) -> Iterator[Seen]:
    film, trouble = _read(folder, path)
    yield Recording(
        kind="video",
        device=device_name(name_of(path).rpartition(".")[0]) or "video",
        paths=(path,),
        started=film.created,
        duration_s=film.duration_s,
        sampling_rate_hz=film.frame_rate_hz,
        samples=film.frames,
        facts=tuple(_facts(film)),
    )
    yield from trouble
    yield from _length(folder, path, film)


def _trials(
    folder: Folder, camera: tuple[str, str, str], films: dict[int, str], listed: str | None, first: str
) -> Iterator[Seen]:
    film, trouble = _read(folder, first)
    numbers = sorted(films)
    facts: list[tuple[str, Leaf]] = [("alias", camera[1]), ("videos", len(films))]
    facts += [("first_video", numbers[0]), ("last_video", numbers[-1]), *_facts(film)]
    single = len(films) == 1
    yield Recording(
        kind="video",
        device=device_name(camera[2]),
        paths=tuple(films[number] for number in numbers) + (() if listed is None else (listed,)),
        started=film.created,
        duration_s=film.duration_s if single else None,
        sampling_rate_hz=film.frame_rate_hz,
        samples=film.frames if single else None,
        facts=tuple(facts),
    )
    yield from trouble
    yield from _length(folder, first, film)


def _read(folder: Folder, path: str) -> tuple[Film, list[Finding]]:
    """What the header says, and what is wrong with it: the film is there all the same."""
    window = Window.of(folder, path, first_bytes=_HEAD_BYTES)
    try:
        return (avi(window) if path.lower().endswith(".avi") else mp4(window)), []
    except Unfinished as error:
        message = f"{error.reason[:1].upper()}{error.reason[1:]}: it is still being recorded, or was cut short."
        return Film(), [Finding(code="truncated", path=path, message=message)]
    except Malformed as error:
        message = f"{error.reason[:1].upper()}{error.reason[1:]}."
        return Film(), [Finding(code="malformed", path=path, message=message)]


def _length(folder: Folder, path: str, film: Film) -> Iterator[Finding]:
    if film.promised_bytes is None:
        return
    size_bytes = folder.size_bytes(path)
    if size_bytes < film.promised_bytes:
        message = f"{film.promised_bytes - size_bytes} of {film.promised_bytes} bytes are missing."
        yield Finding(code="truncated", path=path, message=message)


def _facts(film: Film) -> Iterator[tuple[str, Leaf]]:
    if film.width and film.height:
        yield from (("width", film.width), ("height", film.height))
    if film.codec:
        yield "codec", film.codec


RECOGNISER = Recogniser(
    name="video",
    suffixes=_SUFFIXES,
    recognise=recognise,
    source="https://developer.apple.com/documentation/quicktime-file-format",
    reads="the header and the size of each film; of a camera's trials the first film's",
)
