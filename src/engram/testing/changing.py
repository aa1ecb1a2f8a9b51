"""Random folders and random changes to them, each with a model of what must be there afterwards.

A `Tree` is the model: what a user sees by relative path, nothing else. `write_tree` puts one on disk, a `Change` does
the same to the model and to the disk, and `tree_on_disk` reads back what is there, annexed content and all.

>>> tree = {b"a": File(b"1")}
>>> Put(b"a/b", Link(b"nowhere")).in_model(tree)
{b'a/b': Link(target=b'nowhere')}
"""

import glob
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from hypothesis import strategies as st

_ANNEXED = b".git/annex/objects/"
_ASIDE = b".git/engram-testing-aside"


@dataclass(frozen=True, slots=True)
class File:
    """A regular file, wherever its content is kept."""

    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link of the user's own."""

    target: bytes


Entry: TypeAlias = File | Link
#: By relative path. Folders are where something is in them, as in git.
Tree: TypeAlias = Mapping[bytes, Entry]


class Change(Protocol):
    """One thing that a user does; where it does not apply, nothing happens to either."""

    def in_model(self, tree: Tree) -> Tree: ...

    def on_disk(self, folder: Path, tree: Tree) -> None:
        """Do it in a folder whose model was *tree* until now."""
        ...


@dataclass(frozen=True, slots=True)
class Put:
    """Something new, or in the place of what was there: a file, a link, a whole folder."""

    path: bytes
    entry: Entry

    def in_model(self, tree: Tree) -> Tree:
        return {**_without_what_is_in_the_way(tree, self.path), self.path: self.entry}

    def on_disk(self, folder: Path, tree: Tree) -> None:  # noqa: ARG002 - this change alone needs no model
        path = _make_way(folder, self.path)
        if isinstance(self.entry, Link):
            os.symlink(self.entry.target, path)
        else:
            _write(path, self.entry)


@dataclass(frozen=True, slots=True)
class Append:
    """More bytes at the end of a file; one that the annex keeps becomes the user's own first."""

    which: int
    content: bytes

    def in_model(self, tree: Tree) -> Tree:
        path = _nth(tree, self.which)
        entry = tree[path] if path is not None else None
        if path is None or not isinstance(entry, File):
            return tree
        return {**tree, path: File(entry.content + self.content, entry.executable)}

    def on_disk(self, folder: Path, tree: Tree) -> None:
        _replace_changed(folder, tree, self.in_model(tree))


@dataclass(frozen=True, slots=True)
class Toggle:
    """The executable bit, the other way."""

    which: int

    def in_model(self, tree: Tree) -> Tree:
        path = _nth(tree, self.which)
        entry = tree[path] if path is not None else None
        if path is None or not isinstance(entry, File):
            return tree
        return {**tree, path: File(entry.content, not entry.executable)}

    def on_disk(self, folder: Path, tree: Tree) -> None:
        _replace_changed(folder, tree, self.in_model(tree))


@dataclass(frozen=True, slots=True)
class Delete:
    """A file or link is gone; with *whole_folder* all that is beside and below it, too."""

    which: int
    whole_folder: bool = False

    def in_model(self, tree: Tree) -> Tree:
        path = _nth(tree, self.which)
        if path is None:
            return tree
        above = os.path.dirname(path)
        if self.whole_folder and above:
            return {other: entry for other, entry in tree.items() if not other.startswith(above + b"/")}
        return {other: entry for other, entry in tree.items() if other != path}

    def on_disk(self, folder: Path, tree: Tree) -> None:
        path = _nth(tree, self.which)
        if path is None:
            return
        above = os.path.dirname(path)
        _remove(_at(folder, above if self.whole_folder and above else path))


@dataclass(frozen=True, slots=True)
class Rename:
    """A file or link moves, over what is there, as ``mv`` does it: a link to annexed content stays as it is."""

    which: int
    to: bytes

    def in_model(self, tree: Tree) -> Tree:
        path = _nth(tree, self.which)
        if path is None:
            return tree
        left = {other: entry for other, entry in tree.items() if other != path}
        return {**_without_what_is_in_the_way(left, self.to), self.to: tree[path]}

    def on_disk(self, folder: Path, tree: Tree) -> None:
        path = _nth(tree, self.which)
        if path is None:
            return
        aside = _at(folder, _ASIDE)
        os.makedirs(os.path.dirname(aside), exist_ok=True)
        os.rename(_at(folder, path), aside)
        os.rename(aside, _make_way(folder, self.to))


def write_tree(folder: Path, tree: Tree) -> None:
    """Put a tree into a folder, beside what is there."""
    for path, entry in tree.items():
        Put(path, entry).on_disk(folder, {})


def tree_on_disk(folder: Path) -> Tree:
    """What a user sees in a folder: content for links into the annex, nothing of ``.git``, no empty folders."""
    return dict(_entries(os.fsencode(folder), b""))


