"""What create, save, status and trust hand to the workspace, and how they show what comes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.model.errors import DamagedRepository
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.workspace.context import Context
from tests.cli.conftest import Engram, Shown


class FakeDatasets:
    """Notes what it is asked for, and gives back what it was told to."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.given = outcomes
        self.asked: dict[str, Any] = {}

    def __call__(self, context: Context) -> "FakeDatasets":
        self.context = context
        return self

    def create(self, path: str | None, **rest: Any) -> Iterator[Outcome]:
        return self._outcomes("create", path=path, **rest)

    def plan_create(self, path: str | None, **rest: Any) -> Plan:
        return self._plan("create", path=path, **rest)

    def save(self, paths: tuple[str, ...], **rest: Any) -> Iterator[Outcome]:
        return self._outcomes("save", paths=paths, **rest)

    def plan_save(self, paths: tuple[str, ...], **rest: Any) -> Plan:
        return self._plan("save", paths=paths, **rest)

    def status(self, paths: tuple[str, ...], **rest: Any) -> Iterator[Outcome]:
        return self._outcomes("status", paths=paths, **rest)

    def trust(self, path: str) -> Iterator[Outcome]:
        return self._outcomes("trust", path=path)

    def _outcomes(self, verb: str, **asked: Any) -> Iterator[Outcome]:
        self.asked = {"verb": verb, **asked}
        return iter(self.given)

    def _plan(self, verb: str, **asked: Any) -> Plan:
        self.asked = {"verb": f"plan_{verb}", **asked}
        return Plan(steps=(PlannedStep(action=verb, item="x"),))


def asked(engram: Engram, *words: str) -> dict[str, Any]:
    datasets = FakeDatasets()
    said = engram(*words, rooms={"Datasets": datasets})
    assert said.code == 0, said.err
    return datasets.asked


def shown(engram: Engram, *words: str, outcomes: tuple[Outcome, ...], terminal: bool = False) -> Shown:
    return engram(*words, rooms={"Datasets": FakeDatasets(*outcomes)}, terminal=terminal, environment={"TERM": "dumb"})


CREATE = {
    "verb": "create",
    "path": None,
    "dataset": None,
    "procedures": (),
    "force": False,
    "annex": True,
    "message": None,
    "description": None,
    "backend": None,
    "init_options": (),
}
SAVE = {
    "verb": "save",
    "paths": (),
    "dataset": None,
    "message": None,
    "message_file": None,
    "updated": False,
    "tag": None,
    "to_git": False,
    "amend": False,
    "jobs": None,
    "recursive": False,
    "recursion_limit": None,
}
STATUS = {
    "verb": "status",
    "paths": (),
    "dataset": None,
    "annex": None,
    "untracked": "normal",
    "evaluate_subdatasets": "full",
    "recursive": False,
    "recursion_limit": None,
    "report_clean": False,
}


class TestCreate:
    @pytest.mark.parametrize(
        ("words", "differs"),
        [
            ("", {}),
            ("ds", {"path": "ds"}),
            ("ds -c text2git", {"path": "ds", "procedures": ("text2git",)}),
            ("-c text2git ds", {"path": "ds", "procedures": ("text2git",)}),
            ("-c text2git -c yoda ds", {"path": "ds", "procedures": ("text2git", "yoda")}),
            ("--cfg-proc yoda ds -f", {"path": "ds", "procedures": ("yoda",), "force": True}),
            ("-d . sub", {"path": "sub", "dataset": "."}),
            ("-D here ds --no-annex", {"path": "ds", "description": "here", "annex": False}),
            ("--backend MD5E -m why ds", {"path": "ds", "backend": "MD5E", "message": "why"}),
            ("ds --shared=group", {"path": "ds", "init_options": ("--shared=group",)}),
            ("ds --initial-branch main", {"path": "ds", "init_options": ("--initial-branch", "main")}),
            ("ds -b main -c yoda", {"path": "ds", "init_options": ("-b", "main"), "procedures": ("yoda",)}),
            ("-f ds -- -b main -c x", {"path": "ds", "force": True, "init_options": ("-b", "main", "-c", "x")}),
        ],
    )
    def test_options_are_datalads(self, engram: Engram, words: str, differs: dict[str, Any]) -> None:
        assert asked(engram, "create", *words.split()) == {**CREATE, **differs}

    def test_a_misspelt_option_is_no_path(self, engram: Engram) -> None:
        said = engram("create", "--frce", "ds", rooms={"Datasets": FakeDatasets()})
        assert said.code == 2
        assert "--frce" in said.err

    def test_a_dry_run_plans(self, engram: Engram) -> None:
        assert asked(engram, "create", "ds", "--dry-run") == {**CREATE, "verb": "plan_create", "path": "ds"}


