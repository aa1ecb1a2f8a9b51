"""What a program complained about, in one line for people."""

from collections.abc import Iterable

#: Where git-annex goes on for its programmers. Source: git-annex 10.20261026 and earlier.
_BACKTRACE = ("HasCallStack backtrace:", "CallStack (from HasCallStack):")


def last_words(lines: Iterable[str]) -> str:
    r"""The last line that is not empty, '' for none; nothing of a backtrace.

    >>> last_words(["git-annex: no such folder", "HasCallStack backtrace:", "  throwM, called at Messages.hs"])
    'git-annex: no such folder'
    """
    last = ""
    for line in map(str.strip, lines):
        if line in _BACKTRACE:
            break
        last = line or last
    return last
