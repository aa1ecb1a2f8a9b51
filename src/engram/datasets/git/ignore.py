"""What git ignores: ``.gitignore`` of every folder on the way down, info/exclude, core.excludesFile.

Source: gitignore(5)
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Final, NamedTuple, Self, TypeAlias

from engram.datasets.git.path_patterns import PathPattern, later_git, read_rules
from engram.datasets.git.wildmatch import Matcher, matcher
from engram.model.records import record

FILE_NAME: Final = b".gitignore"

#: Rules of one file, and the path from that file's folder to the one looked at, with a slash at its end.
_Active: TypeAlias = "tuple[_Rules, bytes]"


class _Rules(NamedTuple):
    """The rules of one file: runs of patterns that say the same, the last one first."""

    files: "tuple[_Run, ...]"
    folders: "tuple[_Run, ...]"

    @classmethod
    def parse(cls, data: bytes, fold: bool, starts_anew: Callable[[], bool]) -> Self:
        patterns = [PathPattern.parse(line, fold=fold, starts_anew=starts_anew) for line in _lines(data)]
        return cls(_runs(pattern for pattern in patterns if not pattern.dir_only), _runs(patterns))


class _Run(NamedTuple):
    """Patterns that say the same. A text that any of them matches is ignored, or, when negative, is not."""

    ignored: bool
    names: frozenset[bytes]
    suffixes: tuple[bytes, ...]
    name_matcher: Matcher | None
    paths: frozenset[bytes]
    path_matcher: Matcher | None

    @classmethod
    def of(cls, patterns: list[PathPattern]) -> Self:
        by_name = [pattern for pattern in patterns if pattern.by_name]
        by_path = [pattern for pattern in patterns if not pattern.by_name]
        return cls(
            ignored=not patterns[0].negative,
            names=frozenset(pattern.exact for pattern in by_name if pattern.exact is not None),
            suffixes=tuple(pattern.suffix for pattern in by_name if pattern.suffix is not None),
            name_matcher=_matcher(by_name),
            paths=frozenset(pattern.exact for pattern in by_path if pattern.exact is not None),
            path_matcher=_matcher(by_path),
        )

    def has(self, name: bytes, prefix: bytes) -> bool:
        """Whether any pattern matches *name*, or *prefix* and *name*."""
        if name in self.names or (self.suffixes and name.endswith(self.suffixes)):
            return True
        if self.name_matcher is not None and self.name_matcher(name):
            return True
        if not self.paths and self.path_matcher is None:
            return False
        path = prefix + name
        return path in self.paths or (self.path_matcher is not None and self.path_matcher(path) is not None)


@record(eq=False, kw_only=False)
class _Context:
    """What all folders of one work tree share."""

    fold: bool
    recorded: Callable[[bytes], bytes | None] | None
    starts_anew: Callable[[], bool]
    #: Rules by the bytes they were parsed from: the same few lines often lie in many folders.
    parsed: dict[bytes, _Rules] = field(default_factory=dict)

    def rules(self, path: bytes, *, follow: bool, relative: bytes = b"") -> _Rules | None:
        data = read_rules(path, follow=follow)
        if data is None and relative and self.recorded is not None:
            data = self.recorded(relative)
        if not data:
            return None
        rules = self.parsed.get(data)
        if rules is None:
            rules = self.parsed[data] = _Rules.parse(data, self.fold, self.starts_anew)
        return rules if rules.folders else None


@record(eq=False, kw_only=False)
class Ignore:
    """The rules that hold in one folder."""

    _context: _Context
    #: The folder, absolute and relative to the work tree (with a slash at its end unless empty).
    _folder: bytes
    _path: bytes
    #: What counts first comes first.
    _active: tuple[_Active, ...]
    #: An ignored folder: everything in it is ignored.
    _everything: bool = False

    @classmethod
    def for_work_tree(
        cls,
        top: bytes,
        *,
        git_dir: bytes,
        excludes_file: bytes | None,
        ignore_case: bool = False,
        recorded: Callable[[bytes], bytes | None] | None = None,
        starts_anew: Callable[[], bool] = later_git,
    ) -> Self:
        """The rules that hold at the *top* of a work tree.

        Args:
            top: the work tree.
            git_dir: the folder that holds ``info/exclude``: the common one of all work trees.
            excludes_file: git's core.excludesFile, or its default place.
            ignore_case: git's core.ignoreCase.
            recorded: gives the content of a ``.gitignore``, by its path in the work tree, that is recorded but kept out
                of the work tree (a sparse checkout).
            starts_anew: whether this git takes patterns as those before 2.52 do.
        """
        context = _Context(ignore_case, recorded, starts_anew)
        own = context.rules(os.path.join(top, FILE_NAME), follow=False, relative=FILE_NAME)
        exclude = context.rules(os.path.join(git_dir, b"info/exclude"), follow=True)
        user = context.rules(excludes_file, follow=True) if excludes_file else None
        return cls(context, top, b"", tuple((rules, b"") for rules in (own, exclude, user) if rules))

    def enter(self, name: bytes) -> "Ignore":
        """The rules that hold in the folder *name* of this one."""
        folder = self._folder + b"/" + name
        path = self._path + name + b"/"
        if self.ignores(name, is_dir=True):
            return Ignore(self._context, folder, path, (), True)
        below = (name.lower() if self._context.fold else name) + b"/"
        active = tuple([(rules, prefix + below) for rules, prefix in self._active])
        own = self._context.rules(folder + b"/" + FILE_NAME, follow=False, relative=path + FILE_NAME)
        return Ignore(self._context, folder, path, ((own, b""), *active) if own else active)

    def ignores(self, name: bytes, *, is_dir: bool) -> bool:
        """Whether git ignores the entry *name* of this folder (when it is not recorded)."""
        if not self._active:
            return self._everything
        if self._context.fold:
            name = name.lower()
        for rules, prefix in self._active:
            for run in rules.folders if is_dir else rules.files:
                if run.has(name, prefix):
                    return run.ignored
        return False


def _lines(data: bytes) -> Iterable[bytes]:
    """The patterns of a file as they are written, without spaces behind them that are not escaped."""
    lines = data.split(b"\n")
    for line in lines:
        if line.startswith(b"#"):
            continue
        text, _, _ = line.removesuffix(b"\r").partition(b"\0")
        if text.endswith(b" "):
            text = _without_trailing_spaces(text)
        if text:
            yield text


def _without_trailing_spaces(text: bytes) -> bytes:
    bare = text.rstrip(b" ")
    backslashes = len(bare) - len(bare.rstrip(b"\\"))
    return bare + b" " if backslashes % 2 else bare


def _runs(patterns: Iterable[PathPattern]) -> tuple[_Run, ...]:
    runs: list[list[PathPattern]] = []
    for pattern in patterns:
        if runs and runs[-1][-1].negative == pattern.negative:
            runs[-1].append(pattern)
        else:
            runs.append([pattern])
    return tuple(_Run.of(run) for run in reversed(runs))


def _matcher(patterns: list[PathPattern]) -> Matcher | None:
    return matcher([pattern.expression for pattern in patterns if pattern.expression is not None])
