"""What somebody left of a dataset is recognised, and says how to be rid of it."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.placing import read_mark
from engram.model.errors import BrokenDataset, NoDataset, NotADataset, NotInstalled
from engram.workspace.cloning import Copies
from engram.workspace.context import Context
from engram.workspace.opening import Opening

Git = Callable[..., str]


def around() -> Surroundings:
    return Surroundings(environment=dict(os.environ))


def opening(folder: Path) -> Opening:
    return Opening(Context(folder=str(folder), environment=dict(os.environ)))


def half_removed(folder: Path) -> Path:
    """A dataset of which ``rm -rf`` left what git-annex had made read-only."""
    key = folder / ".git/annex/objects/aa/bb/KEY"
    key.mkdir(parents=True)
    (key / "KEY").write_text("content")
    return folder


def test_a_half_removed_dataset_says_what_is_missing_and_how_to_clean_up(tmp_path: Path) -> None:
    ds = half_removed(tmp_path / "my ds")
    for place in (ds, ds / ".git/annex"):
        with pytest.raises(BrokenDataset) as refused:
            open_dataset(str(place), around())
        assert refused.value.exit_code == 2
        assert "lacks HEAD, objects, refs; contents may be left in" in refused.value.what
        assert f"chmod -R u+w '{ds}' && rm -rf '{ds}'" in refused.value.next_step


def test_what_it_says_to_type_cleans_up(tmp_path: Path) -> None:
    ds = half_removed(tmp_path / "it's here")
    (ds / ".git/annex/objects/aa/bb/KEY").chmod(0o555)
    with pytest.raises(BrokenDataset) as refused:
        open_dataset(str(ds), around())
    line = refused.value.next_step.removeprefix("If it was to be removed: ").partition(". If not")[0]
    subprocess.run(["sh", "-c", line], check=True)
    assert not ds.exists()


def test_a_clone_in_its_place_is_told_the_same(tmp_path: Path, git: Git, git_annex: Path) -> None:
    git(tmp_path, "init", "-q", "source")
    half_removed(tmp_path / "copy")
    with pytest.raises(BrokenDataset, match="is no dataset any more"):
        list(Copies(Context(folder=str(tmp_path), environment=dict(os.environ))).clone("source", "copy"))


def test_one_inside_of_another_is_not_taken_for_that(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q", "super")
    ds = half_removed(tmp_path / "super/sub")
    for dataset, folder in ((None, ds), ("sub", tmp_path / "super")):
        with pytest.raises(BrokenDataset):
            opening(folder).dataset(dataset)
    assert opening(tmp_path / "super").dataset(None).work_tree == str(tmp_path / "super")


@pytest.mark.parametrize("how", ["a file", "a link"])
def test_a_git_file_that_leads_nowhere_is_named(tmp_path: Path, git: Git, how: str) -> None:
    git(tmp_path, "init", "-q", "--separate-git-dir", "elsewhere", "ds")
    dot_git = tmp_path / "ds/.git"
    if how == "a link":
        dot_git.unlink()
        dot_git.symlink_to("../elsewhere")
    assert open_dataset(str(tmp_path / "ds"), around()).work_tree == str(tmp_path / "ds")
    shutil.rmtree(tmp_path / "elsewhere")
    with pytest.raises(BrokenDataset) as refused:
        open_dataset(str(tmp_path / "ds"), around())
    assert "where nothing is" in refused.value.what


def test_a_subdataset_that_is_not_installed_says_how_to_get_it(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q", "super")
    oid = "1" * 40
    git(tmp_path / "super", "update-index", "--add", "--cacheinfo", f"160000,{oid},sub")
    (tmp_path / "super/sub").mkdir()
    with pytest.raises(NotInstalled) as refused:
        opening(tmp_path / "super").dataset("sub")
    assert refused.value.next_step == f"Get it: engram get -n {tmp_path}/super/sub"


def test_an_ordinary_folder_is_still_just_no_dataset(tmp_path: Path, git: Git) -> None:
    (tmp_path / "folder/.git").mkdir(parents=True)
    with pytest.raises(NoDataset) as refused:
        open_dataset(str(tmp_path / "folder"), around())
    assert type(refused.value) is NoDataset
    git(tmp_path, "init", "-q", "ds")
    (tmp_path / "ds/folder").mkdir()
    with pytest.raises(NotADataset):
        opening(tmp_path / "ds").dataset("folder")


def test_a_fifo_in_the_place_of_a_git_file_is_waited_for_by_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".git")
    with pytest.raises(NoDataset):
        open_dataset(str(tmp_path), around())


def test_a_mark_that_is_a_fifo_or_a_link_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "ds/.git/engram"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "cloning")
    assert read_mark(str(tmp_path / "ds")) == ""
    (folder / "cloning").unlink()
    (tmp_path / "text").write_text("somewhere")
    (folder / "cloning").symlink_to(tmp_path / "text")
    assert read_mark(str(tmp_path / "ds")) == ""
