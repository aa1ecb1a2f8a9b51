"""A dataset as large as those of a working lab: engram saves it, and everybody agrees on what is in it."""

import subprocess
from pathlib import Path

import pytest

from engram.testing.places import fresh_folder, memory, remove_tree
from engram.testing.sessions_on_disk import write_neuroscience_tree
from tests.interop.peers import annex, create, git, notes, save, status, told, tree_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]


#: As many as a working lab's dataset has.
FILES = 34_000
#: Of them are looked at one by one.
SOME = 500


def test_a_tree_of_realistic_names_is_saved_and_everybody_agrees(datalad: Path, git_annex: Path) -> None:
    under = fresh_folder(memory())
    try:
        folder = under / "ds"
        create(folder)
        write_neuroscience_tree(folder, FILES)
        records = save(folder, message="everything")
        assert len([record for record in records if record["action"] == "add" and record["status"] == "ok"]) == FILES
        assert not any("handed" in note for note in notes(records))
        _everybody_agrees(folder, datalad)
    finally:
        remove_tree(under)


def _everybody_agrees(folder: Path, datalad: Path) -> None:
    """git-annex is asked about every key, in a tenth of the time that it takes for every file, and about some files."""
    annexed = [path for path, held in tree_of(folder).items() if held.startswith("120000 ")]
    assert git(folder, "fsck", "--strict", "--full", "--no-dangling", "--no-progress") == ""
    assert len(annex(folder, "find", "--in", "here", "--format=${file}\\n").splitlines()) == len(annexed) == FILES
    keys = set(annex(folder, "find", "--format=${key}\\n").splitlines())
    assert {*annex(folder, "whereis", "--all", "--in", "here", "--format=${key}\\n").splitlines()} == keys
    assert annex(folder, "fsck", "--all", "--fast", "--quiet") == ""
    some = sorted(annexed)[:: len(annexed) // SOME]
    assert len(annex(folder, "whereis", "--in", "here", "--format=${file}\\n", "--", *some).splitlines()) == len(some)
    assert annex(folder, "fsck", "--fast", "--quiet", "--", *some) == ""
    assert git(folder, "status", "--porcelain") == ""
    done = subprocess.run([datalad, "status"], cwd=folder, capture_output=True, text=True)
    assert done.stdout == "nothing to save, working tree clean\n"
    assert {record["state"] for record in status(folder)} == {"clean"}
    assert told(save(folder), folder) == [("save", "notneeded", "dataset", ".", "")]
