"""A real annex to ask."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from engram.datasets.programs import find_git_annex

Ask: TypeAlias = Callable[..., bytes]


@pytest.fixture
def program(git_annex: Path) -> str:
    """The git-annex program itself, as engram finds it; what is on PATH only starts it."""
    found = find_git_annex(os.environ)
    assert found is not None
    return found.program


@pytest.fixture
def annex(git_annex: Path, tmp_path: Path) -> Path:
    """A fresh annex."""
    folder = tmp_path / "annex"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run([git_annex, "init", "-q", "here"], cwd=folder, check=True)
    return folder


@pytest.fixture
def ask(git_annex: Path) -> Ask:
    """Run git-annex in a folder and give what it printed: ``ask(annex, "calckey", "--batch", said=b"…")``."""

    def run(folder: Path, *arguments: bytes | str, said: bytes = b"", ok: Sequence[int] = (0,)) -> bytes:
        command = [os.fsencode(git_annex), *map(os.fsencode, arguments)]
        done = subprocess.run(command, cwd=folder, input=said, capture_output=True, check=False)
        assert done.returncode in ok, done.stderr.decode(errors="replace")
        return done.stdout

    return run
