"""The page that tells how to add a recogniser is carried out, in a package of its own."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from engram.sessions import discovery
from tests.docs.pages import ROOT, blocks_of

PAGE = ROOT / "docs" / "how-to" / "add-a-recogniser.md"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The pieces of the page, each in the file that its first line names."""
    for block in blocks_of(PAGE):
        first, text = block.text.split("\n", 1)
        place = tmp_path / first.strip("# ")
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    return tmp_path


def run(package: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(package), str(ROOT / "src")])}
    done = subprocess.run(
        [sys.executable, *words], cwd=package, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_recogniser_is_one_record_and_its_proof(package: Path) -> None:
    config = str(ROOT / "pyproject.toml")
    run(package, "-m", "ruff", "format", "--check", "--config", config, "our_rig")
    run(package, "-m", "ruff", "check", "--config", config, "our_rig")
    run(package, "-m", "mypy", "--strict", "our_rig/wheel.py")
    run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")


def test_its_entry_point_is_found(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"][discovery.GROUP].items()
    monkeypatch.syspath_prepend(str(package))
    found = discovery.discover([EntryPoint(name=name, value=value, group=discovery.GROUP)])
    assert found.broken == ()
    assert found.recognisers[-1].name == "running wheel"
