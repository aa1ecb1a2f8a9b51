"""What holds for every command: options on both sides, formats, exit codes, errors."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram import __version__
from engram.cli.pages import commands
from engram.cli.reference import root_context
from engram.cli.root import COMMANDS
from engram.model.errors import OutsideDataset, PathNotFound
from engram.model.outcome import DatasetOutcome, Outcome, Status, failure
from engram.model.plan import Plan, PlannedStep
from engram.workspace.context import Context
from tests.cli.conftest import TEST_VERBS, Engram, Terminal
from tests.cli.verbs.emit import Source


def outcome(item: str = "a.nii", status: Status = Status.OK, action: str = "save", **more: Any) -> Outcome:
    return Outcome(action=action, item=item, status=status, **more)


class Emitting(Source):
    """A source of given outcomes, that notes its context and whether it was closed."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self.given = outcomes
        self.shown = 0
        self.closed = False

    def __call__(self, context: Context) -> "Emitting":
        self.context = context
        return self

    def outcomes(self) -> Iterator[Outcome]:
        try:
            for each in self.given:
                if isinstance(each, Exception):
                    raise each
                self.shown += 1
                yield each
        finally:
            self.closed = True


GOOD = outcome()
BAD = outcome("b.nii", Status.ERROR, message="it broke", error="ItemFailed", remedy="mend it")
UNKNOWN = failure(PathNotFound("typo.nii"), action="save", item="typo.nii")


class TestHelp:
    def test_a_command_is_found_by_the_name_of_its_file(self, verb: Engram) -> None:
        assert verb("noun", "do-it").out == "done\n"
        assert verb("plan", "--dry-run").code == 0

    def test_a_noun_names_the_whole_command(self, verb: Engram) -> None:
        assert verb("--json", "noun", "do-it").records[0]["topic"] == "noun do-it"

    @pytest.mark.parametrize("words", [("emti",), ("_hidden",), ("noun", "do-itt"), ("__init__",)])
    def test_an_unknown_command_is_a_nonsense_request(self, verb: Engram, words: tuple[str, ...]) -> None:
        said = verb(*words)
        assert (said.code, said.out) == (2, "")
        assert len(said.err.splitlines()) == 2

    def test_the_nearest_command_is_named(self, verb: Engram) -> None:
        assert verb("emti").err.startswith("There is no command 'emti'; did you mean emit?\n")

    def test_nothing_at_all_shows_the_help(self, verb: Engram) -> None:
        said = verb()
        assert said.code == 2
        assert "emit" in said.err

    def test_nothing_at_all_is_an_error_for_programs(self, verb: Engram) -> None:
        said = verb("--json")
        assert (said.code, said.records[0]["message"]) == (2, "Missing command.")

    @pytest.mark.parametrize("letters", ["-h", "--help", "--help-np"])
    def test_help_stands_on_both_sides(self, verb: Engram, letters: str) -> None:
        of_command, of_all = verb("emit", letters), verb(letters)
        assert (of_command.code, of_all.code) == (0, 0)
        assert "Show the outcomes that a test hands in." in of_command.out
        assert "Commands that only tests have." in of_all.out

    def test_the_list_of_commands_imports_none_of_them(self, verb: Engram) -> None:
        sys.modules.pop("tests.cli.verbs.run", None)
        shown = verb("--help").out
        assert "Run a user's own command, with all of its words" in shown
        assert "A noun that has verbs of its own" in shown
        assert "hidden" not in shown
        assert "tests.cli.verbs.run" not in sys.modules

    def test_the_version_is_told(self, verb: Engram) -> None:
        told = verb("--version")
        assert (told.code, told.out) == (0, f"engram {__version__}\n")

    @pytest.mark.parametrize("words", ["--help", "help settings", "emit --help", "--version"])
    def test_what_is_wrong_with_settings_keeps_nobody_from_reading_about_them(self, verb: Engram, words: str) -> None:
        wrong = {"ENGRAM_UI_PROGRESS": "perhaps"}
        assert verb("emit", environment=wrong, rooms={"Source": Emitting()}).code == 2
        commands = COMMANDS if words.startswith("help") else TEST_VERBS
        assert verb(*words.split(), environment=wrong, commands=commands).code == 0

    @pytest.mark.parametrize("name", [*(name for name, _, _ in commands(*root_context()))])
    def test_help_fits_a_terminal(self, engram: Engram, name: str) -> None:
        text = engram("help", *name.split(), environment={"COLUMNS": "80"}).out
        assert max(map(len, text.splitlines())) <= 80
        assert "Example" in text or "    engram " in text or "COMMAND" in text

    def test_examples_stay_as_they_are_typed(self, engram: Engram) -> None:
        text = engram("help", "config", "explain").out
        assert "    engram config explain datasets.backend\n" in text
        assert max(map(len, text.splitlines())) <= 80


