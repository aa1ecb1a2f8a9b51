"""Getting contents from a sibling on this machine: beside DataLad and git-annex, and loops that only copy and hash."""

import sys
from pathlib import Path

from bench import bare, data
from bench.datasets import Act, Maker, fill
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import STATUS_OF_GIT, expect, with_engram
from bench.rows import Figures, Goal, Room, Row

GET, AGAIN, GET_ONE = "get", "get, nothing to do", "get one file of 2 GiB"
_TIMES = 3
_BARE = (sys.executable, "-I", bare.__file__)
#: Read, hash, write, sync: what a verified copy cannot do without.
_COPY = """
import hashlib, os, sys
source, target = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
buffer, hasher = memoryview(bytearray(1 << 18)), hashlib.sha256()
while count := os.readv(source, [buffer]):
    hasher.update(buffer[:count])
    os.write(target, buffer[:count])
os.fsync(target)
"""
_COMMANDS = {
    "engram": ("engram", "get", "."),
    "datalad": ("datalad", "get", "."),
    "git-annex": ("git", "annex", "get", "--quiet", "."),
}


def _small(count: int) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        source = _source(stage, lambda folder: data.binary_files(folder, made, 4096))
        for turn in range(_TIMES if count <= 10_000 else 2):
            for program in _COMMANDS if count <= 10_000 else ("engram",):
                clone = _clone(stage, source, f"{program}-{turn}")
                if program in stage.tools:
                    step = stage if program == "engram" else stage.by(program)
                    step.measure(GET, *_COMMANDS[program], at=clone)
                    _check(stage, clone, made, fsck=program == "engram" and turn == 0 and count <= 10_000)
                if program == "engram":
                    stage.measure(AGAIN, *_COMMANDS[program], at=clone, times=_TIMES)
                _gone(stage, clone)
            _bare_loop(stage, source, turn, made)

    return act


def _bare_loop(stage: Stage, source: Path, turn: int, count: int) -> None:
    clone = _clone(stage, source, f"bare-{turn}")
    stage.by("python", "bare loop").measure(GET, *_BARE, "get", str(clone), str(source))
    here = sum(path.is_symlink() and path.exists() for path in clone.glob("**/*"))
    expect(here == count, f"the bare loop brought {here} contents, {count} were saved")
    _gone(stage, clone)


def _large(mebibytes: int) -> Act:
    def act(stage: Stage) -> None:
        source = _source(stage, lambda folder: data.large_files(folder, 1, stage.shrunk(mebibytes)))
        for turn in range(_TIMES):
            for program in _COMMANDS:
                clone = _clone(stage, source, f"{program}-{turn}")
                if program in stage.tools:
                    step = stage if program == "engram" else stage.by(program)
                    step.measure(GET_ONE, *_COMMANDS[program], at=clone)
                    _check(stage, clone, 1)
                _gone(stage, clone)
            (content,) = (path for path in source.rglob("*") if path.is_symlink() and path.stat().st_size > 4096)
            copied = (sys.executable, "-I", "-c", _COPY, str(content), str(stage.folder / "copied"))
            stage.by("python", "bare copy").measure(GET_ONE, *copied)
            stage.run("rm", str(stage.folder / "copied"))
            hashed = (*_BARE, "hash", "sha256", str(content.resolve().parent))
            stage.by("python", "bare SHA-256").measure(GET_ONE, *hashed)

    return act


def _source(stage: Stage, make: Maker) -> Path:
    source = with_engram(stage)
    fill(stage, source, make)
    stage.run("engram", "save", "-m", "data", at=source)
    return source


def _clone(stage: Stage, source: Path, name: str) -> Path:
    target = stage.folder / name
    stage.run("engram", "clone", str(source), str(target))
    stage.settle()
    return target


def _gone(stage: Stage, clone: Path) -> None:
    stage.run("chmod", "-R", "u+w", str(clone))
    stage.run("rm", "-rf", str(clone))


