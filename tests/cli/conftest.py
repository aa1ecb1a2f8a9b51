"""Whole screens of the command line, without a process of their own."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from engram.cli.call import Call
from engram.cli.render import Screen
from engram.cli.root import COMMANDS
from engram.cli.run import run
from engram.workspace.context import Context

TEST_VERBS = "tests.cli.verbs"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one call left."""

    code: int
    out: str
    err: str
    call: Call

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Engram(Protocol):
    def __call__(
        self,
        *words: str,
        rooms: Mapping[str, Callable[[Context], Any]] | None = None,
        terminal: bool = False,
        environment: Mapping[str, str] | None = None,
        commands: str = COMMANDS,
        out: io.StringIO | None = None,
    ) -> Shown: ...


@pytest.fixture
def engram(tmp_path: Path) -> Engram:
    """Call engram in an empty folder: ``engram("save", "-m", "why", rooms={"Datasets": Fake})``."""

    def call_it(
        *words: str,
        rooms: Mapping[str, Callable[[Context], Any]] | None = None,
        terminal: bool = False,
        environment: Mapping[str, str] | None = None,
        commands: str = COMMANDS,
        out: io.StringIO | None = None,
    ) -> Shown:
        streams = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
        results, messages = out or streams[0], streams[1]
        around = {"HOME": str(tmp_path / "home"), **(environment or {})}
        screen = Screen(results, messages, around)
        call = Call(screen=screen, environment=around, folder=str(tmp_path), rooms=rooms or {})
        code = run(call, words, commands=commands)
        return Shown(code=code, out=results.getvalue(), err=messages.getvalue(), call=call)

    return call_it


@pytest.fixture
def verb(engram: Engram) -> Engram:
    """The same, with the commands that only tests have."""

    def call_it(*words: str, **more: Any) -> Shown:
        return engram(*words, **{"commands": TEST_VERBS, **more})

    return call_it