class TestBothSides:
    @pytest.mark.parametrize("words", [("--json", "emit"), ("emit", "--json"), ("-f", "json", "emit")])
    def test_json_may_stand_before_and_after(self, verb: Engram, words: tuple[str, ...]) -> None:
        (record,) = verb(*words, rooms={"Source": Emitting(GOOD)}).records
        assert (record["record"], record["item"]) == ("outcome", "a.nii")

    @pytest.mark.parametrize("words", [("-q", "emit"), ("emit", "--quiet"), ("emit", "-q")])
    def test_quiet_shows_only_what_failed(self, verb: Engram, words: tuple[str, ...]) -> None:
        said = verb(*words, rooms={"Source": Emitting(GOOD, BAD, GOOD)})
        assert said.out == "save(error): b.nii [it broke]\n  mend it\n"

    @pytest.mark.parametrize("words", [("--no-progress", "emit"), ("emit", "--no-progress"), ("emit", "--json")])
    def test_progress_can_be_switched_off(self, verb: Engram, words: tuple[str, ...]) -> None:
        source = Emitting()
        verb(*words, rooms={"Source": source}, terminal=True)
        assert type(source.context.progress).__name__ == "Silent"

    @pytest.mark.parametrize("words", [("--lab", "lab", "emit"), ("emit", "--lab", "lab")])
    def test_the_lab_is_named_on_both_sides(self, verb: Engram, tmp_path: Path, words: tuple[str, ...]) -> None:
        (tmp_path / "lab").mkdir()
        (tmp_path / "lab" / "engram.toml").write_text('[lab]\nname = "Ours"\n')
        source = Emitting()
        assert verb(*words, rooms={"Source": source}).code == 0
        assert source.context.settings.lab_name == "Ours"

    def test_a_lab_that_is_none_is_told(self, verb: Engram) -> None:
        said = verb("emit", "--lab", "nowhere")
        assert said.code == 2
        assert "engram.toml" in said.err

    @pytest.mark.parametrize("words", [("--yes", "fail", "ask"), ("fail", "ask", "--yes")])
    def test_yes_agrees_on_both_sides(self, verb: Engram, words: tuple[str, ...]) -> None:
        assert verb(*words).code == 0

    def test_without_a_terminal_nobody_agrees(self, verb: Engram) -> None:
        said = verb("fail", "ask")
        assert said.code == 2
        assert "--yes" in said.err

    @pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("Yes\n", 0), ("\n", 2), ("no\n", 2), ("", 2)])
    def test_on_a_terminal_the_user_is_asked(
        self, verb: Engram, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
    ) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        said = verb("fail", "ask", terminal=True)
        assert said.code == code
        assert said.err.startswith("Delete everything? [y/N]\n")

    def test_after_the_command_a_letter_is_the_commands_own(self, verb: Engram) -> None:
        source = Emitting()
        assert verb("-c", "user.name=Ada", "emit", "-c", "red", rooms={"Source": source}).code == 0
        assert source.context.git_configuration == ("user.name=Ada",)

    @pytest.mark.parametrize(
        ("words", "shown"),
        [
            (("run", "ls", "--json", "-q", "--help", "-m", "x"), "ls|--json|-q|--help|-m|x"),
            (("run", "-m", "why", "ls", "--", "-l"), "ls|--|-l"),
            (("run", "--", "--json"), "--json"),
            (("run", "-q", "--", "true"), ""),
        ],
    )
    def test_from_its_first_word_on_a_users_command_has_everything(
        self, verb: Engram, words: tuple[str, ...], shown: str
    ) -> None:
        assert verb(*words).out.strip() in (shown, "true")

    def test_a_users_command_leaves_the_options_before_it_alone(self, verb: Engram) -> None:
        (record,) = verb("run", "--json", "-m", "why", "ls", "--json").records
        assert (record["topic"], record["text"]) == ("why", "ls|--json")


