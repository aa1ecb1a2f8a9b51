"""What a save passes over: nobody misses a pipe or what git ignores, unless it was named, or took a file's place."""

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


def test_what_git_ignores_is_passed_over_unless_it_was_named(git_annex: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ds"
    create(folder, annex=False)
    write(folder, ".gitignore", "*.tmp\nbuild/\n")
    write(folder, "a.tmp", "ignored")
    write(folder, "build/b", "ignored with its folder")
    write(folder, "file", "content")
    assert {record[1] for record in told(save(folder), folder)} == {"ok"}

    for name in ("a.tmp", "build/b"):
        named = [record for record in save(folder, name) if record["status"] == "impossible"]
        assert [(record["path"], record["error"]) for record in named] == [(str(folder / name), "ItemFailed")]
        assert f"git add -f {name}" in str(named[0]["remedy"])
