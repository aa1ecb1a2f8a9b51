"""Whole screens of run, rerun, history and run-procedure, with the work left to fakes."""

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from engram.cli.view_history import block
from engram.datasets.provenance.run_outcomes import RunOutcome
from engram.datasets.provenance.run_records import RunRecord
from engram.datasets.provenance.versions import Holder, MadeBy, UsedFile, Version
from engram.model.errors import NotTrusted
from engram.model.outcome import Outcome, Status
from engram.workspace.context import Context
from tests.cli.conftest import Engram

TOP = "/data/study"


def told(status: Status = Status.OK, error: str = "", **details: Any) -> RunOutcome:
    return RunOutcome(
        action="run", item=".", status=status, path=TOP, type="dataset", refds=TOP, error=error, details=details
    )


@dataclass
class Fake:
    """Notes what it is asked for, and tells what it was given."""

    outcomes: Sequence[Outcome] = ()
    asked: dict[str, Any] = field(default_factory=dict)
    records: Sequence[RunRecord] = ()

    def __call__(self, context: Context) -> "Fake":  # stands for the class
        return self

    def run(self, command: Sequence[str], **options: Any) -> Iterator[Outcome]:
        self.asked = {"command": tuple(command), **options}
        return iter(self.outcomes)

    def plan_run(self, command: Sequence[str], **options: Any) -> RunOutcome:  # the real one's names
        info = {"cmd_expanded": "wc a\x1b.txt", "pwd_full": TOP, "inputs": ["a.txt"], "outputs": []}
        return told(run_info={"cmd": "wc {inputs}"}, dry_run_info=info)

    def rerun(self, *_: Any, ask: Callable[[Sequence[RunRecord]], bool], **options: Any) -> Iterator[Outcome]:
        self.asked = options
        if not ask(self.records):
            raise NotTrusted(TOP, "recorded")
        return iter(self.outcomes)

    def script(self, *_: Any, **__: Any) -> str:
        return "#!/bin/sh\necho \x1b[2J\n"


def test_the_words_of_the_command_are_left_alone(engram: Engram) -> None:
    fake = Fake([told(exit_code=0)])
    words = (
        "run",
        "-m",
        "why",
        "-i",
        "a",
        "-i",
        "b",
        "--explicit",
        "--sidecar",
        "no",
        "python",
        "x.py",
        "-m",
        "--json",
        "--",
    )
    shown = engram(*words, rooms={"Provenance": fake})
    assert shown.code == 0
    assert fake.asked["command"] == ("python", "x.py", "-m", "--json", "--")
    assert (fake.asked["message"], fake.asked["inputs"], fake.asked["sidecar"]) == ("why", ("a", "b"), False)


def test_two_dashes_end_the_options(engram: Engram) -> None:
    fake = Fake()
    engram("run", "--", "a; b", rooms={"Provenance": fake})
    assert fake.asked["command"] == ("a; b",)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (told(exit_code=0), 0),
        (told(Status.ERROR, "CommandFailed", exit_code=7), 7),
        (told(Status.ERROR, "CommandFailed", exit_code=137), 137),
        (told(Status.IMPOSSIBLE, "UnsavedChanges"), 2),
        (told(Status.ERROR, "PathNotFound"), 2),
        (told(Status.ERROR, "ItemFailed"), 3),
    ],
)
def test_the_exit_code_is_the_commands_or_engrams_own(engram: Engram, outcome: Outcome, code: int) -> None:
    assert engram("run", "x", rooms={"Provenance": Fake([outcome])}).code == code


def test_failures_that_are_ignored_end_with_nought(engram: Engram) -> None:
    fake = Fake([told(Status.ERROR, "CommandFailed", exit_code=7)])
    assert engram("--on-failure", "ignore", "run", "x", rooms={"Provenance": fake}).code == 0


def test_a_dry_run_shows_what_would_be_run(engram: Engram) -> None:
    shown = engram("run", "--dry-run", "basic", "wc", rooms={"Provenance": Fake()})
    assert shown.out == (
        "Dry run information\n location: /data/study\n expanded inputs:\n  a.txt\n command:\n  wc {inputs}\n"
        " expanded command:\n  wc a\\x1b.txt\n"
    )
    assert engram("run", "--dry-run", "command", "wc", rooms={"Provenance": Fake()}).out == "wc a\\x1b.txt\n"
    (record,) = engram("run", "--json", "--dry-run", "basic", "wc", rooms={"Provenance": Fake()}).records
    assert record["dry_run_info"]["cmd_expanded"] == "wc a\x1b.txt"


