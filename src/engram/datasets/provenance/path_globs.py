"""Names of inputs and outputs as patterns: what they match now, and what stands in a record.

As DataLad's: ``*``, ``?``, ``[…]`` and ``**`` in the way of Python's `glob`, each pattern's matches in order; ``.`` is
never expanded. Source: runs of DataLad 1.7.1.
"""

import os
from collections.abc import Iterator, Sequence

_MAGIC = frozenset("*?[")


class PathGlobs:
    """Some patterns, relative to a folder. What they match is looked up once, until `look_again`."""

    def __init__(self, patterns: Sequence[str], folder: str, *, expand: bool = False) -> None:
        self._folder = folder
        self._expand = expand
        self._dot = ["."] if any(pattern.strip() == "." for pattern in patterns) else []
        self._patterns = [
            os.path.relpath(pattern, folder) if os.path.isabs(pattern) else pattern
            for pattern in patterns
            if pattern.strip() != "."
        ]
        self._found: dict[str, tuple[str, list[str]]] | None = None

    def __bool__(self) -> bool:
        return bool(self._dot or self._patterns)

    @property
    def recorded(self) -> list[str]:
        """What stands in a record: the patterns, or, where that was asked for, what they match."""
        return self.expanded() if self._expand else [*self._dot, *self._patterns]

    @property
    def declared(self) -> bool:
        """Whether anything was named at all."""
        return bool(self)

    @property
    def misses(self) -> list[str]:
        """The patterns that match nothing, not even in part."""
        return [pattern for pattern, (kind, _) in self._matches().items() if kind == "miss"]

    def expanded(self, *, dot: bool = True) -> list[str]:
        """What they match; else folders above, where a subdataset may be missing; else the pattern itself."""
        found = self._matches()
        names = [name for pattern in self._patterns for name in found[pattern][1]]
        return [*(self._dot if dot else ()), *names]

    def existing(self) -> list[str]:
        """What is there, and nothing else."""
        found = self._matches()
        names = [name for pattern in self._patterns if found[pattern][0] == "hit" for name in found[pattern][1]]
        return [*self._dot, *names]

    def look_again(self) -> None:
        """Forget what was found: files may have come or gone."""
        self._found = None

    def _matches(self) -> dict[str, tuple[str, list[str]]]:
        if self._found is None:
            self._found = {pattern: self._match(pattern) for pattern in self._patterns}
        return self._found

    def _match(self, pattern: str) -> tuple[str, list[str]]:
        if hits := self._look_up(pattern):
            return "hit", hits
        for above in _above(pattern):
            if hits := self._look_up(above):
                return "part", hits
        return "miss", [pattern]

    def _look_up(self, pattern: str) -> list[str]:
        if not _MAGIC & set(pattern):
            there = os.path.lexists(os.path.join(self._folder, pattern))
            return [_normal(pattern)] if there else []
        from glob import glob  # late: most names are no patterns

        return sorted(map(_normal, glob(pattern, root_dir=self._folder, recursive=True)))


def _normal(name: str) -> str:
    """A name as it is recorded: without detours, but ``./x`` and a slash at the end stay."""
    normal = os.path.normpath(name) + ("" if os.path.basename(name) else "/")
    return name if name == f"./{normal}" else normal


def _above(pattern: str) -> Iterator[str]:
    """The folders in a pattern that are patterns themselves, the deepest first."""
    parts = pattern.rstrip("/").split("/")
    seen = False
    for end in range(len(parts) - 1, 0, -1):
        seen = seen or bool(_MAGIC & set(parts[end])) or bool(_MAGIC & set(parts[end - 1]))
        head = "/".join(parts[:end])
        if seen and _MAGIC & set(head):
            yield head + "/"
