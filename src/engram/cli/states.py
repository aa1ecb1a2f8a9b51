"""How ``status`` and ``diff`` are asked, and how they show the states of files."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from engram.cli.render import relative_path
from engram.cli.root import Verb
from engram.cli.text import ink, printable, size
from engram.model.counting import plural
from engram.model.outcome import DatasetOutcome, Outcome, Status

Function = TypeVar("Function", bound=Callable[..., Any])

_MODES = ("basic", "availability", "all")


class AnnexMode(Verb):
    """A command where ``--annex`` may stand alone: a word that follows and is no mode is a path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = args.index("--") if "--" in args else len(args)
        following = [*args, ""][1:]
        return super().parse_args(
            ctx,
            [
                "--annex=basic" if word == "--annex" and place < options and following[place] not in _MODES else word
                for place, word in enumerate(args)
            ],
        )


def annex(function: Function) -> Function:
    """``--annex``: how much to tell about annexed contents."""
    return click.option(
        "--annex",
        metavar="[basic|availability|all]",
        type=click.Choice(_MODES),
        help="Tell keys and sizes of annexed files (basic, also when no word follows), and whether they are here.",
    )(function)


def untracked(function: Function) -> Function:
    """``--untracked``: whether untracked files are told, and how."""
    return click.option(
        "--untracked",
        type=click.Choice(("no", "normal", "all")),
        default="normal",
        help="Tell untracked files: not at all, folders as one (default), or each.",
    )(function)


class StateView:
    """Lines as ``untracked: path (file)``; paths start at the dataset when it was named or is the current folder."""

    def __init__(self, folder: str, *, named: bool, all_clean: str = "") -> None:
        self._folder = folder
        self._named = named
        self._all_clean = True
        self._said_when_clean = all_clean
        self._annexed = 0
        self._bytes = 0
        self._bytes_here: int | None = None

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if outcome.status is not Status.OK or not isinstance(outcome, DatasetOutcome):
            self._all_clean = False
            return None
        if outcome.key:
            self._count(outcome)
        if outcome.state == "clean":
            return ""
        self._all_clean = False
        state = outcome.state or "unknown"
        path = outcome.path
        if self._named or outcome.refds == self._folder:
            path = relative_path(path, outcome.refds)
        kind = f" ({ink(outcome.type, 'type', colours)})" if outcome.type else ""
        note = f" [{printable(outcome.note)}]" if outcome.note else ""
        return f"{' ' * (9 - len(state))}{ink(state, state, colours)}: {printable(path)}{kind}{note}"

    def _count(self, outcome: DatasetOutcome) -> None:
        self._annexed += 1
        self._bytes += outcome.bytesize or 0
        here = dict(outcome.extra).get("has_content")
        if here is not None:
            self._bytes_here = (self._bytes_here or 0) + (outcome.bytesize or 0 if here else 0)

    def summary(self) -> Iterable[str]:
        if self._annexed:
            here = "" if self._bytes_here is None else f"{size(self._bytes_here)}/"
            what = "recorded total size" if self._bytes_here is None else "present/total size"
            files = plural(self._annexed, "annex'd file")
            yield f"{files} ({here}{size(self._bytes)} {what})"
        if self._all_clean and self._said_when_clean:
            yield self._said_when_clean
