"""Room for more content: as much as git-annex leaves free, and looked at again as it fills."""

import os
from pathlib import Path

import pytest

from engram.datasets.annex.room import RESERVE, Room


def free_bytes(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


@pytest.mark.parametrize("reserve", [None, "", "many", "1 kB"])
def test_a_small_content_fits(tmp_path: Path, reserve: str | None) -> None:
    assert Room(os.fsencode(tmp_path), reserve).lacks(1000) == ""


def test_what_is_larger_than_the_disk_does_not(tmp_path: Path) -> None:
    missing = Room(os.fsencode(tmp_path), "0").lacks(free_bytes(tmp_path) + (1 << 40))
    assert "TB more would have to be free" in missing


def test_what_is_to_stay_free_stays_free(tmp_path: Path) -> None:
    assert Room(os.fsencode(tmp_path), "1000 petabytes").lacks(1) != ""


def test_nobody_said_how_much_is_git_annexs_own_amount(tmp_path: Path) -> None:
    assert RESERVE == "100 megabytes"
    almost_all = free_bytes(tmp_path) - 50_000_000
    assert Room(os.fsencode(tmp_path), None).lacks(almost_all) != ""


def test_what_is_empty_always_fits(tmp_path: Path) -> None:
    assert Room(os.fsencode(tmp_path), "1000 petabytes").lacks(0) == ""


def test_what_was_let_in_takes_room(tmp_path: Path) -> None:
    room = Room(os.fsencode(tmp_path), f"{free_bytes(tmp_path) - 50_000_000}")
    assert room.lacks(30_000_000) == ""
    assert room.lacks(30_000_000) != ""