class TestSave:
    @pytest.mark.parametrize(
        ("words", "differs"),
        [
            ("", {}),
            ("a b -m why", {"paths": ("a", "b"), "message": "why"}),
            ("-u -F notes.txt", {"updated": True, "message_file": "notes.txt"}),
            ("-d ../ds -t v1 --to-git a", {"dataset": "../ds", "tag": "v1", "to_git": True, "paths": ("a",)}),
            ("--version-tag v1 --amend", {"tag": "v1", "amend": True}),
            ("-r -R 2", {"recursive": True, "recursion_limit": 2}),
            ("-J 4", {"jobs": 4}),
            ("--jobs auto", {"jobs": 0}),
            ("-- -odd", {"paths": ("-odd",)}),
            ("--dry-run a", {"verb": "plan_save", "paths": ("a",)}),
        ],
    )
    def test_options_are_datalads(self, engram: Engram, words: str, differs: dict[str, Any]) -> None:
        assert asked(engram, "save", *words.split()) == {**SAVE, **differs}

    @pytest.mark.parametrize("words", ["-J 0", "-J many", "-R -1", "-J ²"])
    def test_what_makes_no_sense_is_refused_before_anything_is_done(self, engram: Engram, words: str) -> None:
        datasets = FakeDatasets()
        said = engram("save", *words.split(), rooms={"Datasets": datasets})
        assert (said.code, said.out, datasets.asked) == (2, "", {})

    def test_a_path_that_is_not_utf8_arrives_as_it_is(self, engram: Engram) -> None:
        assert asked(engram, "save", "caf\udce9")["paths"] == ("caf\udce9",)

    def test_a_plan_is_shown(self, engram: Engram) -> None:
        said = engram("save", "--dry-run", "--json", rooms={"Datasets": FakeDatasets()})
        assert json.loads(said.out)["record"] == "plan"

    def test_lines_are_datalads(self, engram: Engram) -> None:
        outcomes = (
            DatasetOutcome(action="add", item="a", status=Status.OK, path="/ds/a", type="file", refds="/ds"),
            DatasetOutcome(action="save", item=".", status=Status.OK, path="/ds", type="dataset", refds="/ds"),
        )
        assert shown(engram, "save", outcomes=outcomes).out == (
            "add(ok): a (file)\nsave(ok): . (dataset)\naction summary:\n  add (ok: 1)\n  save (ok: 1)\n"
        )


def seen(path: str, state: str, folder: Path, kind: str = "file", **more: Any) -> DatasetOutcome:
    return DatasetOutcome(
        action="status",
        item=path,
        status=Status.OK,
        path=f"{folder}/{path}",
        type=kind,
        refds=str(folder),
        state=state,
        **more,
    )


