"""Subdatasets come on the way to what is wanted: from wherever they are, whole or not at all, and no trick works."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engram.durable import Steps
from engram.model.errors import PathNotFound, UsageError
from engram.testing.faults import die_at_every_step
from engram.testing.places import Template, contents, scratch
from engram.workspace.cloning import Copies
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from engram.workspace.getting import Getting
from tests.interop.peers import annex, create, git, save, told, write

pytestmark = pytest.mark.integration


def get(folder: Path, *paths: str, steps: Steps | None = None, **options: Any) -> list[dict[str, Any]]:
    context = Context(folder=str(folder), environment=dict(os.environ))
    return [outcome.as_json() for outcome in Getting(context, steps=steps).get(paths, **options)]


@pytest.fixture(scope="module")
def original(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("original") / "top"
    create(top, backend="SHA256E")
    create(top / "sub", dataset=str(top))
    create(top / "sub" / "deep", dataset=str(top / "sub"))
    write(top, "a.bin", "a")
    for place in ("sub", "sub/deep"):
        write(top / place, "f.bin", place)
    save(top, recursive=True)
    return top


@pytest.fixture
def here(original: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(original), "clone")
    annex(tmp_path / "clone", "init", "--quiet", "clone")
    return tmp_path / "clone"


def gitmodules(here: Path, text: str) -> None:
    """Let the dataset say something else of its subdatasets."""
    write(here, ".gitmodules", text)
    git(here, "commit", "--quiet", "-a", "-m", "changed")


class TestOnTheWay:
    def test_a_file_in_a_subdataset_of_a_subdataset_is_reached(self, here: Path) -> None:
        assert [record[:4] for record in told(get(here, "sub/deep/f.bin"), here)] == [
            ("install", "ok", "dataset", "sub"),
            ("install", "ok", "dataset", "sub/deep"),
            ("get", "ok", "file", "sub/deep/f.bin"),
        ]
        assert (here / "sub" / "deep" / "f.bin").read_text() == "sub/deep"
        assert not (here / "sub" / "f.bin").exists()
        assert git(here, "status", "--porcelain") == ""

    def test_from_within_a_subdataset_it_is_reached_too(self, here: Path) -> None:
        get(here, "sub", data=False)
        assert [record[:4] for record in told(get(here / "sub", "deep/f.bin"), here / "sub")] == [
            ("install", "ok", "dataset", "deep"),
            ("get", "ok", "file", "deep/f.bin"),
        ]

    def test_only_what_is_installed_is_gone_into_where_the_user_wants_that(self, here: Path) -> None:
        records = get(here, ".", recursive=True, recursion_limit="existing")
        assert [record["path"] for record in records if record["action"] == "install"] == []
        assert (here / "a.bin").exists()

    def test_what_is_there_is_told_to_be_there(self, here: Path) -> None:
        get(here, "sub", data=False)
        assert told(get(here, "sub", data=False), here) == [("get", "notneeded", "dataset", "sub", "")]

    def test_a_path_that_only_an_installed_subdataset_can_know_is_judged_then(self, here: Path) -> None:
        assert [record[:4] for record in told(get(here, "sub/nothing"), here)] == [
            ("install", "ok", "dataset", "sub"),
            ("get", "impossible", "", "sub/nothing"),
        ]

    def test_a_path_that_is_known_to_be_nothing_refuses_everything(self, here: Path) -> None:
        with pytest.raises(PathNotFound):
            get(here, "sub/f.bin", "nothing")
        assert not (here / "sub" / ".git").exists()

    def test_without_a_path_nothing_is_got_by_chance(self, here: Path) -> None:
        with pytest.raises(UsageError, match="Say what to get"):
            get(here)
        assert {record["status"] for record in get(here.parent, dataset=str(here))} == {"ok"}

    def test_a_plan_names_what_would_be_installed(self, here: Path, original: Path) -> None:
        before = contents(here)
        plan = Getting(Context(folder=str(here), environment=dict(os.environ))).plan_get(["."], recursive=True)
        assert [(step.action, step.item, step.why) for step in plan.steps] == [
            ("install", "sub", f"from {original}/sub"),
            ("get", "a.bin", "from origin"),
        ]
        assert contents(here) == before

    def test_procedures_run_in_each_that_is_installed_and_nowhere_else(self, here: Path) -> None:
        with pytest.raises(UsageError, match="nonsense"):
            get(here, "sub/deep", data=False, procedures=["text2git", "nonsense"])
        assert not (here / "sub" / ".git").exists()
        get(here, "sub/deep", data=False, procedures=["text2git"])
        for place in ("sub", "sub/deep"):
            assert "mimeencoding" in (here / place / ".gitattributes").read_text()
        assert "mimeencoding" not in (here / ".gitattributes").read_text()

    def test_procedures_lie_where_this_call_says(self, here: Path, original: Path, tmp_path: Path) -> None:
        write(tmp_path, "own/cfg_mine.sh", 'touch "$1/mine"\n')
        context = Context(
            folder=str(tmp_path),
            environment=dict(os.environ),
            git_configuration=(f"datalad.locations.user-procedures={tmp_path}/own",),
        )
        inside = replace(context, folder=str(here))
        for outcomes in (
            Datasets(context).create("new", procedures=["mine"]),
            Copies(context).clone(str(original), "cloned", procedures=["mine"]),
            Getting(inside).get(["sub"], data=False, procedures=["mine"]),
        ):
            assert not any(outcome.failed for outcome in outcomes)
        for place in (tmp_path / "new", tmp_path / "cloned", here / "sub"):
            assert (place / "mine").exists()
        with pytest.raises(UsageError, match="nonsense"):
            Getting(inside).plan_get(["sub"], procedures=["nonsense"])

    def test_how_it_was_cloned_is_how_its_subdatasets_are(self, here: Path) -> None:
        git(here, "config", "datalad.clone.reckless", "auto")
        get(here, "sub", data=False)
        assert git(here / "sub", "config", "annex.hardlink").strip() == "true"

    def test_templates_of_the_user_go_on_to_the_subdatasets(self, here: Path, original: Path) -> None:
        name = "datalad.get.subdataset-source-candidate-100mine"
        git(here, "config", name, f"{original}/{{path}}")
        get(here, "sub", data=False)
        assert git(here / "sub", "config", name).strip() == f"{original}/{{path}}"


class TestSources:
    def test_the_next_candidate_is_tried(self, here: Path, original: Path) -> None:
        git(here, "config", "datalad.get.subdataset-source-candidate-100gone", str(original) + "-gone/{path}")
        assert [record["status"] for record in get(here, "sub", data=False)] == ["ok"]

    def test_where_nobody_has_it_everything_that_was_tried_is_told(self, here: Path, original: Path) -> None:
        git(here, "remote", "set-url", "origin", str(original) + "-gone")
        gitmodules(here, '[submodule "sub"]\n\tpath = sub\n\turl = ./elsewhere\n')
        (record,) = get(here, "sub", data=False)
        assert (record["status"], record["error"]) == ("error", "SourceUnavailable")
        assert f"{original}-gone/elsewhere" in record["message"]
        assert os.listdir(here / "sub") == []

    def test_a_source_without_the_recorded_commit_is_none(self, here: Path, tmp_path: Path) -> None:
        create(tmp_path / "stranger")
        git(here, "config", "datalad.get.subdataset-source-candidate-100stranger", str(tmp_path / "stranger"))
        assert [record["status"] for record in get(here, "sub/f.bin")] == ["ok", "ok"]
        assert (here / "sub" / "f.bin").read_text() == "sub"

    def test_where_no_source_has_the_recorded_commit_nothing_is_left(self, here: Path, tmp_path: Path) -> None:
        create(tmp_path / "stranger")
        git(here, "remote", "set-url", "origin", str(tmp_path / "gone"))
        git(here, "config", "datalad.get.subdataset-source-candidate-100stranger", str(tmp_path / "stranger"))
        (record,) = get(here, "sub", data=False)
        assert "does not have the recorded commit" in record["message"]
        assert os.listdir(here / "sub") == []
        assert git(here, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "text",
    [
        '[submodule "../out"]\n\tpath = ../out\n\turl = ./sub\n',
        '[submodule "sub"]\n\tpath = .git/modules\n\turl = ./sub\n',
        '[submodule "sub"]\n\tpath = /etc/sub\n\turl = ./sub\n',
        '[submodule "sub"]\n\tpath = -u\n\turl = ./sub\n',
        '[submodule "sub"]\n\tpath = sub\n\turl = ext::sh -c touch% canary\n',
        '[submodule "sub"]\n\tpath = sub\n\turl = --upload-pack=touch canary\n',
        '[submodule "sub"]\n\tpath = sub\n\turl = -oProxyCommand=touch canary\n',
        '[submodule "sub"]\n\tpath = sub\n\turl = "ssh://-oProxyCommand=touch canary/x"\n',
        '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tupdate = !touch canary\n',
        '[submodule "sub"]\n\tpath = sub\n\turl = "a\\nb"\n',
        '[submodule "sub"]\n\tpath = sub\n\turl = fd::17\n',
    ],
)
def test_no_trick_of_gitmodules_runs_or_reaches_anything(here: Path, tmp_path: Path, text: str) -> None:
    gitmodules(here, text)
    before = sorted(os.listdir(tmp_path))
    records = get(here, ".", recursive=True)
    assert {record["status"] for record in records} <= {"ok", "error"}
    assert not list(tmp_path.rglob("canary"))
    assert sorted(os.listdir(tmp_path)) == before
    assert (here / "a.bin").read_text() == "a"


def test_what_a_stranger_records_over_a_network_names_no_folder_here(here: Path, original: Path) -> None:
    git(here, "remote", "set-url", "origin", "https://localhost:1/top")
    gitmodules(here, f'[submodule "sub"]\n\tpath = sub\n\turl = {original}/sub\n')
    (record,) = get(here, "sub", data=False)
    assert record["status"] == "error"
    assert str(original) not in record["message"]


def test_an_installation_survives_death_at_every_step(original: Path, request: pytest.FixtureRequest) -> None:
    stride = 1 if request.config.getoption("--long") else 13
    with scratch() as scene:
        (scene / "first").mkdir()
        git(scene / "first", "clone", "--quiet", str(original), "clone")
        annex(scene / "first" / "clone", "init", "--quiet", "clone")
        template = Template(scene / "first", scene)

        def install(folder: Path, steps: Steps) -> int:
            records = get(folder / "clone", "sub/f.bin", steps=steps)
            return 3 if any(record["status"] in ("error", "impossible") for record in records) else 0

        def is_whole(folder: Path) -> None:
            clone = folder / "clone"
            assert (clone / "sub" / "f.bin").read_text() == "sub"
            assert git(clone, "status", "--porcelain") == ""
            assert git(clone, "config", "submodule.sub.active").strip() == "true"
            assert git(clone / "sub", "rev-parse", "HEAD") == git(original / "sub", "rev-parse", "HEAD")
            assert not (clone / "sub" / ".git" / "engram" / "cloning").exists()

        assert install(template.fresh(), Steps()) == 0
        die_at_every_step(install, template.fresh, is_whole, stride=stride)


def test_a_submodule_that_is_no_dataset_comes_as_what_it_is(tmp_path: Path, git_annex: Path) -> None:
    git(tmp_path, "init", "--quiet", "plain")
    write(tmp_path / "plain", "code.py", "print()\n")
    git(tmp_path / "plain", "add", ".")
    git(tmp_path / "plain", "commit", "--quiet", "-m", "code")
    create(tmp_path / "top")
    subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../plain", "code"],
        cwd=tmp_path / "top",
        check=True,
    )
    git(tmp_path / "top", "commit", "--quiet", "-m", "submodule")
    git(tmp_path, "clone", "--quiet", "top", "clone")
    records = get(tmp_path / "clone", "code/code.py")
    assert [record["status"] for record in records] == ["ok", "notneeded"]
    assert (tmp_path / "clone" / "code" / "code.py").read_text() == "print()\n"