class TestAsking:
    records = (RunRecord(cmd="rm -rf \x1b[2J\nsecond line", pwd="sub"),)

    def answer(
        self, engram: Engram, monkeypatch: pytest.MonkeyPatch, typed: str, *, terminal: bool, yes: str = ""
    ) -> Any:
        class Keyboard(io.StringIO):
            def isatty(self) -> bool:
                return terminal

        monkeypatch.setattr(sys, "stdin", Keyboard(typed))
        words = ("rerun", *([yes] if yes else []))
        return engram(*words, rooms={"Provenance": Fake([told()], records=self.records)}, terminal=terminal)

    def test_shows_each_line_harmlessly_and_takes_a_yes(self, engram: Engram, monkeypatch: pytest.MonkeyPatch) -> None:
        shown = self.answer(engram, monkeypatch, "y\n", terminal=True)
        assert shown.code == 0
        assert "to be run in sub:\n  rm -rf \\x1b[2J\n  second line\n" in shown.err
        assert "Run 1 such command? [y/N]" in shown.err

    def test_shows_what_stands_in_the_command_by_another_name(
        self, engram: Engram, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = (*(f"f{number}.txt" for number in range(12)), "touch harm; \x1b[2J", "f99.txt")
        record = RunRecord(cmd=("sh", "-c", "{inputs[12]}"), inputs=names, extra_inputs=("box.sif",), outputs=("o",))
        monkeypatch.setattr(self, "records", (record,))
        shown = self.answer(engram, monkeypatch, "n\n", terminal=True).err
        assert "  sh -c '{inputs[12]}'\n" in shown
        assert "f9.txt, touch harm; \\x1b[2J, and 3 more\n" in shown
        assert "  further inputs: box.sif\n  outputs: o\n" in shown

    @pytest.mark.parametrize("typed", ["\n", "n\n", "", "maybe\n"])
    def test_takes_nothing_else_for_a_yes(self, engram: Engram, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
        assert self.answer(engram, monkeypatch, typed, terminal=True).code == 2

    def test_takes_no_answer_from_a_pipe_or_an_option(self, engram: Engram, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.answer(engram, monkeypatch, "y\n", terminal=False).code == 2
        assert self.answer(engram, monkeypatch, "\n", terminal=True, yes="--yes").code == 2


def test_a_script_is_shown_as_it_is_but_not_to_a_terminal(engram: Engram) -> None:
    assert engram("rerun", "--script", "-", rooms={"Provenance": Fake()}).out == "#!/bin/sh\necho \x1b[2J\n"
    shown = engram("rerun", "--script", "-", rooms={"Provenance": Fake()}, terminal=True)
    assert shown.out == "#!/bin/sh\necho \\x1b[2J\n"


class TestHistory:
    version = Version(
        path="figures/fig.png",
        dataset=TOP,
        state="modified",
        commit="0123456789" * 4,
        when="2026-11-21T15:00:00+01:00",
        who="Ada Lovelace <ada@example.org>",
        message="plot \x1b[31m",
        key="SHA256E-s2048--" + "ab" * 32 + ".png",
        size_bytes=2048,
        run=MadeBy(
            cmd="python code/plot.py --smooth 5 " + "data/very/long/name.csv " * 8,
            message="plot \x1b[31m",
            pwd="sub",
            exit=0,
            inputs=tuple(UsedFile(path=f"data/{n}.csv", gitshasum="ab" * 20, changed=n == 1) for n in range(12)),
            chain=("f" * 40,),
        ),
        holders=(
            Holder(uuid="u", description="lab server"),
            Holder(uuid="v", description="", here=True),
            Holder(uuid="w", description="ada@laptop:/home/ada/study", remote="origin"),
        ),
        here=True,
    )

    @pytest.mark.parametrize("columns", [80, 60, 200, 1])
    def test_a_version_fits_the_window(self, columns: int) -> None:
        lines = block(self.version, columns)
        assert max(map(len, lines)) < max(columns, 40)
        text = "\n".join(lines)
        assert "\x1b" not in text
        assert "--smooth 5" in text
        assert "(changed)" in text
        assert "repeats fffffff" in " ".join(text.split())
        assert "here, lab server, origin" in " ".join(text.split())
        assert "and 4 more" in text

    def test_a_version_without_a_command_shows_its_message(self) -> None:
        plain = Version(
            path="a",
            dataset=TOP,
            state="deleted",
            commit="0" * 40,
            when="",
            who="Ada <a@b>",
            message="gone",
            other_path="b",
        )
        assert block(plain, 80) == ["0000000    Ada", "  deleted   a (is b since)", "  message   gone", ""]

    def test_a_record_that_cannot_be_read_is_said_to_be(self) -> None:
        run = MadeBy(cmd="", message="x", pwd="", exit=None, problem="it does not parse")
        plain = Version(path="a", dataset=TOP, state="added", commit="0" * 40, when="", who="", message="x", run=run)
        assert "  run       a record that cannot be read: it does not parse" in block(plain, 80)
