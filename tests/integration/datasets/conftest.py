"""A dataset to work on, made once and copied for each test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engram.testing.places import Template
from tests.interop.peers import create, git, save, write


@pytest.fixture(scope="session")
def template(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with a few files in the annex and one in git. Copy it; do not change it."""
    folder = tmp_path_factory.mktemp("template") / "ds"
    create(folder)
    write(folder, "in-git.txt", "in git\n")
    save(folder, to_git=True)
    write(folder, "a.txt", "a\n")
    write(folder, "d/b.bin", b"\0\1\2")
    save(folder, message="some files")
    return folder


@pytest.fixture
def copy(template: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes further copies of the dataset."""
    (tmp_path / "copies").mkdir()

    def fresh() -> Path:
        folder = Template(template, tmp_path / "copies").fresh()
        git(folder, "update-index", "-q", "--really-refresh")
        return folder

    return fresh


@pytest.fixture
def dataset(copy: Callable[[], Path]) -> Path:
    """A dataset with ``a.txt`` and ``d/b.bin`` in the annex and ``in-git.txt`` in git."""
    return copy()
