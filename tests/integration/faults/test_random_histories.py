"""Random changes, saved, sometimes with a death in between: the dataset always holds what the model says."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram.durable import Steps
from engram.testing.changing import Change, File, Link, Tree, changes, tree_on_disk, trees, write_tree
from engram.testing.faults import DyingAt, in_child
from engram.testing.places import Template, fresh_folder, scratch
from engram.testing.soundness import sound
from tests.integration.faults.operations import DATASET, create, git, save

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("git_annex")]

#: Changes until the next save, and at which step the first attempt to save dies (0: it does not).
Round = tuple[list[Change], int]

rounds = st.tuples(st.lists(changes(), max_size=6), st.one_of(st.just(0), st.integers(1, 120)))


@pytest.fixture(scope="module")
def new_dataset(git_annex: Path) -> Iterator[Template]:
    with scratch() as scene:
        original = fresh_folder(scene)
        assert create(original, Steps()) == 0
        yield Template(original, scene)


def _contents(tree: Tree) -> dict[bytes, bytes | Link]:
    """What files hold and where links lead, but for what create made; the annex keeps no executable bits of links."""
    return {
        path: entry.content if isinstance(entry, File) else entry
        for path, entry in tree.items()
        if not path.startswith((b".datalad/", b".gitattributes"))
    }


@pytest.mark.timeout(900)
@settings(max_examples=settings().max_examples // 8)  # twelve, but in a long run
@given(start=trees(), history=st.lists(rounds, min_size=1, max_size=3))
def test_a_dataset_holds_what_was_saved_whatever_happened(
    new_dataset: Template, start: Tree, history: list[Round]
) -> None:
    folder = new_dataset.fresh()
    dataset = folder / DATASET
    write_tree(dataset, start)
    model: Tree = start
    for some_changes, dies_at in [([], 0), *history]:
        for change in some_changes:
            change.on_disk(dataset, model)
            model = change.in_model(model)
        if dies_at:
            in_child(save, folder, DyingAt(dies_at))
        ending = in_child(save, folder)
        assert ending.exit_code == 0, ending
        assert _contents(tree_on_disk(dataset)) == _contents(model)
        sound(dataset)
    assert git(dataset, "annex", "fsck", "--quiet") == ""
    clone = folder / "clone"
    git(folder, "clone", "-q", os.fspath(dataset), os.fspath(clone))
    git(clone, "annex", "init", "-q")
    git(clone, "annex", "get", "-q", ".")
    assert _contents(tree_on_disk(clone)) == _contents(model)
