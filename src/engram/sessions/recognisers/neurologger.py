"""Deuteron neurologgers: ``neurologger_header.mat`` in the session's folder, ``.DT2`` files beside it or in ``Raw``.

Source: https://github.com/kavli-ntnu/dj-docs (a session is found by this header)
"""

from collections.abc import Iterator, Mapping
from functools import partial

from engram.model.findings import Finding
from engram.model.recordings import Recording
from engram.sessions.reading.mat import is_hdf5, mat_variables
from engram.sessions.reading.window import Window
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import by_folder, folder_of
from engram.sessions.recognisers.trouble import each

_DATA = (".dt2", ".dt4", ".dt6", ".df1")
_LOGS = ("eventlog.csv", "eventlog.nle")


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every logger's files below *folder*."""
    headers = by_folder(folder.ending("neurologger_header.mat"))
    belongs: dict[str, list[str]] = {place: [] for place in headers}
    for place, paths in by_folder(folder.ending(*_DATA)).items():
        above = _header_above(place, headers)
        if above is not None:
            belongs[above] += paths
        else:
            message = "There is no neurologger_header.mat beside it or above it."
            yield from (Finding(code="missing-meta", path=path, message=message) for path in paths)
    logs = by_folder(folder.ending(*_LOGS)) if headers else {}
    for place, paths in logs.items():
        above = _header_above(place, headers)
        if above is not None:
            belongs[above] += paths
    for place, paths in headers.items():
        yield from each(paths[:1], partial(_logger, folder, belongs[place]))


def _header_above(place: str, headers: Mapping[str, object]) -> str | None:
    """The nearest folder, from this one up, that holds a header."""
    while place and place not in headers:
        place = folder_of(place)
    return place if place in headers else None


def _logger(folder: Folder, parts: list[str], header: str) -> Iterator[Seen]:
    data = [path for path in parts if path.lower().endswith(_DATA)]
    window = Window.of(folder, header, first_bytes=1 << 13)
    names = [] if is_hdf5(window.some(0, 520)) else [variable.name for variable in mat_variables(window)]
    facts = (("files", len(data)), ("variables", ", ".join(names)[:1000]))
    yield Recording(kind="ephys", device="neurologger", paths=(header, *parts), facts=facts)
    if not data:
        yield Finding(code="missing-binary", path=header, message="There is no data file (.DT2) beside it or below it.")


RECOGNISER = Recogniser(
    name="neurologger",
    suffixes=("neurologger_header.mat", *_DATA, *_LOGS),
    recognise=recognise,
    source="https://github.com/kavli-ntnu/dj-docs",
    reads="the headers of the variables of neurologger_header.mat",
)
