"""Names as the catalogue keeps them: byte-exact, and short enough for a constraint."""

import hashlib
import re

from engram.model.errors import UsageError

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


def given(name: str, what: str) -> str:
    """A name that a person gave, and others will read and type; *what* it is: ``name of a subject``.

    Raises `UsageError` for one that nobody could tell from another by looking.

    >>> given("Åse Lie", "name of a person")
    'Åse Lie'
    """
    if not name:
        raise UsageError(f"The {what} cannot be empty.", "Say what it is called.")
    if not name.isprintable():
        advice = "Type it anew: no line break, tab or other character that does not show."
        raise UsageError(f"{name[:60]!r} cannot be the {what}: it holds what cannot be seen.", advice)
    if name != name.strip():
        advice = f"Leave the blanks away: {name.strip()[:60]!r}" if name.strip() else "Say what it is called."
        raise UsageError(f"{name[:60]!r} cannot be the {what}: it begins or ends with a blank.", advice)
    return name


def path_key(text: str) -> str:
    """What stands for an escaped path of any length in a constraint: the first half of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:PATH_KEY_LENGTH]
