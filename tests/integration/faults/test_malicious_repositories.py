"""Nothing that came with a dataset runs or reaches outside, until its user said so; then exactly that."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.testing.canary import Canary, heard_in
from engram.testing.escapes import ESCAPES
from engram.testing.malice import PROGRAMS, Malice, every_hook, fsmonitor, hooks_path
from engram.testing.places import Template, fresh_folder, scratch
from engram.testing.processes import Command, Ended, run
from tests.integration.faults import hemmed_in
from tests.integration.faults.operations import DATASET, dataset_with_changes, git

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]

#: Poison that no program of git or git-annex that a save starts would take: it may as well succeed.
EVERY = [*PROGRAMS, *ESCAPES]


@pytest.fixture(scope="module")
def innocent(git_annex: Path) -> Iterator[Template]:
    with scratch() as scene:
        template = Template(dataset_with_changes(fresh_folder(scene)), scene)
        for words in (
            ["status", "--annex", "all"],
            ["save", "-m", "x"],
            ["create", "--force", "."],
        ):  # loads all modules
            hemmed_in.said_by_engram(template.fresh() / DATASET, Canary(fresh_folder(scene) / "cage"), *words)
        yield template


@pytest.fixture
def folder(innocent: Template) -> Path:
    return innocent.fresh()


@pytest.fixture
def dataset(folder: Path) -> Path:
    return folder / DATASET


@pytest.fixture
def canary(folder: Path) -> Canary:
    return Canary(folder / "cage")


def engram(canary: Canary, folder: Path, *words: str) -> Ended:
    """How a call of engram ended; all that it printed stands for its errors."""
    ending, said = hemmed_in.engram(folder, canary, *words)
    code = -9 if ending.exit_code is None else ending.exit_code
    return Ended(exit_code=code, output="", errors=said + ending.bug, duration_s=0.0)


def _plain_words(ended: Ended) -> None:
    assert "Traceback" not in ended.errors
    assert "bug in engram" not in ended.errors, ended.errors
    assert ended.exit_code >= 0


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["status"], marks=pytest.mark.long),
        ["status", "--annex", "all"],
        pytest.param(["save", "--dry-run"], marks=pytest.mark.long),
        ["save", "-m", "x"],
        ["create", "--force", "."],
    ],
    ids=" ".join,
)
def test_the_canary_lives(dataset: Path, canary: Canary, make: Malice, words: list[str]) -> None:
    make(dataset, canary)
    ended = engram(canary, dataset, *words)
    assert canary.lives(), ended.errors
    assert heard_in(dataset) == []
    _plain_words(ended)


@pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
def test_the_canary_lives_when_the_poison_is_in_a_subdataset(dataset: Path, canary: Canary, make: Malice) -> None:
    sub = dataset / "sub"
    git(dataset.parent, "init", "-q", str(sub))
    git(sub, "commit", "-q", "--allow-empty", "-m", "first")
    (sub / "data.txt").write_text("data\n")
    make(sub, canary)
    for words in (["status", "-r"], ["save", "-r", "-m", "x"], ["save", "-m", "x"]):
        ended = engram(canary, dataset, *words)
        assert canary.lives(), (words, ended.errors)
        _plain_words(ended)


@pytest.mark.parametrize("make", [every_hook, hooks_path, fsmonitor], ids=lambda make: make.__name__)
def test_a_refusal_says_what_was_brought_along_and_how_to_allow_it(dataset: Path, canary: Canary, make: Malice) -> None:
    make(dataset, canary)
    head = git(dataset, "-c", "core.fsmonitor=", "rev-parse", "HEAD")
    ended = engram(canary, dataset, "save", "-m", "x")
    assert ended.exit_code == 2
    assert "engram trust" in ended.errors
    assert git(dataset, "-c", "core.fsmonitor=", "rev-parse", "HEAD") == head


def test_trust_holds_for_exactly_what_was_seen(dataset: Path, canary: Canary) -> None:
    hook = canary.program(dataset / ".git" / "hooks" / "post-commit", then="exit 0")
    assert engram(canary, dataset, "save", "-m", "x").exit_code == 2
    trusted = engram(canary, dataset, "trust", ".")
    assert trusted.exit_code == 0, trusted.errors
    assert canary.lives()
    saved = engram(canary, dataset, "save", "-m", "x")
    assert saved.exit_code == 0, saved.errors
    assert not canary.lives()  # it was allowed to run, so it ran
    canary.settle()
    hook.write_text(hook.read_text() + "# and one thing more\n")
    (dataset / "new.txt").write_text("new\n")
    assert engram(canary, dataset, "save", "-m", "x").exit_code == 2
    assert canary.lives()


def test_a_clone_brings_nothing_along_that_would_run(folder: Path, dataset: Path, canary: Canary) -> None:
    (dataset / "data.txt").write_text("data\n")
    git(dataset, "add", ".")
    git(dataset, "commit", "-qm", "second")
    every_hook(dataset, canary)
    clone = folder / "clone"
    subprocess.run(["git", "clone", "-q", str(dataset), str(clone)], check=True)
    git(clone, "annex", "init", "-q")
    (clone / "more.bin").write_bytes(b"more")
    ended = engram(canary, clone, "save", "-m", "x")
    assert ended.exit_code == 0, ended.errors
    assert canary.lives()


def test_what_a_careless_tool_does_would_be_noticed(dataset: Path, canary: Canary) -> None:
    fsmonitor(dataset, canary)
    run(Command(arguments=("git", "status"), folder=dataset))
    assert not canary.lives()
