"""What ``.gitattributes`` say about a path.

Source: gitattributes(5)
"""

import os
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from engram.datasets.git.attribute_lines import BUILT_IN, Assignments, Line, Value, parse_lines
from engram.datasets.git.path_patterns import PathPattern, later_git, read_rules
from engram.datasets.git.wildmatch import Matcher, matcher

FILE_NAME: Final = b".gitattributes"

#: Lines of one file, what counts first first, and the folder whose files they are about (with a slash at its end).
_Level: TypeAlias = tuple[tuple[Line, ...], bytes]


class Attributes:
    """The attributes of one work tree; files are read when a path below their folder is asked for, once."""

    def __init__(
        self, top: bytes, recorded: Callable[[bytes], bytes | None] | None, fold: bool, starts_anew: Callable[[], bool]
    ) -> None:
        self._top = top
        self._recorded = recorded
        self._fold = fold
        self._starts_anew = starts_anew
        self._first: tuple[_Level, ...] = ()
        #: By folder: its own rules and those of all above it, the user's and the system's last.
        self._levels: dict[bytes, tuple[_Level, ...]] = {}
        self._macros: dict[bytes, Assignments] = dict(BUILT_IN)
        self._folders: dict[tuple[bytes, ...], dict[bytes, _Folder]] = {}

    @classmethod
    def for_work_tree(
        cls,
        top: bytes,
        *,
        git_dir: bytes,
        attributes_file: bytes | None,
        system_file: bytes | None = None,
        ignore_case: bool = False,
        recorded: Callable[[bytes], bytes | None] | None = None,
        starts_anew: Callable[[], bool] = later_git,
    ) -> "Attributes":
        """The attributes of the work tree at *top*.

        Args:
            top: the work tree.
            git_dir: the folder that holds ``info/attributes``: the common one of all work trees.
            attributes_file: git's core.attributesFile, or its default place.
            system_file: the machine's attributes.
            ignore_case: git's core.ignoreCase.
            recorded: gives the content of a ``.gitattributes`` of the index, by its path. git asks for it when there
                is none in the work tree.
            starts_anew: whether this git takes patterns as those before 2.52 do.
        """
        attributes = cls(top, recorded, ignore_case, starts_anew)
        outside = [attributes._read(path, macros=True) for path in (system_file, attributes_file) if path]
        own = attributes._of_folder(b"", macros=True)
        info = attributes._read(os.path.join(git_dir, b"info/attributes"), macros=True)
        attributes._first = tuple((lines, b"") for lines in (info,) if lines)
        attributes._levels[b""] = tuple((lines, b"") for lines in (own, *reversed(outside)) if lines)
        return attributes

    def of(self, path: bytes, names: tuple[bytes, ...]) -> dict[bytes, Value]:
        """What holds for the file at *path*: ``True`` set, ``False`` unset, ``None`` unspecified, or the value."""
        return self._rules(path, names).of(path[path.rfind(b"/") + 1 :])

    def are_silent(self, path: bytes, names: tuple[bytes, ...]) -> bool:
        """Whether no rule says anything about these attributes for any file in the folder of *path*."""
        return not self._rules(path, names).assignments

    def _rules(self, path: bytes, names: tuple[bytes, ...]) -> "_Folder":
        folders = self._folders.get(names)
        if folders is None:
            folders = self._folders[names] = {}
        folder = path[: path.rfind(b"/") + 1]
        rules = folders.get(folder)
        if rules is None:
            rules = folders[folder] = self._compile(folder, names)
        return rules

    def _read(self, path: bytes, *, macros: bool, follow: bool = True, relative: bytes = b"") -> tuple[Line, ...]:
        data = read_rules(path, follow=follow)
        if data is None and relative and self._recorded is not None:
            data = self._recorded(relative)
        if not data:
            return ()
        lines = list(parse_lines(data, macros=macros, fold=self._fold, starts_anew=self._starts_anew))
        self._macros.update((line.macro, line.assignments) for line in lines if line.macro)
        return tuple(line for line in reversed(lines) if line.pattern is not None and not line.pattern.dir_only)

    def _of_folder(self, folder: bytes, *, macros: bool = False) -> tuple[Line, ...]:
        path = folder + FILE_NAME
        return self._read(os.path.join(self._top, path), macros=macros, follow=False, relative=path)

    def _levels_of(self, folder: bytes) -> tuple[_Level, ...]:
        known, wanted = folder, []
        while known not in self._levels:
            wanted.append(known)
            known = known[: known.rfind(b"/", 0, -1) + 1]
        levels = self._levels[known]
        for below in reversed(wanted):
            lines = self._of_folder(below)
            levels = self._levels[below] = ((lines, below), *levels) if lines else levels
        return levels

    def _compile(self, folder: bytes, names: tuple[bytes, ...]) -> "_Folder":
        concerned = _concerned(names, self._macros)
        compiled = _Folder(names, self._macros, self._fold)
        for lines, base in (*self._first, *self._levels_of(folder)):
            prefix = folder[len(base) :]
            for line in lines:
                if line.pattern is not None and any(name in concerned for name, _ in line.assignments):
                    compiled.add(line.pattern, prefix, line.assignments)
        return compiled


