"""What one sees when contents are got: on the screen, as JSON, and when something is wrong."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from engram.cli.schemas import schemas
from tests.cli.test_whole_screens import typed

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a dataset that has two files and a subdataset."""
    typed(tmp_path, "create ds")
    typed(tmp_path, "create -d ds ds/raw")
    for name in ("a.nii", "d/b.nii", "raw/c.nii"):
        (tmp_path / "ds" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "ds" / name).write_bytes(name.encode() * 100)
    typed(tmp_path / "ds", "save -r")
    typed(tmp_path, "clone ds copy")
    return tmp_path / "copy"


def test_what_comes_is_told_line_by_line(clone: Path) -> None:
    assert typed(clone, "get a.nii d") == (
        "get(ok): a.nii (file) [from origin...]\n"
        "get(ok): d/b.nii (file) [from origin...]\n"
        "get(ok): d (directory)\n"
        "action summary:\n"
        "  get (ok: 3)\n"
    )
    assert typed(clone, "get a.nii d") == "action summary:\n  get (notneeded: 2)\n"


def test_a_subdataset_is_installed_on_the_way(clone: Path) -> None:
    assert typed(clone, "get -n raw") == (
        f"install(ok): raw (dataset) [Installed subdataset in order to get {clone}/raw]\n"
    )
    assert typed(clone, "get raw/c.nii") == "get(ok): raw/c.nii (file) [from origin...]\n"


def test_a_plan_changes_nothing(clone: Path) -> None:
    assert typed(clone, "get --dry-run -r .") == (
        f"would install: raw [from {clone.parent}/ds/raw]\n"
        "would get: a.nii (500.0 B) [from origin]\n"
        "would get: d/b.nii (700.0 B) [from origin]\n"
        "plan: 3 steps, 1.2 KB; nothing was changed\n"
    )
    assert not (clone / "a.nii").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("get", "Say what to get.\nEverything below this folder: engram get .\n"),
        ("get nothing", "nothing matches no file, neither on disk nor in the dataset.\n"),
        ("get -s nobody a.nii", "nobody is no sibling of "),
        ("get --reckless=very a.nii", "There is no --reckless very.\n"),
        ("get --reckless nothing", "nothing matches no file, neither on disk nor in the dataset.\n"),
        ("get -R deep -r .", "'deep' is neither a number of levels nor 'existing'."),
    ],
)
def test_a_request_that_makes_no_sense_changes_nothing(clone: Path, line: str, said: str) -> None:
    assert said in typed(clone, line, code=2)
    assert not (clone / "a.nii").exists()


def test_what_nobody_can_give_is_an_error_with_a_next_step(clone: Path) -> None:
    (clone.parent / "ds").rename(clone.parent / "moved")
    shown = typed(clone, "get a.nii", code=3)
    assert shown.startswith("get(error): a.nii (file) [a.nii could not be had: origin is not there (")
    assert shown.endswith("  See who has it: engram whereis a.nii\n")


def test_every_line_of_json_is_valid(clone: Path) -> None:
    schema = Draft202012Validator(schemas()["outcome"])
    records = [json.loads(line) for line in typed(clone, "--json get -r .").splitlines()]
    for record in records:
        schema.validate(record)
    assert {(record["action"], record["status"]) for record in records} == {("install", "ok"), ("get", "ok")}
    assert sum(record["moved_bytes"] for record in records) == 2100
