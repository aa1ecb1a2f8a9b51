"""Datasets: create, save and status, beside DataLad, git-annex, git, and loops that do nothing but the unavoidable."""

import os
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from bench import bare, data
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import (
    STATUS_OF_GIT,
    check_annexed,
    check_in_git,
    expect,
    with_datalad,
    with_datalad_text2git,
    with_engram,
    with_engram_md5,
    with_engram_text2git,
    with_git,
    with_git_annex,
)
from bench.rows import Figures, Goal, Room, Row

_ENGRAM_SAVE = ("engram", "save", "-m", "more data")
_DATALAD_SAVE = ("datalad", "save", "-m", "more data")
_ANNEX_SAVE = ("sh", "-c", "git annex add --quiet . && git commit --quiet --allow-empty -m 'more data'")
_GIT_SAVE = ("sh", "-c", "git add . && git commit --quiet --allow-empty -m 'more data'")
_BARE = (sys.executable, "-I", bare.__file__)
_NOTHING = ("python", "-c", "pass")

#: Makes the data of a scenario below a folder.
Maker = Callable[[Path], None]
Act = Callable[[Stage], None]
Command = tuple[str, ...]

# What is measured, in words that the tables show.
SAVE, AGAIN, ONE = "save", "save, nothing to do", "save one changed file"
STATUS, GIT_STATUS = "status", "git status after it"
SHA256E, MD5E = "save, SHA256E", "save, MD5E"
_STARTS = ("--version", "--help", "status")


def fill(stage: Stage, dataset: Path, make: Maker) -> None:
    make(dataset)
    stage.settle()


# ---- ten thousand and a hundred thousand small files ----------------------------------------------------------------


def _small(count: int, create: Callable[[Stage], Path], save: Command, *, status: Command = ()) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        dataset = create(stage)
        fill(stage, dataset, lambda folder: data.binary_files(folder, made, 4096))
        stage.measure(SAVE, *save, at=dataset)
        stage.measure(AGAIN, *save, at=dataset, times=3)
        if status:
            _statuses(stage, dataset, status)
        is_ours = stage.program == "engram"
        check_annexed(stage, dataset, made, fsck=is_ours and stage.turn == 0 and count <= 10_000)
        if is_ours and count > 10_000:
            _change_one(stage, dataset, made)

    return act


def _small_bare(count: int, what: str) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        dataset = stage.folder / "ds"
        stage.run("git", "init", "--quiet", "ds")
        fill(stage, dataset, lambda folder: data.binary_files(folder, made, 4096))
        stage.measure(SAVE, *_BARE, what, str(dataset))
        if what == "dataset":
            check_annexed(stage, dataset, made)
        else:
            reached = sum(path.is_symlink() and path.stat().st_size == 4096 for path in dataset.glob("sub-*/*/*"))
            expect(reached == made, f"{reached} files were laid out, {made} were made")

    return act


def _statuses(stage: Stage, dataset: Path, status: Command) -> None:
    """*status*, a Python that does nothing, and git's own: side by side."""
    for _ in range(5):
        stage.measure(STATUS, *status, at=dataset)
        if stage.program == "engram":
            stage.by("python", "bare Python").measure(STATUS, *_NOTHING, at=dataset)
            stage.by("git").measure(STATUS, *STATUS_OF_GIT, at=dataset)


def _million(stage: Stage) -> None:
    made = stage.shrunk(1_000_000)
    dataset = with_engram(stage)
    fill(stage, dataset, lambda folder: data.binary_files(folder, made, 100))
    stage.measure(SAVE, *_ENGRAM_SAVE, at=dataset)
    _change_one(stage, dataset, made)


