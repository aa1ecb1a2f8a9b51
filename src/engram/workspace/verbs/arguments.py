"""What the functions of the Python interface are given, and what they give."""

import os
from collections.abc import Iterable
from typing import TypeAlias

from engram.model.errors import UsageError
from engram.model.outcome import IncompleteResults, Outcome

AnyPath: TypeAlias = str | os.PathLike[str]
Paths: TypeAlias = AnyPath | Iterable[AnyPath] | None
#: One name, or several.
Names: TypeAlias = str | Iterable[str]


def names_of(names: Names) -> tuple[str, ...]:
    """One name, or several, as a tuple."""
    return (names,) if isinstance(names, str) else tuple(names)


def text(path: AnyPath | None) -> str | None:
    """A path as text."""
    return None if path is None else os.fspath(path)


def texts(paths: Paths) -> tuple[str, ...]:
    """One path, or several, as text."""
    if paths is None:
        return ()
    if isinstance(paths, (str, os.PathLike)):
        return (os.fspath(paths),)
    return tuple(os.fspath(path) for path in paths)


def check_choice(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    """Raise `UsageError` for a word that an argument does not know; ``None`` is always one that was not given."""
    if value is not None and value not in choices:
        raise UsageError(f"{name} cannot be {value!r}.", f"It is one of: {', '.join(choices)}.")


def check_count(name: str, value: int | None) -> None:
    """Raise `UsageError` for a number below 0."""
    if value is not None and value < 0:
        raise UsageError(f"{name} cannot be {value}.", "It is a number, 0 or more.")


def collected(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """All outcomes, when the last is in. Raises `IncompleteResults`, with all of them, when one failed."""
    found = list(outcomes)
    if any(outcome.failed for outcome in found):
        raise IncompleteResults(tuple(found))
    return found
