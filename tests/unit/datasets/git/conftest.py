"""A repository made by the real git, and a short way to ask it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., bytes]


def make_git(folder: Path) -> Git:
    """A function that runs git in *folder* and gives what it printed."""

    def git(*arguments: str | bytes, stdin: bytes = b"", status: int = 0) -> bytes:
        done = subprocess.run(["git", *arguments], cwd=folder, input=stdin, capture_output=True)
        assert done.returncode == status, done.stderr
        return done.stdout

    return git


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The work tree of a new, empty repository."""
    folder = tmp_path / "work"
    folder.mkdir()
    make_git(folder)("init", "-q", "-b", "main")
    return folder


@pytest.fixture
def git(work: Path) -> Git:
    return make_git(work)
