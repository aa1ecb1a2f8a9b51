"""The versions of one file: when each came, who made it, by which command from which inputs, and where it is now.

The history is walked natively, newest first, as ``git log --follow`` does it: along whatever left the file as it is,
past exact renames. Cost: the commits, times the folders above the path. Source: git-log(1), "History Simplification"
"""

import heapq
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.copies import Copies
from engram.datasets.dataset import Dataset
from engram.datasets.git.ancestry import moment, read_commit, when
from engram.datasets.git.objects import SUBMODULE_MODE, TREE_MODE, Commit
from engram.datasets.git.problems import MissingObject
from engram.datasets.git.tree_diff import Side, differences
from engram.datasets.git.tree_lookup import TreeLookup
from engram.datasets.people import subject_of
from engram.datasets.provenance.run_records import is_run
from engram.datasets.provenance.tracing import Tracer, with_changes
from engram.datasets.provenance.versions import Holder, Version
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import NotAKey
from engram.model.keys import Key

_NO_CONTENT = (TREE_MODE, SUBMODULE_MODE)
_REMEMBERED = 1000


class _Place(NamedTuple):
    """A commit to be looked at, and the name that the file has there."""

    order: int
    serial: int
    oid: bytes
    path: bytes
    #: What was told of the file already, by the merge that this commit was made for.
    told: bytes


class History:
    """Walks the versions of one file."""

    def __init__(self, dataset: Dataset, path: bytes) -> None:
        self._dataset = dataset
        self._path = path
        self._objects = dataset.objects
        self._lookup = TreeLookup(dataset.objects)
        self._tracer = Tracer(dataset, self._lookup)
        self._copies = Copies(dataset, Whereabouts(dataset))
        self._commits: dict[bytes, Commit | None] = {}
        self._waiting: list[_Place] = []
        self._seen: set[tuple[bytes, bytes]] = set()

    def read(self) -> Iterator[Version]:
        """Every version, newest first; none for a path that never was. A step ahead, to tell what changed since."""
        newer: Version | None = None
        for version in self._walk():
            if newer is not None:
                yield with_changes(newer, version)
            newer = version
        if newer is not None:
            yield newer

    def _walk(self) -> Iterator[Version]:
        head = self._dataset.head_commit()
        if head:
            self._push(bytes.fromhex(head), self._path, b"")
        while self._waiting:
            place = heapq.heappop(self._waiting)
            commit = self._commit(place.oid)
            if commit is not None:
                yield from self._look(place, commit)

    def _push(self, oid: bytes, path: bytes, told: bytes) -> None:
        commit = self._commit(oid)
        if commit is not None and (oid, path) not in self._seen:
            self._seen.add((oid, path))
            heapq.heappush(self._waiting, _Place(-when(commit.committer), len(self._seen), oid, path, told))

    def _commit(self, oid: bytes) -> Commit | None:
        """A commit; ``None`` beyond the end of a shallow history."""
        if oid not in self._commits:
            if len(self._commits) > _REMEMBERED:
                self._commits.clear()
            try:
                self._commits[oid] = read_commit(self._objects, oid)
            except MissingObject:
                self._commits[oid] = None
        return self._commits[oid]

    def _side(self, oid: bytes, path: bytes) -> Side | None:
        commit = self._commit(oid)
        return None if commit is None else self._lookup.at(commit.tree, path)

    def _look(self, place: _Place, commit: Commit) -> Iterator[Version]:
        """Tell the version that came with a commit, if one did, and go on to where the file was before."""
        side = self._lookup.at(commit.tree, place.path)
        now = self._identity(side)
        before = [(parent, self._side(parent, place.path)) for parent in commit.parents]
        same = [parent for parent, other in before if self._identity(other) == now]
        by_merge = len(before) == 2 and is_run(commit.message) and before[0][0] not in same
        if same and not by_merge:
            self._push(same[0], place.path, place.told)
            return
        if by_merge:  # the command made commits of its own: what they made is told here
            self._push(before[1][0], place.path, now)
        moved = self._moved(commit, place.path, side) if not any(other for _, other in before) or side is None else b""
        if now != place.told and (side is not None or before):
            yield self._version(place, commit, side, [other for _, other in before], moved)
        for parent, other in before[: 1 if by_merge else None]:
            if other is not None:
                self._push(parent, place.path, place.told)
            elif moved and side is not None:
                self._push(parent, moved, place.told)

    def _identity(self, side: Side | None) -> bytes:
        """What makes two versions one: the key, or the object with its mode."""
        if side is None:
            return b"none"
        key, _ = self._tracer.key(side)
        return key or b"%o %b" % (side.mode, side.oid)

    def _moved(self, commit: Commit, path: bytes, side: Side | None) -> bytes:
        """The name that the very same content had before, or, of what is gone, has since; b"" for none."""
        parent = self._commit(commit.parents[0]) if commit.parents else None
        if parent is None:
            return b""
        gone = self._lookup.at(parent.tree, path) if side is None else side
        wanted = self._identity(gone)
        for change in differences(self._objects, parent.tree, commit.tree):
            there, missing = (change.after, change.before) if side is None else (change.before, change.after)
            if change.path != path and missing is None and there is not None and self._identity(there) == wanted:
                return change.path
        return b""

    # --- one version

    def _version(
        self, place: _Place, commit: Commit, side: Side | None, before: Sequence[Side | None], moved: bytes
    ) -> Version:
        key, size = self._tracer.key(side) if side is not None else (b"", 0)
        return Version(
            path=os.fsdecode(place.path),
            dataset=self._dataset.work_tree,
            state=_state(side, before, moved),
            commit=place.oid.hex(),
            when=moment(commit.author),
            who=commit.author.rsplit(b" ", 2)[0].decode("utf-8", "replace"),
            message=subject_of(commit.message).decode("utf-8", "replace"),
            other_path=os.fsdecode(moved),
            key=os.fsdecode(key),
            gitshasum=side.oid.hex() if side is not None else "",
            size_bytes=_size(key, size) if side is not None and side.mode not in _NO_CONTENT else None,
            run=self._tracer.made_by(place.oid, commit),
            holders=self._holders(key) if key else (),
            here=self._is_here(key) if key else side is not None,
        )

    def _holders(self, key: bytes) -> tuple[Holder, ...]:
        return tuple(
            Holder(
                uuid=copy.uuid,
                description=copy.description,
                remote=copy.remote,
                here=copy.here and self._is_here(key),
            )
            for copy in self._copies.of(key)
        )

    def _is_here(self, key: bytes) -> bool:
        git_dir = os.fsencode(self._dataset.git_dir)
        return any(os.path.exists(os.path.join(git_dir, where(key))) for where in (object_path, object_path_lower))


def _state(side: Side | None, before: Sequence[Side | None], moved: bytes) -> str:
    if side is None:
        return "deleted"
    if any(before):
        return "modified"
    return "renamed" if moved else "added"


def _size(key: bytes, object_bytes: int) -> int | None:
    """How many bytes a content has: as its key says, or as git has it."""
    if not key:
        return object_bytes
    try:
        return Key.parse(os.fsdecode(key)).size_bytes
    except NotAKey:
        return None
