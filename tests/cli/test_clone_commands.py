"""The screens of `clone` and `siblings`, and which arguments go where."""

from collections.abc import Iterator
from typing import Any

import pytest

from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.workspace.context import Context
from tests.cli.conftest import Engram

calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []


class FakeCopies:
    def __init__(self, context: Context) -> None:
        calls.clear()

    def clone(self, *arguments: Any, **options: Any) -> Iterator[Outcome]:
        calls.append((arguments, options))
        yield DatasetOutcome(
            action="install", item="ds", status=Status.OK, path="/w/ds", type="dataset", note="without an annex"
        )

    def plan_clone(self, *arguments: Any, **options: Any) -> Plan:
        return Plan(steps=(PlannedStep(action="install", item="/w/ds", why="clone of src"),))

    def siblings(self, **options: Any) -> Iterator[Outcome]:
        calls.append(((), options))
        for extra in (
            (("name", "here"), ("annex-uuid", "u1")),
            (("name", "origin"), ("annex-uuid", "u2"), ("url", "../src")),
            (("name", "web\x1b"), ("url", ("https://host/a", "https://host/b"))),
            (("name", "store"), ("annex-uuid", "u3"), ("annex-externaltype", "ora")),
            (("name", "bare"), ("annex-ignore", True), ("url", "x")),
        ):
            yield DatasetOutcome(
                action="query-sibling",
                item=str(extra[0][1]),
                status=Status.OK,
                path="/w/ds",
                type="sibling",
                refds="/w/ds",
                extra=extra,
            )


ROOMS = {"Copies": FakeCopies}


def test_a_clone_is_one_line(engram: Engram) -> None:
    shown = engram("clone", "src", rooms=ROOMS)
    assert (shown.out, shown.code) == ("install(ok): /w/ds (dataset) [without an annex]\n", 0)


@pytest.mark.parametrize(
    ("words", "expected", "options"),
    [
        ("src", ("src", None), {}),
        ("src path", ("src", "path"), {}),
        ("src --depth 1", ("src", None), {"git_options": ["--depth", "1"]}),
        ("src path -b main", ("src", "path"), {"git_options": ["-b", "main"]}),
        ("-d . src sub", ("src", "sub"), {"dataset": "."}),
        ("src sub -d .", ("src", "sub"), {"dataset": "."}),
        ("--reckless src", ("src", None), {"reckless": "auto"}),
        ("--reckless ephemeral src", ("src", None), {"reckless": "ephemeral"}),
        ("src --reckless shared-group", ("src", None), {"reckless": "shared-group"}),
        ("src -c yoda -c text2git", ("src", None), {"procedures": ["yoda", "text2git"]}),
        ("src path -c core.x=y", ("src", "path"), {"git_options": ["--config=core.x=y"], "procedures": []}),
    ],
)
def test_words_go_where_they_belong(
    engram: Engram, words: str, expected: tuple[Any, ...], options: dict[str, Any]
) -> None:
    assert engram("clone", *words.split(), rooms=ROOMS).code == 0
    ((arguments, given),) = calls
    assert arguments == expected
    assert {name: given[name] for name in options} == options


def test_a_clone_of_nothing_says_how(engram: Engram) -> None:
    shown = engram("clone", rooms=ROOMS)
    assert (shown.err.splitlines()[0], shown.code) == ("Say what to clone.", 2)


def test_a_dry_run_shows_the_plan(engram: Engram) -> None:
    shown = engram("clone", "--dry-run", "src", rooms=ROOMS)
    assert "clone of src" in shown.out


def test_siblings_are_datalads_lines(engram: Engram) -> None:
    shown = engram("siblings", rooms=ROOMS)
    assert shown.out.splitlines() == [
        ".: here(+) [git]",
        ".: origin(+) [../src (git)]",
        ".: web\\x1b(?) [https://host/a https://host/b (git)]",
        ".: store(+) [ora]",
        ".: bare(-) [x (git)]",
    ]


@pytest.mark.parametrize("action", ["add", "remove", "configure", "enable"])
def test_what_is_not_there_yet_is_said_in_a_line(engram: Engram, action: str) -> None:
    shown = engram("siblings", action, rooms=ROOMS)
    assert shown.code == 2
    assert shown.err.splitlines()[0] == f"engram does not {action} siblings yet."
