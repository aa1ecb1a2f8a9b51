"""Trust is noted for the user alone, once, and for exactly what there is."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from engram.datasets.dataset import Surroundings, open_dataset
from engram.model.outcome import Outcome, Status
from engram.workspace.trusting import trust


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for words in (("init", "-q", "ds"), ("-C", "ds", "commit", "-q", "--allow-empty", "-m", "x")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path / "ds"


def trusted(top: Path) -> list[Outcome]:
    around = Surroundings(environment=dict(os.environ), trust_folder=str(top.parent / "state/trust"))
    return list(trust(open_dataset(str(top), around), around))


def test_where_nothing_would_run_nothing_is_noted(top: Path) -> None:
    assert [outcome.status for outcome in trusted(top)] == [Status.NOT_NEEDED]
    assert not (top.parent / "state" / "trust").exists()


def test_each_thing_is_named_and_the_note_is_for_this_user_alone(top: Path) -> None:
    subprocess.run(["git", "config", "core.sshCommand", "x"], cwd=top, check=True)
    assert [(outcome.item, outcome.status) for outcome in trusted(top)] == [
        ("core.sshcommand", Status.OK),
        (".", Status.OK),
    ]
    (note,) = (top.parent / "state/trust").iterdir()
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert note.read_text().splitlines() == [str(top), "core.sshcommand"]
    assert {outcome.status for outcome in trusted(top)} == {Status.NOT_NEEDED}
    subprocess.run(["git", "config", "core.sshCommand", "y"], cwd=top, check=True)
    assert {outcome.status for outcome in trusted(top)} == {Status.OK}
