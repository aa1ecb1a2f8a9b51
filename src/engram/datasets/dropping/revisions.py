"""Which revisions of a dataset nobody else has, and which siblings still count on its annex.

What is asked are the branches of siblings as they were last fetched; those on this machine are looked at themselves,
because what was fetched once may be gone there by now.

Source: datalad-drop(1); records of DataLad 1.7.1.
"""

import os
import re
from collections.abc import Iterator

from engram.datasets.annex.branch import AnnexBranch
from engram.datasets.annex.inventory import is_content, stored_keys
from engram.datasets.annex.logs import DEAD_REPOSITORY, trust_levels, values_by_uuid
from engram.datasets.dataset import Dataset
from engram.datasets.git.ancestry import is_ancestor
from engram.datasets.git.objects import COMMIT, TAG
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.problems import MissingObject
from engram.datasets.git.refs import Refs, bare_repository
from engram.datasets.git.small_files import read_file
from engram.datasets.siblings import repository_at, siblings_of

_HEADS = b"refs/heads/"
_REMOTES = b"refs/remotes/"
_ANNEX = b"git-annex"
#: What is not recorded on any branch: only git's own commands push it.
_STASH = b"refs/stash"
_BESIDE_BRANCHES = (b"refs/tags/", b"refs/notes/")
_OID = re.compile(rb"[0-9a-f]{40}")
_TAGGED = re.compile(rb"object ([0-9a-f]{40})\n")


def unpushed(dataset: Dataset) -> list[str]:
    """The branches, tags and notes (``HEAD``, ``stash``) whose revision no sibling has. Raises `NotUnderstood`."""
    elsewhere = _Elsewhere(dataset)
    found = []
    for name, oid in _own(dataset):
        if not elsewhere.has(oid):
            found.append(os.fsdecode(name))
    return found


def kept_inside(dataset: Dataset) -> list[str]:
    """The repositories of subdatasets that git keeps in this one, by name, as far as they hold what nobody else has.

    git puts them there when it checks a submodule out, and leaves them there when it takes its work tree away.
    """
    top = os.path.join(dataset.repository.common_dir, b"modules")
    found = []
    for folder, names, _ in os.walk(top):
        repository = bare_repository(folder)
        if repository is None:
            continue
        names[:] = [b"modules"] if b"modules" in names else []
        inner = Dataset(repository, dataset.around)
        if any(is_content(one.place) for one in stored_keys(folder)) or unpushed(inner):
            found.append(os.fsdecode(os.path.relpath(folder, top)))
    return sorted(found)


def other_work_trees(dataset: Dataset) -> list[str]:
    """The further work trees that are checked out from a repository, which are nothing without it."""
    if dataset.git_dir != dataset.common_dir:
        return []
    return sorted(place for folder in _linked(dataset) if (place := _work_tree_of(folder)) and os.path.lexists(place))


def _linked(dataset: Dataset) -> list[bytes]:
    """Where the repository keeps what it knows of each linked work tree. Source: gitrepository-layout(5)."""
    top = os.path.join(dataset.repository.common_dir, b"worktrees")
    try:
        return [os.path.join(top, name) for name in sorted(os.listdir(top))]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _work_tree_of(folder: bytes) -> str:
    named = read_file(os.path.join(folder, b"gitdir")).rstrip(b"\r\n")
    return os.fsdecode(os.path.dirname(os.path.join(folder, named))) if named else ""


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
    yield from _beside_branches(dataset)


def _beside_branches(dataset: Dataset) -> Iterator[tuple[bytes, bytes]]:
    """The commits of tags and notes, and what is checked out, without a branch, in further work trees."""
    refs = dataset.refs
    for name in (name for prefix in _BESIDE_BRANCHES for name in refs.names(prefix)):
        commit = _commit_of(dataset.objects, refs.resolve(name))
        if commit is not None:
            yield name.removeprefix(b"refs/"), commit
    for folder in _linked(dataset):
        detached = read_file(os.path.join(folder, b"HEAD")).strip()
        if _OID.fullmatch(detached):
            yield b"worktrees/" + os.path.basename(folder), bytes.fromhex(detached.decode())


def _commit_of(objects: ObjectStore, oid: bytes | None) -> bytes | None:
    """The commit that a tag is about in the end; ``None`` where it is about none, or that is not there."""
    while oid is not None:
        try:
            kind, data = objects.read(oid)
        except MissingObject:
            return None
        if kind != TAG:
            return oid if kind == COMMIT else None
        named = _TAGGED.match(data)
        oid = bytes.fromhex(named[1].decode()) if named else None
    return None


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
                refs = Refs(repository)
                beside = [
                    oid for prefix in _BESIDE_BRANCHES for name in refs.names(prefix) if (oid := refs.resolve(name))
                ]
                tagged = [oid for one in beside if (oid := _commit_of(objects, one)) is not None]
                self._near.append((objects, [*_tips(refs, _HEADS), *tagged]))

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
