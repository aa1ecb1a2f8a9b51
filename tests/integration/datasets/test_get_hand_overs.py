"""What engram does not fully know is got by git-annex, the record says why, and the content is right."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engram.durable import AnyPath, Steps
from engram.testing.places import Template
from engram.workspace.context import Context
from engram.workspace.getting import Getting
from tests.interop.peers import annex, create, git, notes, save, write

pytestmark = pytest.mark.integration

Trap = Callable[[Path], object]


def get(folder: Path, *paths: str, **options: Any) -> list[dict[str, Any]]:
    context = Context(folder=str(folder), environment=dict(os.environ))
    return [outcome.as_json() for outcome in Getting(context).get(paths, **options)]


@pytest.fixture(scope="module")
def cloned(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "ds"
    create(folder, backend="SHA256E")
    write(folder, "a.bin", "a")
    write(folder, "d/b.bin", "b")
    save(folder)
    git(folder.parent, "clone", "--quiet", str(folder), "clone")
    annex(folder.parent / "clone", "init", "--quiet", "clone")
    return folder.parent / "clone"


@pytest.fixture
def here(cloned: Path, tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    folder = Template(cloned, tmp_path / "copies").fresh()
    git(folder, "update-index", "-q", "--really-refresh")
    return folder


def _config(name: str, value: str) -> Trap:
    return lambda folder: git(folder, "config", name, value)


def _thin(folder: Path) -> None:
    git(folder, "config", "annex.thin", "true")
    annex(folder, "unlock", "--quiet", "a.bin", fine=(0, 1))


def _merging(folder: Path) -> None:
    (folder / ".git" / "MERGE_HEAD").write_text(git(folder, "rev-parse", "HEAD"))


def _daemon(folder: Path) -> None:
    (folder / ".git" / "annex" / "daemon.pid").write_text("1\n")


def _split_index(folder: Path) -> None:
    git(folder, "update-index", "--split-index")


@pytest.mark.parametrize(
    ("trap", "why"),
    [
        pytest.param(_thin, "annex.thin", id="thin"),
        pytest.param(_config("annex.pidlock", "true"), "annex.pidlock", id="locks by process"),
        pytest.param(_config("annex.private", "true"), "annex.private", id="private"),
        pytest.param(_config("annex.securehashesonly", "true"), "annex.securehashesonly", id="secure hashes"),
        pytest.param(_config("annex.maxextensions", "3"), "annex.maxextensions", id="names of keys"),
        pytest.param(_config("core.sharedRepository", "group"), "core.sharedrepository", id="shared"),
        pytest.param(_config("annex.bwlimit", "100mb"), "annex.bwlimit", id="a limit on speed"),
        pytest.param(_config("annex.stalldetection", "1kb/1m"), "annex.stalldetection", id="a watch on speed"),
        pytest.param(_merging, "MERGE_HEAD", id="a merge"),
        pytest.param(_daemon, "assistant", id="the assistant"),
        pytest.param(_split_index, "index extension link", id="a split index"),
    ],
)
def test_a_trap_hands_over_and_the_content_is_right(here: Path, trap: Trap, why: str) -> None:
    trap(here)
    records = get(here, ".")
    assert {record["status"] for record in records} == {"ok"}
    assert all(why in note and "handed to git-annex" in note for note in notes(records))
    assert (here / "a.bin").read_text() == "a"
    assert (here / "d" / "b.bin").read_text() == "b"
    if why != "annex.pidlock":
        assert "[here]" in annex(here, "whereis", "a.bin")


def test_a_siblings_own_start_command_is_for_git_annex(here: Path, tmp_path: Path) -> None:
    git(here, "config", "--global", "remote.origin.annex-start-command", "true")
    try:
        assert notes(get(here, "a.bin")) == {"from origin..."}
    finally:
        git(here, "config", "--global", "--remove-section", "remote.origin")


def test_a_key_that_engram_cannot_verify_is_for_git_annex(here: Path, cloned: Path, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    subprocess.run(["cp", "-a", git(cloned, "config", "remote.origin.url").strip(), str(origin)], check=True)
    git(here, "remote", "set-url", "origin", str(origin))
    write(origin, "blake.bin", "blake")
    annex(origin, "add", "--quiet", "--backend=BLAKE2BP512", "blake.bin")
    git(origin, "commit", "--quiet", "-m", "blake")
    git(here, "pull", "--quiet", "--no-rebase")
    records = get(here, ".")
    assert {record["status"] for record in records} == {"ok"}
    assert (here / "blake.bin").read_text() == "blake"


def test_a_plan_says_so_beforehand(here: Path) -> None:
    git(here, "config", "annex.bwlimit", "100mb")
    plan = Getting(Context(folder=str(here), environment=dict(os.environ))).plan_get(["a.bin"])
    assert [(step.action, step.why) for step in plan.steps] == [
        ("hand-over", "handed to git-annex: annex.bwlimit is 100mb"),
        ("get", "from origin"),
    ]


def test_an_adjusted_branch_is_for_git_annex(here: Path) -> None:
    annex(here, "adjust", "--quiet", "--unlock")
    records = get(here, "a.bin")
    assert {record["status"] for record in records} == {"ok"}
    assert (here / "a.bin").read_text() == "a"
    assert not (here / "a.bin").is_symlink()


def test_a_linked_work_tree_shares_what_it_gets(here: Path, tmp_path: Path) -> None:
    git(here, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    assert {record["status"] for record in get(tmp_path / "linked", "a.bin")} == {"ok"}
    assert (tmp_path / "linked" / "a.bin").read_text() == "a"
    assert (here / "a.bin").read_text() == "a"


def test_an_ordinary_clone_starts_no_git_annex(here: Path) -> None:
    settings = Context(folder=str(here), environment=dict(os.environ))
    started: list[str] = []

    class Seen(Steps):
        def take(self, kind: str, path: AnyPath) -> None:
            if kind == "run":
                started.append(str(path))

    outcomes = list(Getting(settings, steps=Seen()).get(["."]))
    assert {outcome.status for outcome in outcomes} == {"ok"}
    assert not [command for command in started if command.split()[0].endswith("git-annex")]
