"""Commands that are run, repeated and traced back: what is saved, what is refused, and what nobody is asked for."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engram.datasets.provenance.run_records import RunMessage, RunRecord
from engram.model.errors import BadRecord, EngramError, NotTrusted, OutsideDataset, PathNotFound, UsageError
from engram.testing.places import Template
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from engram.workspace.provenance import Provenance
from tests.conftest import ROOT

pytestmark = pytest.mark.integration

DATASET = "ds"


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def context(folder: Path, **more: Any) -> Context:
    return Context(folder=str(folder), environment=dict(os.environ), **more)


def run(folder: Path, command: Any, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in Provenance(context(folder)).run(command, **options)]


def rerun(folder: Path, revision: str | None = None, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in Provenance(context(folder)).rerun(revision, **options)]


def history(folder: Path, path: str) -> list[dict[str, Any]]:
    return [version.as_json() for version in Provenance(context(folder)).history(path)]


def commit_message(folder: Path, message: str) -> None:
    """A commit as anybody could make it, with an empty change."""
    git(folder, "commit", "-q", "--allow-empty", "-m", message)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of its own for each test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "engram"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, git_annex: Path) -> Template:
    under = tmp_path_factory.mktemp("provenance")
    folder = under / DATASET
    list(Datasets(context(under)).create(str(folder)))
    (folder / "a.txt").write_text("alpha\n")
    (folder / "b.txt").write_text("beta\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "c.txt").write_text("gamma\n")
    list(Datasets(context(folder)).save(message="all of it"))
    git(folder, "branch", "-q", "-M", "main")
    return Template(folder, under)


@pytest.fixture
def dataset(template: Template) -> Path:
    return template.fresh()


class TestWhatACommandMayDo:
    def test_delete_the_folder_that_it_runs_in(self, dataset: Path) -> None:
        told = run(dataset / "sub", 'rm -rf "$PWD"')
        assert [(one["action"], one["status"]) for one in told][-1] == ("save", "ok")
        assert "sub/c.txt" not in git(dataset, "ls-tree", "-r", "--name-only", "HEAD")

    def test_switch_the_branch_but_then_it_is_not_recorded(self, dataset: Path) -> None:
        before = git(dataset, "rev-parse", "HEAD")
        told = run(dataset, "git checkout -q -b other; echo x > n.txt; git add n.txt; git commit -qm own")
        assert [one["error"] for one in told] == ["UsageError"]
        assert git(dataset, "rev-parse", "main") == before
        assert "[DATALAD RUNCMD]" in (dataset / ".git" / "COMMIT_EDITMSG").read_text()

    def test_take_a_commit_back_but_then_nothing_is_merged(self, dataset: Path) -> None:
        run(dataset, "echo x > n.txt")
        told = run(dataset, "git reset -q --hard HEAD~1")
        assert "left the history" in next(one["message"] for one in told if one["status"] == "error")

    def test_leave_something_running(self, dataset: Path) -> None:
        told = run(dataset, "echo x > n.txt; sleep 60 & echo $! > ../pid")
        os.kill(int((dataset.parent / "pid").read_text()), 9)
        assert told[-1]["status"] == "ok"

    def test_be_ended_by_a_signal(self, dataset: Path) -> None:
        told = run(dataset, "echo x > n.txt; kill -9 $$")
        assert (told[-1]["exit_code"], told[-1]["error"]) == (137, "CommandFailed")
        assert "n.txt" in git(dataset, "status", "--porcelain")

    def test_find_its_own_temporary_folder(
        self, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        run(dataset, "echo {tmpdir} > {outputs}; touch {tmpdir}/x", outputs=["where.txt"])
        place = Path((dataset / "where.txt").read_text().strip())
        assert place.parent == tmp_path
        assert place.stat().st_mode & 0o777 == 0o700


class TestWhatIsRefused:
    @pytest.mark.parametrize("name", ["../x", "/etc/passwd", "sub/../../x"])
    def test_outputs_and_inputs_elsewhere(self, dataset: Path, name: str) -> None:
        for which in ("inputs", "outputs"):
            with pytest.raises(OutsideDataset):
                run(dataset, "true", **{which: [name]})

    def test_a_placeholder_that_stands_for_nothing(self, dataset: Path) -> None:
        with pytest.raises(UsageError):
            run(dataset, "awk '{print}' a.txt")

    def test_an_input_that_is_not_there(self, dataset: Path) -> None:
        told = run(dataset, "touch n.txt", inputs=["none.txt"])
        assert [(one["action"], one["status"]) for one in told] == [("run", "error")]
        assert not (dataset / "n.txt").exists()

    def test_a_placeholder_of_the_datasets_own_that_a_shell_would_obey(self, dataset: Path) -> None:
        with (dataset / ".datalad" / "config").open("a") as file:
            file.write('[datalad "run.substitutions"]\n\tname = "x; touch harm"\n')
        list(Datasets(context(dataset)).save())
        with pytest.raises(UsageError, match="no plain text"):
            run(dataset, "echo {name}")

    def test_a_folder_for_records_that_leads_elsewhere(self, dataset: Path, tmp_path: Path) -> None:
        git(dataset, "config", "datalad.run.record-directory", "../elsewhere")
        with pytest.raises(UsageError, match="leads elsewhere"):
            run(dataset, "echo x > n.txt", sidecar=True)
        assert not (dataset.parent / "elsewhere").exists()


def test_two_explicit_runs_at_once_both_keep_their_records(dataset: Path) -> None:
    commands = {f"n{number}.txt": f"sleep 0.{number}; echo {number} > n{number}.txt" for number in range(4)}
    told: list[dict[str, Any]] = []
    threads = [
        threading.Thread(
            target=lambda line=line, name=name: told.extend(run(dataset, line, explicit=True, outputs=[name]))
        )
        for name, line in commands.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one for one in told if one["status"] not in ("ok", "notneeded")] == []
    for name, line in commands.items():
        commit = git(dataset, "log", "--format=%H", "--", name).split()
        assert len(commit) == 1
        assert git(dataset, "show", "--format=", "--name-only", commit[0]).split() == [name]
        found = RunMessage.of(git(dataset, "log", "-1", "--format=%B", commit[0]))
        assert found is not None
        assert isinstance(found.record, RunRecord)
        assert found.record.cmd == line
    assert git(dataset, "status", "--porcelain") == ""


def test_an_explicit_run_leaves_what_else_is_changed_and_staged(dataset: Path) -> None:
    (dataset / "mine.txt").write_text("mine\n")
    (dataset / "staged.txt").write_text("staged\n")
    git(dataset, "-c", "annex.largefiles=nothing", "add", "staged.txt")
    run(dataset, "echo x > n.txt", explicit=True, outputs=["n.txt"])
    assert git(dataset, "show", "--format=", "--name-only", "HEAD").split() == ["n.txt"]
    assert git(dataset, "status", "--porcelain").split("\n")[:2] == ["A  staged.txt", "?? mine.txt"]


def test_a_home_that_cannot_be_written_to_costs_nobody_his_results(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    told = run(dataset, "echo x > n.txt")
    assert [(one["action"], one["status"]) for one in told] == [("run", "ok"), ("add", "ok"), ("save", "ok")]
    assert "rerun will ask" in told[0]["note"]
    with pytest.raises(NotTrusted):
        rerun(dataset)


class TestTrust:
    def foreign(self, dataset: Path, command: str = "touch harm", **fields: Any) -> RunRecord:
        record = RunRecord(cmd=command, **fields)
        commit_message(dataset, str(RunMessage(subject="do it", record=record)))
        return record

    def test_a_record_of_ones_own_is_repeated_without_a_question(self, dataset: Path) -> None:
        run(dataset, "date +%N > n.txt")
        assert rerun(dataset)[-1]["status"] == "ok"

    def test_a_record_from_elsewhere_is_refused_where_nobody_can_be_asked(self, dataset: Path) -> None:
        self.foreign(dataset)
        with pytest.raises(NotTrusted) as caught:
            rerun(dataset)
        assert caught.value.next_step.endswith(f"engram trust {dataset}")
        assert "touch harm" in caught.value.what
        assert not (dataset / "harm").exists()

    def test_whoever_is_asked_sees_exactly_what_would_run(self, dataset: Path) -> None:
        record = self.foreign(dataset)
        asked: list[Any] = []
        with pytest.raises(NotTrusted):
            rerun(dataset, ask=lambda records: asked.append(list(records)))
        assert asked == [[record]]
        rerun(dataset, ask=lambda _: True)
        assert (dataset / "harm").exists()

    def test_what_was_allowed_is_pinned_to_its_words(self, dataset: Path) -> None:
        self.foreign(dataset)
        told = [outcome.note for outcome in Datasets(context(dataset)).trust(".")]
        assert "touch harm" in told
        assert rerun(dataset)[-1]["status"] == "ok"
        self.foreign(dataset, "touch worse")
        with pytest.raises(NotTrusted):
            rerun(dataset)
        assert not (dataset / "worse").exists()

    def carried(self, dataset: Path, value: str) -> None:
        """Let the dataset itself say what ``{tool}`` stands for, as a pull might."""
        config = dataset / ".datalad" / "config"
        kept = config.read_text().partition('[datalad "run.substitutions"]')[0]
        config.unlink()
        config.write_text(f'{kept}[datalad "run.substitutions"]\n\ttool = {value}\n')
        list(Datasets(context(dataset)).save())

    def test_whoever_is_asked_sees_what_the_dataset_lets_a_placeholder_stand_for(self, dataset: Path) -> None:
        self.carried(dataset, "touch harm")
        self.foreign(dataset, "{tool} {outputs}", inputs=("{tool:s}",), outputs=("x",))
        asked: list[Any] = []
        with pytest.raises(NotTrusted, match="touch harm"):
            rerun(dataset, ask=lambda records: asked.append(list(records)))
        assert [(record.cmd, record.inputs) for record in asked[0]] == [("touch harm {outputs}", ("touch harm",))]

    def test_a_command_of_ones_own_is_another_once_the_dataset_gives_its_placeholder_another_meaning(
        self, dataset: Path
    ) -> None:
        self.carried(dataset, "date +%N")
        run(dataset, "{tool} > n.txt")
        assert rerun(dataset)[-1]["status"] == "ok"
        self.carried(dataset, "touch harm")
        with pytest.raises(NotTrusted):
            rerun(dataset, "HEAD~1")
        list(Datasets(context(dataset)).trust("."))
        assert rerun(dataset, "HEAD~1")[0]["status"] == "ok"
        assert (dataset / "harm").exists()

    def test_what_was_allowed_is_run_whatever_is_checked_out_meanwhile(self, dataset: Path) -> None:
        git(dataset, "branch", "other")
        self.carried(dataset, "echo good")
        run(dataset, "{tool} >> n.txt")
        git(dataset, "checkout", "-q", "other")
        self.carried(dataset, "touch harm")
        git(dataset, "checkout", "-q", "main")
        rerun(dataset, onto="other")
        assert (dataset / "n.txt").read_text() == "good\n"
        assert not (dataset / "harm").exists()

    def test_all_records_of_a_range_are_looked_at_before_any_is_run(self, dataset: Path) -> None:
        run(dataset, "date +%N >> n.txt")
        before = git(dataset, "rev-parse", "HEAD")
        self.foreign(dataset)
        with pytest.raises(NotTrusted):
            rerun(dataset, since="")
        assert git(dataset, "rev-parse", "HEAD~1") == before

    def test_a_report_and_a_script_run_nothing(self, dataset: Path) -> None:
        self.foreign(dataset)
        assert [one["trusted"] for one in rerun(dataset, report=True)] == [False]
        assert "touch harm" in Provenance(context(dataset)).script()
        assert not (dataset / "harm").exists()

    def test_a_subject_with_line_breaks_stays_a_comment(self, dataset: Path) -> None:
        record = RunRecord(cmd="true")
        commit_message(dataset, str(RunMessage(subject="x\rtouch harm\x0btouch harm\ntouch harm", record=record)))
        lines = Provenance(context(dataset)).script().split("\n")
        assert [line for line in lines if "harm" in line and not line.startswith("#")] == []

    def test_a_folder_beyond_a_link_is_refused(self, dataset: Path, tmp_path: Path) -> None:
        (dataset / "out").symlink_to(tmp_path)
        list(Datasets(context(dataset)).save())
        self.foreign(dataset, pwd="out")
        with pytest.raises(BadRecord):
            rerun(dataset, ask=lambda _: True)
        assert not (tmp_path / "harm").exists()

    def test_a_procedure_of_the_dataset_is_run_only_when_it_was_allowed(self, dataset: Path) -> None:
        place = dataset / ".datalad" / "procedures" / "setup.sh"
        place.parent.mkdir()
        place.write_text('touch "$1/$2"\n')
        list(Datasets(context(dataset)).save())
        provenance = Provenance(context(dataset))
        with pytest.raises(NotTrusted):
            list(provenance.run_procedure("setup", ["made"]))
        list(Datasets(context(dataset)).trust("."))
        assert [outcome.status for outcome in provenance.run_procedure("setup", ["made here"])] == ["ok"]
        assert (dataset / "made here").exists()
        place.unlink()
        place.write_text('touch "$1/harm"\n')
        with pytest.raises(NotTrusted):
            list(provenance.run_procedure("setup", ["made"]))


class TestRerunNeverLosesCommits:
    def test_of_a_branch_whose_history_it_leaves(self, dataset: Path) -> None:
        run(dataset, "echo $$ > n.txt; git annex add -q n.txt; git commit -qm own")
        (dataset / "later.txt").write_text("later\n")
        list(Datasets(context(dataset)).save())
        before = git(dataset, "rev-parse", "main")
        told = rerun(dataset, revision="HEAD~1")
        assert git(dataset, "rev-parse", "main") == before
        assert [one["error"] for one in told if one["status"] == "error"] == ["UsageError"]

    def test_a_failing_command_ends_it(self, dataset: Path) -> None:
        run(dataset, "test ! -e fail && date +%N > n.txt")
        (dataset / "fail").write_text("")
        list(Datasets(context(dataset)).save())
        told = rerun(dataset, since="")
        assert (told[-1]["error"], told[-1]["exit_code"]) == ("CommandFailed", 1)

    def test_a_command_that_fails_as_it_did_is_fine(self, dataset: Path) -> None:
        run(dataset, "date +%N > n.txt; exit 3", on_command_failure="save")
        assert rerun(dataset)[-1]["status"] == "ok"

    def test_nothing_to_repeat_is_said(self, dataset: Path) -> None:
        with pytest.raises(UsageError, match="No run commits found in range"):
            rerun(dataset)
        with pytest.raises(UsageError):
            rerun(dataset, revision="--output=harm")


class TestHistory:
    def test_tells_who_made_a_figure_from_what(self, dataset: Path) -> None:
        run(dataset, "cat {inputs} > {outputs}", inputs=["a.txt"], outputs=["fig.png"], message="plot")
        (dataset / "a.txt").unlink()
        (dataset / "a.txt").write_text("changed\n")
        list(Datasets(context(dataset)).save(message="other data"))
        rerun(dataset, revision="HEAD~1")
        git(dataset, "mv", "fig.png", "figure.png")
        git(dataset, "commit", "-qm", "rename")
        found = history(dataset, "figure.png")
        assert [one["state"] for one in found] == ["renamed", "modified", "added"]
        assert [one["path"] for one in found] == ["figure.png", "fig.png", "fig.png"]
        assert found[1]["run"]["cmd"] == "cat a.txt > fig.png"
        assert found[1]["run"]["inputs"][0]["changed"] is True
        assert found[2]["run"]["inputs"][0]["changed"] is False
        assert found[1]["run"]["chain"] == [found[2]["commit"]]
        assert found[0]["size_bytes"] == len("changed\n")
        assert [one["here"] for one in found] == [True, True, True]
        assert json.loads(json.dumps(found)) == found

    def test_agrees_with_git(self, dataset: Path) -> None:
        for number in range(3):
            run(dataset, f"echo {number} > sub/n.txt", outputs=["sub/n.txt"])
        git(dataset, "rm", "-q", "sub/n.txt")
        git(dataset, "commit", "-qm", "gone")
        commits = [one["commit"] for one in history(dataset / "sub", "n.txt")]
        assert commits == git(dataset, "log", "--format=%H", "--", "sub/n.txt").split()
        assert history(dataset, "sub/n.txt")[0]["state"] == "deleted"

    def test_follows_what_a_command_committed_itself(self, dataset: Path) -> None:
        run(dataset, "echo 1 > n.txt; git annex add -q n.txt; git commit -qm one; echo more > m.txt", message="both")
        found = history(dataset, "n.txt")
        assert [one["run"]["message"] for one in found] == ["both"]

    def test_tells_of_a_record_that_cannot_be_read(self, dataset: Path) -> None:
        (dataset / "n.txt").write_text("x")
        text = "[DATALAD RUNCMD] x\n\n=== Do not change lines below ===\n{\n^^^ Do not change lines above ^^^\n"
        list(Datasets(context(dataset)).save(message=text))
        assert "does not parse" in history(dataset, "n.txt")[0]["run"]["problem"]

    def test_refuses_what_never_was(self, dataset: Path) -> None:
        with pytest.raises(PathNotFound):
            history(dataset, "never.txt")
        with pytest.raises(OutsideDataset):
            history(dataset, "../x")

    def test_asks_for_a_file_where_the_dataset_or_a_folder_that_was_never_saved_is_named(self, dataset: Path) -> None:
        (dataset / "new").mkdir()
        for folder in (".", "new"):
            with pytest.raises(UsageError, match="is a folder, and a history is that of a file"):
                history(dataset, folder)

    def test_tells_of_a_file_in_whose_place_a_folder_is_now(self, dataset: Path) -> None:
        run(dataset, "echo x > n.txt")
        run(dataset, "rm n.txt; mkdir n.txt; echo y > n.txt/y")
        assert history(dataset, "n.txt")

    def test_looks_into_the_subdataset_that_holds_the_file(self, dataset: Path) -> None:
        list(Datasets(context(dataset)).create("inner", dataset="."))
        run(dataset, "echo x > inner/n.txt")
        found = history(dataset, "inner/n.txt")
        assert [one["dataset"] for one in found] == [str(dataset / "inner")]
        assert found[0]["run"]["cmd"] == "echo x > inner/n.txt"


class TestUnlock:
    @pytest.fixture
    def unlock(self, dataset: Path) -> Callable[..., list[dict[str, Any]]]:
        return lambda *paths: [outcome.as_json() for outcome in Provenance(context(dataset)).unlock(paths)]

    def test_of_what_is_not_here_says_so(self, dataset: Path, unlock: Callable[..., list[dict[str, Any]]]) -> None:
        git(dataset, "annex", "drop", "-q", "--force", "a.txt")
        (told,) = unlock("a.txt")
        assert (told["status"], told["message"]) == ("impossible", "no content present; cannot unlock")
        assert told["remedy"] == "Get it first: engram get a.txt"

    def test_of_git_files_unknown_files_and_twice(
        self, dataset: Path, unlock: Callable[..., list[dict[str, Any]]]
    ) -> None:
        (dataset / "new.txt").write_text("")
        told = unlock(".gitattributes", "new.txt", "a.txt")
        assert sorted((one["item"], one["status"]) for one in told) == [
            (".gitattributes", "notneeded"),
            ("a.txt", "ok"),
            ("new.txt", "impossible"),
        ]
        assert [one["status"] for one in unlock("a.txt")] == ["notneeded"]
        with pytest.raises(PathNotFound):
            unlock("never.txt")

    def test_leaves_files_alone_that_were_never_saved(
        self, dataset: Path, unlock: Callable[..., list[dict[str, Any]]]
    ) -> None:
        (dataset.parent / "elsewhere").write_text("shared\n")
        (dataset.parent / "elsewhere").chmod(0o444)
        os.link(dataset.parent / "elsewhere", dataset / "linked.txt")
        unlock(".")
        assert (dataset / "linked.txt").stat().st_nlink == 2

    def test_is_handed_over_where_the_settings_say_more(
        self, dataset: Path, unlock: Callable[..., list[dict[str, Any]]]
    ) -> None:
        git(dataset, "config", "annex.thin", "true")
        (told,) = unlock("a.txt")
        assert (told["status"], told["note"]) == ("ok", "handed to git-annex: annex.thin is true")
        assert (dataset / "a.txt").stat().st_nlink == 2

    def test_keeps_what_is_in_the_annex_from_being_written_to(
        self, dataset: Path, unlock: Callable[..., list[dict[str, Any]]]
    ) -> None:
        unlock(".")
        (dataset / "a.txt").write_text("changed\n")
        git(dataset, "annex", "fsck", "-q")
        list(Datasets(context(dataset)).save())
        assert (dataset / "a.txt").read_text() == "changed\n"


def test_a_record_is_kept_on_an_adjusted_branch(dataset: Path) -> None:
    git(dataset, "annex", "adjust", "--unlock")
    run(dataset, "echo x > n.txt; git add n.txt; git commit -qm own", message="adjusted")
    assert git(dataset, "log", "-1", "--format=%s") == "[DATALAD RUNCMD] adjusted\n"
    run(dataset, "echo y > m.txt", message="once more")
    assert git(dataset, "log", "-1", "--format=%s") == "[DATALAD RUNCMD] once more\n"


class TestInterrupted:
    """Ctrl-C is the command's; what it leaves is not saved."""

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT / "src")}

    def test_a_signal_to_engram_alone_is_passed_on(self, dataset: Path) -> None:
        words = [sys.executable, "-m", "engram", "run", "echo x > n.txt; touch ../ready; exec sleep 60"]
        process = subprocess.Popen(words, cwd=dataset, env=self.environment(), start_new_session=True)
        while not (dataset.parent / "ready").exists():
            assert process.poll() is None
            time.sleep(0.02)
        (dataset.parent / "ready").unlink()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=200) == 130
        assert git(dataset, "status", "--porcelain") == "?? n.txt\n"

    def test_a_key_on_the_terminal_reaches_the_command_and_engram_goes_on(self, dataset: Path) -> None:
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(dataset)
            line = "trap 'echo caught > n.txt; exit 0' INT; echo begun; while :; do sleep 0.05; done"
            os.execve(sys.executable, [sys.executable, "-m", "engram", "run", line], self.environment())
        shown = b""
        while b"begun" not in shown:
            shown += os.read(terminal, 4096)
        os.write(terminal, b"\x03")
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        assert os.waitstatus_to_exitcode(status) == 0
        assert git(dataset, "log", "-1", "--format=%s").startswith("[DATALAD RUNCMD] trap")
        assert "n.txt" in git(dataset, "ls-tree", "--name-only", "HEAD")