class TestBefore:
    def test_work_starts_in_another_folder(self, verb: Engram, tmp_path: Path) -> None:
        (tmp_path / "a" / "b").mkdir(parents=True)
        source = Emitting()
        verb("-C", "a", "-C", "b", "emit", rooms={"Source": source})
        assert source.context.folder == str(tmp_path / "a" / "b")

    def test_a_folder_is_entered_as_cd_would(self, verb: Engram, tmp_path: Path) -> None:
        (tmp_path / "far" / "away").mkdir(parents=True)
        (tmp_path / "link").symlink_to("far/away")
        source = Emitting()
        verb("-C", "link/..", "emit", rooms={"Source": source})
        assert source.context.folder == str(tmp_path / "far")

    def test_the_options_before_a_command_can_be_ended_as_in_datalad(self, verb: Engram) -> None:
        assert verb("--cmd", "noun", "do-it").out == "done\n"

    def test_a_folder_that_is_not_there_is_told(self, verb: Engram) -> None:
        assert verb("-C", "nowhere", "emit").code == 2

    def test_settings_and_git_configuration_are_told_apart(self, verb: Engram) -> None:
        source = Emitting()
        words = ("-c", "engram.datasets.backend=MD5E", "-c", "user.name=a=b", "-c", ":core.bare", "emit")
        assert verb(*words, rooms={"Source": source}).code == 0
        assert source.context.settings.datasets_backend == "MD5E"
        assert source.context.git_configuration == ("user.name=a=b", ":core.bare")

    def test_a_setting_can_be_taken_back(self, verb: Engram) -> None:
        source = Emitting()
        environment = {"ENGRAM_DATASETS_BACKEND": "MD5E"}
        verb("-c", ":engram.datasets.backend", "emit", rooms={"Source": source}, environment=environment)
        assert source.context.settings.datasets_backend == "SHA256E"

    @pytest.mark.parametrize("override", ["user", "user.name", "=x", ":user", "user=x"])
    def test_what_sets_nothing_is_refused(self, verb: Engram, override: str) -> None:
        said = verb("-c", override, "emit")
        assert (said.code, said.out) == (2, "")

    def test_an_unknown_setting_names_the_nearest(self, verb: Engram) -> None:
        said = verb("-c", "engram.ui.colour=on", "emit")
        assert said.code == 2
        assert "ui.color" in said.err

    @pytest.mark.parametrize("words", [("-f", "xml"), ("-f", "{path"), ("-l", "loud"), ("--on-failure", "weep")])
    def test_an_impossible_value_is_refused(self, verb: Engram, words: tuple[str, ...]) -> None:
        said = verb(*words, "emit")
        assert said.code == 2
        assert len(said.err.splitlines()) == 2

    @pytest.mark.parametrize("level", ["debug", "1", "9", "critical"])
    def test_every_level_of_the_log_is_known(self, verb: Engram, level: str) -> None:
        assert verb("-l", level, "emit").code == 0

    def test_the_log_stands_beside_the_results(self, verb: Engram) -> None:
        class Logging(Emitting):
            def outcomes(self) -> Iterator[Outcome]:
                logging.getLogger("engram.somewhere").info("seen a\x1bb")
                logging.getLogger("engram.somewhere").debug("not seen")
                return super().outcomes()

        said = verb("-l", "info", "emit", rooms={"Source": Logging(GOOD)})
        assert said.out == "save(ok): a.nii\n"
        assert said.err == "[INFO] engram.somewhere: seen a\\x1bb\n"

    @pytest.mark.parametrize(
        ("status", "items"),
        [("success", "ad"), ("failure", "bc"), ("ok", "a"), ("notneeded", "d"), ("impossible", "c"), ("error", "b")],
    )
    def test_only_some_statuses_are_shown(self, verb: Engram, status: str, items: str) -> None:
        pairs = zip("abcd", (Status.OK, Status.ERROR, Status.IMPOSSIBLE, Status.NOT_NEEDED), strict=True)
        source = Emitting(*(outcome(item, each) for item, each in pairs))
        said = verb("--json", "--report-status", status, "emit", rooms={"Source": source})
        assert "".join(record["item"] for record in said.records) == items
        assert said.code == 3

    def test_only_some_types_are_shown(self, verb: Engram) -> None:
        kinds = ("file", "symlink", "dataset")
        source = Emitting(
            *(DatasetOutcome(action="a", item=kind, status=Status.OK, path=f"/{kind}", type=kind) for kind in kinds)
        )
        words = ("--json", "--report-type", "file", "--report-type", "dataset", "emit")
        assert [record["item"] for record in verb(*words, rooms={"Source": source}).records] == ["file", "dataset"]