class TestStatus:
    @pytest.mark.parametrize(
        ("words", "differs"),
        [
            ("", {}),
            ("a b -d ds", {"paths": ("a", "b"), "dataset": "ds"}),
            ("--annex", {"annex": "basic", "report_clean": True}),
            ("--annex a", {"annex": "basic", "paths": ("a",), "report_clean": True}),
            ("--annex all a", {"annex": "all", "paths": ("a",), "report_clean": True}),
            ("--annex=availability", {"annex": "availability", "report_clean": True}),
            ("--annex -r", {"annex": "basic", "recursive": True, "report_clean": True}),
            ("--untracked all -e no", {"untracked": "all", "evaluate_subdatasets": "no"}),
            ("-r -R 1 -t raw", {"recursive": True, "recursion_limit": 1}),
            ("--json", {"report_clean": True}),
        ],
    )
    def test_options_are_datalads(self, engram: Engram, words: str, differs: dict[str, Any]) -> None:
        assert asked(engram, "status", *words.split()) == {**STATUS, **differs}

    def test_after_two_dashes_annex_is_a_path(self, engram: Engram) -> None:
        assert asked(engram, "status", "--", "--annex")["paths"] == ("--annex",)

    def test_states_stand_in_a_column_and_clean_ones_are_left_out(self, engram: Engram, tmp_path: Path) -> None:
        outcomes = (
            seen("new", "untracked", tmp_path),
            seen("sub/x", "modified", tmp_path, "symlink"),
            seen("old", "deleted", tmp_path),
            seen("same", "clean", tmp_path),
            seen("inner", "", tmp_path, "dataset"),
        )
        assert shown(engram, "status", outcomes=outcomes).out == (
            "untracked: new (file)\n modified: sub/x (symlink)\n  deleted: old (file)\n  unknown: inner (dataset)\n"
        )

    def test_from_a_folder_below_paths_are_absolute(self, engram: Engram, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        outcomes = (seen("new", "untracked", tmp_path),)
        assert shown(engram, "-C", "sub", "status", outcomes=outcomes).out == f"untracked: {tmp_path}/new (file)\n"
        assert shown(engram, "-C", "sub", "status", "-d", "..", outcomes=outcomes).out == "untracked: new (file)\n"

    @pytest.mark.parametrize("form", ["tailored", "generic"])
    def test_a_clean_dataset_says_so(self, engram: Engram, form: str) -> None:
        assert shown(engram, "-f", form, "status", outcomes=()).out == "nothing to save, working tree clean\n"

    def test_a_failure_is_no_clean_dataset(self, engram: Engram) -> None:
        failed = Outcome(action="status", item="a", status=Status.IMPOSSIBLE, message="who knows", error="X")
        said = shown(engram, "status", outcomes=(failed,))
        assert (said.code, said.out) == (3, "status(impossible): a [who knows]\n")

    def test_annexed_sizes_are_added_up(self, engram: Engram, tmp_path: Path) -> None:
        outcomes = (
            seen("a", "clean", tmp_path, key="MD5E-s5--a", bytesize=5, extra=(("has_content", True),)),
            seen("b", "clean", tmp_path, key="MD5E-s3--b", bytesize=3, extra=(("has_content", False),)),
        )
        assert shown(engram, "status", "--annex", "all", outcomes=outcomes).out == (
            "2 annex'd files (5.0 B/8.0 B present/total size)\nnothing to save, working tree clean\n"
        )
        without = (seen("a", "clean", tmp_path, key="MD5E-s5--a", bytesize=5),)
        assert shown(engram, "status", "--annex", outcomes=without).out.startswith(
            "1 annex'd file (5.0 B recorded total size)\n"
        )

    def test_a_name_is_shown_without_control_characters(self, engram: Engram, tmp_path: Path) -> None:
        out = shown(engram, "status", outcomes=(seen("a\x1b[2J", "untracked", tmp_path),)).out
        assert out == "untracked: a\\x1b[2J (file)\n"

    def test_a_dataset_of_which_not_all_was_seen_is_not_called_clean(self, engram: Engram, tmp_path: Path) -> None:
        class Breaking(FakeDatasets):
            def status(self, paths: tuple[str, ...], **rest: Any) -> Iterator[Outcome]:
                yield seen("same", "clean", tmp_path)
                raise DamagedRepository("HEAD", "it is empty")

        said = engram("status", rooms={"Datasets": Breaking()})
        assert (said.code, said.out) == (20, "")


def test_trust_says_when_there_was_nothing_to_allow(engram: Engram) -> None:
    needless = Outcome(action="trust", item=".", status=Status.NOT_NEEDED, note="it brings nothing along")
    assert shown(engram, "trust", ".", outcomes=(needless,)).out == "trust(notneeded): . [it brings nothing along]\n"


def test_trust_names_its_dataset(engram: Engram) -> None:
    assert asked(engram, "trust", ".") == {"verb": "trust", "path": "."}
    assert engram("trust").code == 2
