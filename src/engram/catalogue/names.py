"""Names as the catalogue keeps them: byte-exact, and short enough for a constraint."""

import hashlib
import re

#: Hex digits of the digest that stands for a path in a constraint; see `path_key`.
PATH_KEY_LENGTH = 32
_STRAY = re.compile("[\\\\\udc80-\udcff]")
_ESCAPED = re.compile(r"\\(?:\\|x([89a-f][0-9a-f]))")


def escaped(name: str) -> str:
    r"""A name that every database takes: a byte that is not UTF-8 as ``\xff``, a backslash as two.

    >>> print(escaped("a\udcffb"), unescaped(escaped("a\udcffb")) == "a\udcffb")
    a\xffb True
    """
    if name.isascii() and "\\" not in name:
        return name
    return _STRAY.sub(_as_text, name)


def _as_text(stray: re.Match[str]) -> str:
    return "\\\\" if stray[0] == "\\" else f"\\x{ord(stray[0]) - 0xDC00:02x}"


def unescaped(text: str) -> str:
    """The name behind what `escaped` gave."""
    return _ESCAPED.sub(lambda match: chr(0xDC00 + int(match[1], 16)) if match[1] else "\\", text)


def path_key(text: str) -> str:
    """What stands for an escaped path of any length in a constraint: the first half of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:PATH_KEY_LENGTH]
