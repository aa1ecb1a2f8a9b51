"""The files below one session's folder, as recognisers look at them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from engram.model.errors import Unreadable
from engram.sessions.scanning.disk import Disk

#: What reads a file with a heavy library, in a process of its own: absolute path and reader in, facts out.
Worker: TypeAlias = Callable[[str, str], Mapping[str, object]]


class SeenFolder:
    """A `Folder` of `engram.sessions.recogniser`. Sizes and times that were asked for are kept."""

    def __init__(self, root: str, files: Sequence[str], *, subject: str, disk: Disk, worker: Worker) -> None:
        self.name = root.rpartition("/")[2]
        self.subject = subject
        #: Size and time of the files that were asked for.
        self.stats: dict[str, tuple[int, int]] = {}
        self._root = root
        self._files = files
        self._asked: dict[str, Sequence[str]] = {}
        self._held: frozenset[str] | None = None
        self._disk = disk
        self._worker = worker
        #: Files by what follows the last dot of their name, in lower case.
        self.by_extension = by_extension(files)

    def files(self) -> Sequence[str]:
        return self._files

    def ending(self, *suffixes: str) -> Sequence[str]:
        kinds = kinds_of(suffixes)
        if kinds is not None and kinds.isdisjoint(self.by_extension):
            return ()
        lists = [found for suffix, kind in _with_kinds(suffixes) if (found := self._ending(suffix, kind))]
        if len(lists) < 2:
            return lists[0] if lists else ()
        return sorted({path for found in lists for path in found})

    def _ending(self, suffix: str, kind: str | None) -> Sequence[str]:
        """Sorted, as the files are. Many recognisers ask for the same, so that it is kept."""
        candidates = self._files if kind is None else self.by_extension.get(kind, ())
        if not candidates or (kind is not None and len(suffix) == len(kind) + 1):
            return candidates
        found = self._asked.get(suffix)
        if found is None:
            found = self._asked[suffix] = [path for path in candidates if path.lower().endswith(suffix)]
        return found

    def holds(self, path: str) -> bool:
        if self._held is None:  # most folders are never asked
            self._held = frozenset(self._files)
        return path in self._held

    def size_bytes(self, path: str) -> int:
        return self.stat(path)[0]

    def modified_ns(self, path: str) -> int:
        return self.stat(path)[1]

    def stat(self, path: str) -> tuple[int, int]:
        """Size and time of a file. Raises `Unreadable`."""
        found = self.stats.get(path)
        if found is None:
            try:
                found = self.stats[path] = self._disk.stat(f"{self._root}/{path}")
            except OSError as error:
                raise Unreadable(path, error.strerror or str(error)) from error
        return found

    def read(self, path: str, count: int, offset: int = 0) -> bytes:
        try:
            return self._disk.read(f"{self._root}/{path}", count, offset)
        except Unreadable as error:
            raise Unreadable(path, error.reason) from error
        except OSError as error:
            raise Unreadable(path, error.strerror or str(error)) from error

    def in_worker(self, path: str, reader: str) -> Mapping[str, object]:
        return self._worker(f"{self._root}/{path}", reader)


@cache
def _with_kinds(suffixes: tuple[str, ...]) -> tuple[tuple[str, str | None], ...]:
    """Endings, each once, with what follows the last dot of a name that has it; ``None`` when anything may."""
    kinds = [(suffix, kinds_of((suffix,))) for suffix in dict.fromkeys(suffixes)]
    return tuple((suffix, None if kind is None else min(kind)) for suffix, kind in kinds)


@cache
def kinds_of(suffixes: tuple[str, ...]) -> frozenset[str] | None:
    """What may follow the last dot of a name with one of these endings; ``None`` when anything may."""
    if all("." in suffix and "/" not in suffix for suffix in suffixes):
        return frozenset(suffix.rpartition(".")[2] for suffix in suffixes)
    return None


def extension(path: str) -> str:
    """What follows the last dot of a file's name, in lower case; '' where there is none."""
    _, dot, found = path.rpartition(".")
    return found.lower() if dot and "/" not in found else ""


def by_extension(paths: Sequence[str]) -> dict[str, list[str]]:
    """Files by what follows the last dot of their names, in lower case, each list in their order."""
    found: dict[str, list[str]] = {}
    for path in paths:
        _, dot, kind = path.rpartition(".")
        kind = kind.lower() if dot and "/" not in kind else ""
        if kind in found:
            found[kind].append(path)
        else:
            found[kind] = [path]
    return found
