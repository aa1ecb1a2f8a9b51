"""Content on its way into the annex: at no moment a byte without a name, and never other bytes under a key."""

import hashlib
import mmap
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engram.datasets.annex.backends import key_for
from engram.datasets.annex.hashdirs import object_path
from engram.datasets.annex.reading import Stop, digest_of, open_content, open_for_annex
from engram.datasets.annex.store import OPEN_ELSEWHERE, ContentStore, Kept
from engram.datasets.annex.writers import Writers
from engram.datasets.syncing import ToSync
from engram.durable import AnyPath, Steps
from engram.model.errors import ChangedWhileSaved, EngramError, ItemFailed, Unreadable
from engram.testing.faults import Crash, CrashingAt, FailingAt

LARGE = 3 << 20


class Acting(Steps):
    """Does something just before the first step of one kind whose path fits."""

    def __init__(self, kind: str, act: Callable[[], object], ends: bytes = b"") -> None:
        self._kind, self._act, self._ends = kind, act, ends
        self._done = False

    def take(self, kind: str, path: AnyPath) -> None:
        if kind == self._kind and not self._done and os.fsencode(path).endswith(self._ends):
            self._done = True
            self._act()


class Place:
    """A work tree with a store and a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "f.dat"
        (folder / ".git").mkdir()
        self.git_dir = os.fsencode(folder / ".git")
        self.to_sync = ToSync(self.git_dir, os.fsencode(folder))

    def store(self, steps: Steps | None = None) -> ContentStore:
        store = ContentStore(steps or Steps(), git_dir=self.git_dir, to_sync=self.to_sync)
        store.clear_what_a_crash_left()
        return store

    def key(self, data: bytes) -> bytes:
        return key_for("SHA256E", len(data), hashlib.sha256(data).hexdigest(), b"f.dat")

    def object(self, data: bytes) -> Path:
        return self.folder / ".git" / os.fsdecode(object_path(self.key(data)))

    def keep(self, steps: Steps | None = None) -> Kept:
        """As a save does it: open, hash, keep."""
        content = open_for_annex(os.fsencode(self.file))
        try:
            digest = digest_of(content, "SHA256E")
            key = key_for("SHA256E", content.was.st_size, digest, b"f.dat")
            return self.store(steps).keep(content, key, object_path(key), b"target")
        finally:
            content.close()

    def objects_are_right(self) -> bool:
        found = [path for path in (self.folder / ".git" / "annex" / "objects").rglob("SHA256E-*") if path.is_file()]
        return all(hashlib.sha256(path.read_bytes()).hexdigest() in path.name for path in found)

    def names_of(self, data: bytes) -> list[str]:
        return [str(path) for path in self.folder.rglob("*") if path.is_file() and path.read_bytes() == data]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_file_itself_becomes_the_object_and_a_link_its_name(place: Place) -> None:
    place.file.write_bytes(b"spikes")
    inode = place.file.stat().st_ino
    kept = place.keep()
    assert os.readlink(place.file) == "target"
    assert place.object(b"spikes").stat().st_ino == inode
    assert place.object(b"spikes").stat().st_mode & 0o777 == 0o444
    assert place.object(b"spikes").parent.stat().st_mode & 0o777 == 0o555
    assert kept.link is not None
    assert kept.note == ""


@pytest.mark.parametrize("data", [b"", b"x", b"y" * LARGE])
def test_any_size_is_kept(place: Place, data: bytes) -> None:
    place.file.write_bytes(data)
    place.keep()
    assert place.object(data).read_bytes() == data


def test_a_file_with_another_name_is_copied(place: Place) -> None:
    place.file.write_bytes(b"spikes")
    os.link(place.file, place.folder / "other")
    place.keep()
    assert place.object(b"spikes").stat().st_nlink == 1
    (place.folder / "other").write_bytes(b"changed")
    assert place.object(b"spikes").read_bytes() == b"spikes"


def test_equal_content_is_kept_once_and_both_names_lead_to_it(place: Place) -> None:
    for _ in range(2):
        place.file.unlink(missing_ok=True)
        place.file.write_bytes(b"spikes")
        place.keep()
    assert place.names_of(b"spikes") == [str(place.object(b"spikes"))]
    assert place.object(b"spikes").parent.stat().st_mode & 0o777 == 0o555


def test_other_bytes_in_the_objects_place_are_moved_aside_not_believed(place: Place) -> None:
    place.object(b"spikes").parent.mkdir(parents=True)
    place.object(b"spikes").write_bytes(b"rotten")
    place.file.write_bytes(b"spikes")
    place.keep()
    assert place.object(b"spikes").read_bytes() == b"spikes"
    assert [path.read_bytes() for path in (place.folder / ".git/annex/bad").iterdir()] == [b"rotten"]


def test_a_file_that_is_open_for_writing_is_copied_and_left_in_place(place: Place) -> None:
    place.file.write_bytes(b"spikes")
    with place.file.open("r+b"):
        kept = place.keep()
    assert (kept.link, kept.note) == (None, OPEN_ELSEWHERE)
    assert not place.file.is_symlink()
    assert os.access(place.file, os.W_OK)
    assert not os.path.samefile(place.file, place.object(b"spikes"))


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """A shared memory map that was written to already: further writes leave no trace in the file's times."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[0:1] = b"m"
        time.sleep(0.02)
        yield memory


