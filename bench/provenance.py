"""Commands that are recorded, and files that are traced back, beside DataLad, git-annex and git."""

from pathlib import Path

from bench import data
from bench.datasets import Act, fill
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import check_clean, expect, with_engram
from bench.rows import Figures, Goal, Room, Row

NOTHING, ONE, UNLOCK = "run true", "run a command that writes one file", "unlock 100 files"
HISTORY = "history of a file with 200 versions"
_TIMES = 5
_VERSIONS = 200


def _run(count: int) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        dataset = with_engram(stage)
        fill(stage, dataset, lambda folder: data.binary_files(folder, made, 4096))
        stage.run("engram", "save", "-m", "data", at=dataset)
        for turn in range(_TIMES):
            for program in ("engram", "datalad") if count <= 10_000 else ("engram",):
                if program in stage.tools:
                    _run_with(stage if program == "engram" else stage.by(program), dataset, turn)
        _unlock(stage, dataset)

    return act


def _run_with(stage: Stage, dataset: Path, turn: int) -> None:
    before = stage.run("git", "rev-parse", "HEAD", at=dataset)
    stage.measure(NOTHING, stage.program, "run", "true", at=dataset)
    expect(stage.run("git", "rev-parse", "HEAD", at=dataset) == before, "a command that did nothing was recorded")
    name = f"{stage.program}-{turn}.txt"
    stage.measure(ONE, stage.program, "run", f"echo {turn} > {name}", at=dataset)
    subject = stage.run("git", "log", "-1", "--format=%s", at=dataset)
    expect(subject.startswith("[DATALAD RUNCMD]") and (dataset / name).exists(), "nothing was recorded")
    check_clean(stage, dataset)


def _unlock(stage: Stage, dataset: Path) -> None:
    """A hundred files by each program, locked again in between by neither's own time."""
    names = sorted(str(path.relative_to(dataset)) for path in dataset.glob("sub-*/*/*"))[:100]
    for program, words in (("engram", ("engram", "unlock")), ("git-annex", ("git", "annex", "unlock", "--quiet"))):
        if program in stage.tools:
            (stage if program == "engram" else stage.by(program)).measure(UNLOCK, *words, *names, at=dataset)
            expect(not any((dataset / name).is_symlink() for name in names), "a file is still locked")
            stage.run("engram", "save", at=dataset)


def _history(stage: Stage) -> None:
    made = stage.shrunk(_VERSIONS)
    dataset = with_engram(stage, "-c", "text2git")
    fill(stage, dataset, lambda folder: data.binary_files(folder, 1000, 64))
    stage.run("engram", "save", "-m", "data", at=dataset)
    script = f"for n in $(seq {made}); do echo $n > notes.txt; git add notes.txt; git commit --quiet -m $n; done"
    stage.run("sh", "-c", script, at=dataset)
    for _ in range(_TIMES):
        stage.measure(HISTORY, "engram", "history", "notes.txt", at=dataset)
        stage.by("git").measure(HISTORY, "git", "log", "--follow", "--stat", "notes.txt", at=dataset)
    shown = stage.run("engram", "--json", "history", "notes.txt", at=dataset)
    expect(len(shown.splitlines()) == made, f"{len(shown.splitlines())} versions were told, {made} were made")


def _seconds(text: str, limit: float, step: str) -> Goal:
    return Goal(text=text, limit=limit, unit="s", value=lambda figures: figures.cpu_s("run-10k", "engram", step))


def _growth(step: str) -> Goal:
    return Goal(
        text=f"{step}: in 100,000 files against 10,000",
        limit=12,
        unit="×",
        value=lambda figures: figures.cpu_s("run-100k", "engram", step) / figures.cpu_s("run-10k", "engram", step),
    )


def _datalad_against(figures: Figures) -> float:
    return figures.cpu_s("run-10k", "datalad", NOTHING) / figures.cpu_s("run-10k", "engram", NOTHING)


_SCENARIOS = (
    Scenario(
        name="run-10k",
        title="commands in a dataset with 10,000 files of 4 KiB",
        contenders=(Contender("engram", _run(10_000)),),
        space=Space(size_mib=1024),
        repeat=1,
    ),
    Scenario(
        name="run-100k",
        title="commands in a dataset with 100,000 files of 4 KiB",
        contenders=(Contender("engram", _run(100_000)),),
        space=Space(size_mib=10_240),
        repeat=1,
    ),
    Scenario(
        name="history",
        title="one file in 200 commits of a dataset with 1,000 files",
        contenders=(Contender("engram", _history),),
        space=Space(size_mib=256),
        repeat=1,
    ),
)

_ROWS = (
    Row(
        name="run-10k",
        title="run commands in a dataset with 10,000 files",
        shows=(("run-10k", NOTHING), ("run-10k", ONE), ("run-10k", UNLOCK)),
        goals=(
            _seconds("run true", 0.12, NOTHING),
            Goal(text="DataLad against run true", limit=1, unit="×", at_least=True, value=_datalad_against),
        ),
    ),
    Row(
        name="run-100k",
        title="run commands in a dataset with 100,000 files",
        shows=(("run-10k", NOTHING), ("run-10k", ONE), ("run-100k", NOTHING), ("run-100k", ONE)),
        goals=(
            *map(_growth, (NOTHING, ONE)),
            Goal(
                text="peak memory of a run in 100,000",
                limit=300,
                unit="MB",
                value=lambda figures: figures.series("run-100k", "engram", ONE).peak_bytes / 1e6,
            ),
        ),
        long=True,
    ),
    Row(name="history", title="history of one file", shows=(("history", HISTORY),), goals=()),
)

PROVENANCE = Room(rows=_ROWS, scenarios=_SCENARIOS)
