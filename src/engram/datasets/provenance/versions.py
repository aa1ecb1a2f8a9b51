"""Versions of a file as records: what came when, from whom, made by which command, and who holds it."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedFile:
    """A file that a command read, as it was then."""

    #: Relative to the dataset; a pattern, where a pattern was recorded.
    path: str
    #: Its annex key then; '' for content in git, and for what was not there.
    key: str = ""
    #: Its git object then, hex.
    gitshasum: str = ""
    #: Whether it is another than the version before was made from.
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBy:
    """The command that made a version."""

    #: The line that the shell was given, as far as it can be told: placeholders for inputs and outputs filled in.
    cmd: str
    #: What was said of it.
    message: str
    #: Where it ran, relative to the dataset.
    pwd: str
    exit: int | None
    inputs: tuple[UsedFile, ...] = ()
    #: Files of the dataset that the command line itself names: scripts, parameters.
    code: tuple[UsedFile, ...] = ()
    outputs: tuple[str, ...] = ()
    #: The commits that it repeats, oldest first, hex.
    chain: tuple[str, ...] = ()
    #: Why its record cannot be read; '' when it can.
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A repository that holds a content, as far as is known."""

    uuid: str
    #: What people call it.
    description: str
    #: The remote that reaches it from here; '' when there is none.
    remote: str = ""
    #: Whether it is this one, and the content was seen here.
    here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a file."""

    #: Relative to the dataset, as it was called then.
    path: str
    #: Absolute path of the dataset.
    dataset: str
    #: ``added``, ``modified``, ``renamed`` or ``deleted``.
    state: str
    #: Hex.
    commit: str
    #: ISO 8601, with the author's offset.
    when: str
    #: ``Name <mail>``.
    who: str
    #: The first line of the commit's message.
    message: str
    #: Its name before, or, of one that was deleted, after; '' for none.
    other_path: str = ""
    #: The annex key, '' for content in git.
    key: str = ""
    #: The git object, hex; '' when it was deleted.
    gitshasum: str = ""
    #: Size of the content in bytes; ``None`` when it is not known, or there is none.
    size_bytes: int | None = None
    #: The command that made it; ``None`` when none is recorded.
    run: MadeBy | None = None
    #: Who holds the content, of an annexed file.
    holders: tuple[Holder, ...] = ()
    #: Whether the content is here now.
    here: bool = False

    def as_json(self) -> dict[str, Any]:
        """The record behind ``history --json``. Fields may be added, never changed."""
        return {"record": "version", **{entry.name: _plain(getattr(self, entry.name)) for entry in fields(self)}}


def _plain(value: object) -> object:
    """A value of a record with nothing but JSON's own kinds."""
    if isinstance(value, UsedFile | MadeBy | Holder):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
