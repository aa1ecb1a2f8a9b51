"""What saving would do with each changed path. Decides; changes nothing.

Source: git-annex-add(1) and git-annex-matching-expression(1) for what is large; DataLad's ``save`` for dotfiles, which
are treated like any other file.
"""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from engram.datasets.git.index import GitIndex
from engram.datasets.git.objects import EXECUTABLE_MODE, FILE_MODE, SYMLINK_MODE
from engram.datasets.worktree import Differences, Found, kind_of
from engram.model.errors import EngramError, UnsupportedFile

if TYPE_CHECKING:
    from engram.datasets.comparison import Comparison
    from engram.datasets.saving.choosing import Chooser


class FileToSave(NamedTuple):
    """A regular file whose content is to be recorded."""

    path: bytes
    size_bytes: int
    #: Key backend if it goes to the annex, '' if it goes to git.
    backend: str
    #: What it was before: position in the index, ``None`` for a new file.
    position: int | None = None
    #: The key it stood for until now, if it was unlocked; kept when the content is still the same.
    key: bytes = b""

    @property
    def why(self) -> str:
        """For people."""
        state = "new" if self.position is None else "modified"
        return f"{state}, content goes to {'the annex' if self.backend else 'git'}"


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Decisions:
    """Everything that saving would do."""

    files: list[FileToSave] = field(default_factory=list)
    #: Symbolic links, new and changed.
    links: list[Found] = field(default_factory=list)
    #: Annex links that were staged at another depth, as by ``git mv``: they are mended, and need no outcome.
    mended: list[Found] = field(default_factory=list)
    #: Positions of entries to remove from the index.
    removed: list[int] = field(default_factory=list)
    #: Removed because something in a folder of that name takes their place: no outcome of their own.
    covered: set[int] = field(default_factory=set)
    #: Nested repositories that are not recorded yet.
    repositories: list[Found] = field(default_factory=list)
    #: Recorded subdatasets to look at.
    subdatasets: list[int] = field(default_factory=list)
    #: Unchanged, but the index does not know it: only its stat data is renewed.
    refreshed: list[tuple[int, os.stat_result]] = field(default_factory=list)
    #: Staged as deleted: path and mode.
    gone: list[tuple[bytes, int]] = field(default_factory=list)
    special: list[Found] = field(default_factory=list)
    problems: list[EngramError] = field(default_factory=list)
    #: Why git-annex has to do it, '' if engram can.
    hand_over: str = ""

    @property
    def nothing(self) -> bool:
        """Whether no path is changed."""
        return not (self.files or self.links or self.mended or self.removed or self.repositories)


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Staged:
    """How the index differs from the last commit."""

    #: Positions of entries whose path the last commit has, with another content or mode.
    changed: list[int] = field(default_factory=list)
    #: Positions of symbolic links whose path the last commit does not have.
    new_links: list[int] = field(default_factory=list)
    #: Paths that the last commit has and the index has not, with their mode.
    deleted: list[tuple[bytes, int]] = field(default_factory=list)


class Sources(Protocol):
    """What deciding may need."""

    #: Top of the work tree.
    top: bytes

    def comparison(self) -> "Comparison":
        """What tells whether a content changed."""
        ...

    def chooser(self) -> "Chooser":
        """What chooses between git and the annex."""
        ...


def decide(differences: Differences, index: GitIndex, sources: Sources, staged: Staged) -> Decisions:
    """Sort what a walk found. Raises `BadExpression` for rules that do not parse, before anything is done."""
    decider = _Decider(differences, index, sources)
    decisions = decider.decisions
    decisions.subdatasets, decisions.special = differences.subdatasets, differences.special
    decisions.problems += differences.problems
    for position, status in differences.doubtful:
        decider.doubtful(position, status)
    for found in differences.untracked:
        decider.untracked(found)
    for position in differences.missing:
        decider.missing(position)
    decider.staged(staged)
    return decisions


