"""Somebody else moves the index or the branch at the very moment when a save is to put its own in place."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.durable import AnyPath, Steps
from engram.model.outcome import Outcome
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets

pytestmark = pytest.mark.usefixtures("git_annex")


class Interfering(Steps):
    """Acts once, before the first step that *when* is true of."""

    def __init__(self, when: Callable[[str, str], bool], act: Callable[[], object]) -> None:
        self._when = when
        self._act: Callable[[], object] | None = act

    def take(self, kind: str, path: AnyPath) -> None:
        if self._act is not None and self._when(kind, os.fsdecode(path)):
            act, self._act = self._act, None
            act()


def run(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def save(folder: Path, steps: Steps, *paths: str) -> list[Outcome]:
    context = Context(folder=str(folder), environment=dict(os.environ))
    return list(Datasets(context, steps=steps).save(paths, message="ours"))


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    context = Context(folder=str(tmp_path), environment=dict(os.environ))
    list(Datasets(context).create("ds"))
    (tmp_path / "ds" / "a.txt").write_text("a")
    (tmp_path / "ds" / "theirs.txt").write_text("t")
    return tmp_path / "ds"


def test_what_others_stage_meanwhile_stays_staged(changed: Path) -> None:
    def stage() -> None:
        run(changed, "-c", "annex.largefiles=nothing", "add", "theirs.txt")

    steps = Interfering(lambda kind, path: kind == "link" and path.endswith("index.lock"), stage)
    assert not any(outcome.failed for outcome in save(changed, steps, "a.txt"))
    assert run(changed, "log", "-1", "--format=%s") == "ours\n"
    assert run(changed, "status", "--porcelain") == "A  theirs.txt\n"


def test_a_branch_that_moves_meanwhile_loses_nothing_and_no_note_of_it_stays(changed: Path) -> None:
    def commit() -> None:
        run(changed, "-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "theirs")

    steps = Interfering(lambda kind, path: "update-ref" in (kind, *path.split()), commit)
    assert not any(outcome.failed for outcome in save(changed, steps, "a.txt"))
    assert "theirs" in run(changed, "log", "--format=%s").splitlines()
    assert "a.txt" in run(changed, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert run(changed, "fsck", "--strict", "--no-dangling") == run(changed, "annex", "fsck", "--quiet") == ""
    assert not (changed / ".git" / "engram" / "refs-in-flight").exists()
