"""Disks of our own: small ones, full ones, and ones whose plug is pulled. Linux and root only.

A disk is an image file in memory with a file system in it, mounted through a loop device. Pulling the plug is copying
the image while it is mounted: what programs wrote but the kernel had not yet sent to the block device is not in the
copy, as it would be lost with the power. Mounting the copy replays the journal.

>>> if not (reason := why_no_disks()):
...     with Disk.new(size_bytes=16 << 20) as disk:
...         _ = (disk.folder / "unsynced").write_bytes(b"x" * 10_000)
...         with disk.power_cut() as after:
...             assert not (after.folder / "unsynced").exists()
"""

import atexit
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from engram.testing.places import fresh_folder, memory

_CUT_ATTEMPTS = 200
_BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class _FileSystem:
    make: tuple[str, ...]
    #: To mount a copy of an image that is mounted.
    copy_options: str
    enough_bytes: int


_FILE_SYSTEMS = {
    "ext4": _FileSystem(("mkfs.ext4", "-q", "-F", "-m", "0"), "loop", 64 << 20),
    "xfs": _FileSystem(("mkfs.xfs", "-q", "-f"), "loop,nouuid", 320 << 20),  # its mkfs refuses less than 300 MB
}


class Disk:
    """A mounted file system of its own, in memory; unmounted and gone at the end, even of a process that forgot it.

    What a killed process left is cleaned when the next disk is made.
    """

    def __init__(self, kind: str, options: str, make_image: Callable[[Path], object]) -> None:
        """Mount what *make_image* writes; see `new` and `power_cut`."""
        self.kind = kind
        self._home = _new_home()
        self._owner = os.getpid()
        self._image = self._home.folder / "image"
        #: Where its files are.
        self.folder = self._home.folder / "mounted"
        self.folder.mkdir()
        atexit.register(self.close)
        try:
            make_image(self._image)
            _run("mount", "-t", kind, "-o", options, str(self._image), str(self.folder))
        except BaseException:
            self.close()
            raise

    @classmethod
    def new(
        cls, *, size_bytes: int = 0, inodes: int | None = None, kind: str = "ext4", commit_s: int | None = None
    ) -> Self:
        """An empty disk.

        Args:
            size_bytes: of the image, 0 for enough; the file system keeps some of it for itself.
            inodes: how many ext4 has, its own ten or so included.
            kind: ``ext4`` or ``xfs``, where there is a ``mkfs`` for it.
            commit_s: how often ext4 writes its journal (5 where nothing is said).
        """
        system = _FILE_SYSTEMS[kind]
        make = (*system.make, *(("-N", str(inodes)) if inodes else ()))

        def make_image(image: Path) -> None:
            with image.open("wb") as file:
                file.truncate(size_bytes or system.enough_bytes)
            _run(*make, str(image))

        return cls(kind, "loop" + (f",commit={commit_s}" if commit_s else ""), make_image)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unmount it, and forget all that is on it. Twice is once; in a forked child it is nothing."""
        if os.getpid() == self._owner:
            atexit.unregister(self.close)
            self._home.remove()

    @property
    def free_bytes(self) -> int:
        """What can still be written."""
        state = os.statvfs(self.folder)
        return state.f_bavail * state.f_frsize

    def fill_to(self, free_bytes: int) -> None:
        """Fill it so that about this much is left (to a block or two); `empty` makes room again."""
        while (excess_bytes := self.free_bytes - free_bytes) >= _BLOCK_BYTES:
            with open(self._ballast / f"{time.monotonic_ns()}", "wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(_BLOCK_BYTES, excess_bytes * 9 // 10))
        os.sync()

    def use_up_inodes(self, left: int) -> None:
        """Make empty files until so many more can be made; `empty` makes room again."""
        for number in range(os.statvfs(self._ballast).f_ffree - left):
            (self._ballast / f"inode-{number}").touch()

    def empty(self) -> None:
        """Take away what `fill_to` and `use_up_inodes` put there."""
        shutil.rmtree(self._ballast)

    @property
    def _ballast(self) -> Path:
        folder = self.folder / "ballast"
        folder.mkdir(exist_ok=True)
        return folder

    def power_cut(self) -> Self:
        """Another disk, with what would be found on this one had its power just been cut.

        The copy is one moment's: it is made again while the kernel was writing meanwhile. `TimeoutError` when it never
        stops; pause what writes then (`engram.testing.processes`).
        """
        return type(self)(self.kind, _FILE_SYSTEMS[self.kind].copy_options, self._copy_of_one_moment)

    def _copy_of_one_moment(self, copy: Path) -> None:
        for _ in range(_CUT_ATTEMPTS):
            before = self._writes()
            _copy_sparse(self._image, copy)
            if before == self._writes() and before.in_flight == 0:
                return
        raise TimeoutError("the disk never stopped writing for as long as its image takes to be copied")

    def _writes(self) -> "_Writes":
        number = os.stat(self.folder).st_dev
        fields = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat").read_text().split()
        return _Writes(completed=int(fields[4]), sectors=int(fields[6]), in_flight=int(fields[8]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writes:
    """What the kernel has written to a block device.

    Source: https://docs.kernel.org/block/stat.html (fields 5, 7, 9; sectors are 512 bytes)
    """

    completed: int
    sectors: int
    in_flight: int


def why_no_disks(kind: str = "ext4") -> str:
    """Why no such disk can be made here, for the reason of a skipped test; empty when one can."""
    if os.geteuid() != 0:
        return "not root"
    if (program := _FILE_SYSTEMS[kind].make[0]) and shutil.which(program) is None:
        return f"{program} is not installed"
    try:
        with Disk.new(kind=kind):
            return ""
    except OSError as error:
        return f"no loop mounts ({error})"


class _Home:
    """The folder of one disk, with a lock that vanishes with the process that made it."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock = lock

    def remove(self) -> None:
        _dismantle(self.folder)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _new_home() -> _Home:
    disks = memory() / "engram-disks"
    disks.mkdir(mode=0o700, exist_ok=True)
    with _alone_in(disks):
        for folder in disks.iterdir():
            _dismantle_if_left(folder)
        folder = fresh_folder(disks)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return _Home(folder, lock)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _dismantle_if_left(folder: Path) -> None:
    """A disk whose lock can be had has lost its process."""
    with suppress(FileNotFoundError, BlockingIOError), open(folder / "lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _dismantle(folder)


def _dismantle(folder: Path) -> None:
    mounted = folder / "mounted"
    while mounted.is_mount():
        _run("umount", "--lazy", str(mounted))  # lazy: a process that still looks at it must not keep it
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _copy_sparse(image: Path, copy: Path) -> None:
    with open(image, "rb") as source, open(copy, "wb") as target:
        size_bytes = os.fstat(source.fileno()).st_size
        target.truncate(size_bytes)
        position = 0
        while (position := _next_data(source.fileno(), position)) < size_bytes:
            end = os.lseek(source.fileno(), position, os.SEEK_HOLE)
            os.lseek(source.fileno(), position, os.SEEK_SET)
            os.lseek(target.fileno(), position, os.SEEK_SET)
            while position < end:
                position += os.sendfile(target.fileno(), source.fileno(), None, end - position)


def _next_data(descriptor: int, position: int) -> int:
    try:
        return os.lseek(descriptor, position, os.SEEK_DATA)
    except OSError:  # ENXIO: only a hole is left
        return os.fstat(descriptor).st_size


def _run(*arguments: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{arguments[0]}: {done.stderr.strip()}")
