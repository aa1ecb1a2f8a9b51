"""The git-annex branch: who holds which content, read and extended without git-annex.

A branch of small text files, one per key and kind of log. It is only moved under git-annex's journal lock, from the
commit that was read; what git-annex left pending in its journal is carried over on the way.

Source: https://git-annex.branchable.com/internals/ and https://git-annex.branchable.com/internals/journal/
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TypeAlias

from engram.datasets.annex.hashdirs import log_path
from engram.datasets.annex.logs import with_line
from engram.datasets.git.objects import BLOB, FILE_MODE, NOT_NAMES, TREE, TREE_MODE, decode_tree, encode_tree, object_id
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.small_files import read_small_file
from engram.model.errors import DamagedRepository

#: The message of every ordinary commit on the branch.
MESSAGE = b"update\n"

#: Folders that tell how many there are in all others.
_SAMPLED = 16

#: How a line of a tree about a file begins; how many bytes follow the name: a NUL, and the id.
_FILE, _REST = b"%o " % FILE_MODE, 21

#: Takes a new object: its kind, its bytes, its id.
Put: TypeAlias = Callable[[bytes, bytes, bytes], None]
_Entries: TypeAlias = dict[bytes, tuple[int, bytes]]


class AnnexBranch:
    """The files of the branch at one commit.

    Cost: reads only the trees on the way to what is asked for, each once.
    """

    def __init__(self, objects: ObjectStore, tree: bytes | None) -> None:
        self._objects = objects
        self.tree = tree
        self._trees: dict[bytes, _Entries] = {}
        self._contents: dict[bytes, bytes] = {}
        self._files: Mapping[bytes, bytes] | None = None

    def know(self, files: Mapping[bytes, bytes]) -> None:
        """Be told of every file and its id, by somebody who lists them faster than they are looked up one by one."""
        self._files = files

    def keys_about(self) -> int:
        """Of about how many keys it has logs, by a few of its folders."""
        folders = [oid for mode, oid in self.entries(self.tree).values() if mode == TREE_MODE]
        some = folders[:: len(folders) // _SAMPLED + 1]
        return sum(len(self.entries(oid)) for oid in some) * len(folders) // max(1, len(some))

    def know_trees(self, lines: Iterable[bytes]) -> None:
        """The same of every tree, too: what ``git ls-tree -r -t`` says of `tree`. Raises `DamagedRepository`."""
        folders = {b"": self._trees.setdefault(self.tree or b"", {})}
        known: dict[bytes, tuple[int, bytes]] = {}  # many logs are alike
        for line in lines:  # mode, space, kind, space, 40 hex digits, tab, path
            path = line[53:]
            folder, _, name = path.rpartition(b"/")
            if name in NOT_NAMES:
                raise DamagedRepository(os.fsdecode(path), "it names an entry '.', '..' or '.git'")
            if line[7:11] == TREE:
                oid = bytes.fromhex(line[12:52].decode())
                folders[folder][name] = TREE_MODE, oid
                folders[path] = self._trees.setdefault(oid, {})
                continue
            entry = known.get(line[:52])
            if entry is None:
                entry = known[line[:52]] = int(line[:6], 8), bytes.fromhex(line[12:52].decode())
            folders[folder][name] = entry

    @property
    def files(self) -> Mapping[bytes, bytes]:
        """What `know` was told, nothing before."""
        return self._files or {}

    def read(self, path: bytes) -> bytes | None:
        """One file's content; ``None`` if the branch has no such file."""
        if self._files is not None:
            known = self._files.get(path)
            return None if known is None else self._content(known)
        entries = self.entries(self.tree)
        *folders, name = path.split(b"/")
        for folder in folders:
            mode, oid = entries.get(folder, (0, b""))
            if mode != TREE_MODE:
                return None
            entries = self.entries(oid)
        mode, oid = entries.get(name, (0, b""))
        return self._content(oid) if mode and mode != TREE_MODE else None

    def _content(self, oid: bytes) -> bytes:
        """Many logs are alike, byte by byte: each is read once."""
        content = self._contents.get(oid)
        if content is None:
            content = self._contents[oid] = self._objects.read(oid)[1]
        return content

    def with_files(self, contents: Mapping[bytes, bytes], put: Put) -> bytes:
        """The tree that has these files too. Every object it needs is *put* (kind, bytes, id)."""
        blobs: dict[bytes, bytes] = {}
        leaves: dict[bytes, bytes] = {}
        for path, content in contents.items():
            oid = blobs.get(content)
            if oid is None:
                oid = blobs[content] = object_id(BLOB, content)
                put(BLOB, content, oid)
            leaves[path] = oid
        return self._graft(self.tree, leaves, put)

    def _graft(self, tree: bytes | None, leaves: Mapping[bytes, bytes], put: Put) -> bytes:
        entries = dict(self.entries(tree))
        below: dict[bytes, dict[bytes, bytes]] = {}
        for path, oid in leaves.items():
            head, slash, rest = path.partition(b"/")
            if slash:
                below.setdefault(head, {})[rest] = oid
            else:
                entries[head] = (FILE_MODE, oid)
        for head, inner in below.items():
            mode, oid = entries.get(head, (0, b""))
            entries[head] = (TREE_MODE, self._graft(oid if mode == TREE_MODE else None, inner, put))
        data = encode_tree((mode, name, oid) for name, (mode, oid) in entries.items())
        root = object_id(TREE, data)
        if root != tree:
            put(TREE, data, root)
        return root

    def entries(self, tree: bytes | None) -> _Entries:
        """Mode and id of what a tree of the branch holds, by name."""
        if tree is None:
            return {}
        entries = self._trees.get(tree)
        if entries is None:
            data = self._objects.read(tree)[1]
            entries = _only_file(data) or {name: (mode, oid) for mode, name, oid in decode_tree(data)}
            self._trees[tree] = entries
        return entries


