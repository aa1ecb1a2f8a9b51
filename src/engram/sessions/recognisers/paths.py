"""Paths of a folder's files as text: POSIX, relative, cheap to take apart."""

import hashlib
from collections.abc import Iterable

#: A catalogue keeps them in columns of that width, with room for what it escapes.
_LONGEST_DEVICE = 120


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


def device_name(text: str) -> str:
    r"""What a device may be called that a file or folder names: short and printable, and as distinct as the name was.

    >>> device_name("side_face"), device_name("side\nface")
    ('side_face', 'side_face~09090139')
    """
    if text.isprintable() and len(text) <= _LONGEST_DEVICE:
        return text
    plain = "".join(character if character.isprintable() else "_" for character in text[: _LONGEST_DEVICE - 9])
    return f"{plain}~{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:8]}"