def _check(stage: Stage, clone: Path, count: int, *, fsck: bool = False) -> None:
    here = sum(path.is_symlink() and path.exists() for path in clone.glob("**/*"))
    expect(here == count, f"{here} contents are here, {count} were saved")
    expect(not stage.run(*STATUS_OF_GIT, at=clone), "the clone is not clean")
    uuid = stage.run("git", "config", "annex.uuid", at=clone).strip()
    logged = stage.run("git", "grep", "-l", f" 1 {uuid}", "git-annex", "--", "*.log", at=clone).splitlines()
    expect(len(logged) == count, f"the log tells of {len(logged)} contents, {count} came")
    if fsck:
        expect(not stage.run("git", "annex", "fsck", "--quiet", at=clone), "git-annex has complaints")


def _cpu(figures: Figures, scenario: str, program: str, step: str) -> float:
    return figures.cpu_s(scenario, program, step)


_SCENARIOS = (
    Scenario(
        name="get-10k",
        title="get of 10,000 files of 4 KiB from a sibling on this machine",
        contenders=(Contender("engram", _small(10_000)),),
        space=Space(size_mib=2048),
        repeat=1,
    ),
    Scenario(
        name="get-100k",
        title="get of 100,000 files of 4 KiB from a sibling on this machine",
        contenders=(Contender("engram", _small(100_000)),),
        space=Space(size_mib=8192, inodes=2_000_000),
        repeat=1,
    ),
    Scenario(
        name="get-2gib",
        title="get of one file of 2 GiB from a sibling on this machine",
        contenders=(Contender("engram", _large(2048)),),
        space=Space(size_mib=8192),
        repeat=1,
    ),
    Scenario(
        name="get-2gib-xfs",
        title="get of one file of 2 GiB from a sibling on the same XFS, which can share blocks",
        contenders=(Contender("engram", _large(2048)),),
        space=Space(size_mib=8192, shares=True),
        repeat=1,
    ),
)

_ROWS = (
    Row(
        name="get-10k",
        title="get 10,000 × 4 KiB, verified",
        shows=(("get-10k", GET), ("get-10k", AGAIN)),
        goals=(
            Goal(
                text="get of 10,000 small files",
                limit=1.8,
                unit="s",
                value=lambda figures: _cpu(figures, "get-10k", "engram", GET),
            ),
            Goal(
                text="get against a bare loop that lays out the same files",
                limit=1.5,
                unit="×",
                value=lambda figures: (
                    _cpu(figures, "get-10k", "engram", GET) / _cpu(figures, "get-10k", "bare loop", GET)
                ),
            ),
            Goal(
                text="get of 10,000 small files, beside DataLad",
                limit=15,
                unit="×",
                value=lambda figures: (
                    _cpu(figures, "get-10k", "datalad", GET) / _cpu(figures, "get-10k", "engram", GET)
                ),
                at_least=True,
            ),
        ),
        quoted={"DataLad 1.7.1": 28.2},
    ),
    Row(
        name="get-100k",
        title="get 100,000 × 4 KiB, verified",
        shows=(("get-10k", GET), ("get-100k", GET)),
        goals=(
            Goal(
                text="get of 100,000 files beside 10,000",
                limit=12,
                unit="×",
                value=lambda figures: (
                    _cpu(figures, "get-100k", "engram", GET) / _cpu(figures, "get-10k", "engram", GET)
                ),
            ),
            Goal(
                text="peak memory of a get of 100,000",
                limit=300,
                unit="MB",
                value=lambda figures: figures.series("get-100k", "engram", GET).peak_bytes / 1e6,
            ),
        ),
        long=True,
    ),
    Row(
        name="get-2gib",
        title="get one file of 2 GiB, verified",
        shows=(("get-2gib", GET_ONE),),
        goals=(
            Goal(
                text="get of 2 GiB by copying",
                limit=2.0,
                unit="s",
                value=lambda figures: _cpu(figures, "get-2gib", "engram", GET_ONE),
            ),
        ),
        quoted={"DataLad 1.7.1": 5.0},
        long=True,
    ),
    Row(
        name="get-2gib-xfs",
        title="get one file of 2 GiB whose blocks can be shared, verified",
        shows=(("get-2gib-xfs", GET_ONE),),
        goals=(
            Goal(
                text="get of 2 GiB by sharing its blocks",
                limit=1.2,
                unit="s",
                value=lambda figures: _cpu(figures, "get-2gib-xfs", "engram", GET_ONE),
            ),
        ),
        long=True,
    ),
)

GETTING = Room(rows=_ROWS, scenarios=_SCENARIOS)