def with_content(tree: Tree) -> frozenset[bytes]:
    """The contents of all files, once each."""
    return frozenset(entry.content for entry in tree.values() if isinstance(entry, File))


def paths() -> st.SearchStrategy[bytes]:
    """Relative paths of up to three parts, from few names, so that they meet often, and from odd ones."""
    few = st.sampled_from([b"a", b"b", b"c", b"A", b"data.nii.gz", b".hidden", b"sub-01", b"a.txt"])
    odd = st.binary(min_size=1, max_size=12).map(_as_name)
    return st.lists(few | odd, min_size=1, max_size=3).map(b"/".join)


def entries() -> st.SearchStrategy[Entry]:
    """Small files, some of them alike, some executable, and links that mostly lead nowhere."""
    content = st.sampled_from([b"", b"same", b"text\n", b"\x00binary"]) | st.binary(max_size=64)
    target = st.sampled_from([b"a", b"../a", b"nowhere", b".", b"/", b"sub-01/a.txt"])
    return st.builds(File, content, st.booleans()) | st.builds(Link, target)


def trees(max_size: int = 12) -> st.SearchStrategy[Tree]:
    """Random small folders."""
    return st.lists(st.builds(Put, paths(), entries()), max_size=max_size).map(_all_put)


def changes() -> st.SearchStrategy[Change]:
    """Random changes: added, replaced (by another kind, too), appended to, deleted, renamed, made executable."""
    which = st.integers(min_value=0, max_value=99)
    return st.one_of(
        st.builds(Put, paths(), entries()),
        st.builds(Append, which, st.binary(min_size=1, max_size=16)),
        st.builds(Toggle, which),
        st.builds(Delete, which, st.booleans()),
        st.builds(Rename, which, paths()),
    )


def _as_name(raw: bytes) -> bytes:
    name = raw.replace(b"\0", b"_").replace(b"/", b"_")
    return b"_" + name if name in {b".", b".."} or name.lower().startswith((b".git", b"git~")) else name


def _all_put(puts: list[Put]) -> Tree:
    tree: Tree = {}
    for put in puts:
        tree = put.in_model(tree)
    return tree


def _nth(tree: Tree, which: int) -> bytes | None:
    ordered = sorted(tree)
    return ordered[which % len(ordered)] if ordered else None


def _without_what_is_in_the_way(tree: Tree, path: bytes) -> dict[bytes, Entry]:
    return {
        other: entry
        for other, entry in tree.items()
        if other != path and not other.startswith(path + b"/") and not path.startswith(other + b"/")
    }


def _at(folder: Path, path: bytes) -> bytes:
    return os.path.join(os.fsencode(folder), path)


def _make_way(folder: Path, path: bytes) -> bytes:
    parts = path.split(b"/")
    for depth in range(1, len(parts)):
        above = _at(folder, b"/".join(parts[:depth]))
        if os.path.lexists(above) and (os.path.islink(above) or not os.path.isdir(above)):
            _remove(above)
    _remove(_at(folder, path))
    os.makedirs(os.path.dirname(_at(folder, path)), exist_ok=True)
    return _at(folder, path)


def _remove(path: bytes) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _write(path: bytes, file: File) -> None:
    with open(path, "xb") as opened:
        opened.write(file.content)
    os.chmod(path, 0o755 if file.executable else 0o644)


def _replace_changed(folder: Path, before: Tree, after: Tree) -> None:
    for path, entry in after.items():
        if before[path] != entry:
            Put(path, entry).on_disk(folder, before)


def _entries(root: bytes, below: bytes) -> Iterator[tuple[bytes, Entry]]:
    with os.scandir(os.path.join(root, below)) as found:
        for item in found:
            path = os.path.join(below, item.name)
            if item.name == b".git":
                continue
            if item.is_dir(follow_symlinks=False):
                yield from _entries(root, path)
            elif (entry := _entry(root, item)) is not None:
                yield path, entry


def _entry(root: bytes, item: os.DirEntry[bytes]) -> Entry | None:
    place = item.path
    if item.is_symlink():
        target = os.readlink(place)
        place = _content_of(root, target) if _ANNEXED in target else b""
        if not place:
            return Link(target)
    mode = os.stat(place).st_mode
    if not stat.S_ISREG(mode):
        return None
    with open(place, "rb") as file:
        return File(file.read(), bool(mode & 0o100))


def _content_of(root: bytes, target: bytes) -> bytes:
    """Where the content of an annexed link is, also when the link was moved and leads nowhere; empty when not here."""
    key = os.path.basename(target)
    found = glob.glob(os.path.join(glob.escape(root), _ANNEXED, b"*", b"*", glob.escape(key), glob.escape(key)))
    return found[0] if found else b""