class TestTheProcess:
    def engram(self, folder: Path, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "engram", *words]
        around = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        return subprocess.run(command, cwd=folder, env=around, capture_output=True, text=True, **more)

    def test_ends_with_the_code_of_its_command(self, dataset: Path) -> None:
        assert self.engram(dataset, "run", "exit 42").returncode == 42
        assert self.engram(dataset, "run", "kill -9 $$").returncode == 137
        assert self.engram(dataset, "--on-failure", "ignore", "run", "exit 42").returncode == 0
        (dataset / "new.txt").write_text("")
        assert self.engram(dataset, "run", "true").returncode == 2

    def test_hands_its_streams_to_the_command(self, dataset: Path) -> None:
        done = self.engram(dataset, "run", "--", "cat; echo err >&2", input="typed\n")
        assert done.stdout.startswith("typed\nrun(ok): . (dataset) [cat; echo err >&2]\n")
        assert done.stderr == "err\n"

    def test_options_behind_the_command_are_its_own(self, dataset: Path) -> None:
        assert self.engram(dataset, "run", "echo", "--json", "-m", "x").stdout.startswith("--json -m x\n")

    def test_shows_control_characters_instead_of_obeying_them(self, dataset: Path) -> None:
        record = RunRecord(cmd="printf '\x1b[2J\x07'")
        commit_message(dataset, str(RunMessage(subject="\x1b]0;title\x07", record=record)))
        for words in (("rerun",), ("rerun", "--report"), ("trust", ".")):
            done = self.engram(dataset, *words, stdin=subprocess.DEVNULL)
            assert "\x1b" not in done.stdout + done.stderr
            assert "\\x1b[2J" in done.stdout + done.stderr

    def test_asks_nobody_without_a_terminal_even_with_yes(self, dataset: Path) -> None:
        commit_message(dataset, str(RunMessage(subject="x", record=RunRecord(cmd="touch harm"))))
        done = self.engram(dataset, "rerun", "--yes", input="y\n")
        assert done.returncode == 2
        assert not (dataset / "harm").exists()


def test_errors_name_what_to_do(dataset: Path) -> None:
    with pytest.raises(EngramError) as caught:
        run(dataset, "")
    assert caught.value.exit_code == 2
