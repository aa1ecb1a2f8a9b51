"""The dataset verbs in a context: arguments, messages, and what the system refuses."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.model.errors import (
    NoDataset,
    NotADataset,
    PathNotFound,
    StorageFailed,
    TargetExists,
    Unreadable,
    UsageError,
)
from engram.workspace.context import Context, trust_folder
from engram.workspace.datasets import Datasets

IDENTITY = {"GIT_AUTHOR_NAME": "A", "GIT_COMMITTER_NAME": "A", "EMAIL": "a@x"}


def datasets(folder: Path, *, reports_unknown: bool = False) -> Datasets:
    environment = {**os.environ, **IDENTITY}
    return Datasets(Context(folder=str(folder), environment=environment, reports_unknown=reports_unknown))


@pytest.fixture
def top(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "f").write_text("x")
    return tmp_path


def states(folder: Path, *paths: str) -> list[tuple[str, str]]:
    return [(one.item, one.as_json()["state"]) for one in datasets(folder).status(paths)]


def test_paths_are_relative_to_where_the_user_is(top: Path) -> None:
    (top / "d").mkdir()
    (top / "d" / "g").touch()
    assert [item for item, _ in states(top / "d", "g")] == ["d/g"]
    assert [item for item, _ in states(top / "d")] == ["d", "f"]


def test_where_there_is_no_dataset_that_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(NoDataset):
        datasets(tmp_path).status()


@pytest.mark.parametrize("named", ["misspelt", "folder", "f"])
def test_a_dataset_that_is_named_is_never_taken_for_the_one_around_it(top: Path, git_annex: Path, named: str) -> None:
    (top / "folder").mkdir()
    for verb in (datasets(top).status, datasets(top).save, datasets(top).plan_save):
        with pytest.raises(NotADataset):
            verb(dataset=named)
    with pytest.raises(NotADataset):
        datasets(top).trust(named)
    with pytest.raises(NotADataset):
        datasets(top).create("new", dataset=named)


@pytest.mark.parametrize("named", [".", "..", "^", "^."])
def test_a_dataset_is_named_by_its_top_or_by_where_the_user_is(top: Path, named: str) -> None:
    (top / "folder").mkdir()
    folder = top / "folder" if named == ".." else top
    assert [one.item for one in datasets(folder).status(dataset=named)] == ["f"]


def test_a_named_dataset_may_be_reached_through_a_link(top: Path) -> None:
    (top.parent / f"{top.name}-link").symlink_to(top)
    assert [one.item for one in datasets(top.parent).status(dataset=f"{top.name}-link")] == ["f"]


def test_an_argument_that_matches_nothing_refuses_or_becomes_an_outcome(top: Path) -> None:
    with pytest.raises(PathNotFound):
        datasets(top).status(["nothing", "f"])
    told = list(datasets(top, reports_unknown=True).status(["nothing", "f"]))
    assert [(one.item, str(one.status)) for one in told] == [("nothing", "error"), ("f", "ok")]


@pytest.mark.parametrize(
    ("message", "file"), [("one", "file"), (None, "missing"), (None, "folder")], ids=["both", "missing", "folder"]
)
def test_a_message_that_cannot_be_had_refuses(top: Path, message: str | None, file: str) -> None:
    (top / "folder").mkdir()
    (top / "file").write_text("two")
    with pytest.raises(UsageError):
        datasets(top).save(message=message, message_file=file)


def test_to_amend_is_for_one_dataset_alone(top: Path) -> None:
    for verb in (datasets(top).save, datasets(top).plan_save):
        with pytest.raises(UsageError, match="-r"):
            verb(amend=True, recursive=True)


class TestWhatTheSystemRefuses:
    @pytest.fixture
    def nobody(self, as_root: None, top: Path) -> Iterator[Path]:
        """A dataset of somebody who has few rights; the test runs as he."""
        for above in (top, *top.parents[:3]):
            above.chmod(0o755)
        os.seteuid(65534)
        try:
            yield top
        finally:
            os.seteuid(0)

    @pytest.mark.parametrize("part", [".git", ".git/HEAD", ".git/config"])
    def test_is_no_bug_of_ours(self, nobody: Path, part: str) -> None:
        os.seteuid(0)
        (nobody / part).chmod(0)
        os.seteuid(65534)
        with pytest.raises((Unreadable, StorageFailed)) as refused:
            list(datasets(nobody).status())
        assert part in refused.value.what

    def test_is_said_of_a_folder_that_may_not_be_written(self, nobody: Path, git_annex: Path) -> None:
        with pytest.raises(StorageFailed, match="Permission denied"):
            list(datasets(nobody).create("new"))


@pytest.mark.parametrize("tag", ["two words", "a..b", "-f", "taken"])
def test_a_tag_that_cannot_be_is_refused_before_anything_is_saved(top: Path, tag: str) -> None:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=top, check=True, capture_output=True, text=True)
        return done.stdout

    (top / "g").write_text("g")
    list(datasets(top).save(["g"], tag="fine"))
    git("tag", "taken", "fine")
    (top / "h").write_text("h")
    list(datasets(top).save(["h"]))
    before = git("rev-parse", "HEAD")
    for verb in (datasets(top).save, datasets(top).plan_save):
        with pytest.raises(UsageError, match="tag"):
            verb(["f"], tag=tag)
    assert git("rev-parse", "HEAD") == before
    assert git("status", "--porcelain") == "?? f\n"


def test_what_is_a_dataset_already_is_not_called_a_full_folder(top: Path, git_annex: Path) -> None:
    (top / ".datalad").mkdir()
    (top / ".datalad/config").touch()
    with pytest.raises(TargetExists, match="is a dataset already"):
        datasets(top).create(".")


def test_trust_is_kept_where_no_dataset_can_put_it() -> None:
    def place(**environment: str) -> str:
        return trust_folder(Context(folder="/", environment=environment))

    assert place(HOME="/home/ada") == "/home/ada/.local/state/engram/trust"
    assert place(HOME="/home/ada", XDG_STATE_HOME="/state") == "/state/engram/trust"
    assert place(HOME="/home/ada", XDG_STATE_HOME="relative") == "/home/ada/.local/state/engram/trust"
