"""Names in double quotes, as git's text files have them.

Source: git's quote.c, "C-style quoting"
"""

import re

_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-3][0-7]{2})")
_MEANINGS = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b'"': b'"',
    b"\\": b"\\",
}
_QUOTED = re.compile(rb'"((?:[^"\\]|\\(?:[abfnrtv"\\]|[0-3][0-7]{2}))*)"', re.DOTALL)


def unquote_start(text: bytes) -> tuple[bytes, bytes] | None:
    r"""The quoted name that *text* starts with, and what follows it; ``None`` when it does not start with one.

    >>> unquote_start(rb'"a\tb\303\251" c')
    (b'a\tb\xc3\xa9', b' c')
    """
    match = _QUOTED.match(text)
    if match is None:
        return None
    return _ESCAPE.sub(_meaning, match[1]), text[match.end() :]


def _meaning(match: "re.Match[bytes]") -> bytes:
    escaped = match[1]
    return _MEANINGS.get(escaped) or bytes((int(escaped, 8),))
