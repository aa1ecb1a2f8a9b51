"""Which settings and states are beyond engram's own way; the tests of the hand-overs themselves use git-annex."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.traps import reason_to_hand_over


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "x")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def reason(top: Path, *settings: str) -> str:
    around = Surroundings(environment=dict(os.environ), configuration=settings)
    return reason_to_hand_over(open_dataset(str(top), around))


def test_an_ordinary_repository_needs_nobody(top: Path) -> None:
    assert reason(top) == ""


@pytest.mark.parametrize(
    "setting",
    [
        "annex.thin=true",
        "annex.thin=1",
        "annex.addunlocked=include=*.txt",
        "annex.alwayscommit=no",
        "annex.dbdir=/var/elsewhere",
        "annex.freezecontent-command=chmod",
        "annex.tune.objecthash1=yes",
        "core.sharedRepository=0660",
        "core.symlinks=false",
        "core.ignoreCase=true",
        "i18n.commitEncoding=latin1",
    ],
)
def test_a_setting_that_changes_what_git_annex_does_is_a_reason(top: Path, setting: str) -> None:
    name, _, value = setting.partition("=")
    assert reason(top, setting) == f"{name.lower()} is {value}"


@pytest.mark.parametrize(
    "setting",
    [
        "annex.thin=false",
        "annex.addunlocked=off",
        "annex.alwayscommit=true",
        "annex.freezecontent-command=",
        "core.sharedRepository=umask",
        "core.symlinks=yes",
        "i18n.commitEncoding=UTF-8",
    ],
)
def test_a_setting_that_says_what_holds_anyway_is_none(top: Path, setting: str) -> None:
    assert reason(top, setting) == ""


@pytest.mark.parametrize("name", ["MERGE_HEAD", "CHERRY_PICK_HEAD", "rebase-apply", "BISECT_LOG"])
def test_an_operation_that_is_under_way_is_a_reason(top: Path, name: str) -> None:
    (top / ".git" / name).touch()
    assert name in reason(top)


def test_where_objects_or_the_annex_are_not_its_own_it_is_a_reason(top: Path) -> None:
    (top / ".git/info/grafts").touch()
    assert "refs/replace" in reason(top)
    (top / ".git/info/grafts").unlink()
    (top / ".git/annex").symlink_to("elsewhere")
    assert "shared" in reason(top)
    (top / ".git/annex").unlink()
    (top / ".git").rename(top / "aside")
    (top / ".git").symlink_to("aside")
    assert "plain folder" in reason(top)
