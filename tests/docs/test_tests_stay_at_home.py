"""No test reads or changes the developer's own configuration, and none is skipped in silence."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SKIPPING = """
import pytest

def test_needs_something():
    pytest.skip({reason!r})
"""


def test_the_home_is_not_the_developers(own_home: Path) -> None:
    assert os.environ["HOME"] == str(own_home)
    assert Path(pwd.getpwuid(os.getuid()).pw_dir) != own_home


def test_git_reads_no_configuration_but_the_tests_own(own_home: Path, tmp_path: Path) -> None:
    command = ["git", "config", "--list", "--show-origin"]
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert {line.split("\t")[0] for line in listed.splitlines()} == {f"file:{own_home}/.gitconfig"}


def run_pytest(folder: Path, reason: str, **variables: str) -> int:
    (folder / "test_it.py").write_text(_SKIPPING.format(reason=reason))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [*command, f"--rootdir={folder}", str(folder)], env=environment, capture_output=True
    ).returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reason", "everything_is_here", "code"),
    [
        ("DataLad is not installed", "", 0),
        ("DataLad is not installed", "1", 1),
        ("not on this machine: no loop devices", "1", 0),
    ],
)
def test_a_skip_is_a_failure_where_everything_is_here(
    tmp_path: Path, reason: str, everything_is_here: str, code: int
) -> None:
    assert run_pytest(tmp_path, reason, ENGRAM_ALL_SERVICES=everything_is_here) == code
