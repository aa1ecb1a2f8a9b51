"""Whatever a stranger's dataset says of itself: no verb runs it, follows it outside, hangs or falls over it."""

import io
import os
import resource
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.cli.call import Call
from engram.cli.render import Screen
from engram.cli.run import run
from engram.durable import Steps
from engram.testing.canary import Canary, heard_in
from engram.testing.escapes import ESCAPES, submodule_is_a_link
from engram.testing.faults import Ending, in_child
from engram.testing.impostors import IMPOSTORS, run_record_with_a_command
from engram.testing.malice import PROGRAMS, Malice, fsmonitor_in_common_folder
from engram.testing.places import Template, fresh_folder, remove_tree, scratch
from engram.testing.squatters import SQUATTERS
from engram.testing.states import ANNEXED, CLONE, ORIGIN, TEXT, git, two_datasets

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("git_annex")]

#: Whoever unpacks a bomb into memory dies of this.
MOST_MEMORY_BYTES = 800 << 20
#: No verb takes longer, however busy the machine.
LONGEST_S = 60
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
            engram(folder / CLONE, Canary(folder / "-".join(words).replace("/", "-").replace(" ", "-")), *words)
        yield template


@pytest.fixture
def folder(two: Template) -> Path:
    return two.fresh()


@pytest.fixture
def canary(folder: Path) -> Canary:
    return Canary(folder / "cage")


def memory_now_bytes() -> int:
    """What this process has mapped already: tests that ran before in it may have left much.

    Source: proc_pid_statm(5)
    """
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def engram(folder: Path, canary: Canary, *words: str) -> Ending:
    """Call engram with what a careless user has on PATH, and little memory; *what* is what it printed."""

    def call(place: Path, _: Steps) -> int:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LONGEST_S)  # whoever waits for a pipe dies of this
        most_bytes = memory_now_bytes() + MOST_MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        environment = {**os.environ, "PATH": f"{canary.cage / 'bin'}:{os.environ['PATH']}"}
        said = io.StringIO()
        code = run(Call(screen=Screen(said, said, environment), environment=environment, folder=str(place)), words)
        assert "bug in engram" not in said.getvalue(), said.getvalue()
        return code

    return in_child(call, folder)


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