def _only_file(tree: bytes) -> _Entries | None:
    """The entry of a tree that holds a single file, as nearly all trees of the branch do; `None` for any other."""
    name = tree[len(_FILE) : -_REST]
    if (
        tree.startswith(_FILE)
        and tree[-_REST : -_REST + 1] == b"\0"
        and name.endswith(b".log")
        and not (b"\0" in name or b"/" in name)
    ):
        return {name: (FILE_MODE, tree[-_REST + 1 :])}
    return None


def presence_logs(
    read: Callable[[bytes], bytes], keys: Iterable[bytes], *, uuid: bytes, present: bool, now_s: int
) -> dict[bytes, bytes]:
    """The location logs that say that repository *uuid* holds *keys*, or does not: those that change, by path.

    Args:
        read: gives a file of the branch as it is now, b"" for none.
    """
    logs: dict[bytes, bytes] = {}
    known: dict[bytes, bytes] = {}  # what becomes of a log: many are alike, byte by byte
    for key in keys:
        path = log_path(key)
        old = read(path)
        new = known.get(old)
        if new is None:
            new = known[old] = with_line(old, uuid, present=present, now_s=now_s)
        if new != old:
            logs[path] = new
    return logs


def read_journal(git_dir: bytes, name: bytes = b"journal") -> dict[bytes, bytes]:
    """What git-annex wrote down and did not commit yet: whole files of the branch, by path.

    Needs the journal lock where the branch is to be written: without it a file may be gone, because it was committed.
    """
    folder = os.path.join(git_dir, b"annex", name)
    pending = {}
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return {}
    for file_name in names:
        with suppress(FileNotFoundError):
            content = read_small_file(os.path.join(folder, file_name), follow=True)
            if content is None:
                raise DamagedRepository(os.fsdecode(os.path.join(folder, file_name)), "it is no regular file")
            pending[_branch_path(file_name)] = content
    return pending


def journal_files(git_dir: bytes, pending: Iterable[bytes]) -> list[bytes]:
    """Where the journal keeps these files of the branch."""
    folder = os.path.join(git_dir, b"annex", b"journal")
    return [os.path.join(folder, path.replace(b"_", b"__").replace(b"/", b"_")) for path in pending]


def _branch_path(name: bytes) -> bytes:
    return b"_".join(part.replace(b"_", b"/") for part in name.split(b"__"))