@pytest.mark.parametrize("size", [8192, LARGE])
@pytest.mark.parametrize("stays", [True, False])
def test_a_write_through_a_memory_map_never_gets_under_the_wrong_key(place: Place, size: int, stays: bool) -> None:
    place.file.write_bytes(bytes(size))
    with mapped(place.file) as memory:
        content = open_for_annex(os.fsencode(place.file))
        assert content.writers is Writers.SOME
        digest = digest_of(content, "SHA256E")
        memory[:4] = b"LATE"
        if not stays:
            memory.close()
        key = key_for("SHA256E", size, digest, b"f.dat")
        with pytest.raises(ChangedWhileSaved):
            place.store().keep(content, key, object_path(key), b"target")
        content.close()
    assert place.objects_are_right()
    assert place.file.read_bytes()[:4] == b"LATE"
    assert place.file.stat().st_mode & 0o200


def waiting_writer(path: Path) -> "subprocess.Popen[bytes]":
    """A process that opens the file for writing as soon as it may, and appends to it."""
    child = subprocess.Popen(["sh", "-c", 'printf " LATE" >>"$0"', path])  # a fork of ours would hold the lease, too
    inode = f":{path.stat().st_ino} "
    while child.poll() is None and not any(
        "LEASE  BREAKING" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()
    ):
        time.sleep(0.01)
    return child


@pytest.mark.parametrize("kind", ["chmod", "link", "symlink", "rename"])
def test_whoever_waits_to_write_gets_the_file_and_not_the_object(
    place: Place, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind != "chmod":  # then the file has lost its write permission: nobody but root can still wait for it
        request.getfixturevalue("as_root")
    place.file.write_bytes(b"spikes")
    children: list[subprocess.Popen[bytes]] = []
    with pytest.raises(ChangedWhileSaved):
        place.keep(Acting(kind, lambda: children.append(waiting_writer(place.file))))
    for child in children:
        assert child.wait() == 0
    assert place.file.read_bytes() == b"spikes LATE"
    assert place.file.stat().st_mode & 0o200
    assert place.objects_are_right()


def test_a_link_that_is_moved_at_once_does_not_take_the_content_with_it(place: Place) -> None:
    place.file.write_bytes(b"spikes")
    store = place.store()
    content = open_for_annex(os.fsencode(place.file))
    key = place.key(b"spikes")

    class Mover(ToSync):
        def folder(self, path: bytes) -> None:
            if place.file.is_symlink():
                place.file.rename(place.folder / "elsewhere")
            super().folder(path)

    store.to_sync = Mover(place.git_dir, os.fsencode(place.folder))
    with pytest.raises(ChangedWhileSaved):
        store.keep(content, key, object_path(key), b"target")
    content.close()
    assert place.object(b"spikes").read_bytes() == b"spikes"


@pytest.mark.parametrize("links", [1, 2])
@pytest.mark.parametrize("at", range(1, 12))
def test_whatever_step_fails_the_file_is_as_it_was(place: Place, at: int, links: int) -> None:
    place.file.write_bytes(b"spikes")
    place.file.chmod(0o640)
    if links == 2:
        os.link(place.file, place.folder / "other")
    try:
        place.keep(FailingAt(at, once=True))
    except EngramError:
        assert place.file.read_bytes() == b"spikes"
        assert not place.file.is_symlink()
        assert place.file.stat().st_mode & 0o777 == 0o640
    else:
        assert place.object(b"spikes").read_bytes() == b"spikes"
    place.file.is_symlink() or place.keep()
    assert place.objects_are_right()
    place.to_sync.sync(Steps())  # what was taken back needs no sync


@pytest.mark.parametrize("links", [1, 2])
@pytest.mark.parametrize("at", range(1, 14))
def test_wherever_a_crash_comes_the_bytes_have_a_name_and_the_next_try_ends_well(
    place: Place, at: int, links: int
) -> None:
    place.file.write_bytes(b"spikes")
    if links == 2:
        os.link(place.file, place.folder / "other")
    try:
        place.keep(CrashingAt(at))
    except Crash:
        assert place.names_of(b"spikes")
    if not place.file.is_symlink():
        place.keep()
    assert place.object(b"spikes").read_bytes() == b"spikes"
    assert place.object(b"spikes").stat().st_mode & 0o777 == 0o444
    assert place.objects_are_right()


def test_what_a_crash_left_and_somebody_writes_to_again_does_not_stay_the_object(place: Place) -> None:
    place.file.write_bytes(b"spikes")
    with pytest.raises(Crash):
        place.keep(CrashingAtFirst("symlink"))
    assert os.path.samefile(place.file, place.object(b"spikes"))
    place.file.chmod(0o644)
    with place.file.open("ab") as file:
        place.keep()
        file.write(b" and more")
    assert place.object(b"spikes").read_bytes() == b"spikes"


class CrashingAtFirst(Acting):
    """Ends the world at the first step of a kind."""

    def __init__(self, kind: str) -> None:
        def crash() -> None:
            CrashingAt(1).take(kind, b"")

        super().__init__(kind, crash)


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"!")


