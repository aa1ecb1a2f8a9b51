"""Auditing: whereis, unused and fsck, beside git-annex and loops that only list, read and hash what they need."""

import json
import shutil
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from bench import bare_fsck, data
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import expect, with_engram, with_git_annex
from bench.rows import Figures, Goal, Room, Row

WHEREIS, UNUSED, FSCK, FULL = "whereis", "unused", "fsck", "fsck --full"
_STEPS = (WHEREIS, UNUSED, FSCK, FULL)
_BARE = (sys.executable, "-I", bare_fsck.__file__)
_ENGRAM_SAVE = ("engram", "save", "-m", "more data")
_ANNEX_SAVE = ("sh", "-c", "git annex add --quiet . && git commit --quiet --allow-empty -m 'more data'")
#: How many files get another content, so that there is something unused.
_REPLACED = 10

Create = Callable[[Stage], Path]
Act = Callable[[Stage], None]


def _filled(stage: Stage, count: int, create: Create, save: tuple[str, ...]) -> Path:
    """A dataset with *count* files, of which some had another content once."""
    dataset = create(stage)
    data.binary_files(dataset, count, 4096)
    stage.settle()
    stage.run(*save, at=dataset)
    for path in islice(data.paths(dataset, count, ".dat"), _replaced(count)):
        path.unlink()
        path.write_bytes(b"another content of " + path.name.encode())
    stage.run(*save, at=dataset)
    return dataset


def _replaced(count: int) -> int:
    return min(count, _REPLACED)


def _by_engram(count: int) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        dataset = _filled(stage, made, with_engram, _ENGRAM_SAVE)
        stage.measure(WHEREIS, "engram", "whereis", at=dataset, times=3)
        stage.measure(UNUSED, "engram", "unused", at=dataset, times=3)
        stage.measure(FSCK, "engram", "fsck", at=dataset, times=3)
        stage.measure(FULL, "engram", "fsck", "--full", at=dataset, times=3)
        bare = stage.by("python", "bare loop")
        for step, what in ((WHEREIS, "whereis"), (UNUSED, "unused"), (FULL, "fsck")):
            bare.measure(step, *_BARE, what, str(dataset), times=3)
        _check_engram(stage, dataset, made)

    return act


def _check_engram(stage: Stage, dataset: Path, count: int) -> None:
    held = [json.loads(line) for line in stage.run("engram", "--json", "whereis", at=dataset).splitlines()]
    expect(len([one for one in held if one.get("copies")]) == count, "whereis does not tell every file")
    listed = stage.run("engram", "--json", "unused", at=dataset).splitlines()
    expect(len(listed) == _replaced(count), f"{len(listed)} contents are unused, {_replaced(count)} were replaced")
    place = next((dataset / ".git/annex/objects").glob("*/*/*/*"))
    place.chmod(0o644)
    content = bytearray(place.read_bytes())
    content[0] ^= 1
    place.write_bytes(content)
    checked = stage.run("sh", "-c", "engram --json fsck --full --all || true", at=dataset).splitlines()
    wrong = [one for one in map(json.loads, checked) if one["error"] == "ChecksumMismatch"]
    expect(len(wrong) == 1, f"one bit was flipped, {len(wrong)} contents are told as damaged")
    shutil.rmtree(dataset / ".git" / "annex" / "bad")


def _by_git_annex(count: int) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        dataset = _filled(stage, made, with_git_annex, _ANNEX_SAVE)
        stage.measure(WHEREIS, "git", "annex", "whereis", at=dataset)
        stage.measure(UNUSED, "git", "annex", "unused", at=dataset)
        stage.measure(FSCK, "git", "annex", "fsck", "--fast", at=dataset)
        stage.measure(FULL, "git", "annex", "fsck", at=dataset)
        listed = (dataset / ".git/annex/unused").read_text().splitlines()
        expect(len(listed) == _replaced(made), f"git-annex lists {len(listed)} as unused")

    return act


def _scenario(name: str, count: int, space: Space, *, peers: bool, repeat: int) -> Scenario:
    contenders = [Contender("engram", _by_engram(count))]
    if peers:
        contenders.append(Contender("git-annex", _by_git_annex(count)))
    return Scenario(
        name=name,
        title=f"{count:,} × 4 KiB, of which {_REPLACED} had another content once",
        contenders=tuple(contenders),
        space=space,
        repeat=repeat,
    )


_SCENARIOS = (
    _scenario("audit-10k", 10_000, Space(size_mib=3072), peers=True, repeat=3),
    _scenario("audit-100k", 100_000, Space(size_mib=6144, inodes=2_000_000), peers=False, repeat=1),
)


def _seconds(step: str, limit: float) -> Goal:
    return Goal(
        text=f"{step} of 10,000",
        limit=limit,
        unit="s",
        value=lambda figures: figures.cpu_s("audit-10k", "engram", step),
    )


def _against_loop(step: str) -> Goal:
    def value(figures: Figures) -> float:
        return figures.cpu_s("audit-10k", "engram", step) / figures.cpu_s("audit-10k", "bare loop", step)

    return Goal(text=f"{step} against a loop that only reads what it needs", limit=1.5, unit="×", value=value)


def _growth(step: str) -> Goal:
    def value(figures: Figures) -> float:
        return figures.cpu_s("audit-100k", "engram", step) / figures.cpu_s("audit-10k", "engram", step)

    return Goal(text=f"{step} of 100,000 against 10,000", limit=12, unit="×", value=value)


def _memory(step: str) -> Goal:
    return Goal(
        text=f"peak memory of {step} of 100,000",
        limit=300,
        unit="MB",
        value=lambda figures: figures.series("audit-100k", "engram", step).peak_bytes / 1e6,
    )


_ROWS = (
    Row(
        name="whereis-10k",
        title="whereis of 10,000 files",
        shows=(("audit-10k", WHEREIS),),
        goals=(_seconds(WHEREIS, 0.3), _against_loop(WHEREIS)),
    ),
    Row(
        name="unused-10k",
        title="unused among 10,000 files",
        shows=(("audit-10k", UNUSED),),
        goals=(_seconds(UNUSED, 0.3), _against_loop(UNUSED)),
    ),
    Row(
        name="fsck-10k",
        title="fsck of 10,000 × 4 KiB",
        shows=(("audit-10k", FSCK), ("audit-10k", FULL)),
        goals=(_seconds(FULL, 0.4), _against_loop(FULL)),
    ),
    Row(
        name="audit-100k",
        title="whereis, unused and fsck of 100,000 against 10,000",
        shows=tuple((scenario, step) for scenario in ("audit-10k", "audit-100k") for step in _STEPS),
        goals=tuple(goal for step in _STEPS for goal in (_growth(step), _memory(step))),
        long=True,
    ),
)

AUDITING = Room(rows=_ROWS, scenarios=_SCENARIOS)
