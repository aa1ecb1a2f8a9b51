"""Every verb in every state that real life brings a dataset into: it works, or says what is wrong and what to do."""

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from engram.cli.call import Call
from engram.cli.render import Screen
from engram.cli.run import run
from engram.testing import processes
from engram.testing.places import Template, contents, fresh_folder, scratch
from engram.testing.soundness import contents_kept, left_behind
from engram.testing.states import (
    ANNEXED,
    CLONE,
    STATES,
    TEXT,
    State,
    git,
    linked_work_tree,
    read_only,
    two_datasets,
)
from tests.integration.faults.operations import command

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("git_annex")]

#: Exit codes that say in two lines what could not be done: usage, some items, damage, busy, storage, a peer.
PLAIN = {0, 2, 3, 20, 30, 31, 40}
READING = (
    ("status", "--annex", "all", "-r"),
    ("siblings",),
    ("subdatasets", "-r"),
    ("diff", "-f", "HEAD~1"),
    ("history", ANNEXED[0]),
    ("whereis",),
    ("numcopies",),
    ("configuration", "dump"),
    ("run-procedure", "--discover"),
    ("wtf",),
    ("get", "--dry-run", "."),
    ("drop", "--dry-run", "."),
    ("save", "--dry-run"),
)
#: In every run; the others only in a long one.
OFTEN = (
    ("save", "-r", "-m", "x"),
    ("get", "."),
    ("drop", "."),
    ("remove", ANNEXED[0]),
    ("run", "--", "sh", "-c", "echo new > new.txt"),
    ("unlock", "."),
    ("unused",),
)
SELDOM = (
    ("drop", "--what", "allkeys"),
    ("remove", TEXT),
    ("rerun",),
    ("numcopies", "2"),
    ("dropunused", "all"),
    ("fsck", "--full"),
    ("clean",),
    ("configuration", "set", "some.name=1"),
    ("clone", ".", "../copy"),
)


class Told(NamedTuple):
    """How one call ended."""

    code: int
    out: str
    err: str


def engram(folder: Path, *words: str) -> Told:
    """Call engram from within a folder, in this process."""
    out, err = io.StringIO(), io.StringIO()
    environment = dict(os.environ)
    call = Call(screen=Screen(out, err, environment), environment=environment, folder=str(folder))
    return Told(run(call, words), out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def two(git_annex: Path) -> Iterator[Template]:
    with scratch() as scene:
        yield Template(two_datasets(fresh_folder(scene)), scene)


@pytest.fixture(scope="module")
def prepared(two: Template, request: pytest.FixtureRequest) -> Iterator[tuple[Template, Path]]:
    """Copies of both datasets in one state, and where the one to work in lies in them."""
    state: State = request.param
    with scratch() as scene:
        made = scene / "made"
        shutil.copytree(two.original, made, symlinks=True)
        yield Template(made, scene), state(made).relative_to(made)


def _in(prepared: tuple[Template, Path]) -> tuple[Path, Path]:
    folder = prepared[0].fresh()
    place = folder / prepared[1]
    if place.name == "second":  # its link to its repository is relative, the way back is not
        (folder / CLONE / ".git" / "worktrees" / "second" / "gitdir").write_text(f"{place}/.git\n")
    return folder, place


def _kept(folder: Path) -> frozenset[str]:
    return frozenset().union(*(contents_kept(place) for place in folder.iterdir() if place.is_dir()))


def _plainly(told: Told) -> None:
    assert told.code in PLAIN, told
    assert "bug in engram" not in told.err, told
    assert told.code == 0 or told.err or told.out, "it failed and said nothing"


_states = pytest.mark.parametrize("prepared", STATES, ids=lambda state: state.__name__, indirect=True, scope="module")


@_states
def test_verbs_that_only_look_work_or_say_why_and_change_nothing(prepared: tuple[Template, Path]) -> None:
    folder, place = _in(prepared)
    before = contents(folder)
    for words in READING:
        _plainly(engram(place, *words))
        assert contents(folder) == before, words


@_states
@pytest.mark.parametrize(
    "words", [*OFTEN, *(pytest.param(words, marks=pytest.mark.long) for words in SELDOM)], ids=" ".join
)
def test_verbs_that_write_work_or_say_why_and_lose_nothing(
    prepared: tuple[Template, Path], words: tuple[str, ...]
) -> None:
    folder, place = _in(prepared)
    before, complaints, version = _kept(folder), _fsck(folder / CLONE), _version(folder)
    _plainly(engram(place, *words))
    lost = before - _kept(folder)
    assert len(lost) == (1 if words == ("remove", TEXT) and complaints else 0)  # as git rm, which looks at names only
    assert complaints or not _fsck(folder / CLONE)
    assert not left_behind(folder / CLONE)
    assert _version(folder) == version, "upgraded, and nobody asked"


def _fsck(dataset: Path) -> str:
    return git(dataset, "fsck", "--strict", "--full", "--no-dangling", "--no-progress", fine=(0, 2))


def _version(folder: Path) -> str:
    said = git(folder / CLONE, "config", "--get", "annex.version", fine=(0, 1)).strip()
    return said if said in ("8", "9") else ""


@pytest.mark.parametrize("words", [("get", "."), ("save", "-m", "x"), ("drop", ANNEXED[0]), ("fsck",)], ids=" ".join)
def test_a_second_work_tree_that_is_trusted_keeps_contents_where_the_first_does(
    two: Template, words: tuple[str, ...]
) -> None:
    folder = two.fresh()
    place = linked_work_tree(folder)
    before = _kept(folder)
    assert engram(place, "trust", ".").code == 0
    (place / "new.dat").write_text("new\n")
    _plainly(engram(place, *words))
    assert not before - _kept(folder)
    assert not _fsck(folder / CLONE)
    assert git(folder / CLONE, "annex", "fsck", "--quiet") == ""


@pytest.mark.root
@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("status",), 0),
        (("whereis",), 0),
        (("clone", ".", "../copy"), 0),
        (("get", "."), 31),
        (("drop", "."), 31),
        (("save", "-m", "x"), 31),
        (("unlock", "."), 31),
        (("remove", TEXT), 31),
    ],
    ids=str,
)
def test_what_may_not_be_written_can_be_read(two: Template, words: tuple[str, ...], code: int) -> None:
    folder = two.fresh()
    place = read_only(folder)
    plain = command(place, *words)
    without_rights = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", *plain.arguments)
    ended = processes.run(replace(plain, arguments=without_rights))
    assert ended.exit_code == code, ended.errors
    assert "bug in engram" not in ended.errors
