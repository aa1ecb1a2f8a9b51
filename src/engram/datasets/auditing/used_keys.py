"""Which keys a repository still uses: in its index, its work tree, and every version that a ref names.

Source: git-annex-unused(1), "REFSPEC FORMAT"; which refs count, from runs of git-annex 10.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from engram.datasets.annex.globs import NoGlob, UnusualGlob, pattern_of
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in
from engram.datasets.annexed import files_and_links
from engram.datasets.dataset import Dataset
from engram.datasets.git.cache_tree import CacheTree
from engram.datasets.git.index import GitIndex
from engram.datasets.git.objects import BLOB, SUBMODULE_MODE, SYMLINK_MODE, TREE_MODE
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import holds_repository
from engram.datasets.git.small_files import open_part
from engram.model.errors import DamagedRepository, UsageError

_OURS = (b"refs/synced/", b"refs/heads/views/", b"refs/annex/")
_BRANCH_END = b"/git-annex"
_REFLOG_LINE = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40}) ")
_OID = re.compile(rb"[0-9a-f]{40}")
_NOTHING = "0" * 40
_STASH = b"refs/stash"

#: Takes from candidates those that are used somewhere.
Sieve: TypeAlias = Callable[[set[bytes]], None]


class UsedKeys:
    """Tells which of many keys are used. The cheap places are looked at first, and only while keys are left.

    Args:
        refspec: which refs count: ``+GLOB``, ``-GLOB``, ``+REVISION`` and ``reflog``, with ``:`` between; '' for all.
    """

    def __init__(self, dataset: Dataset, refspec: str = "") -> None:
        self._dataset = dataset
        self._refspec = parse_refspec(refspec) if refspec else [("+", "*")]
        self._index = dataset.read_index()
        #: Paths of links whose targets were read.
        self._seen_links: set[bytes] = set()
        self._seen_trees: set[bytes] = set()
        self._seen_blobs: set[bytes] = set()

    def staged(self) -> set[bytes]:
        """The keys of the index, and of links in their places: nearly all that are used."""
        keys = set()
        for file, target in files_and_links(self._dataset, self._index, (b"",)):
            keys.add(file.key)
            if target:
                self._seen_links.add(file.path)
                if not target.endswith(b"/" + file.key) and (other := key_in(target)) is not None:
                    keys.add(other)
        return keys

    def remove_from(self, candidates: set[bytes]) -> None:
        """Take every key out of *candidates* that is used in some other place than the index.

        Raises:
            MissingObject, DamagedRepository: a version cannot be read, so that nobody can tell what it uses.
            NotUnderstood: when git-annex has to tell.
        """
        for sieve in (self._links, self._other_work_trees, self._filled, self._versions):
            if not candidates:
                return
            sieve(candidates)

    # --- the work tree

    def _links(self, candidates: set[bytes]) -> None:
        """Links that lie in the work tree, whether anybody recorded them or not."""
        if self._dataset.work_tree:
            candidates.difference_update(_linked_keys(os.fsencode(self._dataset.work_tree), self._seen_links))

    def _other_work_trees(self, candidates: set[bytes]) -> None:
        """What other work trees of the same repository have checked out and staged."""
        for place in self._work_tree_folders():
            index = GitIndex.read(os.path.join(place, b"index"))
            candidates.difference_update(_keys_of_index(self._dataset.objects, index))

    def _work_tree_folders(self) -> list[bytes]:
        """Where the other work trees of the repository keep their index and HEAD."""
        common = self._dataset.repository.common_dir
        folder = os.path.join(common, b"worktrees")
        linked = [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []
        own = self._dataset.repository.git_dir
        return [place for place in (common, *linked) if not os.path.samefile(place, own)]

    def _filled(self, candidates: set[bytes]) -> None:
        """Unlocked files whose content git-annex has taken, and nobody staged yet."""
        from engram.datasets.auditing.keysdb import unmodified_keys

        candidates.difference_update(list(unmodified_keys(self._dataset, candidates)))

    # --- versions

    def _versions(self, candidates: set[bytes]) -> None:
        self._seen_blobs.update(oid for _, _, _, oid in self._index.contents(range(len(self._index))))
        if self._index.cache_tree is not None:
            self._seen_trees.update(_trees_of(self._index.cache_tree))
        objects = self._dataset.objects
        for oid in self._tips():
            for key in self._keys_below(objects, oid):
                candidates.discard(key)
            if not candidates:
                return

    def _tips(self) -> Iterator[bytes]:
        """The objects that count as versions, each once."""
        refs = self._dataset.refs
        names = [name for name in refs.names(b"refs/") if not (name.endswith(_BRANCH_END) or name.startswith(_OURS))]
        found: dict[bytes, None] = {}
        if head := self._dataset.head_commit():
            found[bytes.fromhex(head)] = None
        for name in chosen(self._refspec, names):
            oid = refs.resolve(name) if name.startswith(b"refs/") else self._revision(name)
            if oid is not None:
                found[oid] = None
        if ("reflog", "") in self._refspec:
            for name in (b"HEAD", *names):
                found.update(dict.fromkeys(self._reflog(name)))
        found.update(dict.fromkeys(self._other_heads()))
        found.update(dict.fromkeys(self._reflog(_STASH)))  # of what was stashed only the last has a ref
        return iter(found)

    def _other_heads(self) -> Iterator[bytes]:
        """What other work trees have checked out without a branch."""
        for place in self._work_tree_folders():
            with open_part(os.path.join(place, b"HEAD")) as file:
                text = file.read(64).strip()
            if _OID.fullmatch(text):
                yield bytes.fromhex(text.decode())

    def _revision(self, name: bytes) -> bytes | None:
        """What a revision that is no ref's full name stands for; ``None`` for nothing."""
        words = ("rev-parse", "--verify", "-q", "--end-of-options", os.fsdecode(name))
        status, out, _ = self._dataset.programs.git_status_of(self._dataset.work_tree, *words)
        return bytes.fromhex(out.strip().decode()) if not status and _OID.fullmatch(out.strip()) else None

    def _reflog(self, name: bytes) -> Iterator[bytes]:
        try:
            with open_part(os.path.join(self._dataset.repository.common_dir, b"logs", name)) as file:
                lines = file.read().split(b"\n")
        except (FileNotFoundError, NotADirectoryError, DamagedRepository):
            return
        for line in lines:
            if match := _REFLOG_LINE.match(line):
                for oid in match.groups():
                    text = oid.decode()
                    if text != _NOTHING and self._dataset.objects.has(bytes.fromhex(text)):
                        yield bytes.fromhex(text)

    def _keys_below(self, objects: ObjectStore, oid: bytes) -> Iterator[bytes]:
        """The keys of a version, but for those in folders and files that were looked at before."""
        waiting = _root_of(objects, oid)
        while waiting:
            tree = waiting.pop()
            if tree not in self._seen_trees:
                self._seen_trees.add(tree)
                entries = objects.read_tree(tree)
                waiting += [inner for mode, _, inner in entries if mode == TREE_MODE]
                yield from self._keys_of(objects, entries)

    def _keys_of(self, objects: ObjectStore, entries: Iterable[tuple[int, bytes, bytes]]) -> Iterator[bytes]:
        for mode, _, oid in entries:
            if mode not in (TREE_MODE, SUBMODULE_MODE) and oid not in self._seen_blobs:
                self._seen_blobs.add(oid)
                key = _key_of_blob(objects, mode, oid)
                if key is not None:
                    yield key


