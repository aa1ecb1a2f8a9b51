"""``./dev`` says in one line what is missing, before it touches anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEV = Path(__file__).parents[2] / "dev"
_NEEDED = ("dirname", "basename", "cat", "id", "sh", "env")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder to be the only one on PATH: a shell, Python and git, and a place for `./dev` to stand in."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in _NEEDED:
        (programs / name).symlink_to(str(shutil.which(name)))
    script(programs / "python3", f'exec "{sys.executable}" "$@"')
    script(programs / "git", "echo git version 2.45.0")
    (tmp_path / "project with a space").mkdir()
    shutil.copy(DEV, tmp_path / "project with a space" / "dev")
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)


def dev(machine: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``./dev`` on that machine; it adds the system's own folders to PATH only for mkfs and losetup."""
    text = (machine / "project with a space" / "dev").read_text().replace("PATH=$PATH:/usr/sbin:/sbin", ":")
    (machine / "project with a space" / "dev").write_text(text)
    command = [str(machine / "programs" / "sh"), str(machine / "project with a space" / "dev"), *arguments]
    environment = {"PATH": str(machine / "programs"), **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_without_git_it_says_so(machine: Path) -> None:
    (machine / "programs" / "git").unlink()
    assert "git is not installed" in complaint(dev(machine, "test"))


@pytest.mark.parametrize("version", ["2.30.9", "1.9.1", "2.9.0 (Apple Git-75)"])
def test_an_old_git_is_named(machine: Path, version: str) -> None:
    script(machine / "programs" / "git", f"echo 'git version {version}'")
    said = complaint(dev(machine, "demo"))
    assert version in said
    assert "2.31" in said


@pytest.mark.parametrize("version", ["2.31.0", "2.50.1 (Apple Git-155)", "2.52.GIT", "3.0.0"])
def test_a_newer_git_is_fine(machine: Path, version: str) -> None:
    script(machine / "programs" / "git", f"echo 'git version {version}'")
    assert "too old" not in dev(machine, "test").stderr


def test_without_python_it_says_so(machine: Path) -> None:
    (machine / "programs" / "python3").unlink()
    assert "Python 3.11 or newer is not installed" in complaint(dev(machine, "test"))


def test_an_old_python_is_named(machine: Path) -> None:
    script(machine / "programs" / "python3", "exit 3")
    assert "python3 is too old" in complaint(dev(machine, "test"))


def test_a_python_without_venv_is_named(machine: Path) -> None:
    script(machine / "programs" / "python3", "exit 4")
    said = complaint(dev(machine, "test"))
    assert "no venv module" in said
    assert "python3-venv" in said


def test_a_newer_python_beside_an_old_one_is_found(machine: Path) -> None:
    (machine / "programs" / "python3").rename(machine / "programs" / "python3.12")
    script(machine / "programs" / "python3", "exit 3")
    assert "too old" not in dev(machine, "test").stderr


def test_the_user_may_name_the_python(machine: Path) -> None:
    script(machine / "programs" / "my python", "exit 3")
    assert "my python is too old" in complaint(dev(machine, "test", PYTHON=str(machine / "programs" / "my python")))


def test_a_named_python_that_is_none_is_named(machine: Path) -> None:
    assert "/nowhere/python3 does not start" in complaint(dev(machine, "test", PYTHON="/nowhere/python3"))


def test_an_unknown_command_shows_what_there_is(machine: Path) -> None:
    done = dev(machine, "tset")
    assert done.returncode == 2
    assert "no command 'tset'" in done.stderr
    assert "./dev test" in done.stderr


def test_help_needs_neither_python_nor_git(machine: Path) -> None:
    (machine / "programs" / "python3").unlink()
    (machine / "programs" / "git").unlink()
    done = dev(machine)
    assert done.returncode == 0
    assert done.stdout.startswith("./dev demo")


@pytest.mark.skipif(os.geteuid() == 0, reason="not on this machine: root writes everywhere")
def test_a_folder_that_cannot_be_written_is_named(machine: Path) -> None:
    (machine / "project with a space" / "locks").mkdir()
    (machine / "project with a space" / "locks" / "dev.txt").touch()
    (machine / "project with a space").chmod(0o555)
    assert "must be writable" in complaint(dev(machine, "test"))


TESTS = """
import pathlib, pytest

@pytest.mark.parametrize("number", range({count}))
def test_one(number):
    seen = pathlib.Path("seen-%d" % number)
    if not seen.exists():
        seen.touch()
        raise AssertionError("the first time")
    assert {passes_then}

def test_another():
    pass
"""


def repeated(folder: Path, first_run: str = "exec python -m pytest -q -p no:xdist") -> subprocess.CompletedProcess[str]:
    """Run the part of ``./dev check`` that runs the tests, in a project of its own."""
    text = DEV.read_text()
    function = text[text.index("most_to_repeat=") : text.index("# stage NAME")]
    script(folder / "dev", first_run)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "programs").mkdir()
    (folder / "programs" / "python").symlink_to(sys.executable)
    words = f'set -eu\nhere=$PWD\nsay() {{ printf "%s\\n" "$*" >&2; }}\n{function}\nsteady_tests || exit 1'
    path = f"{folder / 'programs'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(["sh", "-c", words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_test_that_fails_once_is_run_once_more_and_named(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS.format(count=2, passes_then=True))
    done = repeated(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "UNSTEADY" in done.stderr
    assert "test_it.py::test_one[1]" in done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.parametrize(("count", "passes_then"), [(2, False), (6, True)], ids=["broken", "many"])
def test_what_is_broken_stays_a_failure(tmp_path: Path, count: int, passes_then: bool) -> None:
    (tmp_path / "test_it.py").write_text(TESTS.format(count=count, passes_then=passes_then))
    assert repeated(tmp_path).returncode == 1


def test_tests_that_never_ran_are_no_success_whatever_failed_before(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS.format(count=1, passes_then=True))
    kept = tmp_path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    kept.parent.mkdir(parents=True)
    kept.write_text('{"test_it.py::test_another": true}')
    assert repeated(tmp_path, "exit 1").returncode == 1
