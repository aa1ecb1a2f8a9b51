"""Reading a repository's own files, whatever lies in their place."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.git.small_files import read_file
from engram.model.errors import DamagedRepository


def test_a_file_gives_its_bytes_and_no_file_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    assert read_file(str(tmp_path / "a")) == b"a"
    assert read_file(os.fsencode(tmp_path / "b")) == b""


@pytest.mark.parametrize(
    "make",
    [
        os.mkdir,
        os.mkfifo,
        lambda place: os.symlink("/etc/passwd", place),
        lambda place: os.symlink(place, place),
    ],
    ids=["folder", "fifo", "link", "loop"],
)
def test_what_is_no_file_is_damage_and_nobody_waits(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "a")
    with pytest.raises(DamagedRepository, match="no regular file"):
        read_file(str(tmp_path / "a"), follow=False)


def test_a_link_is_followed_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "link").symlink_to("a")
    assert read_file(str(tmp_path / "link")) == b"a"


def test_a_fifo_in_the_place_of_the_index_is_damage(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    os.mkfifo(tmp_path / ".git" / "index")
    with pytest.raises(DamagedRepository):
        open_dataset(str(tmp_path), Surroundings(environment={})).read_index()
