"""Who commits, and what a commit message looks like after git's clean-up."""

import re
import time
from collections.abc import Mapping
from typing import Protocol

from engram.model.errors import NoIdentity, UsageError

#: What git strips from both ends of a name. Before 2.42 it also took the dot of a "Jr.", which is the person's own.
#: Source: git's ident handling, see git-commit-tree(1), "COMMIT INFORMATION"; the dot: git's RelNotes/2.42.0
_CRUD = "".join(map(chr, range(33))) + ",:;<>\"\\'"
_INSIDE = re.compile("[\n<>]")


class Settings(Protocol):
    """As much of git's configuration as is needed here."""

    def get(self, name: str) -> str | None:
        """The value that holds, ``None`` if it is not set."""
        ...


def identity(config: Settings, environment: Mapping[str, str], role: str, *, now_s: float) -> bytes:
    """``Name <mail> seconds zone`` for the header of a commit.

    Args:
        role: ``author`` or ``committer``.

    Raises:
        NoIdentity: where git would have to make one up from the machine's name.
    """
    name = _first(environment.get(f"GIT_{role.upper()}_NAME"), config.get(f"{role}.name"), config.get("user.name"))
    mail = _first(
        environment.get(f"GIT_{role.upper()}_EMAIL"),
        config.get(f"{role}.email"),
        config.get("user.email"),
        environment.get("EMAIL"),
    )
    missing = [what for what, value in (("user.name", name), ("user.email", mail)) if not value]
    if missing:
        raise NoIdentity(" and ".join(missing))
    return f"{name} <{mail}> {_moment(now_s)}".encode("utf-8", "surrogateescape")


def date_is_given(environment: Mapping[str, str]) -> bool:
    """Whether the user dictates a commit's date, in one of git's many spellings (then git is asked)."""
    return bool(environment.get("GIT_AUTHOR_DATE") or environment.get("GIT_COMMITTER_DATE"))


def _first(*values: str | None) -> str:
    for value in values:
        if value and (clean := _INSIDE.sub("", value).strip(_CRUD)):
            return clean
    return ""


def _moment(now_s: float) -> str:
    offset = time.localtime(now_s).tm_gmtoff or 0
    sign, minutes = ("-", -offset // 60) if offset < 0 else ("+", offset // 60)
    return f"{int(now_s)} {sign}{minutes // 60:02}{minutes % 60:02}"


def clean_message(text: str) -> bytes:
    r"""A commit message as ``git commit -m`` keeps it: no space at line ends, no runs of blank lines.

    >>> clean_message("\n one  \n\n\n two\n\n")
    b' one\n\n two\n'

    Raises:
        UsageError: for what no commit can hold.
    """
    if "\0" in text:
        raise UsageError("The message holds a NUL character.", "Take it out: git keeps none in a message.")
    lines = [line.rstrip(" \t\r") for line in text.split("\n")]
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    joined = "\n".join(kept).strip("\n")
    return f"{joined}\n".encode("utf-8", "surrogateescape") if joined else b""


def subject_of(message: bytes) -> bytes:
    """The first paragraph of a message in one line, as git shows it in a log of refs."""
    return b" ".join(message.lstrip(b"\n").split(b"\n\n")[0].split(b"\n")).strip()
