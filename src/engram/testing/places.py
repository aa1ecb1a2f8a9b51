"""Where tests work: folders in memory, exact copies of a prepared one, and what lies in a folder."""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")


def memory() -> Path:
    """The folder for what should not wear a disk: ``/dev/shm`` where it can be written, else the usual one."""
    return _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


@contextmanager
def scratch() -> Iterator[Path]:
    """A fresh folder in memory, gone afterwards, whatever its permissions have become."""
    folder = fresh_folder(memory())
    try:
        yield folder
    finally:
        remove_tree(folder)


def fresh_folder(under: Path) -> Path:
    """An empty folder with a name of its own."""
    return Path(tempfile.mkdtemp(prefix="engram-", dir=under))


def remove_tree(folder: Path) -> None:
    """Remove a folder with all below it, also what git-annex made read-only, and however deep it is."""
    os.chmod(folder, 0o700)
    for _, folders, _, descriptor in os.fwalk(os.fsencode(folder)):
        for name in folders:
            if stat.S_ISDIR(os.lstat(name, dir_fd=descriptor).st_mode):
                os.chmod(name, 0o700, dir_fd=descriptor)
    shutil.rmtree(os.fsencode(folder))


class Template:
    """A prepared folder, and copies of it that differ in nothing but inode numbers and change times.

    Only the latest copy is kept, so that hundreds of them need little room.
    """

    def __init__(self, original: Path, under: Path) -> None:
        self.original = original
        self.under = under
        self._latest: Path | None = None

    def fresh(self) -> Path:
        """The next copy: same times, modes, links, hard links and holes."""
        if self._latest is not None:
            remove_tree(self._latest)
        self._latest = fresh_folder(self.under)
        subprocess.run(["cp", "-a", "--", f"{self.original}/.", str(self._latest)], check=True)
        return self._latest


def contents(folder: Path) -> dict[bytes, str]:
    """By relative path, what lies below *folder*: ``link TARGET``, ``folder``, ``file [x] DIGEST`` or ``special``.

    >>> with scratch() as folder:
    ...     _ = (folder / "run.sh").write_text("x")
    ...     contents(folder)[b"run.sh"][:12]
    'file 2d71164'
    """
    root = os.fsencode(folder)
    return {os.path.relpath(path, root): _described(path) for path in _all_below(root)}


def digests(folder: Path, *, but: AbstractSet[bytes] = frozenset()) -> frozenset[str]:
    """SHA-256 of every regular file below *folder*, in whatever place, except for those below folders called *but*."""
    return frozenset(_digest(path) for path in _all_below(os.fsencode(folder), but) if _is_regular(path))


def _all_below(root: bytes, but: AbstractSet[bytes] = frozenset()) -> Iterator[bytes]:
    for path, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - but)
        for name in (*folders, *sorted(files)):
            yield os.path.join(path, name)


def _is_regular(path: bytes) -> bool:
    return stat.S_ISREG(os.lstat(path).st_mode)


def _described(path: bytes) -> str:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return f"link {os.fsdecode(os.readlink(path))}"
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISREG(mode):
        return f"file {'x ' if mode & 0o100 else ''}{_digest(path)}"
    return "special"


def _digest(path: bytes) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
