"""Where work is measured: a fresh file system in memory for every turn, so that no turn pays for the one before it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MEMORY = Path("/dev/shm")
_MKFS = ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard")
#: A file system whose files can share blocks.
_MKFS_SHARING = ("mkfs.xfs", "-q", "-K", "-m", "reflink=1")
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """How much a fresh file system must take."""

    size_mib: int
    #: Small blocks let a million tiny files fit into memory.
    block_bytes: int = 4096
    #: 0: as many as ``mkfs`` thinks right.
    inodes: int = 0
    #: Files can share blocks: an XFS, instead of ext4.
    shares: bool = False
    #: Too large for memory: its image lies on a disk.
    on_disk: bool = False

    def mkfs(self, image: Path) -> tuple[str, ...]:
        if self.shares:
            return (*_MKFS_SHARING, str(image))
        inodes = ("-N", str(self.inodes)) if self.inodes else ()
        return (*_MKFS, "-b", str(self.block_bytes), *inodes, str(image))


def has_loop_mounts() -> bool:
    """Whether a file system in a file can be mounted here. Tries it."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4", path=_system_path()) is None:
        return False
    try:
        with scratch() as folder, mounted(folder, Space(size_mib=8)):
            return True
    except subprocess.SubprocessError:
        return False


@contextmanager
def scratch(*, on_disk: bool = False) -> Iterator[Path]:
    """A folder of our own, in memory where there is such a place and nobody says *on_disk*; gone afterwards."""
    memory = _MEMORY if not on_disk and os.access(_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=memory))
    try:
        yield folder
    finally:
        _remove(folder)


@contextmanager
def mounted(folder: Path, space: Space) -> Iterator[Path]:
    """A fresh file system as large as *space* asks, its image inside of *folder*."""
    image, mount_point = folder / "image", folder / "place"
    mount_point.mkdir()
    with image.open("wb") as file:
        file.truncate(space.size_mib * _MIB)
    try:
        _as_root(*space.mkfs(image))
        _as_root("mount", "-o", "loop", str(image), str(mount_point))
        try:
            yield mount_point
        finally:
            _as_root("umount", str(mount_point))
    finally:
        mount_point.rmdir()
        image.unlink()


@contextmanager
def plain(folder: Path) -> Iterator[Path]:
    """A fresh folder, for those who may not mount."""
    place = folder / "place"
    place.mkdir()
    try:
        yield place
    finally:
        _remove(place)


def _as_root(*command: str) -> None:
    environment = {**os.environ, "PATH": _system_path()}
    try:
        subprocess.run(command, check=True, capture_output=True, env=environment)
    except FileNotFoundError:
        raise subprocess.SubprocessError(f"{command[0]} is not installed") from None


def _system_path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _remove(folder: Path) -> None:
    """*folder* with all that is in it: key folders of git-annex are read-only."""
    for parent, _, _ in os.walk(folder):
        os.chmod(parent, 0o700)
    shutil.rmtree(folder)
