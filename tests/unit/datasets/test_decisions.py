"""What saving would do with each path, decided without touching any."""

import os
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from engram.datasets.comparison import Comparison
from engram.datasets.git.index import GitIndex
from engram.datasets.git.objects import FILE_MODE
from engram.datasets.git.odb import ObjectStore
from engram.datasets.saving.choosing import Chooser, Rules
from engram.datasets.saving.decisions import Decisions, Staged, decide
from engram.datasets.worktree import Differences, Found
from engram.model.errors import UnsupportedFile

POINTER = "/annex/objects/SHA256E-s5--a.dat\n"


class Sources:
    """Everything goes to the annex; what was not to be asked for is not there."""

    def __init__(self, top: Path, index: GitIndex, *, compares: bool = True) -> None:
        self.top = os.fsencode(top)
        self._index = index
        self._compares = compares

    def comparison(self) -> Comparison:
        assert self._compares, "nothing is in doubt"
        objects = ObjectStore(os.path.join(self.top, b".git/objects"))
        return Comparison(self.top, self._index, objects, lambda path, names: {})

    def chooser(self) -> Chooser:
        rules = Rules(
            attributes=lambda path, names: {}, largefiles=None, fallback=None, backend="SHA256E", has_annex=True
        )
        return Chooser(rules, self.top)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with ``a``, ``b`` (text) and ``p`` (a pointer) recorded."""
    for name, text in (("a", "a"), ("b", "b"), ("p", POINTER)):
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    return tmp_path


def index_of(top: Path) -> GitIndex:
    return GitIndex.read(os.fsencode(top / ".git/index"))


def decided(top: Path, differences: Differences, staged: Staged | None = None, *, compares: bool = True) -> Decisions:
    index = index_of(top)
    return decide(differences, index, Sources(top, index, compares=compares), staged or Staged())


def doubtful(top: Path, *names: str) -> Differences:
    index = index_of(top)
    found = [(index.find(os.fsencode(name)), os.lstat(top / name)) for name in names]
    return Differences(doubtful=[(position, status) for position, status in found if position is not None])


def test_new_things_are_sorted_by_their_kind_and_nothing_recorded_is_read(top: Path) -> None:
    found = [
        Found(b"new", "file", 3),
        Found(b"link", "symlink"),
        Found(b"sub", "repository"),
        Found(b"pipe", "special"),
    ]
    made = decided(top, Differences(untracked=found), compares=False)
    assert [(file.path, file.backend, file.why) for file in made.files] == [
        (b"new", "SHA256E", "new, content goes to the annex")
    ]
    assert [made.links, made.repositories, made.special] == [[found[1]], [found[2]], [found[3]]]


@pytest.mark.parametrize("name", [b".GIT/x", b"d/git~1", b"d/.git ", b"a\\.git\\x"])
def test_a_name_that_git_refuses_is_a_problem_of_its_own(top: Path, name: bytes) -> None:
    made = decided(top, Differences(untracked=[Found(name, "file", 1), Found(b"new", "file", 1)]))
    assert [type(problem) for problem in made.problems] == [UnsupportedFile]
    assert [file.path for file in made.files] == [b"new"]


def test_what_only_looks_changed_gets_new_stat_data_and_no_more(top: Path) -> None:
    os.utime(top / "a", (1, 1))
    (top / "b").write_text("changed")
    made = decided(top, doubtful(top, "a", "b"))
    assert [index_of(top).paths[position] for position, _ in made.refreshed] == [b"a"]
    assert [(file.path, file.why) for file in made.files] == [(b"b", "modified, content goes to the annex")]


def test_an_unlocked_file_keeps_its_key_in_mind(top: Path) -> None:
    (top / "p").write_text("other content")
    (file,) = decided(top, doubtful(top, "p")).files
    assert file.key == b"SHA256E-s5--a.dat"


@pytest.mark.parametrize(
    ("new", "covered"),
    [
        ([], False),
        ([Found(b"a/x", "file", 1)], True),
        ([Found(b"a/d/e/x", "symlink")], True),
        ([Found(b"a", "repository")], True),
        ([Found(b"ab/x", "file", 1)], False),
    ],
)
def test_what_went_is_told_unless_something_in_a_folder_of_its_name_is(
    top: Path, new: list[Found], covered: bool
) -> None:
    position = index_of(top).find(b"a")
    assert position is not None
    made = decided(top, Differences(missing=[position], untracked=new))
    assert made.removed == [position]
    assert made.covered == ({position} if covered else set())


def test_what_is_staged_as_gone_and_lies_there_again_is_not_gone(top: Path) -> None:
    staged = Staged(deleted=[(b"x", FILE_MODE), (b"y", FILE_MODE)])
    made = decided(top, Differences(untracked=[Found(b"x", "file", 1)]), staged)
    assert made.gone == [(b"y", FILE_MODE)]


def test_a_staged_pointer_is_locked_again_and_staged_text_stays(top: Path) -> None:
    index = index_of(top)
    staged = Staged(changed=[position for position in (index.find(b"a"), index.find(b"p")) if position is not None])
    assert [(file.path, file.backend) for file in decided(top, Differences(), staged).files] == [(b"p", "SHA256E")]


def test_nothing_to_do_asks_nobody(tmp_path: Path) -> None:
    class Nobody(Sources):
        def comparison(self) -> NoReturn:
            raise AssertionError

        chooser = comparison

    index = GitIndex.from_nothing()
    assert decide(Differences(), index, Nobody(tmp_path, index), Staged()).nothing