class TestFormats:
    def test_a_template_is_filled_in(self, verb: Engram) -> None:
        said = verb(
            "-f", "{item}|{status:>8}|{no[such][field]}|{nor.this:>9}", "emit", rooms={"Source": Emitting(GOOD)}
        )
        assert said.out == "a.nii|      ok|N/A|N/A\n"

    def test_a_template_may_hold_tabs_and_its_fields_may_not(self, verb: Engram) -> None:
        said = verb("-f", "{item}\t{status}", "emit", rooms={"Source": Emitting(outcome("a\tb"))})
        assert said.out == "a\\tb\tok\n"

    def test_default_is_the_old_name_of_generic(self, verb: Engram) -> None:
        shown = {
            form: verb("-f", form, "emit", rooms={"Source": Emitting(GOOD)}).out for form in ("default", "generic")
        }
        assert shown["default"] == shown["generic"] == "save(ok): a.nii\n"

    def test_disabled_shows_nothing(self, verb: Engram) -> None:
        said = verb("-f", "disabled", "emit", rooms={"Source": Emitting(GOOD, BAD)})
        assert (said.code, said.out) == (3, "")

    def test_json_can_be_indented(self, verb: Engram) -> None:
        said = verb("-f", "json_pp", "emit", rooms={"Source": Emitting(GOOD)})
        assert json.loads(said.out)["item"] == "a.nii"
        assert said.out.startswith("{\n  ")

    def test_a_name_that_is_not_utf8_comes_through_json_unharmed(self, verb: Engram) -> None:
        name = b"caf\xe9\x80.nii"
        item = name.decode("utf-8", "surrogateescape")
        said = verb("--json", "emit", rooms={"Source": Emitting(outcome(item))})
        assert said.out.isascii()
        assert said.records[0]["item"].encode("utf-8", "surrogateescape") == name


