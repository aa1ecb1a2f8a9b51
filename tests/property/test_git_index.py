"""Laws of the index: it holds what the changes say, in every version, and its trees are those of its entries."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.datasets.git.cache_tree import CacheTree
from engram.datasets.git.index import (
    ASSUME_VALID,
    HEADER,
    INTENT_TO_ADD,
    SKIP_WORKTREE,
    STAT_BLOCK,
    Entry,
    GitIndex,
)
from engram.datasets.git.index_write import Changes, complete_changes, write_index
from engram.datasets.git.objects import SUBMODULE_MODE, TREE, TREE_MODE, decode_tree, encode_tree, object_id
from engram.datasets.git.trees import build_trees

MODES = (0o100644, 0o100755, 0o120000, SUBMODULE_MODE)
names = st.sampled_from([b"a", b"b", b"a.", b"a-", b"a0", b"ab", b" ", b"\xff", b"\xc3\xa9", b"n" * 200, b"\n"])
paths = st.lists(names, min_size=1, max_size=4).map(b"/".join) | st.just(b"/".join([b"n" * 250] * 17))
numbers = st.integers(0, 2**32 - 1)
flags = st.sampled_from([0, 0, 0, ASSUME_VALID, SKIP_WORKTREE, INTENT_TO_ADD, ASSUME_VALID | SKIP_WORKTREE])


@st.composite
def entries(draw: st.DrawFn, path: bytes) -> Entry:
    early = draw(st.tuples(*[numbers] * 6))
    late = draw(st.tuples(*[numbers] * 3))
    block = STAT_BLOCK.pack(*early, draw(st.sampled_from(MODES)), *late)
    oid = draw(st.binary(min_size=20, max_size=20).filter(any))  # git writes no tree with a null id in it
    return Entry(path, oid, block, draw(flags))


@st.composite
def changes(draw: st.DrawFn) -> Changes:
    """Changes in which no path is a file and a folder."""
    chosen: dict[bytes, Entry | None] = {}
    for path in draw(st.lists(paths, max_size=8)):
        inside = any(other.startswith(path + b"/") or path.startswith(other + b"/") for other in chosen)
        chosen[path] = None if inside else draw(st.none() | entries(path))
    return chosen


def empty(version: int) -> GitIndex:
    return GitIndex.from_bytes(HEADER.pack(b"DIRC", version, 0) + bytes(20))


def apply(model: Mapping[bytes, Entry], made: Changes) -> dict[bytes, Entry]:
    """What a plain dictionary makes of the changes."""
    after = dict(model)
    for path, entry in made.items():
        after.pop(path, None)
        if entry is not None:
            for other in list(after):
                if other.startswith(path + b"/") or path.startswith(other + b"/"):
                    del after[other]
            after[path] = entry
    return after


def plain_tree(model: Mapping[bytes, Entry], known: dict[bytes, bytes], prefix: bytes = b"") -> bytes:
    """The tree of these entries, folder by folder, noting the bytes of each."""
    lines: dict[bytes, tuple[int, bytes, bytes]] = {}
    for path, entry in model.items():
        if not path.startswith(prefix) or entry.flags & INTENT_TO_ADD:
            continue
        name, slash, _ = path[len(prefix) :].partition(b"/")
        if not slash:
            lines[name] = (entry.mode, name, entry.oid)
        elif name not in lines:
            lines[name] = (TREE_MODE, name, plain_tree(model, known, prefix + name + b"/"))
    data = encode_tree(lines.values())
    oid = object_id(TREE, data)
    known[oid] = data
    return oid


def check_cache_tree(index: GitIndex, node: CacheTree, known: Mapping[bytes, bytes], prefix: bytes = b"") -> None:
    """Every folder that the cache claims to know is as it says."""
    low, high = index.below(prefix[:-1])
    if node.is_valid:
        assert node.count == high - low
        assert node.oid in known
        folders = {name for mode, name, _ in decode_tree(known[node.oid]) if mode == TREE_MODE}
        assert folders == set(node.children)
    for name, child in node.children.items():
        check_cache_tree(index, child, known, prefix + name + b"/")


@pytest.mark.parametrize("version", [2, 3, 4])
@given(steps=st.lists(changes(), max_size=4))
@settings(deadline=None)
def test_after_any_changes_the_index_and_its_trees_are_what_the_changes_say(version: int, steps: list[Changes]) -> None:
    index, model = empty(version), dict[bytes, Entry]()
    stored: dict[bytes, bytes] = {}
    for made in steps:
        index.mtime_ns = 2**32 * 10**9 - 1
        model = apply(model, made)
        complete = complete_changes(index, made)
        trees = build_trees(index, complete)
        stored |= dict(trees.objects)
        expected: dict[bytes, bytes] = {}
        assert trees.root == plain_tree(model, expected)
        assert set(expected) <= set(stored)
        content = write_index(index, complete, trees.cache_tree, checked=index.paths)
        index = GitIndex.from_bytes(content)
        assert index.version in {version, 3}
        assert {entry.path: entry for entry in index.entries()} == model
        assert index.cache_tree == trees.cache_tree
        check_cache_tree(index, trees.cache_tree, stored)
        assert write_index(index, {}, index.cache_tree, checked=index.paths) == content


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "hash-object", "-w", "--stdin"], input=b"", cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("version", [2, 4])
@given(first=changes(), second=changes())
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_git_lists_the_same_entries_and_writes_the_same_tree(
    version: int, repository: Path, first: Changes, second: Changes
) -> None:
    index = empty(version)
    for made in (first, second):
        index.mtime_ns = 2**32 * 10**9 - 1
        complete = complete_changes(index, made)
        trees = build_trees(index, complete)
        index = GitIndex.from_bytes(write_index(index, complete, None, checked=index.paths))
    (repository / ".git/index").write_bytes(index.data)
    listed = _git(repository, "ls-files", "-s", "-z")
    assert listed == b"".join(
        b"%06o %b 0\t%b\0" % (entry.mode, entry.oid.hex().encode(), entry.path) for entry in index.entries()
    )
    if not any(entry.flags & INTENT_TO_ADD for entry in index.entries()):
        assert _git(repository, "write-tree", "--missing-ok").strip() == trees.root.hex().encode()
        again = GitIndex.read(bytes(repository / ".git/index"))
        assert again.cache_tree == trees.cache_tree


def _git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True).stdout
