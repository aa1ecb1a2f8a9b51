"""Every verb on datasets as strangers publish them: large, mixed, without any content that could be had here."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engram.cli.call import Call
from engram.cli.render import Screen
from engram.cli.run import run
from engram.testing import strangers
from engram.testing.places import scratch
from tests.interop.peers import git

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("git_annex")]

Make = Callable[[Path, int], Path]
SMALL = ((strangers.openneuro, 100), (strangers.superdataset, 20), (strangers.unlocked, 30), (strangers.mixed, 0))
REAL = ((strangers.openneuro, 40_000), (strangers.superdataset, 1_000), (strangers.unlocked, 11_682))
VERBS = (
    ("status", "-r", "--annex", "all"),
    ("whereis",),
    ("unused",),
    ("fsck",),
    ("subdatasets", "-r"),
    ("save", "-r", "-m", "x"),
    ("drop", "."),
    ("diff", "-f", "HEAD"),
    ("siblings",),
    ("numcopies",),
)


def _engram(folder: Path, *words: str) -> tuple[int, str]:
    said = io.StringIO()
    environment = dict(os.environ)
    call = Call(screen=Screen(said, said, environment), environment=environment, folder=str(folder))
    return run(call, words), said.getvalue()


@pytest.fixture
def scene() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.mark.parametrize(("make", "count"), [*SMALL, *(pytest.param(*real, marks=pytest.mark.long) for real in REAL)])
def test_every_verb_knows_what_to_say(scene: Path, make: Make, count: int) -> None:
    make(scene / "source", count)
    assert _engram(scene, "clone", "source", "here")[0] == 0
    here = scene / "here"
    head = git(here, "rev-parse", "HEAD")
    for words in VERBS:
        code, said = _engram(here, *words)
        assert code in (0, 2, 3), (words, said)
        assert "bug in engram" not in said, (words, said)
    assert git(here, "rev-parse", "HEAD") == head
    assert git(here, "status", "--porcelain") == ""


def test_what_nobody_here_has_is_named_with_the_line_that_tells_who_has_it(scene: Path) -> None:
    strangers.openneuro(scene / "source", 5)
    assert _engram(scene, "clone", "source", "here")[0] == 0
    name = "sub-0000/ses-00/anat/sub-0000_T1w.nii.gz"
    code, said = _engram(scene / "here", "get", name)
    assert (code, f"engram whereis {name}" in said) == (3, True), said
    code, said = _engram(scene / "here", "whereis", name)
    assert (code, "s3-PUBLIC" in said) == (0, True), said
