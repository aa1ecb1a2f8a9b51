"""Names on a share: which cannot be held everywhere, and which are left out by a pattern."""

import re
from collections.abc import Iterable
from functools import lru_cache

#: What Windows and SMB refuse in a name, control characters, and bytes that are not UTF-8.
#: Source: https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_AWKWARD = re.compile(r'[<>:"|?*\\\x01-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]')
#: Names that Windows keeps for devices, whatever their extension.
_DEVICES = re.compile(
    "/(?:"
    + "|".join("".join(f"[{each}{each.upper()}]" for each in name) for name in (*("con", "prn", "aux", "nul"),))
    + "|(?:[cC][oO][mM]|[lL][pP][tT])[1-9])[./]"
)


def awkward(names: Iterable[str]) -> list[str]:
    r"""The names that some file systems cannot hold. Nearly free when there is none.

    >>> awkward(["a.bin", "what?.txt", "aux.txt", "dot.", "x\x1b[2J", "latin-1 \udce9", "Zürich", "com1x"])
    ['what?.txt', 'aux.txt', 'dot.', 'x\x1b[2J', 'latin-1 \udce9']
    """
    together = f"/{'/'.join(names)}/"
    if not _is_awkward(together):
        return []
    return [name for name in names if _is_awkward(f"/{name}/")]


@lru_cache(maxsize=1024)  # rigs and programs give the same names to the files of every session
def _is_awkward(text: str) -> bool:
    """Whether one of the names in *text* is; a slash before each, and one behind the last."""
    return "./" in text or " /" in text or bool(_AWKWARD.search(text) or _DEVICES.search(text))


class Excluded:
    """Which paths a share leaves out.

    >>> excluded = Excluded(["**/logs/**", "*.tmp", "12345/trial?.avi"])
    >>> [excluded.folder(path) for path in ("a/logs", "logs", "a/logs/b", "a/blogs", "x.tmp")]
    [True, True, True, False, True]
    >>> [excluded.file(path) for path in ("a/logs/x.txt", "a/b.tmp", "12345/trial1.avi", "12345/a/trial1.avi")]
    [True, True, True, False]
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = tuple(patterns)
        self.any = bool(patterns)
        self._files = _one_of(patterns)
        self._folders = _one_of([*patterns, *(one.removesuffix("/**") for one in patterns if one.endswith("/**"))])

    def file(self, path: str) -> bool:
        """Whether a file is left out; *path* is relative to the share."""
        return self._files.fullmatch(path) is not None

    def folder(self, path: str) -> bool:
        """Whether a folder is left out, with everything below."""
        return self._folders.fullmatch(path) is not None


def _one_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_regular, patterns)) or r"(?!)", re.DOTALL)


_WILD = re.compile(r"(\*\*/|/\*\*$|\*\*|\*|\?)")


def _regular(pattern: str) -> str:
    """A pattern as a regular expression: ``*`` stays within a name, ``**`` does not; without / it fits any name."""
    pattern = pattern.strip("/")
    if "/" not in pattern and pattern != "**":
        pattern = f"**/{pattern}"
    wild = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(piece, re.escape(piece)) for piece in _WILD.split(pattern))
