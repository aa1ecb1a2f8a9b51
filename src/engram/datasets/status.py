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
from engram.datasets.git.objects import SUBMODULE_MODE, SYMLINK_MODE
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.datasets.git.refs import holds_repository
from engram.datasets.nesting import checked_out
from engram.datasets.worktree import Differences, Found, Untracked, walk
from engram.model.errors import EngramError, ItemFailed
from engram.model.outcome import DatasetOutcome, Status

_TYPES = {SYMLINK_MODE: "symlink", SUBMODULE_MODE: "dataset"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
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
        self._git_dir = os.fsencode(dataset.git_dir)
        self._index = dataset.read_index()

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
        )
        states = self._states(differences)
        kept = set()
        for found in differences.untracked:
            before = (self._staged or {}).get(found.path)
            if index.find(found.path) is not None:
                if found.kind != "directory":
                    yield self._untracked(found)
            elif before is not None:  # taken out of the index, and still there
                kept.add(found.path)
                kind = _TYPES.get(before[0], "file")
                yield self._item(found.path, kind, "modified", prev_gitshasum=before[1].hex())
            else:
                yield self._untracked(found)
        yield from self._recorded(states, differences.subdatasets if request.levels != 0 else [])
        for path, (mode, oid) in self._deleted_in_index():
            if path not in kept:
                yield self._item(path, _TYPES.get(mode, "file"), "deleted", gitshasum=oid.hex())
        for problem in (*differences.problems, *states.problems):
            yield self._problem(problem)

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
        commit = checked_out(self._dataset, path) if depth != "no" else ""
        if commit and (commit != self._index.oid(position).hex() or (depth == "full" and self._is_dirty(path))):
            states.by_position[position] = "modified"
            states.commits[position] = commit

    def _is_dirty(self, path: bytes) -> bool:
        inner = open_dataset(os.path.join(self._dataset.work_tree, os.fsdecode(path)), self._dataset.around)
        request = StatusRequest(untracked=self._request.untracked, report_clean=False)
        return any(True for _ in StatusReader(inner, request).read())

    # --- what the last commit has

    @cached_property
    def _staged(self) -> Mapping[bytes, tuple[int, bytes]] | None:
        """What HEAD has, by path; ``None`` when the index is known to equal it."""
        head = self._dataset.head_commit()
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
                    yield from self._inside(path)
            last = path

    def _inside(self, path: bytes) -> Iterator[DatasetOutcome]:
        """The same for a subdataset, right after its own record; nothing when it is not installed."""
        place = os.path.join(self._dataset.work_tree, os.fsdecode(path))
        if not holds_repository(os.fsencode(place)):
            return
        levels = None if self._request.levels is None else self._request.levels - 1
        inner = open_dataset(place, self._dataset.around)
        try:
            inner.check_format()
            reader = StatusReader(inner, replace(self._request, scopes=(b"",), levels=levels), refds=self._refds)
        except NotUnderstood as problem:
            yield self._problem(ItemFailed(place, f"engram cannot read it itself ({problem.reason})"))
            return
        yield from reader.read()

    def _entry(
        self, position: int, path: bytes, states: _States, head: Mapping[bytes, tuple[int, bytes]] | None
    ) -> Iterator[DatasetOutcome]:
        index = self._index
        mode, oid = index.mode(position), index.oid(position)
        before = (mode, oid) if head is None else head.get(path)
        kind = _TYPES.get(mode, "file")
        if position in states.undecided:
            yield self._item(path, kind, "", status=Status.IMPOSSIBLE, gitshasum=oid.hex())
            return
        state = states.by_position.get(position, "")
        if mode == SUBMODULE_MODE and self._request.evaluate_subdatasets == "no" and state != "deleted":
            yield self._item(path, kind, "", gitshasum=oid.hex(), prev_gitshasum=before[1].hex() if before else "")
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
        annexed = self._annexed(mode, oid) if self._request.annex and not missing else None
        yield self._item(
            path,
            "file" if annexed else kind,
            state,
            gitshasum="" if state == "deleted" else states.commits.get(position) or oid.hex(),
            prev_gitshasum=before[1].hex() if before else "",
            bytesize=self._size(oid) if state == "clean" and kind == "file" and not annexed else None,
            annexed=annexed,
        )

    def _size(self, oid: bytes) -> int | None:
        try:
            return self._dataset.objects.size(oid)
        except MissingObject:
            return None

    def _annexed(self, mode: int, oid: bytes) -> bytes | None:
        """The key that an entry stands for; ``None`` for content in git."""
        if mode == SUBMODULE_MODE:
            return None
        from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in

        try:
            if mode != SYMLINK_MODE and self._dataset.objects.size(oid) > MAX_POINTER_BYTES:
                return None
            return key_in(self._dataset.objects.read(oid)[1])
        except MissingObject:
            return None

    def _untracked(self, found: Found) -> DatasetOutcome:
        kind = "directory" if found.kind == "repository" else found.kind
        return self._item(found.path, kind, "untracked")

    def _problem(self, problem: EngramError) -> DatasetOutcome:
        path = str(getattr(problem, "path", self._dataset.work_tree))
        return DatasetOutcome(
            action="status",
            item=os.path.relpath(path, self._dataset.work_tree),
            status=Status.ERROR,
            path=path,
            type="file",
            refds=self._refds,
            parentds=self._dataset.work_tree,
            message=problem.what,
            error=type(problem).__name__,
            remedy=problem.next_step,
        )

    def _item(
        self,
        path: bytes,
        type: str,
        state: str,
        *,
        status: Status = Status.OK,
        gitshasum: str = "",
        prev_gitshasum: str = "",
        bytesize: int | None = None,
        annexed: bytes | None = None,
    ) -> DatasetOutcome:
        name = os.fsdecode(path)
        if annexed:
            from engram.datasets.annex.facts import annex_facts, key_size

            bytesize = key_size(annexed)
            extra = annex_facts(annexed, self._git_dir, look=self._request.annex != "basic")
        undecided = status is Status.IMPOSSIBLE
        return DatasetOutcome(
            action="status",
            item=name
            if self._refds == self._dataset.work_tree
            else os.path.relpath(f"{self._dataset.work_tree}/{name}", self._refds),
            status=status,
            message=f"{name}: only its filter can tell whether it changed." if undecided else "",
            error="Undecided" if undecided else "",
            remedy="Ask git: git status (it runs the filter that .gitattributes names)." if undecided else "",
            path=f"{self._dataset.work_tree}/{name}",
            type=type,
            refds=self._refds,
            parentds=self._dataset.work_tree,
            state=state,
            gitshasum=gitshasum,
            prev_gitshasum=prev_gitshasum,
            bytesize=bytesize,
            key=os.fsdecode(annexed) if annexed else "",
            extra=extra if annexed else (),
        )
