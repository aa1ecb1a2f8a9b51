"""Deuteron neurologgers: ``neurologger_header.mat`` beside the raw ``.DT2`` files.

Source: https://github.com/kavli-ntnu/dj-docs (a session is found by this header)
"""

from collections.abc import Iterator
from functools import partial

from engram.model.findings import Finding
from engram.model.recordings import Recording
from engram.sessions.reading.mat import is_hdf5, mat_variables
from engram.sessions.reading.window import Window
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import by_folder, within
from engram.sessions.recognisers.trouble import each

_DATA = (".dt2", ".dt4", ".dt6", ".df1")


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every logger's files below *folder*."""
    data = by_folder(folder.ending(*_DATA))
    headers = folder.ending("neurologger_header.mat")
    by_place = by_folder(headers)
    for place, paths in by_place.items():
        yield from each(paths[:1], partial(_logger, folder, data.get(place, [])))
    for place, paths in data.items():
        if place not in by_place:
            missing = within(place, "neurologger_header.mat")
            message = f"There is no {missing.rpartition('/')[2]} beside it."
            yield from (Finding(code="missing-meta", path=path, message=message) for path in paths)


def _logger(folder: Folder, data: list[str], header: str) -> Iterator[Seen]:
    window = Window.of(folder, header, first_bytes=1 << 13)
    names = [] if is_hdf5(window.some(0, 520)) else [variable.name for variable in mat_variables(window)]
    facts = (("files", len(data)), ("variables", ", ".join(names)[:1000]))
    yield Recording(kind="ephys", device="neurologger", paths=(header, *data), facts=facts)
    if not data:
        yield Finding(code="missing-binary", path=header, message="There is no data file (.DT2) beside it.")


RECOGNISER = Recogniser(
    name="neurologger",
    suffixes=("neurologger_header.mat", *_DATA),
    recognise=recognise,
    source="https://github.com/kavli-ntnu/dj-docs",
    reads="the headers of the variables of neurologger_header.mat",
)
