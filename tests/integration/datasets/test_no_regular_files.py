"""What is no regular file: nobody misses a pipe, unless it was named, or took the place of a file."""

import os
from pathlib import Path

import pytest

from tests.interop.peers import create, save, told, write

pytestmark = pytest.mark.integration


def test_a_pipe_is_refused_where_it_is_named_or_lies_where_a_file_was(git_annex: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ds"
    create(folder, annex=False)
    write(folder, "file", "content")
    os.mkfifo(folder / "pipe")
    assert ("add", "notneeded", "file", "pipe", "") in told(save(folder), folder)

    named = save(folder, "pipe")
    assert ("add", "impossible", "file", "pipe", "") in told(named, folder)
    assert {"UnsupportedFile"} == {record["error"] for record in named if record["status"] == "impossible"}

    (folder / "file").unlink()
    os.mkfifo(folder / "file")
    assert ("add", "error", "file", "file", "") in told(save(folder), folder)
