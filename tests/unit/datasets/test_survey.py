"""The look before a save: what there is to do, what it refuses, and when only git-annex could go on."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.saving.planning import as_plan
from engram.datasets.saving.survey import SaveRequest, Survey, survey
from engram.model.errors import BadExpression, UsageError
from engram.model.plan import Plan


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with ``a`` and ``d/b`` saved."""
    git(tmp_path, "init", "-q")
    (tmp_path / "d").mkdir()
    for name in ("a", "d/b"):
        (tmp_path / name).write_text(name)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    return tmp_path


def plan(top: Path) -> Plan:
    dataset = open_dataset(str(top), Surroundings(environment=dict(os.environ)))
    return as_plan(dataset, survey(dataset, SaveRequest()))


def look(top: Path, *scopes: bytes, updated: bool = False) -> Survey:
    dataset = open_dataset(str(top), Surroundings(environment=dict(os.environ)))
    return survey(dataset, SaveRequest(scopes=scopes or (b"",), updated=updated))


def paths_in(found: Survey) -> dict[str, list[bytes]]:
    decisions, paths = found.decisions, found.index.paths
    return {
        "files": [file.path for file in decisions.files],
        "removed": [paths[position] for position in decisions.removed],
        "gone": [path for path, _ in decisions.gone],
    }


def test_a_clean_dataset_has_nothing_to_do(top: Path) -> None:
    assert look(top).nothing
    assert plan(top).steps == ()


def test_only_what_is_meant_is_looked_at(top: Path) -> None:
    for name in ("a", "d/b", "d/new", "new"):
        (top / name).write_text("changed")
    assert sorted(paths_in(look(top))["files"]) == [b"a", b"d/b", b"d/new", b"new"]
    assert sorted(paths_in(look(top, b"d"))["files"]) == [b"d/b", b"d/new"]
    assert sorted(paths_in(look(top, updated=True))["files"]) == [b"a", b"d/b"]


def test_what_is_staged_is_something_to_do(top: Path) -> None:
    git(top, "rm", "-q", "d/b")
    found = look(top)
    assert (found.staged, paths_in(found)) == (True, {"files": [], "removed": [], "gone": [b"d/b"]})
    assert not found.nothing
    assert paths_in(look(top, b"a"))["gone"] == []


def test_a_file_in_conflict_is_refused_where_it_is_meant(top: Path) -> None:
    git(top, "checkout", "-q", "-b", "other")
    (top / "a").write_text("theirs")
    git(top, "commit", "-qam", "theirs")
    git(top, "checkout", "-q", "-")
    (top / "a").write_text("ours")
    git(top, "commit", "-qam", "ours")
    assert subprocess.run(["git", "merge", "-q", "other"], cwd=top, capture_output=True).returncode
    with pytest.raises(UsageError, match="a is in conflict"):
        look(top)
    assert "under way" in look(top, b"d").reason or look(top, b"d").nothing


def test_rules_that_do_not_parse_are_refused(top: Path) -> None:
    (top / ".gitattributes").write_text("* annex.largefiles=largerthan=\n")
    git(top, "config", "annex.largefiles", "largerthan=")
    with pytest.raises(BadExpression):
        look(top)


def test_what_is_not_understood_is_handed_over_whole(top: Path) -> None:
    (top / "a").write_text("changed")
    git(top, "update-index", "--split-index")
    found = look(top)
    assert found.reason
    assert plan(top).steps[0].action == "hand-over"


def test_an_object_that_is_not_here_is_no_bug(top: Path) -> None:
    git(top, "rm", "-q", "--cached", "a")
    for path in (top / ".git/objects").rglob("*"):
        if path.is_file():
            path.unlink()
    assert "is not here" in look(top).reason


def test_a_plan_names_each_step_and_why(top: Path) -> None:
    (top / "a").unlink()
    (top / "link").symlink_to("d/b")
    (top / "new").write_bytes(b"12345")
    (top / "d/b").unlink()
    (top / "d/b").mkdir()
    (top / "d/b/x").touch()
    git(top, "init", "-q", "sub")
    planned = plan(top)
    assert {(step.action, step.item, step.bytes) for step in planned.steps} == {
        ("delete", "a", 0),
        ("add", "link", 0),
        ("add", "new", 5),
        ("add", "d/b/x", 0),
        ("add", "sub", 0),
    }
    assert all(step.why for step in planned.steps)
