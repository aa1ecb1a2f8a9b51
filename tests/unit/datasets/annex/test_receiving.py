"""Contents that come from elsewhere: verified on the way, unseen until they last, resumed where they ended."""

import errno
import fcntl
import hashlib
import os
import stat
from pathlib import Path

import pytest

from engram.datasets.annex.hashdirs import object_path
from engram.datasets.annex.receiving import RESUMED_BYTES, Receiving, object_here
from engram.datasets.annex.verification import can_verify
from engram.durable import AnyPath, Steps
from engram.model.errors import ChecksumMismatch, StorageFailed, Unreadable

LARGE = RESUMED_BYTES + 12345


def key_of(data: bytes, backend: str = "SHA256") -> bytes:
    return f"{backend}-s{len(data)}--{hashlib.new(backend.lower(), data).hexdigest()}".encode()


class Place:
    """An object store, and files to take in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git_dir = folder / "git"
        (self.git_dir / "annex" / "objects").mkdir(parents=True)

    def receiving(self, steps: Steps | None = None, *, hard_links: bool = False) -> Receiving:
        made = Receiving(steps or Steps(), git_dir=os.fsencode(self.git_dir), hard_links=hard_links)
        made.clear_what_a_crash_left()
        return made

    def source(self, data: bytes, mode: int = 0o444) -> bytes:
        path = self.folder / "source"
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
        return os.fsencode(path)

    def object(self, key: bytes) -> Path:
        return self.git_dir / os.fsdecode(object_path(key))

    def partial(self, key: bytes) -> Path:
        (self.git_dir / "annex" / "tmp").mkdir(exist_ok=True)
        return self.git_dir / "annex" / "tmp" / os.fsdecode(key)

    def asides(self) -> list[str]:
        return os.listdir(self.git_dir / "engram" / "tmp")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="module")
def large() -> bytes:
    return (b"spikes and waves" * 4096 + b"x") * (LARGE // 65537) + b"tail"


class TestTaking:
    def test_content_is_there_once_it_is_settled_and_not_before(self, place: Place) -> None:
        key = key_of(b"spikes")
        receiving = place.receiving()
        assert receiving.take(key, place.source(b"spikes"), "lab") == 6
        assert not object_here(os.fsencode(place.git_dir), key)
        receiving.settle()
        assert place.object(key).read_bytes() == b"spikes"
        assert place.asides() == []

    def test_nobody_may_write_to_it_nor_remove_it_by_chance(self, place: Place) -> None:
        key = key_of(b"spikes")
        receiving = place.receiving()
        receiving.take(key, place.source(b"spikes", 0o644), "lab")
        receiving.settle()
        assert stat.S_IMODE(place.object(key).stat().st_mode) == 0o444
        assert stat.S_IMODE(place.object(key).parent.stat().st_mode) == 0o555

    def test_content_comes_into_a_folder_that_is_there_already(self, place: Place) -> None:
        key = key_of(b"spikes")
        place.object(key).parent.mkdir(parents=True)
        place.object(key).parent.chmod(0o555)
        receiving = place.receiving()
        receiving.take(key, place.source(b"spikes"), "lab")
        receiving.settle()
        assert place.object(key).read_bytes() == b"spikes"

    @pytest.mark.parametrize("wrong", [b"spokes", b"spike", b"spikes and more", b""])
    def test_wrong_bytes_leave_no_trace(self, place: Place, wrong: bytes) -> None:
        key = key_of(b"spikes")
        receiving = place.receiving()
        with pytest.raises(ChecksumMismatch) as caught:
            receiving.take(key, place.source(wrong), "lab")
        assert (caught.value.location, caught.value.key) == ("lab", key.decode())
        receiving.settle()
        assert not object_here(os.fsencode(place.git_dir), key)
        assert place.asides() == []

    def test_what_is_no_regular_file_is_not_read(self, place: Place, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        os.symlink(os.fsdecode(place.source(b"spikes")), tmp_path / "link")
        for name in ("fifo", "link", "git"):
            with pytest.raises(Unreadable, match=r"no regular file|directory"):
                place.receiving().take(key_of(b"spikes"), os.fsencode(tmp_path / name), "lab")

    @pytest.mark.parametrize("backend", ["WORM", "URL"])
    def test_a_key_without_a_checksum_is_held_against_its_size(self, place: Place, backend: str) -> None:
        receiving = place.receiving()
        assert receiving.take(f"{backend}-s6--some-name".encode(), place.source(b"spokes"), "lab") == 6
        with pytest.raises(ChecksumMismatch):
            receiving.take(f"{backend}-s7--some-name".encode(), place.source(b"spokes"), "lab")

    @pytest.mark.parametrize(
        ("key", "can"),
        [
            (b"SHA256E-s6--ab.nii", True),
            (b"WORM-s6-m1--name", True),
            (b"URL-s6--http&c%%x", True),
            (b"URL--http&c%%x", False),
            (b"BLAKE3-s6--ab", False),
            (b"XFOO-s6--ab", False),
            (b"GIT--0123", False),
        ],
    )
    def test_it_is_known_which_keys_can_be_held_against_content(self, key: bytes, can: bool) -> None:
        assert can_verify(key) is can

    def test_the_same_content_twice_is_no_problem(self, place: Place) -> None:
        key = key_of(b"spikes")
        for _ in range(2):
            receiving = place.receiving()
            receiving.take(key, place.source(b"spikes", 0o644), "lab")
            receiving.settle()
        assert place.object(key).read_bytes() == b"spikes"


class TestHardLinks:
    def test_a_second_name_is_made_of_what_nobody_may_write_to(self, place: Place) -> None:
        key, source = key_of(b"spikes"), place.source(b"spikes", 0o444)
        receiving = place.receiving(hard_links=True)
        receiving.take(key, source, "lab")
        receiving.settle()
        assert os.path.samefile(place.object(key), source)

    def test_what_somebody_may_write_to_is_copied(self, place: Place) -> None:
        key, source = key_of(b"spikes"), place.source(b"spikes", 0o644)
        receiving = place.receiving(hard_links=True)
        receiving.take(key, source, "lab")
        receiving.settle()
        assert not os.path.samefile(place.object(key), source)

    def test_wrong_bytes_are_not_linked(self, place: Place) -> None:
        key = key_of(b"spikes")
        receiving = place.receiving(hard_links=True)
        with pytest.raises(ChecksumMismatch):
            receiving.take(key, place.source(b"spokes"), "lab")
        receiving.settle()
        assert not object_here(os.fsencode(place.git_dir), key)

    def test_where_no_link_can_be_made_the_content_is_copied(self, place: Place) -> None:
        class NoLinks(Steps):
            def take(self, kind: str, path: AnyPath) -> None:
                if kind == "link":
                    raise OSError(errno.EXDEV, "another disk")

        key = key_of(b"spikes")
        receiving = place.receiving(NoLinks(), hard_links=True)
        receiving.take(key, place.source(b"spikes"), "lab")
        receiving.settle()
        assert place.object(key).read_bytes() == b"spikes"


class Cut(Steps):
    """Refuses the *n*-th write: a disk that is full."""

    def __init__(self, number: int) -> None:
        self.left = number

    def take(self, kind: str, path: AnyPath) -> None:
        self.left -= kind == "write"
        if kind == "write" and self.left <= 0:
            raise OSError(errno.ENOSPC, "full")


class Written(Steps):
    """Counts writes."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, kind: str, path: AnyPath) -> None:
        self.count += kind == "write"