class _Decider:
    def __init__(self, differences: Differences, index: GitIndex, sources: Sources) -> None:
        self.decisions = Decisions()
        self._differences = differences
        self._index = index
        self._sources = sources

    @cached_property
    def _comparison(self) -> "Comparison":
        return self._sources.comparison()

    @cached_property
    def _chooser(self) -> "Chooser":
        return self._sources.chooser()

    def doubtful(self, position: int, status: os.stat_result) -> None:
        path = self._index.paths[position]
        try:
            verdict = self._comparison.verdict(position, status)
        except EngramError as error:
            self.decisions.problems.append(error)
            return
        if verdict.value == "same":
            self.decisions.refreshed.append((position, status))
        elif verdict.value == "undecided":
            self.decisions.hand_over = f"only its filter can tell whether {os.fsdecode(path)} changed"
        else:
            self._take(Found(path, kind_of(status.st_mode), status.st_size), position)

    def untracked(self, found: Found) -> None:
        if _is_refused(found):
            name = os.fsdecode(found.path)
            self.decisions.problems.append(UnsupportedFile(name, "git refuses such a name"))
        elif found.kind == "repository":
            self.decisions.repositories.append(found)
        else:
            self._take(found, None)

    def missing(self, position: int) -> None:
        path = self._index.paths[position]
        self.decisions.removed.append(position)
        if path in self._new_folders:
            self.decisions.covered.add(position)

    @cached_property
    def _new_folders(self) -> set[bytes]:
        """Every folder that holds something new, and every new repository."""
        found = {one.path for one in self._differences.untracked if one.kind == "repository"}
        for one in self._differences.untracked:
            folder = os.path.dirname(one.path)
            while folder and folder not in found:
                found.add(folder)
                folder = os.path.dirname(folder)
        return found

    def _take(self, found: Found, position: int | None) -> None:
        if found.kind == "symlink":
            self.decisions.links.append(found)
        elif found.kind == "file":
            self.decisions.files.append(self._choose(found, position))
        elif position is None:
            self.decisions.special.append(found)
        else:
            name = os.fsdecode(found.path)
            self.decisions.problems.append(UnsupportedFile(name, "what took its place is no regular file"))

    def _choose(self, found: Found, position: int | None) -> FileToSave:
        large, backend = self._chooser.choose(found.path, found.size_bytes)
        self.decisions.hand_over = self.decisions.hand_over or self._chooser.hand_over
        key = None if position is None else self._comparison.recorded_key(self._index.oid(position))
        return FileToSave(found.path, found.size_bytes, backend if large else "", position, key or b"")

    def staged(self, staged: Staged) -> None:
        """What is staged and not committed yet, and is not looked at for another reason anyway."""
        differences = self._differences
        unchanged = {position for position, _ in self.decisions.refreshed}
        looked_at = ({position for position, _ in differences.doubtful} | set(differences.missing)) - unchanged
        for position in staged.changed:
            if position not in looked_at and self._index.mode(position) in (FILE_MODE, EXECUTABLE_MODE):
                self._unlocked(position)
        for position in staged.new_links:
            if position not in looked_at and self._comparison.is_misplaced_link(position):
                self.decisions.mended.append(Found(self._index.paths[position], "symlink"))
        here = {found.path for found in differences.untracked}
        self.decisions.gone = [(path, mode) for path, mode in staged.deleted if path not in here]

    def _unlocked(self, position: int) -> None:
        """An annexed file that was unlocked since the last commit, and is not changed: it is locked again."""
        path = self._index.paths[position]
        key = self._comparison.recorded_key(self._index.oid(position))
        if key is not None:
            size = os.lstat(os.path.join(self._sources.top, path)).st_size
            backend = os.fsdecode(key.partition(b"-")[0])
            self.decisions.files.append(FileToSave(path, size, backend, position, key))


def _is_refused(found: Found) -> bool:
    """Whether git takes nothing of this name: one look tells that most are not even suspect."""
    lower = found.path.lower()
    is_plain = lower.find(b"git") == lower.find(b"gi7eba") == lower.find(b"\\") == -1  # a search, or `in`, costs more
    if is_plain and not lower.endswith((b".", b"\n")):
        return False
    from engram.datasets.git.trees import is_refused

    mode = SYMLINK_MODE if found.kind == "symlink" else FILE_MODE
    return is_refused(found.path, mode)
