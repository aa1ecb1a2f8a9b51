"""Whole folders go, sealed ones too; nothing goes that lies elsewhere."""

import os
from pathlib import Path

from engram.datasets.dropping.wiping import wipe
from engram.durable import Steps
from engram.testing.faults import Counting


def test_sealed_folders_go_with_all_in_them(tmp_path: Path) -> None:
    deep = tmp_path / "ds/objects/aa/KEY"
    deep.mkdir(parents=True)
    (deep / "KEY").write_text("x")
    for folder in (deep, deep.parent):
        folder.chmod(0o555)
    steps = Counting()
    wipe(steps, str(tmp_path / "ds"))
    assert list(tmp_path.iterdir()) == []
    assert [step.kind for step in steps.taken] == ["chmod", "chmod", "remove", *["rmdir"] * 4]  # root may do all anyway


def test_links_go_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds/link").symlink_to(tmp_path / "kept")
    wipe(Steps(), str(tmp_path / "ds"))
    (tmp_path / "itself").symlink_to(tmp_path / "kept")
    wipe(Steps(), str(tmp_path / "itself"))
    assert os.listdir(tmp_path) == ["kept"]
    assert (tmp_path / "kept/file").exists()


def test_what_is_spared_stays_with_the_folder_that_holds_it_and_only_there(tmp_path: Path) -> None:
    for name in (".git/refs", "d/.git"):
        (tmp_path / "ds" / name).mkdir(parents=True)
    (tmp_path / "ds/file").touch()
    wipe(Steps(), str(tmp_path / "ds"), spared=".git")
    assert sorted(path.name for path in (tmp_path / "ds").rglob("*")) == [".git", "refs"]


def test_a_file_goes_and_nothing_is_fine(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    wipe(Steps(), str(tmp_path / "file"))
    wipe(Steps(), str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []


def test_a_deep_tree_goes(tmp_path: Path) -> None:
    os.makedirs(tmp_path / "ds" / "/".join(["d"] * 800))
    wipe(Steps(), str(tmp_path / "ds"))
    assert list(tmp_path.iterdir()) == []
