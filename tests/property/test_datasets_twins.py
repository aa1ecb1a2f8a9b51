"""Random folders and random changes, saved by engram and by its peers: the same keys, trees and links."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engram.testing.changing import Change, Entry, File, Tree, changes, tree_on_disk, trees, write_tree
from engram.testing.places import remove_tree
from tests.interop.peers import (
    DataLad,
    annex_branch,
    create,
    git,
    keys_of,
    links_of,
    notes,
    save,
    status,
    told,
    tree_of,
    without_complaint,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

_FEW = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    derandomize=True,
)
_MANY = settings(_FEW, max_examples=150, derandomize=False)


@pytest.fixture(scope="module")
def datalad_api(datalad: Path) -> Iterator[DataLad]:
    api = DataLad(datalad)
    yield api
    api.close()


@pytest.fixture(scope="module")
def original(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "ds"
    create(folder)
    return folder


class _Twins:
    """Two copies of a dataset, gone when the example is over."""

    def __init__(self, original: Path) -> None:
        self.under = Path(tempfile.mkdtemp(prefix="engram-twins-"))
        self.ours, self.theirs = self.under / "ours", self.under / "theirs"
        for place in (self.ours, self.theirs):
            subprocess.run(["cp", "-a", str(original), str(place)], check=True)
            git(place, "update-index", "-q", "--really-refresh")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        remove_tree(self.under)

    def change(self, change: Change, tree: Tree) -> None:
        for place in (self.ours, self.theirs):
            change.on_disk(place, tree)


def _by_git_annex(folder: Path) -> None:
    """What DataLad does, without its own special cases: deletions, additions, one commit."""
    gone = [path for path in git(folder, "ls-files", "-z", "--deleted").split("\0") if path]
    if gone:
        git(folder, "rm", "-q", "--cached", "--pathspec-from-file=-", "--pathspec-file-nul", stdin="\0".join(gone))
    git(folder, "-c", "annex.dotfiles=true", "annex", "add", "-q", "--no-check-gitignore", ".")
    git(folder, "commit", "-q", "-m", "twin", fine=(0, 1))


def _same(twins: _Twins) -> None:
    assert tree_of(twins.ours) == tree_of(twins.theirs)
    assert keys_of(twins.ours) == keys_of(twins.theirs)
    assert links_of(twins.ours) == links_of(twins.theirs)
    assert tree_on_disk(twins.ours) == tree_on_disk(twins.theirs)


def _one_after_the_other(original: Path, begin: Tree, steps: list[Change]) -> None:
    """Save *begin* and then each step with engram; nothing of what a user sees may differ from the model."""
    with _Twins(original) as twins:
        folder = twins.ours
        own = tree_on_disk(folder)
        write_tree(folder, begin)
        tree: Tree = {**own, **begin}
        records = save(folder)
        assert not any("handed" in note for note in notes(records))
        for step in steps:
            step.on_disk(folder, tree)
            tree = step.in_model(tree)
            states = {os.fsencode(record["item"]): record["state"] for record in status(folder, untracked="all")}
            save(folder)
            assert {record["state"] for record in status(folder)} <= {"clean"}, states
        _as_in_the_model(folder, tree)
        without_complaint(folder)


def _as_in_the_model(folder: Path, tree: Tree) -> None:
    """But for executable bits: files of one content share one object in the annex, and so its permissions."""
    now = tree_on_disk(folder)
    assert {path: _without_bit(entry) for path, entry in now.items()} == {
        path: _without_bit(entry) for path, entry in tree.items()
    }


def _without_bit(entry: Entry) -> Entry:
    return File(entry.content) if isinstance(entry, File) else entry


_OWN = (b".gitattributes", b".datalad")


def _apart(tree: Tree) -> Tree:
    """A tree that leaves the dataset's own settings alone."""
    return {path: entry for path, entry in tree.items() if path.split(b"/")[0] not in _OWN}


class TestRandomTrees:
    @_FEW
    @given(begin=trees().map(_apart), steps=st.lists(changes(), max_size=4))
    def test_what_a_user_sees_is_what_is_saved(self, original: Path, begin: Tree, steps: list[Change]) -> None:
        _one_after_the_other(original, begin, steps)

    @_FEW
    @given(begin=trees().map(_apart))
    def test_a_new_tree_is_saved_as_by_git_annex(self, original: Path, begin: Tree) -> None:
        with _Twins(original) as twins:
            for folder in (twins.ours, twins.theirs):
                write_tree(folder, begin)
            save(twins.ours)
            _by_git_annex(twins.theirs)
            _same(twins)
            assert annex_branch(twins.ours) == annex_branch(twins.theirs)

    @_FEW
    @given(begin=trees(max_size=8).map(_apart))
    def test_a_new_tree_is_saved_and_told_as_by_datalad(
        self, original: Path, datalad_api: DataLad, begin: Tree
    ) -> None:
        tame = {path: entry for path, entry in begin.items() if _is_tame(path)}
        with _Twins(original) as twins:
            for folder in (twins.ours, twins.theirs):
                write_tree(folder, tame)
            before = _states(status(twins.ours), twins.ours)
            assert before == _states(datalad_api.status(twins.theirs), twins.theirs)
            theirs, ours = datalad_api.save(twins.theirs), save(twins.ours)
            assert told(ours, twins.ours) == told(theirs, twins.theirs)
            _same(twins)
            assert _states(status(twins.ours), twins.ours) == _states(datalad_api.status(twins.ours), twins.ours)


def _is_tame(path: bytes) -> bool:
    """Names that DataLad can spell: UTF-8, nothing that git quotes, no magic of its pathspecs."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return False
    return (
        text.isprintable()
        and not set(text) & set(':*?[]\\"!')
        and not any(part.startswith((" ", "-")) or part.endswith(" ") for part in text.split("/"))
    )


def _states(records: list[dict[str, object]], folder: Path) -> list[tuple[object, ...]]:
    fields = ("state", "type", "gitshasum", "prev_gitshasum", "bytesize")
    return [
        (os.path.relpath(str(record["path"]), folder), *(record.get(name) for name in fields)) for record in records
    ]


@pytest.mark.long
@pytest.mark.timeout(1800)
class TestManyRandomTrees:
    @_MANY
    @given(begin=trees().map(_apart), steps=st.lists(changes(), max_size=8))
    def test_what_a_user_sees_is_what_is_saved(self, original: Path, begin: Tree, steps: list[Change]) -> None:
        _one_after_the_other(original, begin, steps)

    @_MANY
    @given(begin=trees().map(_apart))
    def test_a_new_tree_is_saved_as_by_git_annex(self, original: Path, begin: Tree) -> None:
        with _Twins(original) as twins:
            for folder in (twins.ours, twins.theirs):
                write_tree(folder, begin)
            save(twins.ours)
            _by_git_annex(twins.theirs)
            _same(twins)
