"""What `engram snapshot build` shows."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.model.errors import BadTables
from engram.model.outcome import Outcome, Status
from engram.workspace.context import Context
from tests.cli.conftest import Engram


class FakeBuilding:
    def __init__(self, context: Context) -> None:
        pass

    def build(
        self, config: str, *, output: str, memory: str, threads: int, plots: bool, save: bool
    ) -> Iterator[Outcome]:
        said = f"{config} {output} {memory} {threads} {plots} {save}"
        yield Outcome(action="build", item="nt/a.feather", status=Status.OK, note="5 rows", moved_bytes=7)
        yield Outcome(action="check", item="points.feather", status=Status.OK, note=said)


def test_each_file_and_each_finding_has_its_line(engram: Engram) -> None:
    words = ("snapshot", "build", "-c", "a.yaml", "-o", "out", "--memory", "8GB", "-J", "3", "--no-plots", "--save")
    shown = engram(*words, rooms={"SnapshotBuilding": FakeBuilding})
    assert shown.code == 0
    assert shown.out.splitlines()[:2] == [
        "build(ok): nt/a.feather [5 rows]",
        "check(ok): points.feather [a.yaml out 8GB 3 False True]",
    ]


def test_without_the_extra_one_line_names_it(engram: Engram, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("engram.connectome.building")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    shown = engram("snapshot", "build", "-c", "a.yaml")
    assert shown.code == 2
    assert shown.err.splitlines()[-2:] == [
        "This needs duckdb, which is not installed.",
        "Install it: pip install '.[connectome]' in engram's clone",
    ]


@pytest.mark.parametrize(
    ("memory", "says"),
    [("a lot", "'a lot' is no size."), ("1MB", "1MB of memory is too little for any snapshot.")],
)
def test_memory_that_makes_no_sense_is_refused(engram: Engram, memory: str, says: str) -> None:
    shown = engram("snapshot", "build", "-c", "a.yaml", "--memory", memory)
    assert shown.code == 2
    assert says in shown.err


@pytest.mark.parametrize(
    "words",
    [
        ("build", "-c", ""),
        ("build", "-c", "a.yaml", "-o", ""),
        ("build", "-c", "a.yaml", "--save", "-o", ""),
        ("check", ""),
        ("diff", "", "b"),
        ("diff", "a", "b", "--report", ""),
        ("dir", "-c", ""),
        ("load", "", "--print"),
        ("query", ""),
        ("tag", "-c", ""),
    ],
)
def test_an_empty_text_is_never_a_path(words: tuple[str, ...], engram: Engram, tmp_path: Path) -> None:
    """It is a variable of the shell that is not set, and would mean the configured folder, or the current one."""
    shown = engram("snapshot", *words)
    assert shown.code == 2
    assert "'' is no path; is a variable of your shell empty?" in shown.err
    assert list(tmp_path.iterdir()) == []


class RefusingBuilding(FakeBuilding):
    def build(self, config: str, **_: object) -> Iterator[Outcome]:
        raise BadTables(("points, column x: is missing", "partners: two rows are the same"))


def test_each_thing_wrong_with_the_tables_has_its_line(engram: Engram) -> None:
    shown = engram("snapshot", "build", "-c", "a.yaml", rooms={"SnapshotBuilding": RefusingBuilding})
    assert shown.code == 2
    assert shown.err.splitlines() == [
        "The tables cannot be used, for 2 reasons:",
        "  points, column x: is missing",
        "  partners: two rows are the same",
        "Mend the tables, or what the configuration says of them; nothing was built.",
    ]


def test_a_configuration_that_is_not_there_is_named(engram: Engram, tmp_path: Path) -> None:
    shown = engram("snapshot", "build", "-c", "no.yaml")
    assert shown.code == 2
    assert "no.yaml" in shown.err
    assert list(tmp_path.iterdir()) == []
