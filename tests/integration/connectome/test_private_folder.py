"""What builds keep for themselves in a snapshot's folder is nothing that anybody's git ever records."""

import errno
import subprocess
from itertools import count
from pathlib import Path

import pytest

from engram.connectome.folder import Folder
from engram.durable import Steps, write_whole
from engram.testing.faults import Lacking, die_at_every_step

pytestmark = pytest.mark.integration


def told_by_git(folder: Path) -> str:
    """What git would record of a repository's folder."""
    words = ["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def hold(folder: Path, steps: Steps) -> int:
    """What each build does first, and what it leaves where it is killed."""
    with Folder(steps, str(folder)).held() as held:
        held.forget({})
        held.note_made("points", "key", [], [])
        (Path(held.work)).write_bytes(b"half")
    return 0


def test_git_never_sees_the_private_folder_wherever_a_build_is_killed(tmp_path: Path) -> None:
    places = (tmp_path / f"{number}" for number in count())

    def prepare() -> Path:
        place = next(places)
        subprocess.run(["git", "init", "-q", str(place)], check=True)
        return place

    def check(folder: Path) -> None:
        assert told_by_git(folder) == ""

    assert len(die_at_every_step(hold, prepare, check, when_dead=check)) > 8
    subprocess.run(["git", "-C", str(prepare()), "add", "-A"], check=True)


def test_a_private_folder_of_an_older_engram_is_hidden_by_the_next_build(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".engram").mkdir()
    (tmp_path / ".engram" / "lock").touch()
    assert told_by_git(tmp_path) == "?? .engram/lock\n"
    hold(tmp_path, Steps())
    assert told_by_git(tmp_path) == ""
    (tmp_path / ".engram" / ".gitignore").write_text("!*\n")
    hold(tmp_path, Steps())
    assert told_by_git(tmp_path) == ""


def test_a_file_appears_whole_where_files_without_names_are_not_known(tmp_path: Path) -> None:
    place = tmp_path / "one"
    write_whole(Lacking({"create": errno.EOPNOTSUPP}, only="one"), str(place), b"whole")
    assert place.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [place]


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"was here")
    with pytest.raises(FileExistsError):
        write_whole(Steps(), str(tmp_path / "one"), b"new")
    assert (tmp_path / "one").read_bytes() == b"was here"
