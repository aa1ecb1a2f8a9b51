"""Folders where somebody may not write, or that are not there: told in one line, and no bug."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from engram.model.errors import BadTables, StorageFailed, UsageError
from engram.workspace.context import Context
from engram.workspace.snapshot_asking import SnapshotAsking
from engram.workspace.snapshot_building import SnapshotBuilding
from engram.workspace.snapshot_loading import SnapshotLoading
from engram.workspace.snapshot_proving import SnapshotProving
from engram.workspace.snapshots import folder_aside
from tests.integration.connectome.test_building import CONNECTOME
from tests.naive_connectome import write_connectome


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_connectome(CONNECTOME, tmp_path / "in")


@contextmanager
def nobody_may_write(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """To root nothing is forbidden: so what makes folders and files refuses as the system would."""
    make_folder, open_file = os.mkdir, os.open

    def refuse(path: str, *, writes: bool) -> None:
        if writes and os.path.commonpath([path, place]) == str(place):
            raise PermissionError(13, "Permission denied", path)

    def mkdir(path: str, mode: int = 0o777, **more: int) -> None:
        refuse(path, writes=True)
        make_folder(path, mode, **more)

    def open_(path: str, flags: int, mode: int = 0o777, **more: int) -> int:
        refuse(path, writes=bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)))
        return open_file(path, flags, mode, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", mkdir)
        patch.setattr(os, "open", open_)
        yield


def run(config: Path, output: Path) -> None:
    building = SnapshotBuilding(Context(folder=str(config.parent), environment=dict(os.environ)))
    list(building.build(str(config), output=str(output), memory="512MB", threads=1, plots=False))


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_that_belongs_to_somebody_else(
    is_there: bool, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "theirs" / "release"
    if is_there:
        run(config, output)
    else:
        output.parent.mkdir()
    with nobody_may_write(output.parent, monkeypatch), pytest.raises(StorageFailed) as told:
        run(config, output)
    assert (told.value.path.startswith(str(output)), told.value.reason) == (True, "Permission denied")


USES: dict[str, Callable[[Context, str], object]] = {
    "check": lambda context, place: list(SnapshotProving(context).check(place, memory="512MB", threads=1)),
    "query": lambda context, place: list(SnapshotAsking(context).query(place, "SELECT 1", memory="512MB", threads=1)),
    "diff": lambda context, place: list(SnapshotAsking(context).diff(place, place, most=1, memory="512MB", threads=1)),
    "load": lambda context, place: list(
        SnapshotLoading(context).load(place, version="5", database="neo4j", memory="512MB", threads=1)
    ),
}


@pytest.mark.parametrize("what", USES)
def test_a_folder_for_temporary_files_that_is_not_there(what: str, ours: Path) -> None:
    context = Context(folder=str(ours.parent), environment={"PATH": os.environ["PATH"], "TMPDIR": "/not/there"})
    with pytest.raises(StorageFailed, match="TMPDIR=/not/there, could not be written: No such file"):
        USES[what](context, ours.name)


def test_a_folder_for_temporary_files_is_gone_afterwards(tmp_path: Path) -> None:
    context = Context(folder=str(tmp_path), environment={"TMPDIR": str(tmp_path)})
    with folder_aside(context) as aside:
        assert Path(aside).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_refused_before_anything_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = SnapshotAsking(Context(folder=str(tmp_path), environment={}))
    assert asking.report_place("diff.html") == str(tmp_path / "diff.html")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match=r"No report can be written to diff\.html"):
        asking.report_place("diff.html")
    with nobody_may_write(tmp_path, monkeypatch), pytest.raises(StorageFailed, match="Permission denied"):
        list(asking.save_report(str(tmp_path / "diff.html"), "page"))


def test_a_work_file_that_cannot_be_made(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine tells that as an error of its own, before the first step."""
    run(config, output := tmp_path / "release")
    shutil.rmtree(output / "tables")
    monkeypatch.setattr("engram.connectome.building.Work", _refused)
    with pytest.raises(StorageFailed, match="No space left"):
        run(config, output)


def _refused(path: str, **_: object) -> object:
    raise duckdb.IOException(f'IO Error: Could not write file "{path}": No space left on device')


def test_tables_that_are_not_there_are_told_all_at_once(config: Path, tmp_path: Path) -> None:
    missing = [config.parent / f"{name}.feather" for name in ("partners", "annotations")]
    for one in missing:
        one.unlink()
    with pytest.raises(BadTables) as told:
        run(config, tmp_path / "release")
    whats = ("partners table", "annotations table")
    says = tuple(f"{what}: there is no {path}" for what, path in zip(whats, missing, strict=True))
    assert (told.value.problems, told.value.exit_code) == (says, 2)
    assert not (tmp_path / "release").exists()


def test_a_table_that_is_cut_short_makes_no_part_of_a_snapshot(config: Path, tmp_path: Path) -> None:
    """Nothing was done, so that this is not the code of some items that failed."""
    with (config.parent / "partners.feather").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(BadTables, match=r"partners\.feather does not parse") as told:
        run(config, tmp_path / "release")
    assert told.value.exit_code == 2


def test_nothing_is_built_into_what_git_keeps(config: Path, tmp_path: Path) -> None:
    (tmp_path / "repository" / ".git" / "objects").mkdir(parents=True)
    (tmp_path / "repository" / ".git" / "refs").mkdir()
    (tmp_path / "repository" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    for place in (".git", ".git/annex/release"):
        with pytest.raises(UsageError, match="where a repository keeps what is its own"):
            run(config, tmp_path / "repository" / place)
