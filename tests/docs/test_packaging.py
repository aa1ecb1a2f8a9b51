"""What is shipped, and what everything is built from."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import engram

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
class TestLockFiles:
    def test_holds_no_address_and_no_link(self, lock: Path) -> None:
        assert not re.search(r"://|^-|^\s+-(?!-hash=sha256:)| @ ", lock.read_text(), flags=re.MULTILINE)

    def test_every_requirement_is_one_version_with_a_digest(self, lock: Path) -> None:
        text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE)
        requirements = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
        assert requirements
        for requirement in requirements:
            assert re.match(r"[a-z0-9-]+==\S+ ", requirement), requirement
            assert "--hash=sha256:" in requirement, requirement


def test_the_build_backend_is_pinned_with_the_tools() -> None:
    assert "\nhatchling==" in (ROOT / "locks" / "dev.txt").read_text()


def test_each_group_of_tools_has_its_lock() -> None:
    assert {lock.stem for lock in LOCKS} == set(PROJECT["dependency-groups"])


def test_the_core_stays_small() -> None:
    names = {re.split(r"[<>=~!]", requirement)[0] for requirement in PROJECT["project"]["dependencies"]}
    assert names == {"click", "msgspec", "platformdirs"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as a user's pip would get it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_everything_that_src_holds(wheel: Path) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "src").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            assert path.relative_to(ROOT / "src").as_posix() in shipped
    assert "engram/py.typed" in shipped
    assert any(name.endswith("licenses/LICENSE") for name in shipped)


@pytest.mark.integration
@pytest.mark.slow
def test_an_installed_engram_runs_its_demo(wheel: Path, tmp_path: Path, git_annex: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    where = [sys.executable, "-c", "import engram; print(engram.__file__)"]
    found = subprocess.run(where, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-m", "engram", "demo", str(tmp_path / "demo")],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_program_tells_the_version_of_the_package() -> None:
    done = subprocess.run([sys.executable, "-m", "engram", "--version"], capture_output=True, text=True, check=True)
    assert engram.__version__ in done.stdout
