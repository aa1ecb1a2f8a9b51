"""A tree with some paths changed is the tree that git would write."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.datasets.git.graft import graft
from engram.datasets.git.index import Entry, entry_without_stat
from engram.datasets.git.objects import BLOB, EXECUTABLE_MODE, FILE_MODE, SYMLINK_MODE, TREE, encode_tree, object_id

BLOBS = [object_id(BLOB, bytes([n])) for n in range(3)]
EMPTY = object_id(TREE, encode_tree(()))
PATHS = st.lists(st.sampled_from([b"a", b"a.b", b"a-b", b"b", b"\xff"]), min_size=1, max_size=3).map(b"/".join)
ENTRIES = st.tuples(st.sampled_from([FILE_MODE, EXECUTABLE_MODE, SYMLINK_MODE]), st.sampled_from(BLOBS))
Files = dict[bytes, tuple[int, bytes]]


class Objects:
    """Trees that are held in memory."""

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {EMPTY: encode_tree(())}

    def read(self, oid: bytes) -> tuple[bytes, bytes]:
        return TREE, self.held[oid]


def without_clashes(files: Files) -> Files:
    kept: Files = {}
    for path, entry in files.items():
        if not any(path.startswith(other + b"/") or other.startswith(path + b"/") for other in kept):
            kept[path] = entry
    return kept


TREES = st.dictionaries(PATHS, ENTRIES, max_size=8).map(without_clashes)


def changed(before: Files, after: Files) -> dict[bytes, Entry | None]:
    changes: dict[bytes, Entry | None] = {path: None for path in before if path not in after}
    changes |= {
        path: entry_without_stat(path, mode, oid)
        for path, (mode, oid) in after.items()
        if before.get(path) != (mode, oid)
    }
    return changes


def written_by_git(folder: Path, files: Files) -> bytes:
    lines = b"".join(b"%o %b\t%b\0" % (mode, oid.hex().encode(), path) for path, (mode, oid) in files.items())
    (folder / ".git" / "index").unlink(missing_ok=True)
    subprocess.run(["git", "update-index", "-z", "--index-info"], cwd=folder, input=lines, check=True)
    said = subprocess.run(["git", "write-tree", "--missing-ok"], cwd=folder, capture_output=True, check=True).stdout
    return bytes.fromhex(said.decode().strip())


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(TREES, TREES)
def test_a_grafted_tree_is_the_one_that_git_writes(repository: Path, before: Files, after: Files) -> None:
    objects = Objects()
    first, new = graft(objects, EMPTY, changed({}, before))
    objects.held.update((oid, data) for oid, _, data in new)
    assert first == written_by_git(repository, before)
    second, new = graft(objects, first, changed(before, after))
    assert second == written_by_git(repository, after)
    objects.held.update((oid, data) for oid, _, data in new)
    assert all(object_id(TREE, data) == oid for oid, data in objects.held.items())
    assert second in objects.held


def test_without_changes_the_tree_stays_and_nothing_is_new() -> None:
    objects = Objects()
    root, new = graft(objects, EMPTY, {b"a/b": entry_without_stat(b"a/b", FILE_MODE, BLOBS[0])})
    objects.held.update((oid, data) for oid, _, data in new)
    assert graft(objects, root, {}) == (root, [])


def test_only_folders_on_the_way_are_read() -> None:
    objects = Objects()
    paths = [b"near/file", b"far/away/file"]
    root, new = graft(objects, EMPTY, {path: entry_without_stat(path, FILE_MODE, BLOBS[0]) for path in paths})
    objects.held.update((oid, data) for oid, _, data in new)
    read: list[bytes] = []

    class Noting(Objects):
        def read(self, oid: bytes) -> tuple[bytes, bytes]:
            read.append(oid)
            return TREE, objects.held[oid]

    graft(Noting(), root, {b"near/file": entry_without_stat(b"near/file", FILE_MODE, BLOBS[1])})
    assert len(read) == 2
