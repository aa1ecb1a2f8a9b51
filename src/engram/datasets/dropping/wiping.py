"""Remove whole folders of a user: read-only ones too, links not followed, and nothing of another file system."""

import os
import stat
from collections.abc import Iterator

from engram import durable
from engram.durable import Steps
from engram.model.errors import NotDropped

_OURS = stat.S_IRWXU


def wipe(steps: Steps, place: str, *, spared: str = "") -> None:
    """Remove a file, a link, or a folder with all that is in it; nothing where nothing is.

    Args:
        spared: a name directly in the folder that stays, and with it the folder.

    Raises `NotDropped`, before anything is removed, when something else is mounted inside.
    """
    try:
        status = os.lstat(place)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(status.st_mode):
        durable.remove(steps, place)
        return
    _wipe_folder(steps, place, status, spared)


def _wipe_folder(steps: Steps, place: str, status: os.stat_result, spared: str) -> None:
    folders = [(place, status), *_below(place, spared)]
    for folder, found in folders:
        if found.st_dev != status.st_dev:
            raise NotDropped(place, f"another file system is mounted at {folder}", f"Unmount it: umount {folder}")
    for folder, found in folders:
        if found.st_mode & _OURS != _OURS:
            durable.change_mode(steps, folder, stat.S_IMODE(found.st_mode) | _OURS)
    for folder, _ in reversed(folders):
        _empty(steps, folder, spared if folder == place else "")
        if folder != place or not spared:
            durable.remove_folder(steps, folder)


def _below(place: str, spared: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every folder inside, each after that which holds it."""
    waiting = [place]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and not (folder == place and entry.name == spared):
                    yield entry.path, entry.stat(follow_symlinks=False)
                    waiting.append(entry.path)


def _empty(steps: Steps, folder: str, spared: str) -> None:
    """Remove what is in a folder besides folders."""
    with os.scandir(folder) as entries:
        names = [entry.path for entry in entries if not entry.is_dir(follow_symlinks=False) and entry.name != spared]
    for name in names:
        durable.remove(steps, name)