class TestFailures:
    @pytest.mark.parametrize(
        ("choice", "outcomes", "code", "shown"),
        [
            ("continue", (GOOD, BAD, GOOD), 3, 3),
            ("stop", (GOOD, BAD, GOOD), 3, 2),
            ("ignore", (GOOD, BAD, GOOD), 0, 3),
            ("ignore", (UNKNOWN, GOOD), 3, 2),
            ("continue", (GOOD,), 0, 1),
            ("stop", (GOOD, GOOD), 0, 2),
            ("continue", (), 0, 0),
        ],
    )
    def test_what_a_failed_item_means_can_be_chosen(
        self, verb: Engram, choice: str, outcomes: tuple[Outcome, ...], code: int, shown: int
    ) -> None:
        source = Emitting(*outcomes)
        said = verb("--on-failure", choice, "emit", rooms={"Source": source})
        assert (said.code, source.shown, source.closed) == (code, shown, True)

    def test_the_workspace_is_told_to_report_unknown_arguments(self, verb: Engram) -> None:
        for choice, reports in (("ignore", True), ("continue", False)):
            source = Emitting()
            verb("--on-failure", choice, "emit", rooms={"Source": source})
            assert source.context.reports_unknown is reports

    @pytest.mark.parametrize(("how", "code"), [("path", 2), ("busy", 30), ("disk", 31)])
    def test_an_error_is_two_lines_and_its_own_code(self, verb: Engram, how: str, code: int) -> None:
        said = verb("fail", how)
        assert (said.code, said.out) == (code, "")
        assert len(said.err.splitlines()) == 2
        assert "\x1b" not in said.err

    @pytest.mark.parametrize("words", [("--json", "fail", "busy"), ("fail", "busy", "--json")])
    def test_an_error_is_a_json_line_too(self, verb: Engram, words: tuple[str, ...]) -> None:
        said = verb(*words)
        (record,) = said.records
        assert {name: record[name] for name in ("record", "action", "status", "error")} == {
            "record": "outcome",
            "action": "fail",
            "status": "error",
            "error": "DatasetBusy",
        }
        assert record["message"]
        assert record["remedy"]
        assert len(said.err.splitlines()) == 2

    @pytest.mark.parametrize("words", [("emit", "--nope", "--json"), ("emit", "--json", "--nope")])
    def test_a_wrong_option_is_a_json_line_too(self, verb: Engram, words: tuple[str, ...]) -> None:
        said = verb(*words)
        assert said.code == 2
        assert said.records[0]["action"] == "emit"
        assert "--nope" in said.records[0]["message"]
        assert "engram emit --help" in said.err

    def test_an_error_after_something_was_done_is_a_partial_failure(self, verb: Engram) -> None:
        said = verb("--json", "emit", rooms={"Source": Emitting(GOOD, OutsideDataset("x", "y"))})
        assert said.code == 3
        assert [record["status"] for record in said.records] == ["ok", "error"]

    def test_an_error_while_something_is_read_keeps_its_code(self, verb: Engram) -> None:
        assert verb("emit", "--reads-only", rooms={"Source": Emitting(GOOD, OutsideDataset("x", "y"))}).code == 2

    def test_an_error_before_anything_was_done_keeps_its_code(self, verb: Engram) -> None:
        needless = outcome(status=Status.NOT_NEEDED)
        assert verb("emit", rooms={"Source": Emitting(needless, OutsideDataset("x", "y"))}).code == 2

    def test_a_bug_is_one_line_and_a_saved_traceback(
        self, verb: Engram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        said = verb("fail", "bug")
        (saved,) = (tmp_path / "state" / "engram").glob("bug-*.txt")
        assert said.code == 1
        assert len(said.err.splitlines()) == 2
        assert str(saved) in said.err
        assert "KeyError" in said.err
        assert verb("--json", "fail", "bug").records[0]["error"] == "Bug"
        assert "Traceback" in saved.read_text()

    @pytest.mark.parametrize("kind", ["bug", "error"])
    def test_what_fails_once_a_signal_came_is_an_interruption(
        self, kind: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The engine of snapshots ends a statement by an error of its own when Ctrl-C comes."""
        from engram.cli.run import call_here, run

        heard = KeyboardInterrupt(2)
        with pytest.raises(KeyboardInterrupt) as ended:
            run(call_here(), ["fail", kind], commands=TEST_VERBS, heard=[heard])
        assert ended.value is heard
        assert capsys.readouterr().err.startswith("Interrupted.\n")

    def test_debugging_prints_the_traceback_as_well(
        self, verb: Engram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        assert "Traceback (most recent call last)" in verb("-l", "debug", "fail", "bug").err

    def test_a_traceback_that_cannot_be_saved_is_printed(
        self, verb: Engram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "state").write_text("in the way")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        said = verb("fail", "bug")
        assert said.code == 1
        assert "Traceback (most recent call last)" in said.err


class TestPlans:
    def test_a_plan_is_shown_and_nothing_is_done(self, verb: Engram) -> None:
        said = verb("plan", "--dry-run")
        assert said.out == "would add: a.nii (2.0 KB) [untracked]\nplan: 1 step, 2.0 KB; nothing was changed\n"

    def test_a_plan_is_one_json_line_and_the_same_in_a_file(self, verb: Engram, tmp_path: Path) -> None:
        said = verb("plan", "--dry-run", "-o", "PLAN.json", "--json")
        (record,) = said.records
        assert json.loads((tmp_path / "PLAN.json").read_text()) == record
        assert Plan.from_json(record).steps == (PlannedStep(action="add", item="a.nii", bytes=2048, why="untracked"),)

    @pytest.mark.parametrize("words", [("-o", "PLAN.json", "--dry-run"), ("--dry-run", "-o", "PLAN.json")])
    def test_the_order_of_options_does_not_matter(self, verb: Engram, tmp_path: Path, words: tuple[str, ...]) -> None:
        assert verb("plan", *words).code == 0
        assert (tmp_path / "PLAN.json").exists()

    def test_a_plan_file_needs_a_plan(self, verb: Engram, tmp_path: Path) -> None:
        assert verb("plan", "-o", "PLAN.json").code == 2
        assert not (tmp_path / "PLAN.json").exists()

    def test_a_plan_file_that_cannot_be_written_is_told(self, verb: Engram) -> None:
        assert verb("plan", "--dry-run", "-o", "no/such/PLAN.json").code == 2

    def test_what_is_refused_is_told(self, verb: Engram) -> None:
        plan = Plan(refused=(PlannedStep(action="add", item="pipe", why="a FIFO"),))

        class Refusing:
            def __init__(self, _: Context) -> None:
                self.plan = plan

        said = verb("plan", "--dry-run", rooms={"Planner": Refusing})
        assert "would not add: pipe [a FIFO]\n" in said.out
        assert "1 refused" in said.out


def test_a_folder_that_is_gone_is_told(verb: Engram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from engram.cli.run import call_here, run

    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(call_here(), ["emit"], commands=TEST_VERBS) == 2