def _change_one(stage: Stage, dataset: Path, count: int) -> None:
    """One changed file, saved by each program in turn; the first time is for what is done once only."""
    changed = islice(data.paths(dataset, count, ".dat"), 50, None, 1 + count // 20)
    savers = {"engram": _ENGRAM_SAVE, "datalad": _DATALAD_SAVE, "git-annex": _ANNEX_SAVE}
    for measured in (False, True, True, True):
        for program, save in savers.items():
            if program in stage.tools:
                path = next(changed)
                _rewrite(path)
                stage.settle()
                saver = stage.by(program)
                saver.measure(ONE, *save, at=dataset) if measured else saver.run(*save, at=dataset)
                expect(path.is_symlink(), f"{program} did not save {path}")
    check_annexed(stage, dataset, count)


def _rewrite(path: Path) -> None:
    path.unlink()
    path.write_bytes(data.content(sum(os.fsencode(path)), 4000))


# ---- text files, large files, starting up ---------------------------------------------------------------------------


def _text(create: Callable[[Stage], Path], save: Command) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(10_000)
        dataset = create(stage)
        fill(stage, dataset, lambda folder: data.text_files(folder, made))
        stage.measure(SAVE, *save, at=dataset)
        stage.measure(GIT_STATUS, *STATUS_OF_GIT, at=dataset)
        check_in_git(stage, dataset, made)

    return act


def _large(count: int, size_mib: int, create: Callable[[Stage], Path], save: Command, *, step: str = SAVE) -> Act:
    def act(stage: Stage) -> None:
        dataset = create(stage)
        fill(stage, dataset, lambda folder: data.large_files(folder, count, stage.shrunk(size_mib)))
        stage.measure(step, *save, at=dataset)
        check_annexed(stage, dataset, count)

    return act


def _hashed(count: int, size_mib: int, algorithm: str, *, step: str = SAVE) -> Act:
    def act(stage: Stage) -> None:
        fill(stage, stage.folder, lambda folder: data.large_files(folder, count, stage.shrunk(size_mib)))
        stage.measure(step, *_BARE, "hash", algorithm, str(stage.folder))

    return act


def _start_up(stage: Stage) -> None:
    dataset = with_engram(stage)
    for arguments in _STARTS:
        stage.by("python", "bare Python").measure(arguments, *_NOTHING, at=dataset)
        stage.measure(arguments, "engram", arguments, at=dataset)
        if "datalad" in stage.tools:
            stage.by("datalad").measure(arguments, "datalad", arguments, at=dataset)


# ---- what is compared -----------------------------------------------------------------------------------------------


#: One for ten thousand and for a hundred thousand files, so that these can be compared.
_SPACIOUS = Space(size_mib=10_240)

_SCENARIOS = (
    Scenario(
        name="10k",
        title="10,000 files of 4 KiB",
        contenders=(
            Contender("engram", _small(10_000, with_engram, _ENGRAM_SAVE, status=("engram", "status"))),
            Contender("bare loop", _small_bare(10_000, "dataset"), needs="git", gives=(SAVE,)),
            Contender("bare loop, links only", _small_bare(10_000, "links"), needs="git", gives=(SAVE,)),
            Contender("datalad", _small(10_000, with_datalad, _DATALAD_SAVE, status=("datalad", "status"))),
            Contender("git-annex", _small(10_000, with_git_annex, _ANNEX_SAVE), gives=(SAVE, AGAIN)),
        ),
        space=_SPACIOUS,
    ),
    Scenario(
        name="100k",
        title="100,000 files of 4 KiB",
        contenders=(
            Contender("engram", _small(100_000, with_engram, _ENGRAM_SAVE, status=("engram", "status"))),
            Contender("bare loop", _small_bare(100_000, "dataset"), needs="git", gives=(SAVE,)),
            Contender("bare loop, links only", _small_bare(100_000, "links"), needs="git", gives=(SAVE,)),
        ),
        space=_SPACIOUS,
        repeat=1,
    ),
    Scenario(
        name="1m",
        title="1,000,000 files of 100 bytes",
        contenders=(Contender("engram", _million),),
        space=Space(size_mib=16_384, block_bytes=1024, inodes=5_000_000),
        repeat=1,
    ),
    Scenario(
        name="text",
        title="10,000 text files of 500 bytes, into git",
        contenders=(
            Contender("engram", _text(with_engram_text2git, _ENGRAM_SAVE)),
            Contender("datalad", _text(with_datalad_text2git, _DATALAD_SAVE)),
            Contender("git", _text(with_git, _GIT_SAVE)),
        ),
    ),
    Scenario(
        name="large",
        title="200 files of 5 MiB",
        contenders=(
            Contender("engram", _large(200, 5, with_engram, _ENGRAM_SAVE)),
            Contender("bare SHA-256", _hashed(200, 5, "sha256"), needs="python"),
            Contender("datalad", _large(200, 5, with_datalad, _DATALAD_SAVE)),
            Contender("git-annex", _large(200, 5, with_git_annex, _ANNEX_SAVE)),
        ),
        space=Space(size_mib=3072),
    ),
    Scenario(
        name="2g",
        title="one file of 2 GiB",
        contenders=(
            Contender("engram", _large(1, 2048, with_engram, _ENGRAM_SAVE, step=SHA256E)),
            Contender("engram, MD5E", _large(1, 2048, with_engram_md5, _ENGRAM_SAVE, step=MD5E), needs="engram"),
            Contender("bare SHA-256", _hashed(1, 2048, "sha256", step=SHA256E), needs="python"),
            Contender("bare MD5", _hashed(1, 2048, "md5", step=MD5E), needs="python"),
            Contender("datalad", _large(1, 2048, with_datalad, _DATALAD_SAVE, step=MD5E)),
            Contender("git-annex", _large(1, 2048, with_git_annex, _ANNEX_SAVE, step=SHA256E)),
        ),
        space=Space(size_mib=6144),
    ),
    Scenario(
        name="start",
        title="a dataset without data",
        contenders=(Contender("engram", _start_up),),
        space=Space(size_mib=64),
        repeat=15,
    ),
)


def _above_python(figures: Figures, scenario: str, step: str) -> float:
    return figures.cpu_s(scenario, "engram", step) - figures.cpu_s(scenario, "bare Python", step)


def _start_up_goal(step: str) -> Goal:
    return Goal(
        text=f"{step} above bare Python",
        limit=60,
        unit="ms",
        value=lambda figures: 1000 * _above_python(figures, "start", step),
    )


def _seconds(text: str, limit: float, scenario: str, step: str) -> Goal:
    return Goal(text=text, limit=limit, unit="s", value=lambda figures: figures.cpu_s(scenario, "engram", step))


def _against(text: str, limit: float, scenario: str, floor: str, step: str) -> Goal:
    return Goal(
        text=text,
        limit=limit,
        unit="×",
        value=lambda figures: figures.cpu_s(scenario, "engram", step) / figures.cpu_s(scenario, floor, step),
    )


def _growth(step: str) -> Goal:
    return Goal(
        text=f"{step} of 100,000 against 10,000",
        limit=12,
        unit="×",
        value=lambda figures: figures.cpu_s("100k", "engram", step) / figures.cpu_s("10k", "engram", step),
    )


_ROWS = (
    Row(
        name="save-10k",
        title="save 10,000 × 4 KiB",
        shows=(("10k", SAVE),),
        goals=(
            _against("save against a bare loop that lays out the same files", 1.5, "10k", "bare loop", SAVE),
            Goal(
                text="DataLad against save",
                limit=10,
                unit="×",
                at_least=True,
                value=lambda figures: figures.cpu_s("10k", "datalad", SAVE) / figures.cpu_s("10k", "engram", SAVE),
            ),
        ),
        quoted={"DataLad 1.7.1": 20.4, "git-annex 10.20261026": 15.3},
    ),
    Row(
        name="noop-10k",
        title="save with nothing to do, 10,000",
        shows=(("10k", AGAIN),),
        goals=(_seconds("save with nothing to do", 0.12, "10k", AGAIN),),
        quoted={"DataLad 1.7.1": 0.96, "git-annex 10.20261026": 0.04},
    ),
    Row(
        name="status-10k",
        title="status of 10,000 clean files",
        shows=(("10k", STATUS),),
        goals=(
            Goal(
                text="status above bare Python",
                limit=0.08,
                unit="s",
                value=lambda figures: _above_python(figures, "10k", STATUS),
            ),
        ),
        quoted={"DataLad 1.7.1": 0.82},
    ),
    Row(
        name="one-of-100k",
        title="save one changed file in 100,000",
        shows=(("100k", ONE), ("100k", AGAIN), ("100k", STATUS)),
        goals=(_seconds("save one changed file", 0.5, "100k", ONE),),
    ),
    Row(
        name="one-of-1m",
        title="save one changed file in 1,000,000",
        shows=(("1m", SAVE), ("1m", ONE)),
        goals=(_seconds("save one changed file", 4, "1m", ONE),),
        long=True,
    ),
    Row(
        name="text-10k",
        title="save 10,000 small text files into git",
        shows=(("text", SAVE), ("text", GIT_STATUS)),
        goals=(
            _seconds("save", 1.5, "text", SAVE),
            _seconds("git status after it", 0.1, "text", GIT_STATUS),
        ),
    ),
    Row(
        name="large-200",
        title="save 200 × 5 MiB",
        shows=(("large", SAVE),),
        goals=(
            _seconds("save", 0.8, "large", SAVE),
            _against("save against reading and hashing alone", 1.5, "large", "bare SHA-256", SAVE),
        ),
        quoted={"DataLad 1.7.1": 2.0, "git-annex 10.20261026": 3.24},
    ),
    Row(
        name="file-2g",
        title="save one file of 2 GiB",
        shows=(("2g", SHA256E), ("2g", MD5E)),
        goals=(
            _seconds("save with SHA256E", 1.4, "2g", SHA256E),
            _against("save with SHA256E against reading and hashing alone", 1.5, "2g", "bare SHA-256", SHA256E),
        ),
        quoted={"DataLad 1.7.1 (MD5E)": 3.2},
    ),
    Row(
        name="scale-100k",
        title="save 100,000 × 4 KiB against 10,000",
        shows=(("10k", SAVE), ("100k", SAVE)),
        goals=(
            *map(_growth, (SAVE, AGAIN, STATUS)),
            _against(
                "save of 100,000 against a bare loop that lays out the same files", 1.5, "100k", "bare loop", SAVE
            ),
            Goal(
                text="peak memory of saving 100,000",
                limit=250,
                unit="MB",
                value=lambda figures: figures.series("100k", "engram", SAVE).peak_bytes / 1e6,
            ),
        ),
    ),
    Row(
        name="start-up",
        title="start",
        shows=(("start", "--version"), ("start", "--help"), ("start", "status")),
        goals=(_start_up_goal("--version"), _start_up_goal("--help")),
        quoted={"DataLad 1.7.1 (--version)": 0.079, "DataLad 1.7.1 (--help)": 0.237},
    ),
)

DATASETS = Room(rows=_ROWS, scenarios=_SCENARIOS)