class _Folder:
    """The rules for the files of one folder, as far as they concern some attributes."""

    def __init__(self, names: tuple[bytes, ...], macros: dict[bytes, Assignments], fold: bool) -> None:
        self.names = names
        self.macros = macros
        self.fold = fold
        #: What the rules say, what counts first first; a set of rules is a number with a bit for each.
        self.assignments: list[Assignments] = []
        self.always = 0
        self.exact: dict[bytes, int] = {}
        self.suffixes: list[tuple[bytes, int]] = []
        self.matchers: list[tuple[Matcher, bytes, int]] = []
        #: What sets of rules say together.
        self.said: dict[int, dict[bytes, Value]] = {}

    def add(self, pattern: PathPattern, prefix: bytes, assignments: Assignments) -> None:
        """Take a rule that counts less than those before it; *prefix* leads from its folder to this one."""
        prefix = prefix.lower() if self.fold else prefix
        bit = 1 << len(self.assignments)
        if pattern.exact is not None:
            head, slash, name = pattern.exact.rpartition(b"/")
            if not pattern.by_name and head + slash != prefix:
                return
            self.exact[name] = self.exact.get(name, 0) | bit
        elif pattern.suffix == b"":
            self.always |= bit
        elif pattern.suffix is not None:
            self.suffixes.append((pattern.suffix, bit))
        elif pattern.expression is not None and (matches := matcher([pattern.expression])):
            self.matchers.append((matches, b"" if pattern.by_name else prefix, bit))
        self.assignments.append(assignments)

    def of(self, name: bytes) -> dict[bytes, Value]:
        """What holds for the file *name* of this folder."""
        if self.fold:
            name = name.lower()
        rules = self.always | self.exact.get(name, 0)
        for suffix, bit in self.suffixes:
            if name.endswith(suffix):
                rules |= bit
        for matches, prefix, bit in self.matchers:
            if matches(prefix + name):
                rules |= bit
        said = self.said.get(rules)
        if said is None:
            said = self.said[rules] = self._together(rules)
        return said.copy()

    def _together(self, rules: int) -> dict[bytes, Value]:
        values: dict[bytes, Value] = {}
        for number, assignments in enumerate(self.assignments):
            if rules >> number & 1:
                _fill(values, assignments, self.macros)
        return {name: values.get(name) for name in self.names}


def _fill(values: dict[bytes, Value], assignments: Assignments, macros: dict[bytes, Assignments]) -> None:
    """Add what is not said yet. The last assignment counts first, a macro speaks where it is set."""
    waiting: list[Iterator[tuple[bytes, Value]]] = [reversed(assignments)]
    while waiting:
        for name, value in waiting[-1]:
            if name in values:
                continue
            values[name] = value
            if value is True and name in macros:
                waiting.append(reversed(macros[name]))
                break
        else:
            waiting.pop()


def _concerned(names: tuple[bytes, ...], macros: dict[bytes, Assignments]) -> set[bytes]:
    """*names*, and the macros that speak about them."""
    concerned: set[bytes] = set()
    users: dict[bytes, list[bytes]] = {}
    for macro, assignments in macros.items():
        for name, _ in assignments:
            users.setdefault(name, []).append(macro)
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in concerned:
            concerned.add(name)
            waiting += users.get(name, ())
    return concerned
