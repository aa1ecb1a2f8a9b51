"""git-annex's own notes of unlocked files (``annex/keysdb``), read and never written.

Source: the schema as git-annex 10 makes it: ``associated(key, file)``, ``content(key, inodecache, …)`` where an
inodecache is ``INODE SIZE SECONDS FRACTION``: the digits of the second's fraction without the zeros at their end
(``.05`` is ``05``), or nothing for a whole second.
"""

import os
import stat
from collections.abc import Iterable, Iterator

from engram.datasets.dataset import Dataset
from engram.datasets.git.problems import NotUnderstood


def unmodified_keys(dataset: Dataset, keys: Iterable[bytes]) -> Iterator[bytes]:
    """Those of *keys* whose content git-annex found in an unlocked file that nobody has changed since.

    Raises `NotUnderstood` when the notes cannot be read.
    """
    path = os.path.join(dataset.git_dir, "annex", "keysdb", "db")
    if not os.path.exists(path):
        return
    import sqlite3  # late: most calls have no need of it
    from urllib.parse import quote

    try:
        connection = sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=5)
        try:
            for key in keys:
                files = connection.execute("SELECT file FROM associated WHERE key = ?", (key,)).fetchall()
                caches = connection.execute("SELECT inodecache FROM content WHERE key = ?", (key,)).fetchall()
                known = {_size_and_time(str(cache)) for (cache,) in caches}
                if any(
                    _is_one_of(os.path.join(os.fsencode(dataset.work_tree), _bytes(file)), known) for (file,) in files
                ):
                    yield key
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise NotUnderstood(f"git-annex's notes of unlocked files cannot be read ({error})") from error


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else os.fsencode(str(value))


def _size_and_time(cache: str) -> tuple[str, ...]:
    """Of an inodecache: bytes, seconds, nanoseconds of nine digits."""
    size, seconds, fraction, *_ = (*cache.split()[1:4], "", "", "")
    return size, seconds, fraction.ljust(9, "0")


def _is_one_of(place: bytes, known: set[tuple[str, ...]]) -> bool:
    """Whether a regular file is there that has one of these sizes and times; its inode may have been renumbered."""
    try:
        status = os.lstat(place)
    except OSError:
        return False
    seconds, nanoseconds = divmod(status.st_mtime_ns, 10**9)
    looks = (str(status.st_size), str(seconds), f"{nanoseconds:09}")
    return stat.S_ISREG(status.st_mode) and looks in known
