"""Copies of datasets: clone, beside git's own clone, which does the unavoidable part, and DataLad's."""

from pathlib import Path

from bench import data
from bench.datasets import Act, fill
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import STATUS_OF_GIT, expect, with_engram
from bench.rows import Figures, Goal, Room, Row

CLONE, EPHEMERAL = "clone", "clone --reckless ephemeral"
_TIMES = 5


def _cloned(count: int) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        source = with_engram(stage)
        fill(stage, source, lambda folder: data.binary_files(folder, made, 4096))
        stage.run("engram", "save", "-m", "data", at=source)
        for turn in range(_TIMES):
            _clone_with_each(stage, source, made, turn)

    return act


def _clone_with_each(stage: Stage, source: Path, count: int, turn: int) -> None:
    """One clone by each program, one after the other, so that the machine's moods meet all of them."""
    commands = {
        "git": (CLONE, ("git", "clone", "--quiet")),
        "engram": (CLONE, ("engram", "clone")),
        "datalad": (CLONE, ("datalad", "clone")),
    }
    for program, (step, words) in commands.items():
        if program in stage.tools or program == "git":
            target = stage.folder / f"{program}-{turn}"
            (stage if program == "engram" else stage.by(program)).measure(step, *words, str(source), str(target))
            _check(stage, target, count, annex=program != "git")
            stage.run("rm", "-rf", str(target))
    target = stage.folder / f"ephemeral-{turn}"
    stage.measure(EPHEMERAL, "engram", "clone", "--reckless", "ephemeral", str(source), str(target))
    _check(stage, target, count, annex=True)
    stage.run("rm", "-rf", str(target))


def _check(stage: Stage, clone: Path, count: int, *, annex: bool) -> None:
    links = sum(path.is_symlink() for path in clone.glob("sub-*/*/*"))
    expect(links == count, f"{links} links are there, {count} files were saved")
    expect(not stage.run(*STATUS_OF_GIT, at=clone), "the clone is not clean")
    if annex:
        uuid = stage.run("git", "config", "annex.uuid", at=clone).strip()
        expect(uuid in stage.run("git", "show", "git-annex:uuid.log", at=clone) or _is_private(stage, clone), "no uuid")


def _is_private(stage: Stage, clone: Path) -> bool:
    return stage.run("git", "config", "--default", "false", "annex.private", at=clone).strip() == "true"


def _above_git(figures: Figures, scenario: str, step: str) -> float:
    return figures.cpu_s(scenario, "engram", step) - figures.cpu_s(scenario, "git", CLONE)


_SCENARIOS = (
    Scenario(
        name="clone-10k",
        title="clone of a dataset with 10,000 files of 4 KiB",
        contenders=(Contender("engram", _cloned(10_000)),),
        space=Space(size_mib=1024),
        repeat=1,
    ),
    Scenario(
        name="clone-100k",
        title="clone of a dataset with 100,000 files of 4 KiB",
        contenders=(Contender("engram", _cloned(100_000)),),
        space=Space(size_mib=8192, inodes=2_000_000),
        repeat=1,
    ),
)

_ROWS = (
    Row(
        name="clone-10k",
        title="clone of 10,000 files",
        shows=(("clone-10k", CLONE), ("clone-10k", EPHEMERAL)),
        goals=(
            Goal(
                text="clone above git clone",
                limit=0.1,
                unit="s",
                value=lambda figures: _above_git(figures, "clone-10k", CLONE),
            ),
        ),
        quoted={"DataLad 1.7.1": 0.47},
    ),
    Row(
        name="clone-100k",
        title="clone of 100,000 files",
        shows=(("clone-10k", CLONE), ("clone-100k", CLONE)),
        goals=(
            Goal(
                text="clone of 100,000 against 10,000",
                limit=12,
                unit="×",
                value=lambda figures: (
                    figures.cpu_s("clone-100k", "engram", CLONE) / figures.cpu_s("clone-10k", "engram", CLONE)
                ),
            ),
            Goal(
                text="peak memory of a clone of 100,000",
                limit=300,
                unit="MB",
                value=lambda figures: figures.series("clone-100k", "engram", CLONE).peak_bytes / 1e6,
            ),
        ),
        long=True,
    ),
)

COPIES = Room(rows=_ROWS, scenarios=_SCENARIOS)
