"""What is left of a dataset that somebody removed half, and what to do about it.

``rm -rf`` stops at the contents of an annex: git-annex takes the right to write from the folders that hold them.
"""

import os
from shlex import quote

from engram.datasets.git.refs import repository_in
from engram.datasets.git.small_files import read_small_file
from engram.model.errors import BrokenDataset, DamagedRepository, Unreadable

#: What git does not do without.
_NEEDED = ("HEAD", "objects", "refs")


def remains(folder: str, top: str = "") -> BrokenDataset | None:
    """The nearest dataset at or above *folder* that is not whole; ``None`` when there is none.

    Args:
        top: the first folder above that is no longer looked at; '' for all.
    """
    while folder != top:
        if os.path.lexists(os.path.join(folder, ".git")) and (found := _broken(folder)):
            return found
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return None


def _broken(folder: str) -> BrokenDataset | None:
    try:
        if repository_in(os.fsencode(folder)) is not None:
            return None
    except (DamagedRepository, Unreadable):  # which says what is wrong, where it is opened
        return None
    dot_git = os.path.join(folder, ".git")
    if not os.path.isdir(dot_git):
        return _leading_nowhere(folder, dot_git)
    gone = [name for name in _NEEDED if not os.path.lexists(os.path.join(dot_git, name))]
    if not gone or not os.listdir(dot_git):
        return None
    annex = os.path.join(dot_git, "annex")
    contents = os.path.join(annex, "objects")
    has_own = os.path.isdir(contents) and not os.path.islink(annex)  # a throw-away clone has another's
    kept = f"; contents may be left in {contents}" if has_own else ""
    away = f"chmod -R u+w {quote(folder)} && rm -rf {quote(folder)}"
    return BrokenDataset(
        folder,
        f"its .git lacks {', '.join(gone)}{kept}",
        f"If it was to be removed: {away}. If not, keep it, and clone the dataset anew beside it.",
    )


def _leading_nowhere(folder: str, dot_git: str) -> BrokenDataset | None:
    if os.path.islink(dot_git):
        target = os.readlink(dot_git)
    else:
        text = read_small_file(os.fsencode(dot_git), follow=False) or b""
        if not text.startswith(b"gitdir: "):
            return None
        target = os.fsdecode(text.removeprefix(b"gitdir: ").rstrip(b"\r\n"))
    if os.path.lexists(os.path.join(folder, target)):
        return None
    return BrokenDataset(
        folder,
        f"its .git leads to {target}, where nothing is",
        f"Put that folder back, or remove what is left: rm {quote(dot_git)}",
    )
