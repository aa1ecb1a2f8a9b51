"""What people see: lines, colours, folds, summaries; and what never reaches their terminal."""

import io
import os
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.cli.render import Report, Screen, Style, outcome_line, relative_path
from engram.cli.text import printable, size
from engram.config import Switch
from engram.model.errors import StorageFailed
from engram.model.outcome import DatasetOutcome, Outcome, Status
from tests.cli.conftest import Engram, Terminal
from tests.cli.test_frame import Emitting


def added(path: str, status: Status = Status.OK, action: str = "add", **more: Any) -> DatasetOutcome:
    return DatasetOutcome(action=action, item=path, status=status, path=f"/ds/{path}", type="file", refds="/ds", **more)


class TestLines:
    def test_a_line_is_datalads(self) -> None:
        assert outcome_line(added("sub/a.nii")) == "add(ok): sub/a.nii (file)"

    def test_the_dataset_itself_is_a_dot(self) -> None:
        saved = DatasetOutcome(action="save", item="/ds", status=Status.OK, path="/ds", type="dataset", refds="/ds")
        assert outcome_line(saved) == "save(ok): . (dataset)"

    def test_without_a_dataset_the_path_is_absolute(self) -> None:
        made = DatasetOutcome(action="create", item="ds", status=Status.OK, path="/ds", type="dataset")
        assert outcome_line(made) == "create(ok): /ds (dataset)"

    def test_remarks_stand_in_brackets(self) -> None:
        assert outcome_line(added("a", message="broken", note="seen")) == "add(ok): a (file) [broken] [seen]"

    @pytest.mark.parametrize(
        ("path", "dataset", "shown"),
        [
            ("/ds/a", "/ds", "a"),
            ("/ds", "/ds", "."),
            ("/dsx/a", "/ds", "../dsx/a"),
            ("/other", "/ds", "../other"),
            ("/a", "", "/a"),
        ],
    )
    def test_a_path_starts_at_its_dataset(self, path: str, dataset: str, shown: str) -> None:
        assert relative_path(path, dataset) == shown

    def test_what_was_not_needed_is_only_counted(self, verb: Engram) -> None:
        source = Emitting(added("a", Status.NOT_NEEDED), added("b", Status.NOT_NEEDED))
        assert verb("emit", rooms={"Source": source}).out == "action summary:\n  add (notneeded: 2)\n"

    def test_more_than_one_outcome_has_a_summary(self, verb: Engram) -> None:
        source = Emitting(added("a"), added("b", Status.ERROR), added("a", action="save"))
        assert verb("emit", rooms={"Source": source}).out == (
            "add(ok): a (file)\n"
            "add(error): b (file)\n"
            "save(ok): a (file)\n"
            "action summary:\n"
            "  add (error: 1, ok: 1)\n"
            "  save (ok: 1)\n"
        )

    def test_one_outcome_needs_no_summary(self, verb: Engram) -> None:
        assert verb("emit", rooms={"Source": Emitting(added("a"))}).out == "add(ok): a (file)\n"

    def test_the_same_remedy_is_told_once(self, verb: Engram) -> None:
        source = Emitting(*(added(item, Status.ERROR, remedy="mend it") for item in "abc"))
        assert verb("emit", rooms={"Source": source}).out.count("mend it") == 1


class TestFolds:
    def shown(
        self, verb: Engram, *outcomes: Outcome, terminal: bool = True, options: tuple[str, ...] = ()
    ) -> list[str]:
        said = verb(*options, "emit", rooms={"Source": Emitting(*outcomes)}, terminal=terminal, environment=_PLAIN)
        return said.out.splitlines()

    def test_a_terminal_folds_more_than_ten_alike(self, verb: Engram) -> None:
        lines = self.shown(verb, *(added(str(number)) for number in range(25)), added("x", action="save"))
        assert lines[9] == "add(ok): 9 (file)"
        assert lines[10].startswith("  [15 more like these;")
        assert lines[11:] == ["save(ok): x (file)", "action summary:", "  add (ok: 25)", "  save (ok: 1)"]

    def test_ten_alike_are_all_shown(self, verb: Engram) -> None:
        lines = self.shown(verb, *(added(str(number)) for number in range(10)))
        assert len(lines) == 12
        assert "more like" not in "".join(lines)

    def test_the_way_to_see_all_works(self, verb: Engram) -> None:
        outcomes = [added(str(number)) for number in range(25)]
        words = tuple(self.shown(verb, *outcomes)[10].partition("to see all: ")[2].rstrip("]").split())
        assert len(self.shown(verb, *outcomes, options=words)) == 27

    def test_a_pipe_gets_every_line(self, verb: Engram) -> None:
        assert len(self.shown(verb, *(added(str(number)) for number in range(25)), terminal=False)) == 27

    def test_a_failure_is_never_folded(self, verb: Engram) -> None:
        lines = self.shown(verb, *(added(str(number), Status.ERROR) for number in range(25)))
        assert sum(line.startswith("add(error)") for line in lines) == 25

    def test_a_failure_in_between_does_not_start_again(self, verb: Engram) -> None:
        outcomes = [added(str(number), Status.ERROR if number == 5 else Status.OK) for number in range(25)]
        assert sum(line.startswith("add(ok)") for line in self.shown(verb, *outcomes)) == 10

    def test_a_folded_line_is_never_made(self) -> None:
        class Costly:
            def __str__(self) -> str:
                raise AssertionError

        report = Report(Screen(Terminal(), Terminal(), _PLAIN), Style(fold_after=1))
        report.take(added("a"))
        report.take(added("b", note=Costly()))


