"""What saving would do with each changed path. Decides; changes nothing.

Source: git-annex-add(1) and git-annex-matching-expression(1) for what is large; DataLad's ``save`` for dotfiles, which
are treated like any other file.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engram.datasets.annex.backends import is_native
from engram.datasets.annex.largefiles import Expression, File, NotNative, parse
from engram.datasets.comparison import CONVERTING, Comparison, Verdict
from engram.datasets.git.index import GitIndex
from engram.datasets.worktree import Differences, Found, kind_of
from engram.model.errors import BadExpression, EngramError
from engram.model.plan import Plan, PlannedStep

LARGEFILES = b"annex.largefiles"
#: Backends that git-annex has and engram leaves to it. Source: ``git annex version``.
GIT_ANNEX_ONLY = frozenset(
    "WORM URL VURL GITBUNDLE GITMANIFEST BLAKE3_256 BLAKE3_256E XXH3 XXH3E BLAKE2BP512 BLAKE2BP512E SKEIN256 SKEIN256E"
    " SKEIN512 SKEIN512E BLAKE2SP224 BLAKE2SP224E BLAKE2SP256 BLAKE2SP256E".split()
)
BACKEND = b"annex.backend"


@dataclass(frozen=True, slots=True)
class FileToSave:
    """A regular file whose content is to be recorded."""

    path: bytes
    status: os.stat_result
    #: Key backend if it goes to the annex, '' if it goes to git.
    backend: str
    #: What it was before: position in the index, ``None`` for a new file.
    position: int | None = None

    @property
    def why(self) -> str:
        """For people."""
        state = "new" if self.position is None else "modified"
        return f"{state}, content goes to {'the annex' if self.backend else 'git'}"


@dataclass(slots=True)
class Decisions:
    """Everything that saving would do."""

    files: list[FileToSave] = field(default_factory=list)
    #: Symbolic links, new and changed.
    links: list[Found] = field(default_factory=list)
    #: Positions of entries to remove from the index.
    removed: list[int] = field(default_factory=list)
    #: Removed because a folder of that name took their place: no outcome of their own.
    covered: set[int] = field(default_factory=set)
    #: Nested repositories that are not recorded yet.
    repositories: list[Found] = field(default_factory=list)
    #: Recorded subdatasets to look at.
    subdatasets: list[int] = field(default_factory=list)
    #: Unchanged, but the index does not know it: only its stat data is renewed.
    refreshed: list[tuple[int, os.stat_result]] = field(default_factory=list)
    special: list[Found] = field(default_factory=list)
    problems: list[EngramError] = field(default_factory=list)
    #: Why git-annex has to do it, '' if engram can.
    hand_over: str = ""

    @property
    def nothing(self) -> bool:
        """Whether no path is changed."""
        return not (self.files or self.links or self.removed or self.repositories)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds in a dataset for the choice between git and the annex."""

    attributes: Callable[[bytes, tuple[bytes, ...]], Mapping[bytes, bytes | bool | None]]
    #: ``annex.largefiles`` of git's configuration, which rules over ``.gitattributes``; ``None`` if it is not set.
    largefiles: str | None
    #: That of ``git annex config``, for files that no attribute speaks of; ``None`` if it is not set.
    fallback: str | None
    #: Key backend where no attribute names one.
    backend: str
    #: Whether the dataset has an annex at all.
    has_annex: bool
    to_git: bool = False
    #: git's ``core.autocrlf`` is in force: text is converted.
    converts_line_ends: bool = False


def decide(differences: Differences, index: GitIndex, comparison: Comparison, rules: Rules, top: bytes) -> Decisions:
    """Sort what a walk found. Raises `BadExpression` for rules that do not parse, before anything is done."""
    decisions = Decisions(subdatasets=differences.subdatasets, special=differences.special)
    decisions.problems += differences.problems
    chooser = _Chooser(rules, top)
    for position, status in differences.doubtful:
        _look(position, status, index, comparison, decisions, chooser)
    for found in differences.untracked:
        if found.kind == "repository":
            decisions.repositories.append(found)
        elif found.kind == "symlink":
            decisions.links.append(found)
        elif found.status is not None:
            decisions.files.append(chooser.file(found.path, found.status, None))
    _removals(differences, index, top, decisions)
    decisions.hand_over = chooser.hand_over
    return decisions


