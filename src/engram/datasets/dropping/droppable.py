"""What can be dropped from a dataset: the contents that are here, of the files that are meant, or of all versions."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from engram.datasets.annex.hashdirs import key_of, object_path, object_path_lower
from engram.datasets.annexed import annexed_files
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import GitIndex
from engram.datasets.whereabouts import Whereabouts

#: Folders that keys are sorted into.
_LEVELS = 2
#: Which file something is: device and inode.
Identity: TypeAlias = tuple[int, int]


@dataclass(slots=True)
class Content:
    """One content that is here."""

    key: bytes
    #: Where it is.
    place: bytes
    #: Which file that is.
    identity: Identity
    size_bytes: int
    #: The files that are meant, as the index has them.
    files: list[bytes] = field(default_factory=list)
    #: Other files with the same content: they lose it, too.
    others: list[bytes] = field(default_factory=list)
    #: One of all these files is unlocked: its content lies in the work tree a second time.
    unlocked: bool = False


def contents_of(dataset: Dataset, index: GitIndex, scopes: Sequence[bytes]) -> dict[bytes, Content]:
    """The contents here of annexed files below *scopes*, by key, in the order of the index."""
    found: dict[bytes, Content] = {}
    absent: set[bytes] = set()
    meant = set()
    git_dir = os.fsencode(dataset.git_dir) + b"/"
    for file in annexed_files(dataset, index, scopes):
        if file.key in absent:
            continue
        content = found.get(file.key)
        if content is None:
            content = content_of(git_dir, file.key)
            if content is None:
                absent.add(file.key)
                continue
            found[file.key] = content
        content.files.append(file.path)
        content.unlocked = content.unlocked or not file.locked
        meant.add(file.path)
    if b"" not in scopes:
        _add_others(dataset, index, found, meant)
    return found


def all_contents(dataset: Dataset, index: GitIndex) -> dict[bytes, Content]:
    """Every content here, whichever version of whichever file it belongs to, by key."""
    found = {content.key: content for content in _objects(dataset)}
    _add_others(dataset, index, found, set())
    return found


def _add_others(dataset: Dataset, index: GitIndex, found: dict[bytes, Content], meant: set[bytes]) -> None:
    if not found:
        return
    for file in annexed_files(dataset, index, (b"",)):
        content = found.get(file.key)
        if content is not None and file.path not in meant:
            content.others.append(file.path)
            content.unlocked = content.unlocked or not file.locked


def content_of(git_dir: bytes, key: bytes) -> Content | None:
    """The content of *key*, as far as it is here. *git_dir* ends in a slash."""
    for layout in (object_path, object_path_lower):
        if content := _content(key, git_dir + layout(key)):
            return content
    return None


def _content(key: bytes, place: bytes) -> Content | None:
    try:
        status = os.lstat(place)
    except OSError:
        return None
    return Content(key, place, (status.st_dev, status.st_ino), status.st_size)


def _objects(dataset: Dataset) -> Iterator[Content]:
    """Every object of the annex, in the order of the folders."""
    folders = [os.path.join(os.fsencode(dataset.git_dir), b"annex", b"objects")]
    for _ in range(_LEVELS + 1):
        folders = [entry.path for folder in folders for entry in _folders_in(folder)]
    for folder in folders:
        name = os.path.basename(folder)
        if content := _content(key_of(name), os.path.join(folder, name)):
            yield content


def _folders_in(folder: bytes) -> list["os.DirEntry[bytes]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted((one for one in entries if one.is_dir(follow_symlinks=False)), key=lambda one: one.name)
    except FileNotFoundError:
        return []


class Needed:
    """How many copies of a content must be proven before it is dropped."""

    def __init__(self, whereabouts: Whereabouts) -> None:
        self._whereabouts = whereabouts

    def of(self, content: Content) -> int:
        """The most that any file with this content asks for, and never less than one.

        Source: git-annex-numcopies(1), git-annex-mincopies(1); every proven copy is locked, so that one number serves.
        """
        paths = (*content.files, *content.others) or (b"",)
        ask = self._whereabouts
        return max(1, *(max(ask.numcopies(path), ask.mincopies(path)) for path in paths))