class TestResuming:
    def test_a_large_content_goes_on_where_it_broke_off(self, place: Place, large: bytes) -> None:
        key, source = key_of(large), place.source(large)
        with pytest.raises(StorageFailed):
            place.receiving(Cut(200)).take(key, source, "lab", uuid="u1")
        there = place.partial(key).stat().st_size
        assert 0 < there < len(large)
        assert place.receiving().partial_bytes(key) == there
        written = Written()
        place.receiving(written).take(key, source, "lab", uuid="u1")
        assert place.object(key).read_bytes() == large
        assert written.count < 150
        assert not place.partial(key).exists()

    def test_a_wrong_beginning_is_found_and_everything_copied_anew(self, place: Place, large: bytes) -> None:
        key, source = key_of(large), place.source(large)
        place.partial(key).write_bytes(b"wrong" * 100_000)
        place.receiving().take(key, source, "lab")
        assert place.object(key).read_bytes() == large

    def test_too_much_is_thrown_away(self, place: Place, large: bytes) -> None:
        key, source = key_of(large), place.source(large)
        place.partial(key).write_bytes(large + b"too much")
        place.receiving().take(key, source, "lab")
        assert place.object(key).read_bytes() == large

    def test_what_git_annex_began_of_a_small_content_is_finished(self, place: Place) -> None:
        key, source = key_of(b"spikes"), place.source(b"spikes")
        place.partial(key).write_bytes(b"spi")
        place.receiving().take(key, source, "lab")
        assert place.object(key).read_bytes() == b"spikes"
        assert not place.partial(key).exists()

    def test_wrong_bytes_of_a_source_do_not_stay_as_a_beginning(self, place: Place, large: bytes) -> None:
        key = key_of(large)
        source = place.source(large[:-1] + b"?")
        with pytest.raises(ChecksumMismatch):
            place.receiving().take(key, source, "lab")
        assert not place.partial(key).exists()

    def test_a_transfer_that_somebody_else_is_at_is_left_alone(self, place: Place) -> None:
        key, source = key_of(b"spikes"), place.source(b"spikes")
        place.partial(key).write_bytes(b"spi")
        locks = place.git_dir / "annex" / "transfer" / "download" / "lck"
        locks.mkdir(parents=True)
        code = os.fork()
        lock = locks / f"lck.{os.fsdecode(key)}"
        if code == 0:  # a POSIX lock holds only against other processes
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT)
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            (place.folder / "held").touch()
            while not (place.folder / "done").exists():
                pass
            os._exit(0)
        while not (place.folder / "held").exists():
            pass
        try:
            receiving = place.receiving()
            receiving.take(key, source, "lab")
            receiving.settle()
        finally:
            (place.folder / "done").touch()
            os.waitpid(code, 0)
        assert place.object(key).read_bytes() == b"spikes"
        assert place.partial(key).read_bytes() == b"spi"

    def test_a_link_in_the_place_of_a_beginning_is_not_followed(self, place: Place) -> None:
        key, source = key_of(b"spikes"), place.source(b"spikes")
        victim = place.folder / "victim"
        victim.write_text("precious")
        place.partial(key).symlink_to(victim)
        receiving = place.receiving()
        receiving.take(key, source, "lab")
        receiving.settle()
        assert place.object(key).read_bytes() == b"spikes"
        assert victim.read_text() == "precious"
