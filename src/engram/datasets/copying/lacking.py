"""What of the named parts of a dataset lacks its content here. Reads only."""

import os
import stat
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engram.datasets.annex.facts import key_size
from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in
from engram.datasets.annexed import AnnexedFile, annexed_files
from engram.datasets.copying.get_outcomes import GetReporter
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import GitIndex
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.git.small_files import read_small_file
from engram.datasets.whereabouts import Whereabouts
from engram.model.outcome import DatasetOutcome
from engram.model.source import Wanted

#: Hash folders of the other layout have names of three characters.
_LOWER_NAME = 3


@dataclass(slots=True)
class Lacking:
    """What is missing, and what became of it."""

    scopes: Sequence[bytes]
    index: GitIndex
    whereabouts: Whereabouts
    #: Each missing content once.
    wanted: list[Wanted] = field(default_factory=list)
    #: The files that want it, by key.
    files: dict[bytes, list[bytes]] = field(default_factory=dict)
    #: Contents that are here, while an unlocked file still has only its pointer.
    pointers: set[bytes] = field(default_factory=set)
    #: Unlocked files that may hold their content already, while the index still knows them as pointers.
    filled: list[AnnexedFile] = field(default_factory=list)
    #: Contents that are here, though the log does not say so; with a file each.
    unlogged: dict[bytes, bytes] = field(default_factory=dict)
    got: list[bytes] = field(default_factory=list)
    failed: list[bytes] = field(default_factory=list)
    #: Files whose content this repository does not want to have.
    unwanted: set[bytes] = field(default_factory=set)

    def named(self, report: GetReporter) -> Iterator[DatasetOutcome]:
        """An outcome for each thing that was named, where its files do not speak for it."""
        told = {*self.got, *self.failed}
        got, failed = sorted(self.got), sorted(self.failed)
        for scope in self.scopes:
            if scope in told:
                continue
            position = self.index.find(scope)
            if position is not None and self.index.mode(position) != SUBMODULE_MODE:
                yield report.unwanted(scope) if scope in self.unwanted else report.present(scope)
            elif scope and len(range(*self.index.below(scope))) == 0:
                yield report.untracked(scope)
            elif scope or not told:
                yield report.folder(scope, got=_below(got, scope), failed=_below(failed, scope))


def look(dataset: Dataset, scopes: Sequence[bytes]) -> Lacking:
    """The contents that the files below *scopes* lack. Raises `NotUnderstood`."""
    index = dataset.read_index()
    lacking = Lacking(scopes, index, Whereabouts(dataset))
    here = _Here(dataset)
    present: dict[bytes, bytes] = {}
    for file in annexed_files(dataset, index, scopes):
        path, key = file.path, file.key
        if key in present or (key not in lacking.files and here.has(key)):
            present.setdefault(key, path)
            if not file.locked:
                place = os.path.join(here.top, path)
                if is_pointer(place):
                    lacking.pointers.add(key)
                elif _may_be_filled(dataset, index, file, place):
                    lacking.filled.append(file)
        elif key in lacking.files:
            lacking.files[key].append(path)
        else:
            lacking.files[key] = [path]
            lacking.wanted.append(Wanted(key=key, path=path, size_bytes=key_size(key)))
    uuid = dataset.annex_uuid.encode()
    if present and uuid:
        lacking.whereabouts.prefetch(present)
        known = lacking.whereabouts.holders
        lacking.unlogged = {key: path for key, path in present.items() if uuid not in known(key)}
    return lacking


def _may_be_filled(dataset: Dataset, index: GitIndex, file: AnnexedFile, place: bytes) -> bool:
    """Whether a file has the size of its content and the index knows another: what a get leaves that died just then."""
    try:
        status = os.lstat(place)
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != key_size(file.key):
        return False
    return not index.stat_matches(file.position, status, dataset.stat_rules)


class _Here:
    """Whether contents are here, in either layout."""

    def __init__(self, dataset: Dataset) -> None:
        self.top = os.fsencode(dataset.work_tree)
        self._git_dir = os.fsencode(dataset.git_dir) + b"/"
        try:
            names = os.listdir(self._git_dir + b"annex/objects")
        except FileNotFoundError:
            names = []
        self._mixed = any(len(name) != _LOWER_NAME for name in names)
        self._lower = any(len(name) == _LOWER_NAME for name in names)

    def has(self, key: bytes) -> bool:
        return (self._mixed and os.path.exists(self._git_dir + object_path(key))) or (
            self._lower and os.path.exists(self._git_dir + object_path_lower(key))
        )


def is_pointer(place: bytes) -> bool:
    """Whether a file of the work tree holds a pointer to a key, and no content."""
    try:
        content = read_small_file(place, follow=False, largest_bytes=MAX_POINTER_BYTES + 1)
    except OSError:
        return False
    return content is not None and key_in(content) is not None


def _below(paths: list[bytes], folder: bytes) -> int:
    """How many of the sorted *paths* lie below *folder*."""
    if not folder:
        return len(paths)
    return bisect_left(paths, folder + b"0") - bisect_left(paths, folder + b"/")
