"""What would be set, allowed or run is shown and changes nothing; no file can ask for it later."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engram.model.errors import NotTrusted, UsageError
from engram.model.plan import Plan
from engram.workspace.carrying import Carrying
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from engram.workspace.nesting import Nesting
from engram.workspace.provenance import Provenance
from engram.workspace.upkeep import Upkeep

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]


@pytest.fixture(scope="module")
def nested(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with one subdataset; plans leave it as it is, so that all tests can have the same."""
    top = tmp_path_factory.mktemp("looked-at") / "ds"
    list(Datasets(context(top.parent)).create("ds"))
    list(Datasets(context(top)).create("inner", dataset="."))
    return top


@pytest.fixture(autouse=True)
def unchanged(nested: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever was planned: nothing was written."""
    before = _state(nested)
    yield
    assert _state(nested) == before


def _state(top: Path) -> list[tuple[str, float]]:
    paths = (Path(folder, name) for folder, _, names in os.walk(top) for name in names)
    return sorted((str(path), path.lstat().st_mtime) for path in paths)


def context(folder: Path, **environment: str) -> Context:
    return Context(folder=str(folder), environment={**os.environ, **environment})


def told(plan: Plan) -> list[str]:
    return [f"{step.action} {step.item}: {step.why}" for step in plan.steps]


def refused(plan: Plan) -> list[str]:
    return [f"{step.action} {step.item}: {step.why}" for step in plan.refused]


class TestSettings:
    def test_what_was_and_what_would_be_are_shown(self, nested: Path) -> None:
        plan = Upkeep(context(nested)).plan_configuration("set", ["core.bare=false", "some.thing=new"])
        assert told(plan) == ["set some.thing: local: nothing becomes new"]

    def test_what_travels_with_each_dataset_is_told_for_each(self, nested: Path) -> None:
        plan = Upkeep(context(nested)).plan_configuration("set", ["some.thing=new"], scope="branch", recursive=True)
        assert told(plan) == [
            "set some.thing: branch: nothing becomes new",
            "set some.thing: branch of inner: nothing becomes new",
        ]

    def test_what_is_not_there_cannot_be_taken_away(self, nested: Path) -> None:
        plan = Upkeep(context(nested)).plan_configuration("unset", ["core.bare", "some.thing"])
        assert told(plan) == ["unset core.bare: local: false"]
        assert refused(plan) == ["unset some.thing: local: it is not set there"]

    def test_passwords_are_not_shown(self, nested: Path) -> None:
        plan = Upkeep(context(nested)).plan_configuration("set", ["remote.x.url=https://me:secret@host/x"])
        assert "secret" not in told(plan)[0]

    def test_the_users_own_need_no_dataset(self, tmp_path: Path) -> None:
        (tmp_path / ".gitconfig").write_text("[user]\n\tname = One\n")
        upkeep = Upkeep(context(tmp_path, HOME=str(tmp_path), GIT_CONFIG_GLOBAL=str(tmp_path / ".gitconfig")))
        plan = upkeep.plan_configuration("set", ["user.name=Two"], scope="global")
        assert told(plan) == ["set user.name: global: One becomes Two"]


class TestSubdatasets:
    def test_properties_that_would_change_are_shown(self, nested: Path) -> None:
        plan = Nesting(context(nested)).plan_subdatasets(
            properties=[("url", "./inner"), ("note", "<about {refds_relname}>")], without=["datalad-id", "never"]
        )
        assert [line.partition(" = ")[0] for line in told(plan)] == ["set inner: note", "delete inner: datalad-id"]
        assert told(plan)[0] == "set inner: note = about inner"
        assert refused(plan) == ["delete inner: it has no property never"]

    def test_a_path_that_names_nothing_is_told(self, nested: Path) -> None:
        nesting = Nesting(replace(context(nested), reports_unknown=True))
        plan = nesting.plan_subdatasets(["nowhere", "inner"], properties=[("note", "x")])
        assert told(plan) == ["set inner: note = x"]
        assert [step.item for step in plan.refused] == ["nowhere"]


class TestTrust:
    def test_what_would_be_allowed_is_shown_and_is_not_allowed(self, tmp_path: Path, nested: Path) -> None:
        around = context(tmp_path, XDG_DATA_HOME=str(tmp_path / "data"))
        list(Datasets(around).create("ds"))
        hook = tmp_path / "ds/.git/hooks/pre-push"
        hook.write_text("#!/bin/sh\nexec something\n")
        hook.chmod(0o755)
        procedures = tmp_path / "ds/.datalad/procedures"
        procedures.mkdir()
        (procedures / "cfg_mine.sh").write_text("true\n")
        for _ in range(2):
            assert told(Datasets(around).plan_trust("ds")) == [
                "trust hook pre-push: exec something",
                "trust procedure cfg_mine: bash {script} {ds} {args}",
            ]
        list(Datasets(around).trust("ds"))
        assert told(Datasets(around).plan_trust("ds")) == []


class TestProcedures:
    def test_of_a_built_in_one_the_files_are_shown(self, nested: Path) -> None:
        plan = Provenance(context(nested)).plan_run_procedure("cfg_yoda")
        assert [(step.action, step.item, step.why) for step in plan.steps] == [
            ("add", ".gitattributes", "changed, goes to git"),
            ("add", "CHANGELOG.md", "new, goes to git"),
            ("add", "README.md", "new, goes to git"),
            ("add", "code/.gitattributes", "new, goes to git"),
            ("add", "code/README.md", "new, goes to git"),
        ]

    def test_an_annex_that_would_go_is_named(self, nested: Path) -> None:
        assert told(Provenance(context(nested)).plan_run_procedure("cfg_noannex"))[0].startswith("remove .git/annex")

    def test_what_is_not_saved_stands_in_the_way(self, tmp_path: Path) -> None:
        list(Datasets(context(tmp_path)).create("ds"))
        (tmp_path / "ds/README.md").write_text("mine")
        (why,) = refused(Provenance(context(tmp_path / "ds")).plan_run_procedure("cfg_yoda"))
        assert "README.md" in why
        assert (tmp_path / "ds/README.md").read_text() == "mine"

    def test_of_a_program_the_line_is_shown_and_not_run(self, tmp_path: Path, nested: Path) -> None:
        (tmp_path / "datalad/procedures").mkdir(parents=True)
        script = tmp_path / "datalad/procedures/cfg_mine.sh"
        script.write_text("touch here\n")
        provenance = Provenance(context(nested, XDG_CONFIG_HOME=str(tmp_path)))
        plan = provenance.plan_run_procedure("cfg_mine", ["a b"])
        assert told(plan) == [f"run cfg_mine: bash {script} {nested} 'a b'"]

    def test_one_that_was_not_allowed_is_not_planned_either(self, tmp_path: Path) -> None:
        list(Datasets(context(tmp_path)).create("ds"))
        (tmp_path / "ds/.datalad/procedures").mkdir()
        (tmp_path / "ds/.datalad/procedures/cfg_theirs.sh").write_text("true\n")
        with pytest.raises(NotTrusted):
            Provenance(context(tmp_path / "ds")).plan_run_procedure("cfg_theirs")


class TestFiles:
    def test_no_file_can_ask_for_it(self, nested: Path) -> None:
        here = context(nested)
        plans = [
            Upkeep(here).plan_configuration("set", ["core.fsmonitor=evil"]),
            Nesting(here).plan_subdatasets(properties=[("note", "x")]),
            Datasets(here).plan_trust("."),
            Provenance(here).plan_run_procedure("cfg_yoda"),
        ]
        for plan in plans:
            with pytest.raises(UsageError, match="only to be looked at"):
                Carrying(here).carry_out(Plan.from_json(plan.as_json()))

    @pytest.mark.parametrize(
        "words",
        [
            "configuration --dry-run -o {} set some.thing=new",
            "subdatasets --dry-run -o {} --set-property note x",
            "trust --dry-run -o {} .",
            "run-procedure --dry-run -o {} cfg_yoda",
        ],
    )
    def test_the_plan_is_kept_for_whoever_decides(self, nested: Path, tmp_path: Path, words: str) -> None:
        place = tmp_path / "plan.json"
        command = [sys.executable, "-m", "engram", *words.format(place).split()]
        said = subprocess.run(command, cwd=nested, check=True, capture_output=True, text=True)
        assert said.stdout.splitlines()[-1].endswith("nothing was changed")
        assert place.stat().st_size
