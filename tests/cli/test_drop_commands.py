"""Drop and remove as one types them, and what one sees."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.model.outcome import Outcome
from engram.workspace.context import Context
from tests.cli.conftest import Engram, Terminal
from tests.cli.test_whole_screens import typed

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a dataset with one annexed file, whose content is here."""
    typed(tmp_path, "create original")
    (tmp_path / "original/scan.nii").write_bytes(b"\0" * 2048)
    typed(tmp_path / "original", "save -m first")
    typed(tmp_path, "clone original clone")
    typed(tmp_path / "clone", "get .")
    return tmp_path / "clone"


def test_a_plan_then_a_drop_then_nothing_more(clone: Path) -> None:
    assert typed(clone, "drop --dry-run") == (
        "would drop: scan.nii (2.0 KB) [also in origin]\nplan: 1 step, 2.0 KB; nothing was changed\n"
    )
    assert typed(clone, "drop scan.nii") == "drop(ok): scan.nii (file)\n"
    assert typed(clone, "drop scan.nii --dry-run") == "plan: 0 steps, 0.0 B; nothing was changed\n"
    assert "error" not in typed(clone, "drop")


def test_the_last_copy_stays_and_a_plan_says_so_beforehand(clone: Path) -> None:
    original = clone.parent / "original"
    why = "unsafe; Could not verify the existence of the 1 necessary copy."
    assert typed(original, "drop", code=3).splitlines()[:2] == [
        f"drop(error): scan.nii (file) [{why}]",
        "  Copy it to a sibling first; or drop it all the same: --reckless availability",
    ]
    assert typed(original, "drop --dry-run") == (
        f"would not drop: scan.nii (2.0 KB) [{why}]\nplan: 0 steps, 0.0 B, 1 refused; nothing was changed\n"
    )


def test_a_whole_dataset_is_planned_and_goes(clone: Path) -> None:
    planned = typed(clone.parent, "drop --what all -d clone --dry-run")
    assert planned.splitlines()[0].startswith("would drop: ")
    assert planned.splitlines()[1] == "would uninstall: . [the dataset's folder is removed from this machine]"
    assert clone.exists()
    assert "uninstall(ok): . (dataset)" in typed(clone.parent, "drop --what all -d clone")
    assert not clone.exists()


def test_a_removal_is_planned_and_recorded(clone: Path) -> None:
    assert typed(clone, "remove --dry-run scan.nii -m why") == (
        "would remove: scan.nii [deleted and recorded as gone]\n"
        "would save: . [why]\n"
        "plan: 2 steps, 0.0 B; nothing was changed\n"
    )
    assert typed(clone, "remove scan.nii -m why").startswith("remove(ok): scan.nii (symlink)\nsave(ok): . (dataset)\n")
    assert typed(clone, "remove scan.nii", code=2).startswith("scan.nii matches no file")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("remove", "What is to be removed? Nothing was named."),
        ("drop --what all", "refuse to perform actions that would remove the current working directory."),
        ("remove -d .", "refuse to perform actions that would remove the current working directory."),
        ("drop --what all --reckless kill", "A reckless kill looks at nothing, subdatasets included."),
        ("drop nothing-here", "nothing-here matches no file, neither on disk nor in the dataset."),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(clone: Path, line: str, what: str) -> None:
    assert typed(clone, line, code=2).splitlines()[0] == what
    assert (clone / "scan.nii").exists()


class _Recorded:
    """Notes what is asked of it."""

    def __init__(self, context: Context) -> None:
        self.asked: list[str] = []

    def doomed(self, *_: Any, **__: Any) -> tuple[str, ...]:
        return ("/data/raw",)

    def drop(self, *_: Any, **__: Any) -> Iterator[Outcome]:
        raise AssertionError("nobody agreed")


def test_on_a_terminal_who_says_no_keeps_his_dataset(engram: Engram, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Terminal("n\n")
    monkeypatch.setattr("sys.stdin", answers)
    shown = engram("drop", "--what", "all", "raw", rooms={"Dropping": _Recorded}, terminal=True)
    assert shown.code == 2
    assert "Remove 1 dataset from this machine (/data/raw)? [y/N]" in shown.err
    assert "Nothing was changed" in shown.err
