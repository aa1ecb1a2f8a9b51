"""Annex links and pointer files: how a work tree, or a blob, names a key.

A locked file is a symbolic link into the object store; an unlocked file is recorded as a small *pointer file*.
git-annex reads both by one rule, and more forgivingly than it writes them.

Source: https://git-annex.branchable.com/internals/pointer_file/
"""

from typing import Final

from engram.datasets.annex.hashdirs import file_name_of, key_of, object_path
from engram.model.keys import is_plain, normal_form

#: A longer file is no pointer, whatever it begins with.
MAX_POINTER_BYTES: Final = 32768

_MARK: Final = b"/annex/objects/"
_LINE_MARK: Final = b"/annex/"


def key_in(text: bytes) -> bytes | None:
    r"""The key that a link target, or the content of a pointer file, names; ``None`` when it names none.

    No more than one byte beyond `MAX_POINTER_BYTES` need be given. A pointer with something else appended to it names
    none: git-annex takes it for content.

    >>> key_in(b"../.git/annex/objects/WM/pw/SHA256E-s5--abc/SHA256E-s5--abc")
    b'SHA256E-s5--abc'
    >>> key_in(b"/annex/objects/SHA256E-s5--abc\n")
    b'SHA256E-s5--abc'
    """
    name = text[text.rfind(b"/") + 1 :]
    if is_plain(name) and _MARK in text and b"\n" not in text and len(text) <= MAX_POINTER_BYTES:  # nearly every link
        return name
    line, _, rest = text.partition(b"\n")
    if len(text) > MAX_POINTER_BYTES or not _all_marked(rest):
        return None
    return _key_in_line(line)


def _key_in_line(line: bytes) -> bytes | None:
    if _MARK not in line:
        return None
    return normal_form(key_of(line[line.rfind(b"/") + 1 :].removesuffix(b"\r")))


def _all_marked(rest: bytes) -> bool:
    """Whether each further line is ended and carries the mark."""
    if not rest:
        return True
    return rest.endswith(b"\n") and all(_LINE_MARK in line for line in rest[:-1].split(b"\n"))


def pointer_of(key: bytes) -> bytes:
    r"""The content of the pointer file for a key.

    >>> pointer_of(b"SHA256E-s5--abc")
    b'/annex/objects/SHA256E-s5--abc\n'
    """
    return _MARK + file_name_of(key) + b"\n"


def link_of(path: bytes, key: bytes) -> bytes:
    """The target of the annex link at *path*, which is relative to the top of the work tree.

    >>> link_of(b"sub-01/anat/T1w.nii", b"SHA256E-s5--abc")
    b'../../.git/annex/objects/WM/pw/SHA256E-s5--abc/SHA256E-s5--abc'
    """
    return link_to(path, object_path(key))


def link_to(path: bytes, object_path: bytes) -> bytes:
    """As `link_of`, for an object whose path in the repository is known already."""
    return b"../" * path.count(b"/") + b".git/" + object_path
