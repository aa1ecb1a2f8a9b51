"""Diff: what differs between two states of a dataset, with DataLad's states and fields.

A state of the past against the work tree is a `status` with another base; two states of the past are held against each
other here. Source: datalad-diff(1); the order of the records, and what each holds, from runs of DataLad 1.7.1.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.objects import EMPTY_TREE, SUBMODULE_MODE
from engram.datasets.git.problems import MissingObject
from engram.datasets.git.refs import holds_repository
from engram.datasets.git.tree_diff import Side, differences
from engram.datasets.records import type_of
from engram.datasets.state_records import StateReporter
from engram.datasets.status import StatusReader, StatusRequest
from engram.model.errors import ItemFailed, NoSuchVersion
from engram.model.outcome import DatasetOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """Which two states, and how much to tell."""

    #: As git names a state; ``HEAD``, ``HEAD~3``, a branch, a tag.
    before: str = "HEAD"
    #: '' for the work tree as it is now.
    after: str = ""
    #: What to tell, and of which paths.
    status: StatusRequest


class Diff:
    """One comparison in one dataset."""

    def __init__(self, dataset: Dataset, request: DiffRequest) -> None:
        self._dataset = dataset
        self._request = request

    def read(self) -> Iterator[DatasetOutcome]:
        """What differs. Raises `NoSuchVersion` before anything is told."""
        before = commit_named(self._dataset, self._request.before)
        after = commit_named(self._dataset, self._request.after) if self._request.after else ""
        request = replace(self._request.status, base=before, action="diff")
        deep = {scope: top for scope in request.scopes if (top := self._subdataset_above(scope))}
        if not deep:
            return self._outcomes(before, after, request)
        here = tuple(scope for scope in request.scopes if scope not in deep)
        around = replace(request, scopes=tuple(dict.fromkeys(deep.values())), levels=None)
        inside = (one for one in self._outcomes(before, after, around) if self._is_asked_for(one, deep))
        return chain(self._outcomes(before, after, replace(request, scopes=here)) if here else (), inside)

    def _outcomes(self, before: str, after: str, request: StatusRequest) -> Iterator[DatasetOutcome]:
        if not after:
            return StatusReader(self._dataset, request).read()
        return _between(self._dataset, before, after, request, self._dataset.work_tree)

    def _subdataset_above(self, scope: bytes) -> bytes:
        """The subdataset of this dataset in which a path lies; b'' for one that lies in none."""
        index, parts = self._dataset.read_index(), scope.split(b"/")
        for count in range(1, len(parts)):
            above = b"/".join(parts[:count])
            position = index.find(above)
            if position is not None and index.mode(position) == SUBMODULE_MODE:
                return above
        return b""

    def _is_asked_for(self, outcome: DatasetOutcome, scopes: Iterable[bytes]) -> bool:
        """Whether an outcome is about one of *scopes*, or a subdataset or a folder on the way there."""
        for scope in scopes:
            place = os.path.join(self._dataset.work_tree, os.fsdecode(scope))
            if self._request.status.levels == 0 and not place.startswith(outcome.parentds + "/"):
                continue
            if f"{outcome.path}/".startswith(f"{place}/") or f"{place}/".startswith(f"{outcome.path}/"):
                return True
        return False


def commit_named(dataset: Dataset, name: str) -> str:
    """The commit that a name of git's stands for, hex. HEAD in a dataset without a commit is ''.

    Raises `NoSuchVersion`.
    """
    if name == "HEAD":
        return dataset.head_commit()
    words = ("rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}")
    status, out, _ = dataset.programs.git_status_of(dataset.work_tree, *words)
    if status or not name:
        raise NoSuchVersion(name, dataset.work_tree)
    return out.decode("ascii", "replace").strip()


def _between(dataset: Dataset, before: str, after: str, request: StatusRequest, refds: str) -> Iterator[DatasetOutcome]:
    """Everything that the later state has, in its order; then what it has no more."""
    tell = StateReporter(dataset, action="diff", refds=refds, look=request.annex not in ("", "basic"))
    try:
        trees = [dataset.tree_of(commit) if commit else EMPTY_TREE for commit in (before, after)]
        found = sorted(differences(dataset.objects, *trees))
        changed = {one.path: one.before for one in found if one.after is not None}
        for path, side in _recorded(dataset, trees[1], changed, everything=request.report_clean or bool(request.annex)):
            if not _in_scope(path, request):
                continue
            old = changed.get(path, side)
            state = "clean" if path not in changed else "added" if old is None else "modified"
            yield _told(tell, path, side, old, state, annex=bool(request.annex))
            if side.mode == SUBMODULE_MODE and request.levels != 0:
                yield from _inside(dataset, path, old, side, request, refds)
        for one in found:
            if one.after is None and one.before is not None and _in_scope(one.path, request):
                mode, oid = one.before
                was = tell.annexed(mode, oid) if request.annex else None
                yield tell.item(one.path, type_of(mode), "deleted", gitshasum=oid.hex(), annexed_before=was)
    except MissingObject as missing:
        yield tell.problem(ItemFailed(dataset.work_tree, f"object {missing.oid.hex()} of one of the two is not here"))


def _recorded(
    dataset: Dataset, tree: bytes, changed: dict[bytes, Side | None], *, everything: bool
) -> Iterator[tuple[bytes, Side]]:
    """What the later state has, or of that only what *changed*; by path."""
    if everything:
        if tree != EMPTY_TREE:
            for path, mode, oid in dataset.objects.read_tree_flat(tree):
                yield path, Side(mode, oid)
        return
    from engram.datasets.git.tree_lookup import TreeLookup

    lookup = TreeLookup(dataset.objects)
    for path in changed:
        side = lookup.at(tree, path)
        if side is not None:
            yield path, side


def _told(tell: StateReporter, path: bytes, side: Side, old: Side | None, state: str, *, annex: bool) -> DatasetOutcome:
    key = tell.annexed(side.mode, side.oid) if annex else None
    kind = type_of(side.mode)
    return tell.item(
        path,
        "file" if key else kind,
        state,
        gitshasum=side.oid.hex(),
        prev_gitshasum="" if old is None else old.oid.hex(),
        bytesize=tell.size(side.oid) if kind == "file" and not key else None,
        annexed=key,
        annexed_before=tell.annexed(old.mode, old.oid) if annex and old is not None else None,
    )


def _inside(
    dataset: Dataset, path: bytes, old: Side | None, new: Side, request: StatusRequest, refds: str
) -> Iterator[DatasetOutcome]:
    """The same for a subdataset, between the two states that its parent recorded; nothing when it is not installed."""
    place = os.path.join(dataset.work_tree, os.fsdecode(path))
    before = old.oid.hex() if old is not None and old.mode == SUBMODULE_MODE else ""
    if before == new.oid.hex() or not holds_repository(os.fsencode(place)):
        return
    inner = open_dataset(place, dataset.around)
    levels = None if request.levels is None else request.levels - 1
    yield from _between(inner, before, new.oid.hex(), replace(request, scopes=(b"",), levels=levels), refds)


def _in_scope(path: bytes, request: StatusRequest) -> bool:
    return any(not scope or path == scope or path.startswith(scope + b"/") for scope in request.scopes)
