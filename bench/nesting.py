"""Datasets inside datasets: status and save across a hundred, and the cost of one more beside ten thousand."""

from pathlib import Path

from bench.datasets import Act
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import STATUS_OF_GIT, expect, with_engram
from bench.rows import Figures, Goal, Room, Row

STATUS, SAVE, NOTHING = "status -r", "save -r, new content in each", "save -r, nothing to do"
MORE = "create -d one more"
_HUNDRED = 100
_NOTHING = ("python", "-c", "pass")


def _hundred(program: str) -> Act:
    def act(stage: Stage) -> None:
        count = stage.shrunk(_HUNDRED)
        maker = stage.by("engram")
        top = with_engram(maker)
        for number in range(count):
            maker.run("engram", "create", "-d", ".", f"sub-{number:03}", at=top)
        for number in range(count):
            (top / f"sub-{number:03}" / "data").write_bytes(b"\0%d" % number)
        stage.settle()
        stage.measure(SAVE, program, "save", "-d", ".", "-r", at=top)
        expect(not stage.run(*STATUS_OF_GIT, at=top), "something was left to save")
        links = sum((top / f"sub-{number:03}" / "data").is_symlink() for number in range(count))
        expect(links == count, f"{links} of {count} files are annexed")
        stage.measure(NOTHING, program, "save", "-d", ".", "-r", at=top)
        stage.measure(STATUS, program, "status", "-r", at=top)
        if program == "engram":
            stage.by("python", "bare Python").measure(STATUS, *_NOTHING, at=top)

    return act


def _one_more(count: int) -> Act:
    """A dataset that records *count* others, none of them here, and gets one more."""

    def act(stage: Stage) -> None:
        made = stage.shrunk(count)
        top = with_engram(stage)
        _record(stage, top, made)
        stage.measure(MORE, "engram", "create", "-d", ".", "one-more", at=top)
        listed = stage.run("git", "ls-files", "-s", at=top)
        expect(listed.count("160000 ") == made + 1, "the new one is not recorded beside the others")

    return act


def _record(stage: Stage, top: Path, count: int) -> None:
    commit = stage.run("git", "rev-parse", "HEAD", at=top).strip()
    names = [f"sub-{number:05}" for number in range(count)]
    lines = "".join(f'[submodule "{name}"]\n\tpath = {name}\n\turl = ./{name}\n' for name in names)
    (top / ".gitmodules").write_text(lines)
    entries = top / ".git" / "entries"
    entries.write_text("".join(f"160000 {commit}\t{name}\n" for name in names))
    stage.run("sh", "-c", "git update-index --index-info < .git/entries", at=top)
    for name in names:
        (top / name).mkdir()
    stage.run("engram", "save", at=top)


_SCENARIOS = (
    Scenario(
        name="hundred",
        title="100 subdatasets, each with one new file",
        contenders=(Contender("engram", _hundred("engram")), Contender("datalad", _hundred("datalad"))),
        space=Space(size_mib=1024),
        repeat=3,
    ),
    Scenario(
        name="one-more-10",
        title="one more beside 10 subdatasets",
        contenders=(Contender("engram", _one_more(10)),),
        space=Space(size_mib=512),
        repeat=3,
    ),
    Scenario(
        name="one-more-10k",
        title="one more beside 10,000 subdatasets",
        contenders=(Contender("engram", _one_more(10_000)),),
        space=Space(size_mib=512),
        repeat=3,
    ),
)


def _above_python(figures: Figures) -> float:
    return figures.cpu_s("hundred", "engram", STATUS) - figures.cpu_s("hundred", "bare Python", STATUS)


_ROWS = (
    Row(
        name="hundred",
        title="100 subdatasets",
        shows=(("hundred", SAVE), ("hundred", NOTHING), ("hundred", STATUS)),
        goals=(
            Goal(text="status -r above bare Python", limit=0.15, unit="s", value=_above_python),
            Goal(
                text="save -r with new content in each",
                limit=1.5,
                unit="s",
                value=lambda figures: figures.cpu_s("hundred", "engram", SAVE),
            ),
        ),
        quoted={"DataLad 1.7.1, status -r": 2.1, "DataLad 1.7.1, save -r": 20},
    ),
    Row(
        name="one-more",
        title="one more subdataset beside 10 and 10,000",
        shows=(("one-more-10", MORE), ("one-more-10k", MORE)),
        goals=(
            Goal(
                text="beside 10,000 against beside 10",
                limit=2,
                unit="×",
                value=lambda figures: (
                    figures.cpu_s("one-more-10k", "engram", MORE) / figures.cpu_s("one-more-10", "engram", MORE)
                ),
            ),
        ),
    ),
)

NESTING = Room(rows=_ROWS, scenarios=_SCENARIOS)