def parse_refspec(text: str) -> list[tuple[str, str]]:
    """The parts of a refspec: a sign and what it adds or takes away, or ``reflog``. Raises `UsageError`.

    >>> parse_refspec("+refs/heads/*:-refs/heads/old:reflog")
    [('+', 'refs/heads/*'), ('-', 'refs/heads/old'), ('reflog', '')]
    """
    parts = []
    for item in text.split(":"):
        sign, name = item[:1], item[1:]
        if item == "reflog":
            parts.append(("reflog", ""))
        elif sign in ("+", "-") and name and not name.startswith("-"):
            _check_glob(name, text)
            parts.append((sign, name))
        else:
            raise UsageError(
                f"{item!r} in the refspec {text!r} is neither +REF, -REF nor reflog.",
                "Several stand with : between them: --used-refspec '+refs/heads/*:+refs/tags/*'",
            )
    return parts


def _check_glob(name: str, text: str) -> None:
    try:
        pattern_of(name)
    except (NoGlob, UnusualGlob) as problem:
        raise UsageError(
            f"The refspec {text!r} cannot be read: {problem}.", "Use * and ? alone as wildcards."
        ) from None


def chosen(refspec: Iterable[tuple[str, str]], names: list[bytes]) -> list[bytes]:
    """The refs that a refspec leaves, in the order in which it takes them, and revisions that it names.

    >>> chosen([("+", "refs/*"), ("-", "refs/tags/t?")], [b"refs/heads/main", b"refs/tags/t1"])
    [b'refs/heads/main']
    """
    found: list[bytes] = []
    for sign, name in refspec:
        if sign == "reflog":
            continue
        matches = pattern_of(name)
        if sign == "-":
            found = [ref for ref in found if not matches.search(os.fsdecode(ref))]
        elif "*" in name or "?" in name:
            found += [ref for ref in names if matches.search(os.fsdecode(ref))]
        else:
            found.append(os.fsencode(name))
    return found


def _root_of(objects: ObjectStore, oid: bytes) -> list[bytes]:
    """The tree of a version; none for a tag that names a file."""
    try:
        return [objects.tree_of(oid)]
    except DamagedRepository:
        if objects.read(oid)[0] == BLOB:
            return []
        raise


def _key_of_blob(objects: ObjectStore, mode: int, oid: bytes) -> bytes | None:
    if mode != SYMLINK_MODE and objects.size(oid) > MAX_POINTER_BYTES:
        return None
    return key_in(objects.read(oid)[1])


def _keys_of_index(objects: ObjectStore, index: GitIndex) -> Iterator[bytes]:
    for position in range(len(index)):
        mode = index.mode(position)
        if mode == TREE_MODE:
            raise NotUnderstood("a sparse index")
        if mode != SUBMODULE_MODE and (key := _key_of_blob(objects, mode, index.oid(position))) is not None:
            yield key


def _linked_keys(top: bytes, but: AbstractSet[bytes]) -> Iterator[bytes]:
    """The keys that links below *top* name, those at the paths *but* apart; nested repositories have their own."""
    waiting = [top]
    begin = len(os.path.join(top, b""))
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    if entry.path[begin:] in but:
                        continue
                    key = key_in(os.readlink(entry.path))
                    if key is not None:
                        yield key
                elif entry.is_dir(follow_symlinks=False) and entry.name != b".git" and not holds_repository(entry.path):
                    waiting.append(entry.path)


def _trees_of(node: CacheTree) -> Iterator[bytes]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node.is_valid:
            yield node.oid
        waiting += node.children.values()
