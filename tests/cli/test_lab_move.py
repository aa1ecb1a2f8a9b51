"""Whole screens of a catalogue that moves to another file, with a lab around it."""

from pathlib import Path

import pytest

from engram.testing.databases import Server
from tests.catalogues import new_database
from tests.cli.conftest import Engram
from tests.cli.labs import NPX, ingested

pytestmark = pytest.mark.integration

_FILE = """# ours since 2019
[catalogue]   # asked for by Bob
url = "sqlite:///.engram/catalogue.db"     # outgrown soon

[shares.recordings]  # the rig's
root = "{share}"
[lab]
timezone = ""  # nobody said
name = "Systems neuroscience"
"""


@pytest.fixture
def lab(engram: Engram, tmp_path: Path) -> Path:
    """The sample share, ingested, and a file that a person wrote."""
    ingested(engram, tmp_path)
    (tmp_path / "engram.toml").write_text(_FILE.format(share=tmp_path / "share"))
    return tmp_path


def test_a_lab_goes_on_with_its_catalogue_elsewhere(engram: Engram, lab: Path) -> None:
    before = engram("--json", "lab", "show").records[0]
    planned = engram("lab", "move", "--to", "sqlite:///new/lab.db", "--dry-run")
    assert planned.code == 0
    assert "would copy: table subject [2 rows]\n" in planned.out
    assert planned.out.endswith("; nothing was changed\n")
    assert not (lab / "new").exists()

    shown = engram("lab", "move", "--to", "sqlite:///new/lab.db")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    (new,) = (line for line in lines if f" {lab}/new/lab.db [" in line)
    (old,) = (line for line in lines if f" {lab}/.engram/catalogue.db [" in line)
    assert new.startswith(f"lab-move(ok): {lab}/new/lab.db [")
    assert new.endswith("rows proven to be the same; the lab's catalogue now]")
    assert old == f"lab-move(ok): {lab}/.engram/catalogue.db [stays as it was, and is used no more]"
    wanted = _FILE.format(share=lab / "share").replace("sqlite:///.engram/catalogue.db", "sqlite:///new/lab.db")
    assert (lab / "engram.toml").read_text() == wanted

    assert engram("lab", "check").code == 0
    after = engram("--json", "lab", "show").records[0]
    assert after["catalogue"] == f"{lab}/new/lab.db"
    assert after["rows"] == before["rows"]
    assert engram("--json", "sessions", "plan").records[0]["steps"] == []
    assert engram("subjects", "add", "next").code == 0
    assert engram("lab", "move", "--to", "sqlite:///new/lab.db").out == ""


def test_whoever_still_names_the_old_one_is_told_where_it_went(engram: Engram, lab: Path) -> None:
    (lab / "other").mkdir()
    text = (lab / "engram.toml").read_text().replace("sqlite:///.engram", f"sqlite:///{lab}/.engram")
    (lab / "other" / "engram.toml").write_text(text)
    engram("lab", "move", "--to", "sqlite:///new/lab.db")
    for command in (("subjects", "add", "lost"), ("subjects", "list"), ("lab", "show")):
        shown = engram("--lab", "other", *command)
        assert (shown.code, shown.out) == (2, "")
        said, next_step = shown.err.splitlines()
        assert f"has moved to {lab}/new/lab.db" in said
        assert "engram.toml" in next_step
    assert engram("--lab", "other", "lab", "backup", "way-back.db").code == 0


def test_a_catalogue_that_only_this_call_names_is_used_and_not_moved(engram: Engram, tmp_path: Path) -> None:
    engram("lab", "create", "lab")
    engram("lab", "create", "other")
    other = f"sqlite:///{tmp_path}/other/.engram/catalogue.db"
    named = {"ENGRAM_CATALOGUE_URL": other}
    assert engram("--lab", "lab", "subjects", "add", "1", environment=named).code == 0
    assert engram("-c", f"engram.catalogue.url={other}", "--lab", "lab", "subjects", "list").out == "1\n"
    assert engram("--lab", "lab", "subjects", "list").out == ""
    assert engram("--lab", "other", "subjects", "list").out == "1\n"
    refused = engram("--lab", "lab", "lab", "move", "--to", "sqlite:///new.db", environment=named)
    assert (refused.code, refused.out) == (2, "")
    assert "ENGRAM_CATALOGUE_URL" in refused.err


@pytest.mark.slow
def test_a_lab_moves_through_all_databases_and_nothing_is_left_to_plan(
    engram: Engram, tmp_path: Path, postgresql_server: Server, mariadb_server: Server
) -> None:
    ingested(engram, tmp_path)
    new_database(postgresql_server, "moved_lab")
    new_database(mariadb_server, "moved_lab")
    rows = engram("--json", "lab", "show").records[0]["rows"]
    history = engram("sessions", "history", NPX).out
    for url in (postgresql_server.url("moved_lab"), mariadb_server.url("moved_lab"), "sqlite:///back.db"):
        assert engram("lab", "move", "--to", url).code == 0
        assert engram("lab", "check").code == 0
        assert engram("--json", "lab", "show").records[0]["rows"] == rows
        assert engram("--json", "sessions", "plan").records[0]["steps"] == []
        assert engram("sessions", "history", NPX).out == history


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///notes.txt", "is there, and is no database"),
        ("postgresql://ada:secret@host/lab", "A password in the catalogue's URL"),
        ("nonsense", "does not parse"),
    ],
)
def test_a_place_that_cannot_be_is_refused_and_nothing_changes(
    engram: Engram, tmp_path: Path, url: str, said: str
) -> None:
    (tmp_path / "notes.txt").write_text("Dear all,\n" * 1000)
    engram("lab", "create")
    before = (tmp_path / "engram.toml").read_text()
    for more in ((), ("--dry-run",)):
        shown = engram("lab", "move", "--to", url, *more)
        assert (shown.code, shown.out) == (2, "")
        assert said in shown.err
        assert "secret" not in shown.err
    assert (tmp_path / "engram.toml").read_text() == before
    assert engram("subjects", "add", "next").code == 0