def _replace(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"spikes")


@pytest.mark.parametrize("act", [_append, _replace, Path.unlink], ids=["grown", "replaced", "gone"])
def test_a_file_that_changes_after_it_was_hashed_is_left_alone(place: Place, act: Callable[[Path], object]) -> None:
    place.file.write_bytes(bytes(LARGE))  # a small one could not be written to
    content = open_for_annex(os.fsencode(place.file))
    key = key_for("SHA256E", LARGE, digest_of(content, "SHA256E"), b"f.dat")
    act(place.file)
    with pytest.raises(ChangedWhileSaved):
        place.store().keep(content, key, object_path(key), b"target")
    content.close()
    assert not place.file.is_symlink()
    assert place.objects_are_right()


def test_what_is_no_regular_file_is_not_opened(place: Place) -> None:
    os.mkfifo(place.folder / "fifo")
    (place.folder / "link").symlink_to("fifo")
    for name in ("fifo", "link", ".git"):
        with pytest.raises(ChangedWhileSaved):
            open_content(os.fsencode(place.folder / name))
    with pytest.raises(Unreadable):
        open_content(os.fsencode(place.folder / "nothing"))


def test_a_file_that_shrank_or_grew_has_no_digest(place: Place) -> None:
    for size in (10, LARGE):
        for other in (size - 1, size + 1):
            place.file.write_bytes(bytes(size))
            content = open_content(os.fsencode(place.file))
            os.truncate(place.file, other)
            with pytest.raises(ChangedWhileSaved):
                digest_of(content, "SHA256E")
            content.close()


def test_long_reading_can_be_stopped(place: Place) -> None:
    place.file.write_bytes(bytes(LARGE))
    content = open_content(os.fsencode(place.file))
    stop = Stop()
    stop.asked = True
    with pytest.raises(ChangedWhileSaved):
        digest_of(content, "SHA256E", stopped=stop)
    content.close()


def test_a_folder_that_may_not_be_changed_is_one_failed_item(place: Place) -> None:
    place.file.write_bytes(b"spikes")

    class Refusing(Steps):
        def take(self, kind: str, path: AnyPath) -> None:
            if kind == "rename":
                raise PermissionError(13, "Permission denied")

    with pytest.raises(ItemFailed):
        place.keep(Refusing())
    assert place.file.read_bytes() == b"spikes"
    place.to_sync.sync(Steps())


def test_a_link_gets_another_target_in_one_step(place: Place) -> None:
    place.file.symlink_to("old")
    place.store().relink(os.fsencode(place.file), b"old", b"new")
    assert os.readlink(place.file) == "new"


@pytest.mark.parametrize("kind", ["symlink", "rename", "before"])
@pytest.mark.parametrize("theirs", ["file", "link"])
def test_what_took_a_links_place_stays(place: Place, kind: str, theirs: str) -> None:
    place.file.symlink_to("old")

    def replace() -> None:
        place.file.unlink()
        place.file.write_bytes(b"theirs") if theirs == "file" else place.file.symlink_to("theirs")

    steps = Acting(kind, replace)
    if kind == "before":
        replace()
    with pytest.raises(ChangedWhileSaved):
        place.store(steps).relink(os.fsencode(place.file), b"old", b"new")
    assert place.file.read_bytes() == b"theirs" if theirs == "file" else os.readlink(place.file) == "theirs"
    assert os.listdir(os.path.join(place.git_dir, b"engram/tmp")) == []


@pytest.mark.root
@pytest.mark.usefixtures("as_root")  # who else could write to an object
def test_whoever_waits_to_write_never_gets_the_object_when_the_link_is_gone_either(place: Place) -> None:
    """A program waits to write to a file that was adopted, and somebody replaced the link that took its place."""
    place.file.write_bytes(b"spikes")
    children: list[subprocess.Popen[bytes]] = []

    class Meddling(Steps):
        """Just after the link took the file's place a writer comes; then the link is replaced."""

        def take(self, kind: str, path: AnyPath) -> None:
            if kind == "remove" and not children:
                children.append(waiting_writer(place.object(b"spikes")))
            elif kind == "link" and children and place.file.is_symlink():
                place.file.unlink()
                place.file.write_bytes(b"theirs")

    with pytest.raises(ChangedWhileSaved):
        place.keep(Meddling())
    assert [child.wait() for child in children] == [0]
    assert place.file.read_bytes() == b"theirs"
    assert place.object(b"spikes").read_bytes() == b"spikes"
    assert place.objects_are_right()


def test_temporary_names_of_a_crash_are_cleared(place: Place) -> None:
    aside = place.store().aside_name()
    Path(os.fsdecode(aside)).touch()
    place.store()
    assert not os.path.exists(aside)
