"""Status: what changed since the last save, with DataLad's states and fields.

No process is started. Where only a program that the dataset names could tell whether a file changed, that file is
reported as ``impossible`` to decide. Source: datalad-status(1); records of DataLad 1.7.1.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.index import STAGE_MASK
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import holds_repository
from engram.datasets.records import type_of
from engram.datasets.state_records import StateReporter
from engram.datasets.worktree import Differences, Found, Untracked, walk
from engram.model.errors import EngramError, ItemFailed
from engram.model.outcome import DatasetOutcome, Status
from engram.model.records import record


@record(eq=False)
class StatusRequest:
    """What is asked."""

    #: Paths relative to the top; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    #: ``basic``: key and size of annexed files; ``availability`` and ``all``: also whether the content is here.
    annex: str = ""
    untracked: Untracked = Untracked.NORMAL
    #: ``no``, ``commit`` (is another commit checked out?) or ``full`` (is anything in it changed?).
    evaluate_subdatasets: str = "full"
    #: Also report what did not change.
    report_clean: bool = True
    #: How many levels of subdatasets to go into; ``None`` for all.
    levels: int | None = 0
    #: The commit that the work tree is held against, hex; '' for HEAD.
    base: str = ""
    #: What the records call it: ``status`` or ``diff``.
    action: str = "status"


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class _States:
    """State of each index entry that is not clean, by position."""

    by_position: dict[int, str] = field(default_factory=dict)
    undecided: set[int] = field(default_factory=set)
    #: The commit that is checked out in a subdataset that changed, hex.
    commits: dict[int, str] = field(default_factory=dict)
    problems: list[EngramError] = field(default_factory=list)


class StatusReader:
    """One status of one dataset."""

    def __init__(self, dataset: Dataset, request: StatusRequest, *, refds: str = "") -> None:
        self._dataset = dataset
        self._request = request
        self._refds = refds or dataset.work_tree
        self._top = os.fsencode(dataset.work_tree)
        self._tell = StateReporter(
            dataset, action=request.action, refds=self._refds, look=request.annex not in ("", "basic")
        )
        self._index = dataset.read_index()
        self._opened: dict[bytes, Dataset | None] = {}
        #: Of subdatasets that had to be looked into: what is to be told of them.
        self._ahead: dict[bytes, list[DatasetOutcome]] = {}

    def read(self) -> Iterator[DatasetOutcome]:
        """Untracked first, then what the index has, in its order, then what is staged as deleted: as DataLad."""
        request, index = self._request, self._index
        differences = walk(
            self._top,
            index,
            self._dataset.ignore,
            scopes=request.scopes,
            untracked=request.untracked,
            rules=self._dataset.stat_rules,
            settled=self._dataset.settled,
        )
        self._dataset.settled.keep()
        states = self._states(differences)
        kept = set()
        for found in differences.untracked:
            before = (self._staged or {}).get(found.path)
            if index.find(found.path) is not None:
                if found.kind != "directory":
                    yield self._tell.item(found.path, _kind_of(found), "untracked")
            elif before is not None:  # taken out of the index, and still there
                kept.add(found.path)
                kind = type_of(before[0])
                was = self._annexed_before(before)
                yield self._tell.item(found.path, kind, "modified", prev_gitshasum=before[1].hex(), annexed_before=was)
            else:
                yield self._tell.item(found.path, _kind_of(found), "untracked")
        yield from self._recorded(states, differences.subdatasets if request.levels != 0 else [])
        for path, (mode, oid) in self._deleted_in_index():
            if path not in kept:
                was = self._annexed_before((mode, oid))
                yield self._tell.item(path, type_of(mode), "deleted", gitshasum=oid.hex(), annexed_before=was)
        for problem in (*differences.problems, *states.problems):
            yield self._tell.problem(problem)

    # --- the states of entries

    def _states(self, differences: Differences) -> _States:
        states = _States()
        if differences.doubtful:
            self._compare(differences, states)
        for position in differences.missing:
            there = os.path.isdir(os.path.join(self._top, self._index.paths[position]))
            states.by_position[position] = "modified" if there else "deleted"
        for position in differences.subdatasets:
            self._look_into(position, states)
        return states

    def _compare(self, differences: Differences, states: _States) -> None:
        from engram.datasets.comparison import Comparison, Verdict

        comparison = Comparison(
            self._top,
            self._index,
            self._dataset.objects,
            self._dataset.attributes_of,
            file_mode=self._dataset.stat_rules.file_mode,
        )
        for position, status in differences.doubtful:
            try:
                verdict = comparison.verdict(position, status)
            except EngramError as error:
                states.problems.append(error)
                continue
            if verdict is Verdict.DIFFERENT:
                states.by_position[position] = "modified"
            elif verdict is Verdict.UNDECIDED:
                states.undecided.add(position)

    def _look_into(self, position: int, states: _States) -> None:
        """Note the state of one subdataset."""
        depth, path = self._request.evaluate_subdatasets, self._index.paths[position]
        inner = self._inner(path) if depth != "no" else None
        commit = inner.head_commit() if inner is not None else ""
        if inner is None or not commit:
            return
        if commit != self._index.oid(position).hex() or (depth == "full" and self._is_dirty(path, inner)):
            states.by_position[position] = "modified"
            states.commits[position] = commit

    def _is_dirty(self, path: bytes, inner: Dataset) -> bool:
        if self._request.levels != 0 and not self._request.report_clean and not self._request.base:
            self._ahead[path] = list(self._inside(path))  # told soon, and not looked for twice
            return any(record.state != "clean" for record in self._ahead[path])
        request = StatusRequest(untracked=self._request.untracked, report_clean=False)
        return any(True for _ in StatusReader(inner, request).read())

    def _inner(self, path: bytes) -> Dataset | None:
        """A subdataset; ``None`` when it is not installed."""
        if path not in self._opened:
            place = os.path.join(self._top, path)
            found = open_dataset(os.fsdecode(place), self._dataset.around) if holds_repository(place) else None
            self._opened[path] = found
        return self._opened[path]

    # --- what the last commit has

    @cached_property
    def _staged(self) -> Mapping[bytes, tuple[int, bytes]] | None:
        """What HEAD has, by path; ``None`` when the index is known to equal it."""
        head = self._request.base or self._dataset.head_commit()
        if not head:
            return {}
        tree = self._dataset.tree_of(head)
        known = self._index.cache_tree
        if known is not None and known.is_valid and known.oid == tree and known.count == len(self._index):
            return None
        return {path: (mode, oid) for path, mode, oid in self._dataset.objects.read_tree_flat(tree)}

    def _deleted_in_index(self) -> Iterator[tuple[bytes, tuple[int, bytes]]]:
        head = self._staged
        if head is None:
            return
        for path, entry in head.items():
            if self._index.find(path) is None and self._in_scope(path):
                yield path, entry

    def _in_scope(self, path: bytes) -> bool:
        return any(not scope or path == scope or path.startswith(scope + b"/") for scope in self._request.scopes)

    # --- outcomes

    def _recorded(self, states: _States, subdatasets: list[int]) -> Iterator[DatasetOutcome]:
        index, head = self._index, self._staged
        within = set(subdatasets)
        if head is None and not self._request.report_clean and not self._request.annex:
            positions: Iterator[int] = iter(sorted({*states.by_position, *states.undecided, *within}))
        else:
            positions = iter(range(len(index)))
        everything = self._request.scopes == (b"",)
        last = None
        for position in positions:
            path = index.paths[position]
            if path != last and (everything or self._in_scope(path)):  # one in conflict stands there several times
                yield from self._entry(position, path, states, head)
                if position in within:
                    ahead = self._ahead.pop(path, None)
                    yield from self._inside(path) if ahead is None else ahead
            last = path

    def _inside(self, path: bytes) -> Iterator[DatasetOutcome]:
        """The same for a subdataset, right after its own record; nothing when it is not installed."""
        inner = self._inner(path)
        if inner is None:
            return
        levels = None if self._request.levels is None else self._request.levels - 1
        try:
            inner.check_format()
            request = replace(self._request, scopes=(b"",), levels=levels, base=self._base_of(path))
            reader = StatusReader(inner, request, refds=self._refds)
        except NotUnderstood as problem:
            yield self._tell.problem(ItemFailed(inner.work_tree, f"engram cannot read it itself ({problem.reason})"))
            return
        yield from reader.read()

    def _base_of(self, path: bytes) -> str:
        """The commit that a subdataset is held against: its own HEAD, unless another state of its parent is."""
        if not self._request.base:
            return ""
        before = (self._staged or {}).get(path)
        position = self._index.find(path)
        recorded = before[1] if before else b"" if position is None else self._index.oid(position)
        return recorded.hex()

    def _entry(
        self, position: int, path: bytes, states: _States, head: Mapping[bytes, tuple[int, bytes]] | None
    ) -> Iterator[DatasetOutcome]:
        index = self._index
        mode, oid = index.mode(position), index.oid(position)
        before = (mode, oid) if head is None else head.get(path)
        kind = type_of(mode)
        if position in states.undecided:
            yield self._tell.item(path, kind, "", status=Status.IMPOSSIBLE, gitshasum=oid.hex())
            return
        state = states.by_position.get(position, "")
        if mode == SUBMODULE_MODE and self._request.evaluate_subdatasets == "no" and state != "deleted":
            yield self._tell.item(path, kind, "", gitshasum=oid.hex(), prev_gitshasum=before[1].hex() if before else "")
            return
        missing = state == "deleted"
        if before is None:
            state = "added"
        elif index.flags(position) & STAGE_MASK:
            state = "modified"
        elif state == "":
            state = "clean" if before == (mode, oid) else "modified"
        if state == "clean" and not self._request.report_clean and not self._request.annex:
            return
        annexed = self._tell.annexed(mode, oid) if self._request.annex and not missing else None
        yield self._tell.item(
            path,
            "file" if annexed else kind,
            state,
            gitshasum="" if state == "deleted" else states.commits.get(position) or oid.hex(),
            prev_gitshasum=before[1].hex() if before else "",
            bytesize=self._tell.size(oid) if state == "clean" and kind == "file" and not annexed else None,
            annexed=annexed,
            annexed_before=self._annexed_before(before),
        )

    def _annexed_before(self, before: tuple[int, bytes] | None) -> bytes | None:
        """The key that an entry of the earlier state stands for, where two states are held against each other."""
        wanted = self._request.annex and self._request.action == "diff"
        return self._tell.annexed(*before) if wanted and before is not None else None


def _kind_of(found: Found) -> str:
    return "directory" if found.kind == "repository" else found.kind
