"""The page that tells how to add a command is carried out, in a copy of the source."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks_of

PAGE = ROOT / "docs" / "how-to" / "add-a-command.md"
METHODS = "src/engram/workspace/datasets.py"
COMMAND = "src/engram/cli/commands/kinds.py"
TEST = "tests/cli/test_kinds.py"


def page_files() -> dict[str, str]:
    """The page's pieces of source by the path in their first line."""
    texts = [block.text for block in blocks_of(PAGE) if block.language == "python"]
    return {text.split("\n", 1)[0].strip("# "): text.split("\n", 1)[1] for text in texts}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the source with the new command in it."""
    leave = shutil.ignore_patterns("__pycache__")
    for folder in ("src", "tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    pieces = page_files()
    assert set(pieces) == {METHODS, COMMAND, TEST}
    (tmp_path / COMMAND).write_text(pieces[COMMAND])
    (tmp_path / TEST).write_text(pieces[TEST])
    text = (tmp_path / METHODS).read_text()
    before = "    def status("
    assert text.count(before) == 1
    (tmp_path / METHODS).write_text(text.replace(before, f"{pieces[METHODS]}\n{before}"))
    return tmp_path


def run(copy: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(copy / "src")}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_command_is_one_file_one_method_and_one_test(copy: Path) -> None:
    new = (METHODS, COMMAND, TEST)
    run(copy, "ruff", "format", "--check", *new)
    run(copy, "ruff", "check", *new)
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", TEST)
    run(copy, "engram.cli.reference", "docs/reference")
    assert (copy / "docs" / "reference" / "commands" / "kinds.md").is_file()
    assert "kinds" in run(copy, "engram", "--help")
