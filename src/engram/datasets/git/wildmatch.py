"""git's wildcards as regular expressions that take no more than quadratic time.

A pattern that can never match, such as one with an unclosed ``[``, has no expression.

Source: gitignore(5) "PATTERN FORMAT", gitglossary(7) "pathspec", glob(7) for the classes.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

#: What a pattern without wildcards never holds.
SPECIAL: Final = re.compile(rb"[*?\[\\]")

Matcher: TypeAlias = Callable[[bytes], "re.Match[bytes] | None"]
#: One piece of a pattern: what it is, and its expression.
_Token: TypeAlias = tuple[str, bytes]

_STAR, _ANY, _FOLDERS, _SLASH, _ONE = "star", "any", "folders", "slash", "one"
#: Members of a class: ``[:name:]``; one byte, escaped or not; the same, or the end of a range.
_NAMED = re.compile(rb"\[:([^\]]*):\]")
_MEMBER = re.compile(rb"()\\?(.)", re.DOTALL)
_RANGE_END = re.compile(rb"(-(?!\]|\Z))?\\?(.)", re.DOTALL)
_EVERY = frozenset(range(1, 256))
_ALPHA = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGIT = frozenset(b"0123456789")
_GRAPH = frozenset(range(0x21, 0x7F))
_CLASSES = {
    b"alnum": _ALPHA | _DIGIT,
    b"alpha": _ALPHA,
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset([*range(32), 127]),
    b"digit": _DIGIT,
    b"graph": _GRAPH,
    b"lower": frozenset(b"abcdefghijklmnopqrstuvwxyz"),
    b"print": _GRAPH | {0x20},
    b"punct": _GRAPH - _ALPHA - _DIGIT,
    b"space": frozenset(b" \t\n\r"),
    b"upper": frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    b"xdigit": _DIGIT | frozenset(b"abcdefABCDEF"),
}


def matcher(expressions: list[bytes]) -> Matcher | None:
    """What tells whether a whole text matches one of *expressions*; ``None`` for no expression."""
    return re.compile(b"|".join(expressions), re.DOTALL).fullmatch if expressions else None


def expression(pattern: bytes, *, pathname: bool, fold: bool = False) -> bytes | None:
    r"""The expression (DOTALL, for the whole text) of a wildmatch pattern; ``None`` when nothing can match it.

    Args:
        pattern: without NUL.
        pathname: ``*``, ``?`` and classes stop at slashes, ``**`` between slashes does not.
        fold: case does not count. The text has to be given in lower case.

    >>> expression(b"*.[ch]", pathname=True)
    b'[^/]*\\.[\\x63\\x68]'
    >>> expression(b"a/**/b?", pathname=True)
    b'a/(?:.*/)?b[^/]'
    """
    tokens = _tokens(pattern, pathname, fold)
    return None if tokens is None else _in_depth(tokens, b"[^/]*" if pathname else b".*")


def _tokens(pattern: bytes, pathname: bool, fold: bool) -> list[_Token] | None:
    tokens: list[_Token] = []
    position, end = 0, len(pattern)
    while position < end:
        byte = pattern[position : position + 1]
        if byte == b"*":
            token, position = _stars(pattern, position, pathname)
        elif byte == b"[":
            allowed, position = _bracket(pattern, position + 1, fold)
            token = (_ONE, _expression_of(allowed - {0x2F} if pathname else allowed))
        else:
            token, position = _single(pattern[position : position + 2], pathname, fold), position + 1 + (byte == b"\\")
        if not token[1]:  # an unclosed or empty class, an escape with nothing behind it
            return None
        tokens.append(token)
    return tokens


def _single(text: bytes, pathname: bool, fold: bool) -> _Token:
    """One character: literal, escaped, or ``?``."""
    byte = text[:1]
    if byte == b"?":
        return _ONE, b"[^/]" if pathname else b"."
    if byte == b"\\":
        byte = text[1:]
        if fold and byte.isupper():  # the text is in lower case, what is escaped stays as it is
            return _ONE, b""
    elif fold:
        byte = byte.lower()
    return (_SLASH if byte == b"/" and pathname else _ONE), re.escape(byte)


def _stars(pattern: bytes, position: int, pathname: bool) -> tuple[_Token, int]:
    after = position
    while pattern[after : after + 1] == b"*":
        after += 1
    whole_folders = after - position > 1 and pattern[position - 1 : position] in (b"", b"/")
    if not pathname or not whole_folders:
        return (_STAR, b"*"), after
    if pattern[after : after + 1] == b"/":
        return (_FOLDERS, b"**/"), after + 1
    if after == len(pattern) or pattern[after : after + 2] == b"\\/":
        return (_ANY, b"**"), after
    return (_STAR, b"*"), after


def _bracket(pattern: bytes, position: int, fold: bool) -> tuple[frozenset[int], int]:
    """The bytes that a class, whose inside starts at *position*, allows, and where it ends; none if it is broken."""
    allowed: set[int] = set()
    negated = pattern.startswith((b"!", b"^"), position)
    position += negated
    previous, first = 0, True
    while first or not pattern.startswith(b"]", position):
        first = False
        named = _NAMED.match(pattern, position)
        if named:
            if named[1] not in _CLASSES:
                return frozenset(), position
            allowed |= _ALPHA if fold and named[1] == b"upper" else _CLASSES[named[1]]
            previous, position = 0, named.end()
            continue
        member = (_RANGE_END if previous else _MEMBER).match(pattern, position)
        if member is None:
            return frozenset(), position
        byte = member[2][0]
        allowed.update(_range(previous, byte, fold) if member[1] else (byte,))
        previous, position = (0 if member[1] else byte), member.end()
    return (_EVERY - allowed if negated else frozenset(allowed)), position + 1


def _range(first: int, last: int, fold: bool) -> Iterable[int]:
    members = bytes(range(first, last + 1))
    return members + members.lower() if fold else members


def _expression_of(allowed: frozenset[int]) -> bytes:
    """A class of the regular expression language; ``b""`` for the class of nothing."""
    runs: list[list[int]] = []
    for byte in sorted(allowed):
        if runs and runs[-1][1] == byte - 1:
            runs[-1][1] = byte
        else:
            runs.append([byte, byte])
    members = [b"\\x%02x" % first if first == last else b"\\x%02x-\\x%02x" % (first, last) for first, last in runs]
    return b"[%b]" % b"".join(members) if members else b""


def _in_depth(tokens: list[_Token], star: bytes) -> bytes:
    """Join what lies between the wildcards that cross folders.

    Each of those but the last takes as little as will do and never tries again, because what follows it spans a fixed
    number of folders: that keeps the cost of a hostile pattern down.
    """
    pieces = _split(tokens, (_FOLDERS, _ANY))
    found = [_in_folders(pieces[0][1], star)]
    for number, (deep, piece) in enumerate(pieces[1:], 2):
        text = _in_folders(piece, star)
        if number == len(pieces):
            found.append((b"(?:.*/)?" if deep == _FOLDERS else b".*") + text)
        else:
            found.append((b"(?>(?:.*?/)??%b)" if deep == _FOLDERS else b"(?>.*?%b)") % text)
    return b"".join(found)


def _in_folders(tokens: list[_Token], star: bytes) -> bytes:
    """Join what lies between single stars; all but the last of one folder take as little as will do, once."""
    pieces = _split(tokens, (_STAR,))
    found = [b"".join(text for _, text in pieces[0][1])]
    for number, (_, piece) in enumerate(pieces[1:], 2):
        text = b"".join(text for _, text in piece)
        is_last = number == len(pieces) or any(kind == _SLASH for kind, _ in piece)
        found.append(star + text if is_last else b"(?>%b?%b)" % (star, text))
    return b"".join(found)


def _split(tokens: list[_Token], kinds: tuple[str, ...]) -> list[tuple[str, list[_Token]]]:
    """Runs of tokens, each behind the token of *kinds* that comes before it (none for the first)."""
    pieces: list[tuple[str, list[_Token]]] = [("", [])]
    for token in tokens:
        if token[0] in kinds:
            pieces.append((token[0], []))
        else:
            pieces[-1][1].append(token)
    return pieces
