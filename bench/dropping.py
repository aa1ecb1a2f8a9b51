"""Letting go: drop of contents that a sibling on the same machine holds, beside DataLad, git-annex and a bare loop."""

import sys
from pathlib import Path

from bench import bare, data
from bench.datasets import Act, fill
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import STATUS_OF_GIT, expect, with_engram
from bench.rows import Figures, Goal, Room, Row

DROP, AGAIN, ONE = "drop", "drop, nothing to do", "drop one file"
_BARE = (sys.executable, "-I", bare.__file__, "drop")
_COMMANDS = {
    "engram": ("engram", "drop"),
    "datalad": ("datalad", "drop", "."),
    "git-annex": ("git", "annex", "drop", "--quiet", "."),
}


def _dropped(count: int, *, times: int, peers: bool) -> Act:
    """What each program takes to drop the same contents, one program after the other, so that moods meet all."""

    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        source = with_engram(stage)
        fill(stage, source, lambda folder: data.binary_files(folder, made, 4096))
        stage.run("engram", "save", "-m", "data", at=source)
        clone = stage.folder / "clone"
        stage.run("engram", "clone", str(source), str(clone))
        for turn in range(times):
            _drop_with(stage, "engram", source, clone, made)
            _bare_loop(stage, source, clone, made)
            for program in ("datalad", "git-annex"):
                if peers and program in stage.tools and turn == 0:
                    _drop_with(stage, program, source, clone, made)

    return act


def _drop_with(stage: Stage, program: str, source: Path, clone: Path, count: int) -> None:
    stage.run("engram", "get", ".", at=clone)
    expect(_held(clone) == count, f"{_held(clone)} contents are here, {count} files were made")
    by = stage if program == "engram" else stage.by(program)
    stage.settle()
    by.measure(DROP, *_COMMANDS[program], at=clone)
    expect(not _held(clone), f"{program} left {_held(clone)} contents")
    expect(_held(source) == count, f"{program} spoiled the sibling")
    expect(not list((source / ".git/annex/objects").rglob("*.lck")), f"{program} left locks behind")
    expect(not stage.run("git", "annex", "find", "--in=here", at=clone), "the log says that contents are here")
    expect(not stage.run(*STATUS_OF_GIT, at=clone), "the clone is not clean")
    if program == "engram":
        by.measure(AGAIN, *_COMMANDS[program], at=clone)
        name = next(clone.glob("sub-*/*/*")).relative_to(clone)
        stage.run("engram", "get", str(name), at=clone)
        by.measure(ONE, "engram", "drop", str(name), at=clone)


def _bare_loop(stage: Stage, source: Path, clone: Path, count: int) -> None:
    """On a copy, because it tells no log."""
    stage.run("engram", "get", ".", at=clone)
    copy = stage.folder / "copy"
    stage.run("cp", "-a", str(clone), str(copy))
    stage.by("python", "bare loop").measure(DROP, *_BARE, str(copy), str(source))
    expect(not _held(copy), "the bare loop left contents")
    expect(_held(source) == count, "the bare loop spoiled the sibling")
    stage.run("sh", "-c", f"chmod -R u+w '{copy}' && rm -rf '{copy}'")
    stage.run("engram", "drop", at=clone)


def _held(dataset: Path) -> int:
    return sum(place.is_file() for place in (dataset / ".git/annex/objects").glob("*/*/*/*"))


def _seconds(text: str, limit: float, step: str) -> Goal:
    return Goal(text=text, limit=limit, unit="s", value=lambda figures: figures.cpu_s("drop-10k", "engram", step))


def _against(figures: Figures, peer: str) -> float:
    return figures.cpu_s("drop-10k", peer, DROP) / figures.cpu_s("drop-10k", "engram", DROP)


_SCENARIOS = (
    Scenario(
        name="drop-10k",
        title="a clone that holds 10,000 files of 4 KiB",
        contenders=(Contender("engram", _dropped(10_000, times=3, peers=True)),),
        space=Space(size_mib=4096),
        repeat=1,
    ),
    Scenario(
        name="drop-100k",
        title="a clone that holds 100,000 files of 4 KiB",
        contenders=(Contender("engram", _dropped(100_000, times=1, peers=False)),),
        space=Space(size_mib=12_288, inodes=3_000_000),
        repeat=1,
    ),
)

_ROWS = (
    Row(
        name="drop-10k",
        title="drop 10,000 files that a sibling on this machine holds",
        shows=(("drop-10k", DROP), ("drop-10k", AGAIN), ("drop-10k", ONE)),
        goals=(
            _seconds("drop", 1.0, DROP),
            Goal(
                text="drop against a bare loop that locks, writes down and removes the same contents",
                limit=1.5,
                unit="×",
                value=lambda figures: 1 / _against(figures, "bare loop"),
            ),
            Goal(
                text="DataLad against drop",
                limit=20,
                unit="×",
                at_least=True,
                value=lambda figures: _against(figures, "datalad"),
            ),
        ),
        quoted={"DataLad 1.7.1": 19.8},
    ),
    Row(
        name="drop-100k",
        title="drop 100,000 files that a sibling on this machine holds",
        shows=(("drop-10k", DROP), ("drop-100k", DROP)),
        goals=(
            Goal(
                text="drop of 100,000 against 10,000",
                limit=12,
                unit="×",
                value=lambda figures: (
                    figures.cpu_s("drop-100k", "engram", DROP) / figures.cpu_s("drop-10k", "engram", DROP)
                ),
            ),
            Goal(
                text="peak memory of a drop of 100,000",
                limit=300,
                unit="MB",
                value=lambda figures: figures.series("drop-100k", "engram", DROP).peak_bytes / 1e6,
            ),
        ),
        long=True,
    ),
)

DROPPING = Room(rows=_ROWS, scenarios=_SCENARIOS)
