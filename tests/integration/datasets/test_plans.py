"""A plan that was made earlier is carried out: what has moved meanwhile is left alone, alone; the rest is done."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import engram
from engram.model.errors import PathNotFound, UsageError
from engram.model.outcome import Outcome
from engram.model.plan import Plan
from engram.testing.places import Template
from engram.workspace.auditing import Custody
from engram.workspace.carrying import Carrying
from engram.workspace.cloning import Copies
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from engram.workspace.dropping import Dropping
from engram.workspace.getting import Getting
from engram.workspace.provenance import Provenance
from engram.workspace.upkeep import Upkeep
from tests.integration.clones import fresh, two_clones
from tests.interop.peers import git, save, write

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]

#: Statuses by action and item.
Fates = dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def template(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    scene = tmp_path_factory.mktemp("plans")
    (scene / "original").mkdir()
    return Template(two_clones(scene / "original"), scene)


@pytest.fixture
def clone(template: Template) -> Path:
    """A dataset that holds everything, as its sibling does."""
    return fresh(template) / "b"


def context(folder: Path) -> Context:
    return Context(folder=str(folder), environment=dict(os.environ))


def kept(plan: Plan) -> Plan:
    """The same plan after it lay in a file."""
    return Plan.from_json(json.loads(json.dumps(plan.as_json())))


def carry_out(folder: Path, plan: Plan) -> Fates:
    """Somewhere else, later: the plan knows where it is to be carried out."""
    outcomes = Carrying(context(folder.parent)).carry_out(kept(plan))
    return {(outcome.action, outcome.item): str(outcome.status) for outcome in outcomes}


def clean(folder: Path) -> bool:
    return all(outcome.state == "clean" for outcome in Datasets(context(folder)).status())  # type: ignore[attr-defined]  # of files


class TestSave:
    def test_does_what_was_planned(self, clone: Path) -> None:
        write(clone, "one", "1")
        (clone / "notes.txt").unlink()
        plan = Datasets(context(clone)).plan_save(message="as planned", tag="v1")
        fates = carry_out(clone, plan)
        assert fates == {("add", "one"): "ok", ("delete", "notes.txt"): "ok", ("save", "."): "ok"}
        assert git(clone, "log", "-1", "--format=%s%d").strip() == "as planned (HEAD -> main, tag: v1)"

    def test_a_file_that_has_changed_since_is_left_alone_and_no_other(self, clone: Path) -> None:
        for name in ("one", "two", "three", "four"):
            write(clone, name, name)
        plan = Datasets(context(clone)).plan_save(tag="v1")
        write(clone, "two", "changed")
        (clone / "three").unlink()
        write(clone, "new", "not planned")
        save(clone, "four")
        fates = carry_out(clone, plan)
        assert fates == {
            ("add", "one"): "ok",
            ("add", "two"): "impossible",
            ("add", "three"): "impossible",
            ("add", "four"): "notneeded",
            ("tag", "v1"): "impossible",
            ("save", "."): "ok",
        }
        assert git(clone, "status", "--porcelain").split() == ["??", "new", "??", "two"]
        assert git(clone, "tag") == ""

    def test_a_file_that_goes_elsewhere_now_has_changed(self, clone: Path) -> None:
        write(clone, "one", "1")
        plan = Datasets(context(clone)).plan_save()
        git(clone, "config", "annex.largefiles", "nothing")
        assert carry_out(clone, plan) == {("add", "one"): "impossible"}

    def test_a_second_time_nothing_is_needed(self, clone: Path) -> None:
        write(clone, "one", "1")
        plan = Datasets(context(clone)).plan_save()
        carry_out(clone, plan)
        head = git(clone, "rev-parse", "HEAD")
        assert carry_out(clone, plan) == {("add", "one"): "notneeded"}
        assert git(clone, "rev-parse", "HEAD") == head

    def test_names_subdatasets_and_what_is_in_them_as_a_save_does(self, clone: Path) -> None:
        datasets = Datasets(context(clone))
        list(datasets.create("s", dataset="."))
        list(datasets.create("s/deep", dataset="s"))
        list(datasets.save(recursive=True))
        write(clone, "s/deep/f", "1")
        plan = datasets.plan_save(recursive=True)
        planned = {(step.action, step.item) for step in plan.steps}
        assert planned == {("add", "s/deep/f"), ("add", "s/deep"), ("add", "s")}
        write(clone, "new", "not planned")
        fates = carry_out(clone, plan)
        assert planned <= {place for place, status in fates.items() if status == "ok"}
        assert git(clone, "status", "--porcelain").split() == ["??", "new"]

    def test_a_subdataset_at_another_commit_is_part_of_the_plan(self, clone: Path) -> None:
        datasets = Datasets(context(clone))
        list(datasets.create("s", dataset="."))
        write(clone, "s/f", "1")
        list(Datasets(context(clone / "s")).save())
        plan = datasets.plan_save()
        assert [(step.action, step.item, step.why) for step in plan.steps] == [
            ("add", "s", "subdataset at another commit")
        ]
        assert carry_out(clone, plan) == {("add", "s"): "ok", ("save", "."): "ok"}


class TestContents:
    def test_only_what_was_planned_is_got(self, clone: Path) -> None:
        list(Dropping(context(clone)).drop())
        getting = Getting(context(clone))
        list(getting.get(["d/e/c.dat"]))
        plan = getting.plan_get(["d"])
        list(getting.get(["d/b.dat"]))
        list(Dropping(context(clone)).drop(["d/e/c.dat"]))
        fates = carry_out(clone, plan)
        assert fates == {("get", "d/same.dat"): "ok", ("get", "d/b.dat"): "notneeded"}
        assert not (clone / "d/e/c.dat").exists(), "nobody planned to get it"

    @pytest.mark.parametrize("what", ["filecontent", "allkeys"])
    def test_only_what_was_planned_is_dropped(self, clone: Path, what: str) -> None:
        dropping = Dropping(context(clone))
        list(dropping.drop(["d/b.dat"]))
        plan = dropping.plan_drop(what=what)
        list(Getting(context(clone)).get(["d/b.dat"]))
        list(dropping.drop(["d/e/c.dat"]))
        fates = carry_out(clone, plan)
        assert "notneeded" in fates.values()
        assert (clone / "d/b.dat").exists(), "it came after the plan was made"
        assert not (clone / "a.dat").exists()

    def test_a_content_that_may_not_go_any_more_stays(self, clone: Path) -> None:
        plan = Dropping(context(clone)).plan_drop(["d/b.dat", "d/e/c.dat"])
        git(clone, "config", "annex.numcopies", "1")
        write(clone, "d/e/c.dat", "of its own", mode=0o644)
        assert carry_out(clone, plan)[("drop", "d/e/c.dat")] == "impossible"
        assert (clone / "d/e/c.dat").read_text() == "of its own"

    def test_a_dataset_that_has_a_new_commit_is_not_removed(self, clone: Path) -> None:
        datasets = Datasets(context(clone))
        for name in ("s", "t"):
            list(datasets.create(name, dataset=".", annex=False))
            git(clone.parent, "clone", "-q", "--bare", f"b/{name}", f"{name}.git")
            git(clone / name, "remote", "add", "origin", f"../../{name}.git")
            git(clone / name, "fetch", "-q", "origin")
        plan = Dropping(context(clone)).plan_drop(["s", "t"], what="datasets")
        assert {step.item for step in plan.steps} == {"s", "t"}
        git(clone / "s", "commit", "-q", "--allow-empty", "-m", "new")
        git(clone / "s", "push", "-q", "origin", "HEAD")
        assert carry_out(clone, plan) == {("uninstall", "s"): "impossible", ("uninstall", "t"): "ok"}
        assert (clone / "s" / ".git").exists()

    def test_what_is_unused_is_dropped_by_its_key_whatever_its_number(self, clone: Path) -> None:
        list(Dropping(context(clone)).remove(["d/b.dat", "d/e/c.dat"]))
        git(clone, "remote", "remove", "origin")
        custody = Custody(context(clone))
        assert [outcome.status for outcome in custody.unused(used_refspec="+refs/heads/main")] == ["ok", "ok"]
        plan = custody.plan_dropunused(["2"], force=True)
        unused = (clone / ".git/annex/unused").read_text().splitlines()
        turned = [line.replace("1 ", "x ", 1).replace("2 ", "1 ", 1).replace("x ", "2 ", 1) for line in unused]
        (clone / ".git/annex/unused").write_text("\n".join(turned) + "\n")
        assert list(carry_out(clone, plan).values()) == ["ok"]
        (left,) = custody.unused(used_refspec="+refs/heads/main")
        assert plan.steps[0].item not in left.item

    def test_what_is_unlocked_was_planned(self, clone: Path) -> None:
        plan = Provenance(context(clone)).plan_unlock(["d"])
        list(Provenance(context(clone)).unlock(["d/b.dat"]))
        fates = carry_out(clone, plan)
        assert fates[("unlock", "d/b.dat")] == "notneeded"
        assert not (clone / "d/same.dat").is_symlink()

    def test_what_a_check_would_mend_is_mended(self, clone: Path) -> None:
        (clone / "a.dat").resolve().chmod(0o644)
        plan = Custody(context(clone)).plan_fsck(["a.dat"])
        assert [step.action for step in plan.steps] == ["protect"]
        assert carry_out(clone, plan) == {("fsck", "a.dat"): "ok"}
        assert carry_out(clone, plan) == {("protect", "a.dat"): "notneeded"}


class TestRemove:
    def test_a_folder_that_holds_something_else_now_stays(self, clone: Path) -> None:
        plan = Dropping(context(clone)).plan_remove(["d/e", "a.dat"])
        write(clone, "d/e/new", "1")
        save(clone)
        assert carry_out(clone, plan) == {
            ("remove", "d/e"): "impossible",
            ("remove", "a.dat"): "ok",
            ("save", "."): "ok",
        }
        assert (clone / "d/e/new").exists()

    def test_a_second_time_nothing_is_needed(self, clone: Path) -> None:
        plan = Dropping(context(clone)).plan_remove(["a.dat"])
        carry_out(clone, plan)
        assert set(carry_out(clone, plan).values()) == {"notneeded"}

    def test_a_plan_says_what_keeps_all_of_it(self, clone: Path) -> None:
        write(clone, "d/new", "not saved")
        plan = Dropping(context(clone)).plan_remove(["d", "a.dat"])
        assert plan.steps == ()
        assert {step.item for step in plan.refused} >= {"d", "a.dat"}


class TestWholes:
    def test_a_dataset_is_made_and_cloned(self, tmp_path: Path) -> None:
        assert carry_out(tmp_path / "x", Datasets(context(tmp_path)).plan_create("one")) == {
            ("create", str(tmp_path / "one")): "ok"
        }
        plan = Copies(context(tmp_path)).plan_clone("one", "two")
        place = str(tmp_path / "two")
        assert carry_out(tmp_path / "x", plan) == {("install", place): "ok"}
        assert carry_out(tmp_path / "x", plan) == {("install", place): "notneeded"}

    def test_a_number_that_somebody_else_has_set_meanwhile_stays(self, clone: Path) -> None:
        custody = Custody(context(clone))
        plan = custody.plan_numcopies(2)
        list(custody.numcopies(3))
        assert carry_out(clone, plan) == {("set", "numcopies 2"): "impossible"}

    def test_a_place_where_something_new_lies_is_not_cleaned(self, clone: Path) -> None:
        for place in ("tmp/one", "transfer/one"):
            write(clone, f".git/annex/{place}", "1")
        plan = Upkeep(context(clone)).plan_clean()
        write(clone, ".git/annex/tmp/two", "2")
        fates = carry_out(clone, plan)
        assert fates[("clean", ".git/annex/tmp")] == "impossible"
        assert fates[("clean", ".git/annex/transfer")] == "ok"
        assert (clone / ".git/annex/tmp/one").exists()


class TestAPlanFromElsewhere:
    @pytest.fixture
    def record(self, clone: Path) -> dict[str, Any]:
        write(clone, "one", "1")
        return Datasets(context(clone)).plan_save().as_json()

    @pytest.mark.parametrize(
        "change",
        [
            lambda record: record.update(command="__init__"),
            lambda record: record.update(command="status"),
            lambda record: record.update(folder="."),
            lambda record: record["request"].update(steps=None),
            lambda record: record["request"].update(paths="one"),
            lambda record: record["request"].update(amend=1),
            lambda record: record["request"].pop("paths"),
            lambda record: record.update(request=[]),
            lambda record: record["request"].update(paths=[["one"]]),
            lambda record: record.update(command=3),
        ],
    )
    def test_is_refused_when_it_asks_for_what_the_verb_does_not_know(
        self, clone: Path, record: dict[str, Any], change: Callable[[dict[str, Any]], object]
    ) -> None:
        change(record)
        with pytest.raises(UsageError):
            carry_out(clone, Plan.from_json(record))

    def test_hands_no_options_on_to_git(self, tmp_path: Path) -> None:
        plan = Datasets(context(tmp_path)).plan_create("one", init_options=["--template=evil"])
        with pytest.raises(UsageError, match="options for git"):
            Carrying(context(tmp_path)).carry_out(kept(plan))
        assert not (tmp_path / "one").exists()

    @pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"record": "outcome"}'])
    def test_is_told_from_other_files(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "plan").write_text(text)
        with pytest.raises(UsageError, match="not a plan"):
            Carrying(context(tmp_path)).read("plan")
        with pytest.raises(PathNotFound):
            Carrying(context(tmp_path)).read("nothing")


def test_the_command_and_the_function_do_it(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, "-m", "engram", *words], cwd=clone, capture_output=True, text=True)

    write(clone, "one", "1")
    write(clone, "two", "2")
    assert said("save", "--dry-run", "-o", "../plan.json").returncode == 0
    write(clone, "two", "changed")
    assert said("carry-out", "--dry-run", "../plan.json").stdout.splitlines() == [
        "would add: one (1.0 B) [new, content goes to the annex]",
        "would not add: two (1.0 B) [it has changed since the plan was made]",
        "plan: 1 step, 1.0 B, 1 refused; nothing was changed",
    ]
    done = said("carry-out", "../plan.json")
    assert done.returncode == 3
    assert "two is left alone: it has changed since the plan was made." in done.stdout + done.stderr
    monkeypatch.chdir(clone)
    with pytest.raises(engram.IncompleteResults) as raised:
        engram.carry_out("../plan.json")
    outcomes: tuple[Outcome, ...] = raised.value.outcomes
    assert {(outcome.item, str(outcome.status)) for outcome in outcomes} == {
        ("one", "notneeded"),
        ("two", "impossible"),
    }


class TestFromPython:
    @pytest.fixture(autouse=True)
    def inside(self, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(clone)

    def test_a_plan_is_what_the_command_line_keeps(self, clone: Path) -> None:
        write(clone, "new", "new")
        command = [sys.executable, "-m", "engram", "save", "-m", "x", "--dry-run", "--json"]
        shown = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout
        plan = engram.plan(engram.save, message="x")
        assert json.loads(json.dumps(plan.as_json())) == json.loads(shown)

    def test_it_changes_nothing_and_is_carried_out(self, clone: Path) -> None:
        before = git(clone, "rev-parse", "HEAD")
        write(clone, "new", "new")
        plan = engram.plan(engram.save, message="planned")
        assert git(clone, "rev-parse", "HEAD") == before
        assert [outcome.status for outcome in engram.carry_out(plan)] == ["ok", "ok"]
        assert git(clone, "log", "-1", "--format=%s") == "planned\n"

    def test_there_is_one_of_every_verb_whose_plan_can_be_carried_out(self, tmp_path: Path) -> None:
        plans = (
            engram.plan(engram.create, tmp_path / "new"),
            engram.plan(engram.clone, ".", tmp_path / "cloned"),
            engram.plan(engram.save),
            engram.plan(engram.get, "a.dat"),
            engram.plan(engram.drop, "a.dat"),
            engram.plan(engram.remove, "notes.txt"),
            engram.plan(engram.unlock, "a.dat"),
            engram.plan(engram.numcopies, 2),
            engram.plan(engram.fsck),
            engram.plan(engram.clean),
        )
        verbs = "create clone save get drop remove unlock numcopies fsck clean".split()
        assert [plan.command for plan in plans] == verbs
        assert engram.plan(engram.numcopies) == Plan()
        assert not (tmp_path / "new").exists()

    def test_of_what_changes_nothing_there_is_none(self) -> None:
        with pytest.raises(UsageError, match=r"no plan of engram\.status"):
            engram.plan(engram.status)

    def test_the_verbs_are_functions_with_their_own_arguments(self) -> None:
        assert inspect.isfunction(engram.drop)
        assert inspect.signature(engram.drop).return_annotation == list[Outcome]
        assert list(inspect.signature(engram.numcopies).parameters) == ["number", "dataset"]