_PLAIN = {"TERM": "dumb"}


class TestColours:
    @pytest.mark.parametrize(
        ("terminal", "environment", "options", "coloured"),
        [
            (True, {"TERM": "xterm"}, (), True),
            (False, {"TERM": "xterm"}, (), False),
            (True, {"TERM": "dumb"}, (), False),
            (True, {"TERM": "xterm", "NO_COLOR": "1"}, (), False),
            (True, {"TERM": "xterm", "NO_COLOR": ""}, (), True),
            (True, {"TERM": "xterm", "NO_COLOR": "1"}, ("-c", "engram.ui.color=on"), True),
            (True, {"TERM": "xterm"}, ("-c", "engram.ui.color=off"), False),
            (False, {"TERM": "xterm"}, ("-c", "engram.ui.color=on"), True),
        ],
    )
    def test_colours_are_for_terminals_that_want_them(
        self, verb: Engram, terminal: bool, environment: dict[str, str], options: tuple[str, ...], coloured: bool
    ) -> None:
        said = verb(
            *options, "emit", rooms={"Source": Emitting(added("a"))}, terminal=terminal, environment=environment
        )
        assert ("\x1b[" in said.out) is coloured


NASTY = ["\x1b]0;owned\x07", "a\nb", "a\rb", "\x9b31m", "\x7f", "\u202egnp.exe", "\u2066", "\u200b", "\udcff", "\ud800"]


class TestNames:
    @pytest.mark.parametrize("name", NASTY)
    @pytest.mark.parametrize("form", ["tailored", "generic", "json", "json_pp", "{item} {message}"])
    def test_no_control_character_reaches_the_screen(self, verb: Engram, name: str, form: str) -> None:
        outcome = Outcome(action="save", item=name, status=Status.ERROR, message=name, note=name, remedy=name)
        out = verb("-f", form, "emit", rooms={"Source": Emitting(outcome)}).out
        assert all(char.isprintable() for char in out.replace("\n", ""))

    @pytest.mark.parametrize("name", ["Zürich 水.nii", "a b", "日本\u3000語", "naïve–file", "🧠.nii"])
    def test_a_harmless_name_stays_as_it_is(self, name: str) -> None:
        assert printable(name) == name

    @given(st.text(alphabet=st.characters(), max_size=20))
    def test_whatever_is_printed_has_no_control_character(self, text: str) -> None:
        assert not {unicodedata.category(char) for char in printable(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}

    @given(st.binary(max_size=12))
    def test_stray_bytes_are_shown_as_bytes(self, name: bytes) -> None:
        printable(os.fsdecode(name)).encode("utf-8")


class Closing(io.StringIO):
    """A pipe whose reader goes away after some lines."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.left = lines

    def write(self, text: str) -> int:
        if self.left <= 0:
            raise BrokenPipeError
        self.left -= 1
        return super().write(text)


class Full(io.StringIO):
    """A full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


class TestStreams:
    def test_a_closed_pipe_does_not_stop_what_changes_something(self, verb: Engram) -> None:
        source = Emitting(*(added(str(number)) for number in range(9)))
        said = verb("emit", rooms={"Source": source}, out=Closing(2))
        assert (said.code, source.shown, said.err) == (0, 9, "")

    def test_a_closed_pipe_ends_what_only_reads(self, verb: Engram) -> None:
        source = Emitting(*(added(str(number)) for number in range(9)))
        said = verb("emit", "--reads-only", rooms={"Source": source}, out=Closing(2))
        assert (said.code, source.shown, source.closed) == (0, 3, True)

    def test_results_that_cannot_be_written_are_told(self, verb: Engram) -> None:
        source = Emitting(added("a", Status.NOT_NEEDED), added("b", Status.NOT_NEEDED))
        said = verb("emit", rooms={"Source": source}, out=Full())
        assert (said.code, source.shown) == (StorageFailed.exit_code, 2)
        assert "No space left" in said.err

    def test_a_bar_is_taken_away_before_a_line(self) -> None:
        err = Terminal()
        screen = Screen(io.StringIO(), err, {"TERM": "xterm"}, Switch.OFF)
        screen.draw_bar("half")
        screen.line("a")
        assert err.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.0 B"), (1023, "1023.0 B"), (1024, "1.0 KB"), (5 << 30, "5.0 GB"), (1 << 80, "1048576.0 EB")],
)
def test_sizes_are_datalads(count: int, text: str) -> None:
    assert size(count) == text
