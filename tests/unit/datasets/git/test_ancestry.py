"""Which commit came before which, as git says it."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.git.ancestry import is_ancestor, read_commit, when
from engram.datasets.git.odb import ObjectStore


def git(folder: Path, *words: str, at_s: int = 0) -> str:
    dates = {f"GIT_{role}_DATE": f"{at_s} +0000" for role in ("AUTHOR", "COMMITTER")} if at_s else {}
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env={**os.environ, **dates})
    return done.stdout.decode().strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``a`` → ``b`` → ``merge``, ``a`` → ``side`` → ``merge``; ``alone`` has nothing to do with them."""
    folder = tmp_path_factory.mktemp("history")
    git(folder, "init", "-q", "-b", "main")
    for number, name in enumerate(("a", "b")):
        git(folder, "commit", "-q", "--allow-empty", "-m", name, at_s=1_700_000_000 + number)
        git(folder, "tag", name)
    git(folder, "checkout", "-q", "-b", "side", "a")
    git(folder, "commit", "-q", "--allow-empty", "-m", "side", at_s=1_600_000_000)  # its clock was far behind
    git(folder, "merge", "-q", "-m", "merge", "b", at_s=1_700_000_009)
    git(folder, "tag", "merge")
    git(folder, "checkout", "-q", "--orphan", "alone")
    git(folder, "commit", "-q", "--allow-empty", "-m", "alone", at_s=1_700_000_010)
    return folder


@pytest.mark.parametrize("old", ["a", "b", "merge^", "merge", "alone"])
@pytest.mark.parametrize("new", ["a", "b", "merge^", "merge", "alone"])
def test_what_came_before_is_what_git_says(repository: Path, old: str, new: str) -> None:
    status = subprocess.run(["git", "merge-base", "--is-ancestor", old, new], cwd=repository).returncode
    objects = ObjectStore(os.fsencode(repository / ".git" / "objects"))
    ids = [bytes.fromhex(git(repository, "rev-parse", name)) for name in (old, new)]
    assert is_ancestor(objects, *ids) is (status == 0)


def test_commits_made_long_before_are_not_followed_when_that_is_asked(repository: Path) -> None:
    objects = ObjectStore(os.fsencode(repository / ".git" / "objects"))
    a, side, b, merge = (bytes.fromhex(git(repository, "rev-parse", name)) for name in ("a", "merge^", "b", "merge"))
    assert not is_ancestor(objects, a, side, skew_s=86400), "side claims to be older than a"
    assert is_ancestor(objects, a, merge, skew_s=86400)
    assert when(read_commit(objects, b).committer) == 1_700_000_001


def test_a_history_that_is_cut_off_ends_there(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", "-b", "side", f"file://{repository}", "shallow")
    objects = ObjectStore(os.fsencode(tmp_path / "shallow" / ".git" / "objects"))
    a, b, merge = (bytes.fromhex(git(repository, "rev-parse", name)) for name in ("a", "b", "merge"))
    assert not is_ancestor(objects, a, merge)
    assert is_ancestor(objects, b, merge), "the commit itself names it"
