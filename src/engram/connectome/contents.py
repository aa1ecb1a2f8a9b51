"""Whether the files of a snapshot are here: one that was saved as a dataset keeps them in its annex.

A saved file is a link into the annex of the repository that the snapshot lies in, or, where it is unlocked and its
content is elsewhere, a pointer to it. No other link belongs to a snapshot, wherever it leads.

Source: https://git-annex.branchable.com/internals/ (``.git/annex/objects``) and
https://git-annex.branchable.com/internals/pointer_file/
"""

import os
import stat
from enum import StrEnum
from pathlib import PurePath
from shlex import quote

from engram.model.errors import NotHere
from engram.model.keys import normal_form

_POINTER = b"/annex/objects/"
#: A longer file is no pointer. Source: git-annex's internals/pointer_file.
_LONGEST_POINTER_BYTES = 32768
#: How many names follow ``objects/`` in a link: two folders or one more, and the key twice.
_DEPTHS = (3, 4)


#: What is told of a file whose content is elsewhere.
NOT_HERE = "its content is not here"


class Presence(StrEnum):
    """What lies under the name of a file."""

    HERE = "here"
    #: It belongs to the dataset, which has its content elsewhere.
    ABSENT = "absent"
    #: A link that leads elsewhere, or no file.
    FOREIGN = "foreign"
    MISSING = "missing"


class Contents:
    """Looks at the files of one snapshot."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._real = os.path.realpath(folder)  # the folder may be named by a link; what is in it may be none
        #: Where the repository around it keeps contents; '' where there is none.
        self.objects = _objects_around(self._real)

    def look(self, place: str, *, size_bytes: int | None = None) -> Presence:
        """What lies at *place*, a path that begins with the snapshot's folder. Raises `OSError`.

        A file of *size_bytes* is taken for content without a look into it.
        """
        try:
            found = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            return Presence.MISSING
        if stat.S_ISLNK(found.st_mode):
            return self._behind(place)
        if not stat.S_ISREG(found.st_mode):
            return Presence.FOREIGN
        looks_like_one = found.st_size != size_bytes and found.st_size <= _LONGEST_POINTER_BYTES
        return Presence.ABSENT if self.objects and looks_like_one and _is_pointer(place) else Presence.HERE

    def _behind(self, link: str) -> Presence:
        """Of a link: by its text alone, so that nothing on the way leads astray."""
        place = self._real + os.path.dirname(link).removeprefix(self._folder)
        target = os.path.normpath(os.path.join(place, os.readlink(link)))
        if not self.objects or not target.startswith(self.objects + os.sep):
            return Presence.FOREIGN
        names = PurePath(target[len(self.objects) + 1 :]).parts
        if len(names) not in _DEPTHS or names[-1] != names[-2] or normal_form(os.fsencode(names[-1])) is None:
            return Presence.FOREIGN
        try:
            return Presence.HERE if stat.S_ISREG(os.lstat(target).st_mode) else Presence.FOREIGN
        except FileNotFoundError:
            return Presence.ABSENT


def not_here(folder: str, path: str) -> NotHere:
    """What is told where the content of a file of a snapshot is needed, and is not here."""
    return NotHere(path, NOT_HERE, advice_to_get(folder, path))


def advice_to_get(folder: str, path: str) -> str:
    """What helps then.

    >>> advice_to_get("/data/my release", "tables/a.csv")
    "Get it: engram -C '/data/my release' get tables/a.csv"
    """
    return f"Get it: engram -C {quote(folder)} get {quote(path)}"


def _objects_around(folder: str) -> str:
    while True:
        git = os.path.join(folder, ".git")
        if os.path.lexists(git):
            return os.path.join(git, "annex", "objects")
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above


def _is_pointer(place: str) -> bool:
    with open(place, "rb") as file:
        return file.read(len(_POINTER)) == _POINTER
