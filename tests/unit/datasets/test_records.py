"""Outcomes say what happened where, as seen from the dataset that the command is about."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.git.objects import EXECUTABLE_MODE, FILE_MODE, SUBMODULE_MODE, SYMLINK_MODE
from engram.datasets.records import Made, Reporter, type_of
from engram.datasets.state_records import StateReporter
from engram.model.errors import ChangedWhileSaved, NoIdentity, NothingToRecord, Unreadable
from engram.model.outcome import Status


@pytest.fixture
def sub(tmp_path: Path) -> Dataset:
    subprocess.run(["git", "init", "-q", "top/sub"], cwd=tmp_path, check=True)
    return open_dataset(str(tmp_path / "top/sub"), Surroundings(environment=dict(os.environ)))


@pytest.mark.parametrize(
    ("mode", "word"),
    [(FILE_MODE, "file"), (EXECUTABLE_MODE, "file"), (SYMLINK_MODE, "symlink"), (SUBMODULE_MODE, "dataset")],
)
def test_each_mode_has_datalads_word(mode: int, word: str) -> None:
    assert type_of(mode) == word


def test_an_item_is_named_as_seen_from_the_dataset_that_is_meant(sub: Dataset) -> None:
    own = Reporter(sub).deleted(b"d/a", SYMLINK_MODE)
    assert (own.item, own.path, own.type, own.refds) == ("d/a", f"{sub.work_tree}/d/a", "symlink", sub.work_tree)
    top = os.path.dirname(sub.work_tree)
    outer = Reporter(sub, refds=top).deleted(b"d/a", SYMLINK_MODE)
    assert (outer.item, outer.path, outer.refds) == ("sub/d/a", own.path, top)
    assert Reporter(sub, refds=top).saved(Made("", "1")).item == "sub"


@pytest.mark.parametrize("absolute", [False, True])
def test_a_failure_names_its_file_wherever_its_error_names_it(sub: Dataset, absolute: bool) -> None:
    path = f"{sub.work_tree}/d/a" if absolute else "d/a"
    outcome = Reporter(sub).failed("add", ChangedWhileSaved(path, "it went away"))
    assert (outcome.item, outcome.path, outcome.status, outcome.error) == (
        "d/a",
        f"{sub.work_tree}/d/a",
        Status.ERROR,
        "ChangedWhileSaved",
    )
    assert outcome.message
    assert outcome.remedy


def test_a_failure_without_a_file_is_the_datasets(sub: Dataset) -> None:
    assert Reporter(sub).failed("save", NoIdentity("user.name")).path == sub.work_tree
    assert Reporter(sub).failed("add", NothingToRecord("inner", "no commit")).type == "dataset"


@pytest.mark.parametrize(
    ("made", "tag", "status"),
    [
        (Made("1", "2"), "", Status.OK),
        (Made("1", "1"), "", Status.NOT_NEEDED),
        (Made("1", "1"), "v1", Status.OK),
        (Made("", ""), "", Status.NOT_NEEDED),
    ],
)
def test_the_dataset_itself_is_ok_only_when_something_was_made(
    sub: Dataset, made: Made, tag: str, status: Status
) -> None:
    record = Reporter(sub).saved(made, tag=tag).as_json()
    assert record["status"] == status
    assert record.get("version_tag", "") == tag


def test_a_note_for_all_gives_way_to_one_of_its_own(sub: Dataset) -> None:
    report = Reporter(sub, note="handed to git-annex: why")
    assert report.taken(b"a", "file").note == "handed to git-annex: why"
    assert report.passed_over(b"pipe").note == "no regular file: a dataset cannot keep it"


def test_a_folder_that_cannot_be_read_is_told_as_a_folder(sub: Dataset) -> None:
    Path(sub.work_tree, "folder").mkdir()
    for name, kind in (("folder", "directory"), ("file", "file")):
        problem = Unreadable(os.path.join(sub.work_tree, name), "Permission denied")
        assert Reporter(sub).failed("add", problem).type == kind
        assert StateReporter(sub, action="status", refds="", look=False).problem(problem).type == kind
