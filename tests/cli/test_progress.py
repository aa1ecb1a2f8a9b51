"""Bars on a terminal, plain lines now and then elsewhere, nothing for programs."""

import io
from collections.abc import Iterator
from threading import Thread

import pytest

from engram.cli.progress import Bar
from engram.cli.render import Screen
from engram.model.outcome import Outcome
from engram.workspace.context import Context
from tests.cli.conftest import Engram, Terminal


def bar(*, terminal: bool = True, term: str = "xterm") -> tuple[Bar, io.StringIO]:
    err = Terminal() if terminal else io.StringIO()
    return Bar(Screen(io.StringIO(), err, {"TERM": term})), err


class TestBars:
    @pytest.mark.parametrize("columns", [20, 40, 80, 200])
    @pytest.mark.parametrize("total", [None, 0, 10, 5_000_000])
    def test_a_bar_never_fills_its_window(self, columns: int, total: int | None) -> None:
        progress, _ = bar()
        progress.start("hashing a file with a long name", total, "B")
        assert len(progress.drawn(3661.0, columns)) < columns

    def test_a_bar_tells_what_how_far_and_how_long(self) -> None:
        progress, _ = bar()
        progress.start("saving", 10, "files")
        progress.advance(5)
        drawn = progress.drawn(65.0, 60)
        assert drawn.startswith("saving [####")
        assert drawn.endswith("5 of 10 files 1:05")

    def test_more_than_all_is_still_one_bar(self) -> None:
        progress, _ = bar()
        progress.start("saving", 2, "files")
        progress.advance(5)
        assert len(progress.drawn(0.0, 60)) == 59

    def test_what_is_over_at_once_draws_nothing(self) -> None:
        progress, err = bar()
        progress.start("saving", 10, "files")
        progress.advance(10)
        progress.finish()
        assert err.getvalue() == ""

    @pytest.mark.parametrize(("terminal", "term"), [(False, "xterm"), (True, "dumb")])
    def test_elsewhere_a_plain_line_tells_it(self, terminal: bool, term: str) -> None:
        progress, err = bar(terminal=terminal, term=term)
        progress.start("saving", None, "files")
        progress._due_s = 0.0
        progress.advance(7)
        assert err.getvalue() == "saving: 7 files\n"

    @pytest.mark.parametrize("terminal", [True, False])
    def test_what_is_waited_for_is_told_at_once(self, terminal: bool) -> None:
        progress, err = bar(terminal=terminal)
        progress.start("waiting for git", None, "")
        assert err.getvalue().strip("\r\n").removesuffix("\x1b[K") == "waiting for git"

    def test_a_bar_is_drawn_and_taken_away(self) -> None:
        progress, err = bar()
        progress.start("saving", 10, "files")
        progress._due_s = 0.0
        progress.advance(7)
        progress.finish()
        assert "7 of 10 files" in err.getvalue()
        assert err.getvalue().endswith("\r\x1b[K")

    def test_threads_count_together(self) -> None:
        progress, _ = bar()

        def count() -> None:
            for _ in range(500):
                progress.advance()

        progress.start("saving", None, "files")
        threads = [Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert " 2,000 files" in progress.drawn(0.0, 80)


class Counting:
    """Something that counts, and takes its time."""

    def __init__(self, context: Context) -> None:
        self.progress = context.progress

    def outcomes(self) -> Iterator[Outcome]:
        self.progress.start("counting", 3, "things")
        self.progress.advance(3)
        self.progress.finish()
        return iter(())


@pytest.mark.parametrize("words", [("emit",), ("emit", "--json"), ("-q", "emit"), ("--no-progress", "emit")])
def test_counting_works_whoever_listens(verb: Engram, words: tuple[str, ...]) -> None:
    said = verb(*words, rooms={"Source": Counting}, terminal=True)
    assert (said.code, said.out, said.err) == (0, "", "")
