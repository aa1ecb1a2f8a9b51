"""What the ``#:`` comments above fields say: help, schemas and reference are made from them."""

import inspect
import re

_NOTE = re.compile(r"\s*#: ?(.*)")
_FIELD = re.compile(r" {4}(\w+): ")


def field_notes(kind: type) -> dict[str, str]:
    """What the ``#:`` comments above a record's fields say, by field; fields in a row share one comment."""
    notes: dict[str, str] = {}
    for owner in reversed(kind.__mro__[:-1]):
        note: list[str] = []
        shared = ""
        for line in _source_of(owner).splitlines():
            if comment := _NOTE.fullmatch(line):
                note.append(comment[1])
            elif entry := _FIELD.match(line):
                shared = " ".join(note) or shared
                notes[entry[1]] = plain(shared)
                note = []
            else:
                shared = ""
    return notes


def _source_of(owner: type) -> str:
    try:
        return inspect.getsource(owner)
    except (OSError, TypeError):  # a class that is not written in Python says nothing
        return ""


def plain(text: str) -> str:
    """A comment without the marks of markup."""
    return re.sub(r"(?<!\w)\*(\w+)\*", r"\1", text.replace("``", "").replace("`", ""))
