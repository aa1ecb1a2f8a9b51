"""A share is tried before it is added."""

from pathlib import Path

from engram.sessions.scanning.disk import Listing, LocalDisk
from engram.sessions.scanning.names import Excluded
from engram.sessions.scanning.reachable import OutOfReach, out_of_reach, trouble_with
from engram.testing.shares import DeadDisk


class Forbidding(LocalDisk):
    def listing(self, path: str) -> Listing:
        if path.endswith(("locked", "lost+found")):
            raise PermissionError(13, "Permission denied", path)
        return super().listing(path)


def test_the_first_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "s" / "deep" / "locked").mkdir(parents=True)
    (tmp_path / "t" / "locked").mkdir(parents=True)
    (tmp_path / "lost+found").mkdir()
    nothing, left_out = Excluded(()), Excluded(("lost+found",))
    assert out_of_reach(Forbidding(), str(tmp_path), nothing, 5) == OutOfReach("lost+found", "Permission denied")
    assert out_of_reach(Forbidding(), str(tmp_path), left_out, 5) == OutOfReach("t/locked", "Permission denied")
    assert out_of_reach(LocalDisk(), str(tmp_path), nothing, 5) is None


def test_a_share_that_is_not_there_or_does_not_answer_is_told(tmp_path: Path) -> None:
    found = out_of_reach(LocalDisk(), str(tmp_path / "none"), Excluded(()), 5)
    assert found == OutOfReach("", "No such file or directory")
    (tmp_path / "s").mkdir()
    found = out_of_reach(DeadDisk(tmp_path / "s"), str(tmp_path), Excluded(()), 0.2, looking_s=0.2)
    assert found == OutOfReach("s", "it has not answered for 0.2 s")


def test_one_glance_tells_whether_a_share_is_there(tmp_path: Path) -> None:
    assert trouble_with(LocalDisk(), str(tmp_path), 5) == ""
    assert trouble_with(LocalDisk(), str(tmp_path / "none"), 5) == "No such file or directory"
    assert trouble_with(DeadDisk(tmp_path), str(tmp_path), 0.2) == "it has not answered for 0.2 s"
