"""Globs as git-annex reads them in ``include=``, ``exclude=``, ``mimetype=`` and ``mimeencoding=``.

``*`` and ``?`` match across ``/``; case matters; a set is ``[abc]``, ``[a-z]``, ``[!abc]`` or ``[^abc]``. git-annex
compiles a glob to a POSIX regular expression whose anchors hold at every line, so a name with a line feed matches when
one of its lines does.

Source: https://git-annex.branchable.com/git-annex-matching-expression/, and answers of ``git annex matchexpression``
"""

import re
from collections.abc import Iterator

_ANY_CHARACTER = "[^\n]"
#: git-annex takes these for something else than themselves: anchors, and runs of backslashes.
_UNUSUAL = frozenset("`'<>\\")
#: Beginnings of what POSIX knows inside a set: classes, collating elements, equivalence classes.
_POSIX = re.compile(r"\[[:.=]")


class NoGlob(ValueError):
    """Text that git-annex fails on when it uses it as a glob."""


class UnusualGlob(ValueError):
    """A glob that only git-annex itself should read."""


def pattern_of(glob: str) -> re.Pattern[str]:
    """The glob as a pattern to `search` with, in time that grows with the text times the glob.

    Raises `NoGlob` and `UnusualGlob`.

    >>> bool(pattern_of("*.ni[ix]").search("sub-01/anat/T1w.nii"))
    True
    """
    first, *others = re.split(r"\*+", glob) if "[" not in glob else _between_stars(glob)
    start = "".join(_characters(first))
    if not others:
        return re.compile(f"^{start}$", re.MULTILINE)
    *middle, last = ("".join(_characters(piece)) for piece in others)
    # What stands between two stars is best found as early as possible: no other place need be tried.
    early = "".join(f"(?>{_ANY_CHARACTER}*?{piece})" for piece in middle if piece)
    return re.compile(f"^{start}{early}{_ANY_CHARACTER}*{last}$", re.MULTILINE)


def _between_stars(glob: str) -> list[str]:
    """The pieces between stars; a star inside a set is none."""
    pieces = [""]
    rest = glob
    while rest:
        if rest[0] == "[":
            end = _end_of_set(rest)
            pieces[-1] += rest[:end]
            rest = rest[end:]
        elif rest[0] == "*":
            pieces.append("")
            rest = rest.lstrip("*")
        else:
            pieces[-1] += rest[0]
            rest = rest[1:]
    return pieces


def _end_of_set(text: str) -> int:
    end = text.find("]") + 1
    if not end:
        raise NoGlob("a [ is not closed")
    return end


def _characters(piece: str) -> Iterator[str]:
    """Each character, and each set, as a pattern."""
    while piece:
        if piece[0] == "[":
            end = _end_of_set(piece)
            yield _set(piece[1 : end - 1])
            piece = piece[end:]
            continue
        if piece[0] in _UNUSUAL:
            raise UnusualGlob(f"{piece[0]} in a pattern")
        yield _ANY_CHARACTER if piece[0] == "?" else re.escape(piece[0])
        piece = piece[1:]


def _set(members: str) -> str:
    negated = members.startswith(("!", "^"))
    members = members[negated:]
    if not members or _POSIX.search(members) or members.endswith("["):
        raise UnusualGlob("an unusual set of characters in a pattern")
    inside = "".join(_members(members))
    return f"[^\n{inside}]" if negated else f"[{inside}]"


def _members(members: str) -> Iterator[str]:
    """Each character and each range of a set."""
    place = 0
    while place < len(members):
        low = members[place]
        if members[place + 1 : place + 2] == "-" and place + 2 < len(members):
            high = members[place + 2]
            if low > high:
                raise NoGlob(f"{low}-{high} is no range")
            yield f"{re.escape(low)}-{re.escape(high)}"
            place += 3
        else:
            yield re.escape(low)
            place += 1
