"""Whatever a stranger's dataset says of itself: no verb runs it, follows it outside, hangs or falls over it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.testing.canary import Canary, heard_in
from engram.testing.escapes import ESCAPES, submodule_is_a_link
from engram.testing.faults import Ending
from engram.testing.impostors import IMPOSTORS, run_record_with_a_command
from engram.testing.malice import (
    PROGRAMS,
    Malice,
    annex_commands,
    every_hook,
    fsmonitor,
    fsmonitor_in_common_folder,
    fsmonitor_in_worktree_config,
)
from engram.testing.places import Template, fresh_folder, remove_tree, scratch
from engram.testing.squatters import SQUATTERS
from engram.testing.states import ANNEXED, CLONE, ORIGIN, TEXT, git, two_datasets
from tests.integration.faults import hemmed_in
from tests.integration.faults.hemmed_in import said_by_engram

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("git_annex")]

#: Exit codes of who says in two lines what is wrong.
PLAIN = {0, 2, 3, 20, 30, 31, 40}
VERBS = (
    ("status", "-r", "--annex", "all"),
    ("siblings",),
    ("subdatasets", "-r"),
    ("whereis",),
    ("history", ANNEXED[0]),
    ("configuration", "dump"),
    ("fsck", "--full"),
    ("get", "."),
    ("get", "-n", "-r", "."),
    ("unlock", "."),
    ("unused",),
    ("dropunused", "all"),
    ("rerun", "--since="),
    ("run", "--explicit", "--", "true"),
    ("drop", "."),
    ("drop", "--what", "all", "-r", "sub"),
    ("remove", TEXT),
    ("clean",),
    ("save", "-r", "-m", "x"),
)


@pytest.fixture(scope="module")
def two(git_annex: Path) -> Iterator[Template]:
    with scratch() as scene:
        template = Template(two_datasets(fresh_folder(scene)), scene)
        folder = template.fresh()
        for words in VERBS:  # the children find all modules loaded
            said_by_engram(folder / CLONE, Canary(folder / "-".join(words).replace("/", "-").replace(" ", "-")), *words)
        yield template


@pytest.fixture
def folder(two: Template) -> Path:
    return two.fresh()


@pytest.fixture
def canary(folder: Path) -> Canary:
    return Canary(folder / "cage")


def engram(folder: Path, canary: Canary, *words: str) -> Ending:
    """How a call of engram ended."""
    return hemmed_in.engram(folder, canary, *words)[0]


def _unharmed(place: Path, canary: Canary, verbs: Iterable[tuple[str, ...]]) -> None:
    for words in verbs:
        ending = engram(place, canary, *words)
        assert canary.lives(), words
        assert not ending.bug, (words, ending.bug)
        assert ending.exit_code in PLAIN, (words, ending)
    assert heard_in(place) == []


@pytest.mark.parametrize("make", IMPOSTORS, ids=lambda make: make.__name__)
def test_the_canary_lives_when_a_strangers_dataset_is_cloned_and_used(
    folder: Path, canary: Canary, make: Malice
) -> None:
    make(folder / ORIGIN, canary)
    remove_tree(folder / CLONE)
    assert engram(folder, canary, "clone", ORIGIN, CLONE).exit_code in PLAIN
    assert canary.lives()
    if (folder / CLONE).exists():
        _unharmed(folder / CLONE, canary, VERBS)


def _seldom(make: Malice) -> Any:
    """A parameter for long runs only, but for those that once got through."""
    return (
        make
        if make in (fsmonitor_in_common_folder, submodule_is_a_link)
        else pytest.param(make, marks=pytest.mark.long)
    )


@pytest.mark.parametrize("make", SQUATTERS, ids=lambda make: make.__name__)
def test_the_canary_lives_when_parts_of_an_annex_lead_elsewhere(folder: Path, canary: Canary, make: Malice) -> None:
    make(folder / CLONE, canary)
    _unharmed(folder / CLONE, canary, VERBS)


@pytest.mark.parametrize(
    "make",
    [*SQUATTERS, *map(_seldom, (*PROGRAMS, *ESCAPES))],
    ids=lambda make: make.__name__,
)
def test_the_canary_lives_when_a_sibling_on_this_machine_is_poisoned(
    folder: Path, canary: Canary, make: Malice
) -> None:
    make(folder / ORIGIN, canary)
    verbs = [words for words in VERBS if words[0] in ("get", "drop", "fsck", "whereis", "siblings")]
    _unharmed(folder / CLONE, canary, verbs)


def _another_repository(origin: Path) -> None:
    git(origin, "config", "annex.uuid", "11111111-2222-4333-8444-555555555555")


def _no_annex_yet(origin: Path) -> None:
    git(origin, "config", "--unset", "annex.uuid")
    git(origin.parent / CLONE, "config", "--unset", "remote.origin.annex-uuid")


def _of_version_8(origin: Path) -> None:
    git(origin, "config", "annex.version", "8")


@pytest.mark.parametrize(
    ("make", "state"),
    [
        *((make, None) for make in (every_hook, annex_commands, fsmonitor, fsmonitor_in_worktree_config)),
        *((every_hook, state) for state in (_another_repository, _no_annex_yet, _of_version_8)),
    ],
    ids=lambda one: one.__name__ if one else "usual",
)
def test_the_canary_lives_when_git_annex_is_started_beside_a_poisoned_sibling(
    folder: Path, canary: Canary, make: Malice, state: Callable[[Path], None] | None
) -> None:
    origin, clone = folder / ORIGIN, folder / CLONE
    git(clone, "config", "annex.delayadd", "1")  # beyond engram: all of it is git-annex's
    make(origin, canary)
    if state:
        state(origin)
    canary.settle()
    _unharmed(clone, canary, [("drop", ANNEXED[0]), ("get", "."), ("fsck", "."), ("get", "-s", "origin", ".")])


def test_a_poisoned_sibling_is_named_with_what_to_type_and_used_once_that_was_typed(
    folder: Path, canary: Canary
) -> None:
    origin, clone = folder / ORIGIN, folder / CLONE
    git(clone, "config", "annex.delayadd", "1")
    every_hook(origin, canary)
    for words in (("drop", ANNEXED[0]), ("get", ANNEXED[1])):
        code, said = said_by_engram(clone, canary, *words)
        assert code == 3
        assert "origin is left alone: it brings its own commands along (hook annex-content-change-hook, " in said
        assert f"; to allow exactly these: engram trust {origin})" in said
    code, said = said_by_engram(clone, canary, "get", "-s", "origin", ".")
    assert (code, said.count("\n")) == (2, 2), said
    assert canary.lives()
    assert said_by_engram(clone, canary, "trust", str(origin))[0] == 0
    assert said_by_engram(clone, canary, "get", ANNEXED[1])[0] == 0


def test_a_sibling_of_an_old_version_is_used_by_git_annex_and_not_upgraded(folder: Path, canary: Canary) -> None:
    origin, clone = folder / ORIGIN, folder / CLONE
    git(clone, "config", "annex.delayadd", "1")
    _of_version_8(origin)
    assert engram(clone, canary, "get", ".").exit_code == 0
    assert engram(clone, canary, "drop", ".").exit_code == 0
    assert git(origin, "config", "annex.version").strip() == "8"


@pytest.mark.parametrize("make", [*map(_seldom, (*PROGRAMS, *ESCAPES))], ids=lambda make: make.__name__)
def test_the_canary_lives_whatever_the_verb(folder: Path, canary: Canary, make: Malice) -> None:
    make(folder / CLONE, canary)
    for words in VERBS:
        ending = engram(folder / CLONE, canary, *words)
        assert canary.lives(), words
        assert not ending.bug, (words, ending.bug)


def test_a_strangers_command_is_repeated_by_nobody_who_was_not_asked(folder: Path, canary: Canary) -> None:
    run_record_with_a_command(folder / ORIGIN, canary)
    git(folder / CLONE, "pull", "-q")
    for words in (("rerun",), ("rerun", "--since="), ("--yes", "rerun", "--since="), ("rerun", "--report")):
        engram(folder / CLONE, canary, *words)
        assert canary.lives(), words
    assert engram(folder / CLONE, canary, "--yes", "rerun").exit_code == 2
