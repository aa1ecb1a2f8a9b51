"""Look before saving: what there is to do, and whether engram can do it itself. Changes nothing in the dataset."""

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from engram.datasets.dataset import Dataset
from engram.datasets.git.index import STAGE_MASK, GitIndex
from engram.datasets.git.objects import SYMLINK_MODE
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.datasets.saving.decisions import Decisions, Staged, decide
from engram.datasets.worktree import Untracked, walk
from engram.model.errors import UsageError
from engram.model.records import record

if TYPE_CHECKING:
    from engram.datasets.annex.magic import Magic
    from engram.datasets.comparison import Comparison
    from engram.datasets.saving.choosing import Chooser, Rules


@record(eq=False)
class SaveRequest:
    """What is to be saved, and how."""

    #: Paths relative to the top; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    message: str = ""
    #: Only what is recorded already.
    updated: bool = False
    tag: str = ""
    to_git: bool = False
    amend: bool = False
    #: Threads for large files; 0: one per processor.
    jobs: int = 0
    #: Key backend where no attribute names one.
    backend: str = ""
    #: The dataset that the whole command is about, where this is one of its subdatasets.
    refds: str = ""

    @property
    def partial(self) -> bool:
        """Whether only some paths are meant."""
        return self.scopes != (b"",)


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Survey:
    """What there is to do."""

    index: GitIndex
    decisions: Decisions
    #: Why git-annex has to do it; '' when engram can.
    reason: str = ""
    #: The index holds something that the last commit does not.
    staged: bool = False
    #: What was named, and git's rules ignore.
    ignored: tuple[bytes, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to record, nor anything to note in the index."""
        decisions = self.decisions
        return decisions.nothing and not (self.reason or self.staged or decisions.refreshed or decisions.subdatasets)


def survey(dataset: Dataset, request: SaveRequest) -> Survey:
    """Compare work tree, index and last commit. Raises `BadExpression` for rules that do not parse."""
    top = os.fsencode(dataset.work_tree)
    index = GitIndex.from_nothing()
    try:
        dataset.check_format()
        index = dataset.read_index()
        _check_conflicts(dataset, index, request.scopes)
        differences = walk(
            top,
            index,
            dataset.ignore,
            scopes=request.scopes,
            untracked=Untracked.NO if request.updated else Untracked.ALL,
            rules=dataset.stat_rules,
            settled=dataset.settled,
        )
        dataset.settled.keep()
        clean = dataset.equals_head(index)
        staged = Staged() if clean else _staged(dataset, index, request.scopes)
        decisions = decide(differences, index, _Sources(dataset, request, index), staged)
        found = Survey(index, decisions, decisions.hand_over, not clean, tuple(differences.ignored))
        if not found.reason and not (found.nothing and not request.amend):
            found.reason = _cannot(dataset, decisions)
    except NotUnderstood as problem:
        return Survey(index, Decisions(), problem.reason, staged=True)
    except MissingObject as missing:
        return Survey(index, Decisions(), f"object {missing.oid.hex()} is not here", staged=True)
    return found


def _check_conflicts(dataset: Dataset, index: GitIndex, scopes: tuple[bytes, ...]) -> None:
    """Refuse to record a file with the marks of a conflict in it. Raises `UsageError`."""
    merging = os.path.exists(os.path.join(dataset.git_dir, "MERGE_HEAD"))
    if not merging and not index.repeats:
        return
    for position, path in enumerate(index.paths):
        if index.flags(position) & STAGE_MASK and _is_within(path, scopes):
            from shlex import quote

            name = os.fsdecode(path)
            raise UsageError(f"{name} is in conflict: two sides changed it.", f"Mend it, then: git add {quote(name)}")


def _staged(dataset: Dataset, index: GitIndex, scopes: tuple[bytes, ...]) -> Staged:
    head = dataset.head_commit()
    staged = Staged()
    if not head:
        return staged
    committed = set()
    for path, mode, oid in dataset.objects.read_tree_flat(dataset.tree_of(head)):
        if not _is_within(path, scopes):
            continue
        committed.add(path)
        position = index.find(path)
        if position is None:
            staged.deleted.append((path, mode))
        elif (index.mode(position), index.oid(position)) != (mode, oid):
            staged.changed.append(position)
    staged.new_links = [
        position
        for position, path in enumerate(index.paths)
        if path not in committed and index.mode(position) == SYMLINK_MODE and _is_within(path, scopes)
    ]
    return staged


def _is_within(path: bytes, scopes: tuple[bytes, ...]) -> bool:
    return any(not scope or path == scope or path.startswith(scope + b"/") for scope in scopes)


class _Sources:
    """What deciding needs, made when it is needed."""

    def __init__(self, dataset: Dataset, request: SaveRequest, index: GitIndex) -> None:
        self._dataset = dataset
        self._request = request
        self._index = index
        self.top = os.fsencode(dataset.work_tree)

    def comparison(self) -> "Comparison":
        """What tells whether a content changed."""
        from engram.datasets.comparison import Comparison

        return Comparison(
            self.top,
            self._index,
            self._dataset.objects,
            self._dataset.attributes_of,
            file_mode=self._dataset.stat_rules.file_mode,
        )

    def chooser(self) -> "Chooser":
        """What chooses between git and the annex."""
        from engram.datasets.saving.choosing import Chooser

        return Chooser(_rules(self._dataset, self._request), self.top)


def _cannot(dataset: Dataset, decisions: Decisions) -> str:
    from engram.datasets.annex.backends import is_native
    from engram.datasets.traps import reason_to_hand_over

    for file in decisions.files:
        if file.backend and not is_native(file.backend):
            return f"key backend {file.backend}"
    return reason_to_hand_over(dataset)


def _rules(dataset: Dataset, request: SaveRequest) -> "Rules":
    from engram.datasets.saving.choosing import Rules

    @cache
    def find_magic() -> "Magic | None":
        from engram.datasets.annex.magic import magic_of

        return magic_of(dataset.programs.annex().program)

    line_ends = (dataset.setting("core.autocrlf") or "false").lower()
    return Rules(
        attributes=dataset.attributes.of,
        largefiles=dataset.setting("annex.largefiles"),
        fallback=dataset.branch_setting("annex.largefiles"),
        backend=dataset.setting("annex.backend") or request.backend or "SHA256E",
        has_annex=dataset.has_annex,
        to_git=request.to_git,
        find_magic=find_magic,
        converts_line_ends=line_ends not in ("false", "no", "0", "off"),
    )
