"""Paths of a folder's files as text: POSIX, relative, cheap to take apart."""

from collections.abc import Iterable


def name_of(path: str) -> str:
    """The file's own name."""
    return path.rpartition("/")[2]


def folder_of(path: str) -> str:
    """The folder it lies in; '' for none."""
    return path.rpartition("/")[0]


def within(folder: str, name: str) -> str:
    """A path below a folder, which may be ''."""
    return f"{folder}/{name}" if folder else name


def by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    """Paths by the folder they lie in, in their order."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(folder_of(path), []).append(path)
    return found
