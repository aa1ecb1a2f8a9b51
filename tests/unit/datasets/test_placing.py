"""A folder made aside gets its name when it is whole, and takes nobody's place."""

import os
from pathlib import Path

import pytest

from engram.datasets.placing import Aside, is_being_filled, is_only_begun, read_mark
from engram.durable import Steps
from engram.model.errors import TargetExists


def fill(aside: Aside, *, text: str = "source\n") -> None:
    aside.begin()
    inner = Path(aside.inner)
    (inner / ".git").mkdir(parents=True)
    (inner / "file").write_text("file")
    (inner / ".hidden").write_text("hidden")
    aside.whole(text)


def fail(aside: Aside, *, whole: bool) -> None:
    """Be interrupted before, or after, all is made."""
    with aside.held():
        aside.begin()
        assert (Path(aside.folder) / ".gitignore").read_text() == "*\n"  # git is to see nothing of it
        if whole:
            fill(aside)
        raise ZeroDivisionError


def fill_while_somebody_writes(aside: Aside, his: Path) -> None:
    with aside.held():
        fill(aside)
        his.parent.mkdir(exist_ok=True)
        his.write_text("his")
        aside.put_in_place()


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "an empty folder"])
def test_what_is_whole_gets_its_name_and_nothing_is_left_beside_it(tmp_path: Path, is_there: bool) -> None:
    target = tmp_path / "a" / "b"
    if is_there:
        target.mkdir(parents=True)
    aside = Aside(Steps(), str(target))
    with aside.held():
        fill(aside)
        assert aside.mark == "source\n"
        assert aside.put_in_place() == is_there
    assert sorted(os.listdir(target)) == [".git", ".hidden", "file"]
    assert read_mark(str(target)) == "source\n"
    assert os.listdir(tmp_path / "a") == ["b"]


def test_what_fails_takes_the_folders_it_made_away_again(tmp_path: Path) -> None:
    aside = Aside(Steps(), str(tmp_path / "a" / "b" / "c"))
    with pytest.raises(ZeroDivisionError):
        fail(aside, whole=False)
    assert os.listdir(tmp_path) == []


def test_what_is_whole_stays_for_the_next_call(tmp_path: Path) -> None:
    target = tmp_path / "ds"
    aside = Aside(Steps(), str(target))
    with pytest.raises(ZeroDivisionError):
        fail(aside, whole=True)
    again = Aside(Steps(), str(target))
    with again.held():
        assert again.mark == "source\n"
        again.put_in_place()
    assert (target / "file").read_text() == "file"
    assert os.listdir(tmp_path) == ["ds"]


def test_a_place_that_somebody_filled_meanwhile_is_left_to_him(tmp_path: Path) -> None:
    target = tmp_path / "ds"
    aside = Aside(Steps(), str(target))
    with pytest.raises(TargetExists):
        fill_while_somebody_writes(aside, target / "his")
    assert os.listdir(target) == ["his"]
    assert os.listdir(tmp_path) == ["ds"]


def test_a_file_that_came_into_the_folder_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "ds"
    target.mkdir()
    aside = Aside(Steps(), str(target))
    with pytest.raises(TargetExists):
        fill_while_somebody_writes(aside, target / "file")
    assert (target / "file").read_text() == "his"
    assert not (target / ".git").exists()
    assert is_being_filled(str(target))


def test_a_link_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".ds.engram-cloning").symlink_to("elsewhere")
    with pytest.raises(TargetExists), Aside(Steps(), str(tmp_path / "ds")).held():
        pass
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_folder_that_holds_only_what_was_begun_may_be_filled(tmp_path: Path) -> None:
    assert is_only_begun(str(tmp_path))
    (tmp_path / ".engram-cloning").mkdir()
    assert is_only_begun(str(tmp_path))
    (tmp_path / "file").touch()
    assert not is_only_begun(str(tmp_path))