def _look(
    position: int,
    status: os.stat_result,
    index: GitIndex,
    comparison: Comparison,
    decisions: Decisions,
    chooser: "_Chooser",
) -> None:
    path = index.paths[position]
    try:
        verdict = comparison.verdict(position, status)
    except EngramError as error:
        decisions.problems.append(error)
        return
    if verdict is Verdict.SAME:
        decisions.refreshed.append((position, status))
    elif verdict is Verdict.UNDECIDED:
        chooser.hand_over = f"only its filter can tell whether {os.fsdecode(path)} changed"
    elif (kind := kind_of(status.st_mode)) == "symlink":
        decisions.links.append(Found(path, kind, status))
    elif kind == "file":
        decisions.files.append(chooser.file(path, status, position))
    else:
        decisions.special.append(Found(path, kind, status))


def _removals(differences: Differences, index: GitIndex, top: bytes, decisions: Decisions) -> None:
    for position in differences.missing:
        path = index.paths[position]
        decisions.removed.append(position)
        if os.path.isdir(os.path.join(top, path)):
            decisions.covered.add(position)


class _Chooser:
    """Chooses between git and the annex, remembering expressions it has parsed."""

    def __init__(self, rules: Rules, top: bytes) -> None:
        self._rules = rules
        self._top = top
        self._parsed: dict[bytes, Expression] = {}
        self._wanted = (LARGEFILES, BACKEND, *CONVERTING)
        self._ruling = None if rules.largefiles is None else parse(rules.largefiles, "git's configuration")
        self._fallback = None if rules.fallback is None else parse(rules.fallback, "git annex config")
        self.hand_over = ""

    def file(self, path: bytes, status: os.stat_result, position: int | None) -> FileToSave:
        attributes = self._rules.attributes(path, self._wanted)
        backend = attributes.get(BACKEND)
        name = backend.decode("ascii", "replace") if isinstance(backend, bytes) else ""
        if not is_native(name):  # git-annex passes over a backend that an attribute misspells
            name = name if name in GIT_ANNEX_ONLY or name.startswith("X") else self._rules.backend
        large = self._rules.has_annex and not self._rules.to_git and self._is_large(path, status, attributes)
        if not large:
            self._check_conversion(path, attributes)
        return FileToSave(path, status, name if large else "", position)

    def _is_large(
        self, path: bytes, status: os.stat_result, attributes: Mapping[bytes, bytes | bool | None]
    ) -> bool:
        expression = self._ruling or self._expression(attributes.get(LARGEFILES)) or self._fallback
        if expression is None:
            return True
        try:
            return expression.matches(File(path, status.st_size, os.path.join(self._top, path)))
        except NotNative as reason:
            self.hand_over = str(reason)
            return True

    def _expression(self, text: bytes | bool | None) -> Expression | None:
        if text is None:
            return None
        if isinstance(text, bool):
            raise BadExpression("(no value)", ".gitattributes", "the attribute needs an expression")
        if text not in self._parsed:
            self._parsed[text] = parse(os.fsdecode(text), ".gitattributes")
        return self._parsed[text]

    def _check_conversion(self, path: bytes, attributes: Mapping[bytes, bytes | bool | None]) -> None:
        for name in CONVERTING:
            value = attributes.get(name)
            if value in (None, False) or (name, value) == (b"filter", b"annex"):
                continue
            if name in (b"text", b"crlf", b"eol") and not _has_carriage_return(os.path.join(self._top, path)):
                continue
            self.hand_over = f"git converts {os.fsdecode(path)} ({os.fsdecode(name)})"
        if self._rules.converts_line_ends and _has_carriage_return(os.path.join(self._top, path)):
            self.hand_over = f"git converts the line ends of {os.fsdecode(path)} (core.autocrlf)"


def _has_carriage_return(place: bytes) -> bool:
    try:
        with open(place, "rb") as file:
            return any(b"\r" in block for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return True


def as_plan(decisions: Decisions, index: GitIndex) -> Plan:
    """The decisions as a plan for people and for ``--dry-run``."""
    steps = [
        PlannedStep(action="delete", item=os.fsdecode(index.paths[i]), why="it is gone from the work tree")
        for i in decisions.removed
        if i not in decisions.covered
    ]
    steps += [
        PlannedStep(action="add", item=os.fsdecode(found.path), why="subdataset that is not recorded yet")
        for found in decisions.repositories
    ]
    steps += [
        PlannedStep(action="add", item=os.fsdecode(file.path), bytes=file.status.st_size, why=file.why)
        for file in decisions.files
    ]
    steps += [
        PlannedStep(action="add", item=os.fsdecode(found.path), why="symbolic link") for found in decisions.links
    ]
    refused = tuple(
        PlannedStep(action="add", item=getattr(problem, "path", ""), why=problem.what) for problem in decisions.problems
    )
    return Plan(steps=tuple(steps), refused=refused)
