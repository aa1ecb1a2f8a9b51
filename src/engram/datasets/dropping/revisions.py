"""Which revisions of a dataset nobody else has, and which siblings still count on its annex.

What is asked are the branches of siblings as they were last fetched; those on this machine are looked at themselves,
because what was fetched once may be gone there by now.

Source: datalad-drop(1); records of DataLad 1.7.1.
"""

import os
from collections.abc import Iterator

from engram.datasets.annex.branch import AnnexBranch
from engram.datasets.annex.logs import DEAD_REPOSITORY, trust_levels, values_by_uuid
from engram.datasets.dataset import Dataset
from engram.datasets.git.ancestry import is_ancestor
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.refs import Refs
from engram.datasets.siblings import repository_at, siblings_of

_HEADS = b"refs/heads/"
_REMOTES = b"refs/remotes/"
_ANNEX = b"git-annex"
#: What is not recorded on any branch: only git's own commands push it.
_STASH = b"refs/stash"


def unpushed(dataset: Dataset) -> list[str]:
    """The branches (``HEAD``, ``stash``) whose newest revision no sibling has. Raises `NotUnderstood`."""
    elsewhere = _Elsewhere(dataset)
    found = []
    for name, oid in _own(dataset):
        if not elsewhere.has(oid):
            found.append(os.fsdecode(name))
    return found


def siblings_that_know(dataset: Dataset) -> list[str]:
    """The siblings whose git-annex branch has this annex, and not as dead."""
    uuid = dataset.annex_uuid.encode()
    if not uuid:
        return []
    knowing = []
    for sibling in siblings_of(dataset):
        tip = dataset.refs.resolve(_REMOTES + os.fsencode(sibling.name) + b"/" + _ANNEX)
        if tip is None:
            continue
        branch = AnnexBranch(dataset.objects, dataset.objects.tree_of(tip))
        known = uuid in values_by_uuid(branch.read(b"uuid.log") or b"")
        if known and trust_levels(branch.read(b"trust.log") or b"").get(uuid) != DEAD_REPOSITORY:
            knowing.append(sibling.name)
    return knowing


def _own(dataset: Dataset) -> Iterator[tuple[bytes, bytes]]:
    refs = dataset.refs
    for name in refs.names(_HEADS):
        oid = refs.resolve(name)
        short = name.removeprefix(_HEADS)
        if oid is not None and short != _ANNEX:
            yield short, oid
    head = refs.head()
    if head.name is None and head.oid is not None:
        yield b"HEAD", head.oid
    stash = refs.resolve(_STASH)
    if stash is not None:
        yield b"stash", stash


class _Elsewhere:
    """What the siblings have."""

    def __init__(self, dataset: Dataset) -> None:
        self._objects = dataset.objects
        #: Of siblings on other machines: where their branches were when they were last fetched.
        self._far: list[bytes] = []
        #: Of siblings on this machine: their own objects and the tips of their branches.
        self._near: list[tuple[ObjectStore, list[bytes]]] = []
        own = {_identity(folder) for folder in dataset.objects.folders[:1]}
        for sibling in siblings_of(dataset):
            if not sibling.place:
                self._far += _tips(dataset.refs, _REMOTES + os.fsencode(sibling.name) + b"/")
                continue
            repository = repository_at(sibling.place)
            if repository is None:
                continue
            objects = ObjectStore(os.path.join(repository.common_dir, b"objects"))
            if own.isdisjoint(_identity(folder) for folder in objects.folders):  # else it has what it has from here
                self._near.append((objects, _tips(Refs(repository), _HEADS)))

    def has(self, oid: bytes) -> bool:
        """Whether a commit is part of some sibling's branch."""
        near = (
            objects.has(oid) and any(is_ancestor(objects, oid, tip) for tip in tips) for objects, tips in self._near
        )
        return any(is_ancestor(self._objects, oid, tip) for tip in self._far) or any(near)


def _tips(refs: Refs, prefix: bytes) -> list[bytes]:
    return [oid for name in refs.names(prefix) if not name.endswith(b"/" + _ANNEX) and (oid := refs.resolve(name))]


def _identity(folder: bytes) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino
