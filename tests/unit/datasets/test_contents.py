"""Contents on their way in: how far a long read is, is told while it goes on."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from engram.datasets.annex.store import ContentStore
from engram.datasets.saving.contents import Contents
from engram.datasets.saving.decisions import FileToSave
from engram.datasets.syncing import ToSync
from engram.durable import Steps

MIB = 1 << 20


def contents_in(top: Path) -> Contents:
    (top / ".git").mkdir()
    git_dir = os.fsencode(top / ".git")
    store = ContentStore(Steps(), git_dir=git_dir, to_sync=ToSync(git_dir, os.fsencode(top)))
    store.clear_what_a_crash_left()

    def stream_blob(size_bytes: int, chunks: Iterable[bytes], name: str) -> bytes:
        assert sum(map(len, chunks)) == size_bytes
        return bytes(20)

    return Contents(Steps(), store, os.fsencode(top), 2, stream_blob)


@pytest.mark.parametrize("backend", ["SHA256E", ""])
def test_a_large_file_is_told_of_while_it_is_read(tmp_path: Path, backend: str) -> None:
    (tmp_path / "large").write_bytes(bytes(5 * MIB + 1))
    (tmp_path / "small").write_bytes(b"small")
    told: list[int] = []
    files = [FileToSave(b"large", 5 * MIB + 1, backend), FileToSave(b"small", 5, backend)]
    contents = contents_in(tmp_path)
    assert len(list(contents.take_in(files, told.append))) == 2
    assert contents.problems == []
    assert max(told) == MIB
    assert sum(told) == 5 * MIB + 6


def test_what_grew_or_shrank_meanwhile_counts_as_what_it_was(tmp_path: Path) -> None:
    for name, size_bytes in (("grew", 4 * MIB), ("shrank", 2 * MIB), ("went", 0)):
        (tmp_path / name).write_bytes(bytes(size_bytes))
    (tmp_path / "went").unlink()
    told: list[int] = []
    files = [FileToSave(name, 3 * MIB, "SHA256E") for name in (b"grew", b"shrank", b"went")]
    contents = contents_in(tmp_path)
    assert len(list(contents.take_in(files, told.append))) == 2
    assert len(contents.problems) == 1
    assert min(told) >= 0
    assert sum(told) == 4 * MIB + 3 * MIB + 3 * MIB
