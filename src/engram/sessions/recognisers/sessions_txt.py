"""``sessions.txt``: what an animal did when in a session, one task a line.

Two forms are documented, with and without a comma behind the start: ``#1, open_field_1, start=30, <RUNNING>`` and
``#1,    open_field_1    start=30    <RUNNING>``. Both are read; there are starts only.

Source: https://github.com/kavli-ntnu/dj-docs/blob/master/docs/common/mass_ingestion.rst
"""

import re
from collections.abc import Iterator
from functools import partial

from engram.model.errors import Malformed
from engram.model.findings import Finding
from engram.model.recordings import Task
from engram.sessions.reading.lines import rows
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.recognisers.paths import name_of
from engram.sessions.recognisers.trouble import each

_LARGEST_FILE_BYTES = 1 << 18
#: Of a line whose parts have one blank between them: nothing in it can be matched in two ways, however long it is.
_LINE = re.compile(
    r"#(?P<number>\d{1,6})(?: ,)? (?P<name>[^ ,<>][^,<>]{0,200}?)(?: ,)? start ?= ?(?P<start>\d{1,9}(?:\.\d{1,9})?)"
    r"(?: ,)?(?: ?<(?P<type>[^<>]{0,100})>)?(?: ,)?",
    re.ASCII,
)
_LONGEST_LINE = 500


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every list of tasks below *folder*; there should be one."""
    lists = [path for path in folder.ending("sessions.txt") if name_of(path).lower() == "sessions.txt"]
    yield from each(lists, partial(_tasks, folder))


def _tasks(folder: Folder, path: str) -> Iterator[Seen]:
    data = folder.read(path, _LARGEST_FILE_BYTES + 1)
    if len(data) > _LARGEST_FILE_BYTES:
        raise Malformed(path, "a list of tasks that is far too long")
    yield Known((path,), "list of tasks")
    last_s, wrong = -1.0, []
    for number, line in rows(data):
        match = _LINE.fullmatch(" ".join(line[:_LONGEST_LINE].replace(",", " , ").split()))
        if match is None:
            wrong.append(f"line {number} is no task ({line.strip()[:60]!r})")
            continue
        start_s = float(match["start"])
        if start_s < last_s:
            wrong.append(f"line {number} starts before the one above it")
        last_s = start_s
        yield Task(name=match["name"], start_s=start_s, type=match["type"] or "")
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        text = f"{'; '.join(wrong[:3])}{more}."
        yield Finding(code="malformed", path=path, message=text[:1].upper() + text[1:])
    elif last_s < 0:
        yield Finding(code="malformed", path=path, message="There is no task in it.")


RECOGNISER = Recogniser(
    name="sessions.txt",
    suffixes=("sessions.txt",),
    recognise=recognise,
    source="https://github.com/kavli-ntnu/dj-docs/blob/master/docs/common/mass_ingestion.rst",
    reads="the file as a whole",
)
