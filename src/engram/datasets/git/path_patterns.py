"""One pattern of a ``.gitignore`` or ``.gitattributes``, and the files that such patterns are read from.

Source: gitignore(5) "PATTERN FORMAT"
"""

import errno
import os
import re
from collections.abc import Callable
from typing import Final, NamedTuple, Self

from engram.datasets.git.small_files import read_small_file
from engram.datasets.git.wildmatch import SPECIAL, expression
from engram.model.errors import Unreadable

#: A larger file is passed over, as git does.
LARGEST_FILE_BYTES: Final = 100 << 20
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
#: What git takes for "no rules here", with a warning at most.
_NO_RULES = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG}
)


def later_git() -> bool:
    """That git is of version 2.52 or later, which takes the pattern of a path as a whole."""
    return False


class PathPattern(NamedTuple):
    """What a pattern says, ready for a fast test."""

    negative: bool
    #: Only folders are meant.
    dir_only: bool
    #: The last name of a path is tested; else the path relative to the folder of the file that holds the pattern.
    by_name: bool
    #: The whole text that matches, for a pattern without wildcards.
    exact: bytes | None = None
    #: The end of every text that matches, for a star and a text.
    suffix: bytes | None = None
    #: For the others; ``None`` when nothing can match. See `wildmatch.expression`.
    expression: bytes | None = None

    @classmethod
    def parse(cls, text: bytes, *, fold: bool = False, starts_anew: Callable[[], bool] = later_git) -> Self:
        """A pattern as it is written; with *fold* it is tested against text in lower case.

        For *starts_anew*, which is seldom asked, see `_path_expression`.

        >>> PathPattern.parse(b"!*.log/").suffix
        b'.log'
        """
        negative = text.startswith(b"!")
        text = text.removeprefix(b"!")
        dir_only = text.endswith(b"/")
        text = text.removesuffix(b"/")
        by_name = b"/" not in text
        text = text if by_name else text.removeprefix(b"/")
        wildcard = SPECIAL.search(text)
        exact = suffix = regular = None
        if wildcard is None:
            exact = text.lower() if fold else text
        elif by_name and text.startswith(b"*") and not SPECIAL.search(text, 1):
            suffix = text[1:].lower() if fold else text[1:]
        elif by_name:
            regular = expression(text, pathname=False, fold=fold)
        else:
            regular = _path_expression(text, wildcard.start(), fold, starts_anew)
        return cls(
            negative=negative, dir_only=dir_only, by_name=by_name, exact=exact, suffix=suffix, expression=regular
        )


def _path_expression(text: bytes, wildcard: int, fold: bool, starts_anew: Callable[[], bool]) -> bytes | None:
    """Before 2.52, a path's pattern starts anew at its first *wildcard*: ``a**/b`` is ``a`` and then ``**/b``.

    Source: git's RelNotes/2.52.0 ("foo**/bar")
    """
    within_a_name = text[wildcard - 1 : wildcard] not in (b"", b"/")
    if within_a_name and text.startswith(b"**", wildcard) and not starts_anew():
        return expression(text, pathname=True, fold=fold)
    start = text[:wildcard].lower() if fold else text[:wildcard]
    rest = expression(text[wildcard:], pathname=True, fold=fold)
    return None if rest is None else re.escape(start) + rest


def read_rules(path: bytes, *, follow: bool) -> bytes | None:
    """What the file at *path* holds; ``None`` if there is none, it is too large, no file, or must not be read.

    Args:
        path: where.
        follow: whether a symbolic link counts. Those in work trees do not: they came from somebody else.
    """
    try:
        data = read_small_file(path, follow=follow, largest_bytes=LARGEST_FILE_BYTES)
    except OSError as error:
        if error.errno in _NO_RULES:
            return None
        raise Unreadable(os.fsdecode(path), os.strerror(error.errno or 0)) from error
    return None if data is None else data.removeprefix(BYTE_ORDER_MARK)
