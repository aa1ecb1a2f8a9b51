"""What builds keep for themselves in a snapshot's folder is nothing that anybody's git ever records."""

import errno
import fcntl
import subprocess
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from engram.connectome.crate import CRATE
from engram.connectome.folder import Folder
from engram.durable import Steps, write_whole
from engram.model.errors import EngramError, SnapshotBusy
from engram.testing.faults import Lacking, die_at_every_step
from tests.integration.connectome.test_building import CONNECTOME, build_into
from tests.naive_connectome import write_connectome

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


class TestRefused:
    """What a build that makes nothing leaves behind."""

    def refused(self, config: Path, folder: Path) -> None:
        with pytest.raises(EngramError):
            build_into(config, folder)

    @pytest.fixture
    def config(self, tmp_path: Path) -> Path:
        return write_connectome(CONNECTOME, tmp_path / "in")

    @pytest.mark.parametrize("what", ["an input is missing", "a table is bad", "a stranger's crate is there"])
    def test_nothing_is_left_that_was_not_there_before(self, what: str, config: Path, tmp_path: Path) -> None:
        there = tmp_path / "there"
        there.mkdir()
        (there / "README").write_text("mine")
        if what == "an input is missing":
            (config.parent / "partners.feather").unlink()
        elif what == "a table is bad":
            (config.parent / "partners.feather").write_bytes(b"no table")
        else:
            (there / CRATE).write_text("{}")
        before = sorted(there.iterdir())
        self.refused(config, there)
        assert sorted(there.iterdir()) == before
        if what != "a stranger's crate is there":
            self.refused(config, tmp_path / "deep" / "er" / "out")
            assert not (tmp_path / "deep").exists()

    def test_what_was_there_stays_and_a_snapshot_is_built_beside_it(self, config: Path, tmp_path: Path) -> None:
        out, table = tmp_path / "out", config.parent / "partners.feather"
        whole = table.read_bytes()
        hold(out, Steps())
        (out / "notes.txt").write_text("mine")
        table.write_bytes(b"no table")
        self.refused(config, out)
        assert sorted(path.name for path in (out / ".engram").iterdir()) == [".gitignore", "lock"]
        table.write_bytes(whole)
        build_into(config, out)
        assert (out / "notes.txt").read_text() == "mine"
        assert (out / "provenance.json").exists()

    def test_steps_that_were_finished_stay_where_a_later_one_fails(self, tmp_path: Path) -> None:
        with suppress(ZeroDivisionError), Folder(Steps(), str(tmp_path / "out")).held() as held:
            held.note_made("points", "key", [], [])
            raise ZeroDivisionError
        assert Folder(Steps(), str(tmp_path / "out")).left().keys() == {"points"}

    def test_git_sees_nothing_wherever_it_is_killed_meanwhile(self, tmp_path: Path) -> None:
        places = (tmp_path / f"{number}" for number in count())

        def prepare() -> Path:
            place = next(places)
            subprocess.run(["git", "init", "-q", str(place)], check=True)
            return place

        def fail(folder: Path, steps: Steps) -> int:
            with suppress(ZeroDivisionError), Folder(steps, str(folder)).held():
                raise ZeroDivisionError
            return 0

        def check(folder: Path) -> None:
            assert told_by_git(folder) == ""

        assert len(die_at_every_step(fail, prepare, check, when_dead=check)) > 8

    def test_a_lock_that_was_taken_back_holds_nobody_out_and_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place, flock = tmp_path / "out" / ".engram" / "lock", fcntl.flock

        def too_late(descriptor: int, how: int) -> None:
            place.unlink()
            flock(descriptor, how)

        monkeypatch.setattr(fcntl, "flock", too_late)
        with pytest.raises(SnapshotBusy), Folder(Steps(), str(tmp_path / "out")).held():
            pass
