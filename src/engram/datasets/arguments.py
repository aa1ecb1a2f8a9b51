"""Paths as users type them → scopes of a dataset.

All arguments are looked at before anything is done: one that names nothing refuses the whole request.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.refs import holds_repository
from engram.datasets.git.wildmatch import expression, matcher
from engram.datasets.worktree import Untracked, link_above, walk
from engram.model.errors import EngramError, OutsideDataset, PathNotFound

_GLOB = "*?["
_GIT = b".git"


def scopes_of(dataset: Dataset, folder: str, paths: Iterable[str]) -> tuple[tuple[bytes, ...], list[EngramError]]:
    """The scopes that *paths* (relative to *folder*) stand for, and what is wrong with the rest.

    A path is taken as it is where something of that name is there or recorded; else, with ``*``, ``?`` or ``[`` in it,
    as a pattern over what is there and what is recorded.
    """
    scopes: list[bytes] = []
    problems: list[EngramError] = []
    for path in paths:
        try:
            scopes += _scopes(dataset, os.path.normpath(os.path.join(folder, path)), path)
        except EngramError as error:
            problems.append(error)
    return tuple(dict.fromkeys(scopes)), problems


class Part(NamedTuple):
    """What was named of one dataset."""

    dataset: Dataset
    scopes: tuple[bytes, ...]


def parts_of(
    dataset: Dataset, folder: str, paths: Iterable[str], *, whole_subdatasets: bool
) -> tuple[list[Part], list[EngramError]]:
    """What *paths* name in a dataset and in the repositories inside of it, the deepest first; and what is wrong.

    As `scopes_of` otherwise.

    Args:
        whole_subdatasets: a subdataset's own path means everything in it; otherwise only with a slash at its end, and
            without one the record of it.
    """
    found: dict[str, tuple[Dataset, list[bytes]]] = {}
    problems: list[EngramError] = []
    for path in paths:
        place = os.path.normpath(os.path.join(folder, path))
        try:
            owner = _owner(dataset, place, into=whole_subdatasets or path.endswith("/"))
            found.setdefault(owner.work_tree, (owner, []))[1].extend(_scopes(owner, place, path))
        except EngramError as error:
            problems.append(error)
    parts = [Part(owner, tuple(dict.fromkeys(scopes))) for owner, scopes in found.values()]
    return sorted(parts, key=lambda part: os.fsencode(part.dataset.work_tree), reverse=True), problems


def with_records(dataset: Dataset, parts: Iterable[Part]) -> list[Part]:
    """*parts*, and the place of each subdataset among them in what holds it, up to *dataset*; the deepest first."""
    found = {part.dataset.work_tree: part for part in parts}
    for part in list(found.values()):
        inner = part.dataset
        while inner.work_tree != dataset.work_tree:
            above = open_dataset(os.path.dirname(inner.work_tree), dataset.around)
            known = found.get(above.work_tree, Part(above, ()))
            found[above.work_tree] = Part(above, (*known.scopes, above.relative(inner.work_tree)))
            inner = above
    return sorted(
        (Part(part.dataset, tuple(dict.fromkeys(part.scopes))) for part in found.values()),
        key=lambda part: os.fsencode(part.dataset.work_tree),
        reverse=True,
    )


def _owner(dataset: Dataset, place: str, *, into: bool) -> Dataset:
    """The innermost repository that holds *place*; *into*: which may be one itself."""
    scope = dataset.relative(place)
    if link_above(os.fsencode(dataset.work_tree), scope):
        return dataset  # which refuses it
    folder = scope if into else os.path.dirname(scope)
    while folder:
        inner = os.path.join(dataset.work_tree, os.fsdecode(folder))
        if not os.path.islink(inner) and holds_repository(os.fsencode(inner)):
            return open_dataset(inner, dataset.around)
        folder = os.path.dirname(folder)
    return dataset


def scope_at(dataset: Dataset, place: str, said: str) -> bytes:
    """The scope of one place, which need not be there yet. Raises `OutsideDataset` for what no dataset can record."""
    scope = dataset.relative(place)
    if scope == _GIT or scope.startswith(_GIT + b"/"):
        raise OutsideDataset(said, dataset.work_tree + " itself, but in git's own folder there")
    if link := link_above(os.fsencode(dataset.work_tree), scope):
        raise OutsideDataset(said, dataset.work_tree + f" itself, but beyond the symbolic link {os.fsdecode(link)}")
    return scope


def _scopes(dataset: Dataset, place: str, said: str) -> list[bytes]:
    scope = scope_at(dataset, place, said)
    if inner := _inner_repository(dataset, scope):
        raise OutsideDataset(said, dataset.work_tree + f" itself, but in its subdataset {inner}")
    if not scope or os.path.lexists(place) or _is_recorded(dataset, scope):
        return [scope]
    matching = _matching(dataset, scope) if any(letter in said for letter in _GLOB) else []
    if not matching:
        raise PathNotFound(said)
    return matching


def _inner_repository(dataset: Dataset, scope: bytes) -> str:
    """The folder above *scope* that is a repository of its own, '' if there is none."""
    folder = os.path.dirname(scope)
    while folder:
        place = os.path.join(dataset.work_tree, os.fsdecode(folder))
        if holds_repository(os.fsencode(place)):
            return os.fsdecode(folder)
        folder = os.path.dirname(folder)
    return ""


def _is_recorded(dataset: Dataset, scope: bytes) -> bool:
    index = dataset.read_index()
    first, last = index.below(scope)
    if index.find(scope) is not None or first < last:
        return True
    head = dataset.head_commit()
    if not head or dataset.equals_head(index):
        return False
    committed = dataset.objects.read_tree_flat(dataset.tree_of(head))
    return any(path == scope or path.startswith(scope + b"/") for path, _, _ in committed)


def _matching(dataset: Dataset, pattern: bytes) -> list[bytes]:
    index = dataset.read_index()
    top = os.fsencode(dataset.work_tree)
    there = walk(top, index, dataset.ignore, untracked=Untracked.ALL).untracked
    wanted = expression(pattern, pathname=True)
    matches = matcher([wanted]) if wanted is not None else None
    if matches is None:
        return []
    return [path for path in (*index.paths, *(found.path for found in there)) if matches(path)]
