"""A lab from Python, as from the command line."""

import shutil
from datetime import date, datetime
from pathlib import Path

import pytest

import engram
from engram.model.animals import Alias
from engram.model.errors import NoLab, NotInCatalogue
from engram.sessions.scanning.seen import SessionSeen
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


SAMPLES = Path(__file__).parents[2] / "data/rig/kavli_share/recordings/12347"


def test_shares_and_sessions_do_what_their_commands_do(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(SAMPLES, tmp_path / "share/12347")
    lab = engram.open_lab(folder)
    lab.shares.add("recordings", tmp_path / "share", also_known_as="N:/recordings")
    assert [(one.share.name, one.trouble) for one in lab.shares.list()] == [("recordings", "")]
    assert lab.shares.show("recordings").share.also_known_as == ("N:/recordings",)
    lab.subjects.add("12347")
    name = "12347/2020-01-01T10-00-30"
    assert name in {one.session.id for one in lab.sessions.scan() if isinstance(one, SessionSeen)}
    assert lab.sessions.template("recordings", "12347/2020-01-01_10-00-30")[0].matches >= 1
    batch = tmp_path / "batch.yml"
    plan = lab.sessions.plan("recordings", as_massfile=batch)
    assert [step.item for step in plan.steps] == [name]
    assert lab.sessions.plan(from_=batch).steps == plan.steps
    batch.write_text(batch.read_text().replace("experimenter", "experimenters"))
    with pytest.raises(engram.IncompleteResults, match="experimenter: the key is missing"):
        lab.sessions.plan(from_=batch)
    assert [outcome.status for outcome in lab.sessions.ingest(plan)] == ["ok"]
    assert lab.sessions.plan().steps == ()
    assert [one.session.id for one in lab.sessions.list("kind = neuropixels-ap", subject="12347")] == [name]
    assert lab.sessions.list(until=date(2019, 1, 1)) == []
    assert {match.session for match in lab.sessions.find("npx.imec.ap.bin")} == {name}
    table = tmp_path / "missing.csv"
    assert {row.session for row in lab.sessions.missing(table)} == {name}
    assert [outcome.status for outcome in lab.sessions.annotate(table)] == ["notneeded"]
    table.write_text(f"session,what,value,confirmed\n{name},project,grid,yes\n")
    with pytest.raises(engram.IncompleteResults, match="no project grid"):
        lab.sessions.annotate(table)
    lab.sessions.annotate(table, add_names=True)
    lab.sessions.group("cohort", name)
    lab.sessions.waive(name, "misnamed", why="seen")
    lab.sessions.exclude(name, why="pilot")
    lab.sessions.include(name, why="not at all")
    report = lab.sessions.show(name)
    assert (report.projects, report.session.groups) == (("grid",), ("cohort",))
    assert report.waived == {f"{name} misnamed": "seen"}
    assert len(lab.sessions.history(name)) == 3
    lab.shares.remove("recordings")
    assert lab.shares.list() == []


def test_what_failed_is_raised_with_what_was_done(folder: Path) -> None:
    lab = engram.open_lab(folder)
    with pytest.raises(engram.IncompleteResults) as failed:
        lab.sessions.group("cohort", ["nobody/2020-01-01"])
    assert failed.value.outcomes[0].error == "NotInCatalogue"
    with pytest.raises(NotInCatalogue):
        lab.sessions.show("nobody/2020-01-01")
