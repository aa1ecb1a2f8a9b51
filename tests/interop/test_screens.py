"""What engram shows is what DataLad shows, line by line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import engram as engram_package

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def around() -> dict[str, str]:
    """This test's environment, in which Python finds engram."""
    return {**os.environ, "PYTHONPATH": str(Path(engram_package.__file__ or "").parents[1])}


@pytest.fixture(scope="module")
def dataset(datalad: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with one of everything that changes, below a subfolder, too."""
    folder = tmp_path_factory.mktemp("screens") / "ds"
    subprocess.run([str(datalad), "create", str(folder)], check=True, capture_output=True, env=around())
    (folder / "sub").mkdir()
    for name in ("same.dat", "gone.dat", "changed.dat", "sub/below.dat", "sub/other.dat"):
        (folder / name).write_text(f"{name}\n")
    subprocess.run([str(datalad), "save", "-m", "first"], cwd=folder, check=True, capture_output=True, env=around())
    (folder / "gone.dat").unlink()
    for name in ("changed.dat", "sub/other.dat"):
        (folder / name).unlink()
        (folder / name).write_text("changed\n")
    (folder / "new.dat").write_text("new\n")
    (folder / "heap").mkdir()
    (folder / "heap" / "a b.dat").write_text("a\n")
    (folder / "dangling").symlink_to("nowhere")
    return folder


def shown(program: list[str], words: list[str], folder: Path) -> str:
    command = [*program, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env=around()).stdout


def both(datalad: Path, words: list[str], folders: tuple[Path, Path]) -> tuple[str, str]:
    engrams = shown([sys.executable, "-m", "engram"], words, folders[0]).replace(str(folders[0]), str(folders[1]))
    return engrams, shown([str(datalad)], words, folders[1])


@pytest.mark.parametrize("place", [".", "sub"])
@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["status", "--untracked", "all"],
        ["status", "--untracked", "no"],
        ["status", "--annex"],
        ["status", "--annex", "availability"],
        ["status", "-d", "^."],
        ["-f", "generic", "status"],
        ["-f", "{path}|{state}|{type}|{nothing}|{refds}", "status"],
        ["-f", "disabled", "status"],
    ],
    ids=" ".join,
)
def test_status_looks_like_datalads(datalad: Path, dataset: Path, words: list[str], place: str) -> None:
    engrams, datalads = both(datalad, words, (dataset / place, dataset / place))
    assert engrams == datalads


@pytest.mark.parametrize(
    "words",
    [
        ["save", "-m", "all"],
        ["save", "-u", "-m", "known"],
        ["save", "new.dat", "gone.dat"],
        ["-f", "{action} {status} {type} {path} {refds}", "save"],
        ["save", "sub"],
    ],
    ids=" ".join,
)
def test_save_looks_like_datalads(datalad: Path, dataset: Path, tmp_path: Path, words: list[str]) -> None:
    folders = (tmp_path / "ours" / "ds", tmp_path / "theirs" / "ds")
    for folder in folders:
        shutil.copytree(dataset, folder, symlinks=True)
    engrams, datalads = both(datalad, words, folders)
    assert engrams == datalads
