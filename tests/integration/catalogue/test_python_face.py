"""A lab from Python, as from the command line."""

from datetime import date, datetime
from pathlib import Path

import pytest

import engram
from engram.model.animals import Alias
from engram.model.errors import NoLab, NotInCatalogue
from engram.workspace.context import Context
from engram.workspace.lab import Labs

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    list(Labs(Context(folder=str(tmp_path))).create("lab", catalogue=None, name="", timezone=""))
    return tmp_path / "lab"


def test_a_lab_is_opened_and_its_namespaces_do_what_the_commands_do(folder: Path) -> None:
    lab = engram.open_lab(folder)
    assert lab.folder == str(folder)
    lab.subjects.add(["1", "2"], {"sex": "F", "born": date(2020, 1, 31)})
    lab.subjects.add("1", aliases=[Alias(kind="water-restriction", name="SC1")])
    assert [subject.name for subject in lab.subjects.list()] == ["1", "2"]
    assert lab.subjects.show("SC1").born == date(2020, 1, 31)
    lab.people.add("ada", {"full_name": "Ada Lovelace"})
    assert [person.full_name for person in lab.people.list()] == ["Ada Lovelace"]
    lab.probes.add("p")
    lab.probes.implant("p", "SC1", datetime.fromisoformat("2020-01-01T09:00"), {"intended": "MEC"})
    assert lab.probes.list()[0].implants[0].sites[0].intended == "MEC"
    assert [outcome.status for outcome in lab.check()] == ["ok", "ok"]
    (saved,) = lab.backup()
    assert Path(saved.item).exists()
    assert lab.show().last_backup
    assert lab.upgrade()[0].status == "notneeded"


def test_what_is_missing_is_raised(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotInCatalogue):
        engram.open_lab(folder).subjects.show("nobody")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoLab):
        engram.open_lab()
    monkeypatch.chdir(folder)
    assert engram.open_lab().folder == str(folder)
