"""What a program complained about, in one line for people."""

from collections.abc import Iterable

#: Where git-annex goes on for its programmers, and git to explain itself.
#: Source: git-annex 10.20261026 and earlier; git's setup.c, setup_git_directory_gently().
_WHAT_FOLLOWS = (
    "HasCallStack backtrace:",
    "CallStack (from HasCallStack):",
    "Stopping at filesystem boundary (GIT_DISCOVERY_ACROSS_FILESYSTEM not set).",
)


def last_words(lines: Iterable[str]) -> str:
    r"""The last line that is not empty, '' for none; nothing of a backtrace or an explanation.

    >>> last_words(["git-annex: no such folder", "HasCallStack backtrace:", "  throwM, called at Messages.hs"])
    'git-annex: no such folder'
    >>> last_words(["fatal: not a git repository (or any parent up to mount point /data)", _WHAT_FOLLOWS[-1]])
    'fatal: not a git repository (or any parent up to mount point /data)'
    """
    last = ""
    for line in map(str.strip, lines):
        if line in _WHAT_FOLLOWS:
            break
        last = line or last
    return last
