"""Datasets in the states that real life brings them into: in the middle of a merge, bare, shallow, read-only.

Each maker gets a folder with a dataset called `ORIGIN` and a clone of it called `CLONE` (as `two_datasets` makes them),
brings the clone into its state with the real git and git-annex, and says where it is. `STATES` names all of them.

Source: https://git-annex.branchable.com/git-annex-adjust/, https://git-annex.branchable.com/upgrades/
"""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from engram.testing.places import remove_tree

ORIGIN, CLONE = "origin", "clone"
#: Annexed files of which the clone has the first, and the origin all.
ANNEXED = ("a.dat", "folder/b.dat", "folder/c.dat")
#: A file that git itself keeps.
TEXT = "notes.txt"

#: Brings the clone in a folder into a state, and gives the dataset to work in.
State: TypeAlias = Callable[[Path], Path]

_ATTRIBUTES = "* annex.backend=SHA256E\n*.txt annex.largefiles=nothing\n.* annex.largefiles=nothing\n"
_ID = "dataset.id"


def git(folder: Path, *arguments: str, fine: tuple[int, ...] = (0,)) -> str:
    """What git prints in a folder."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in fine:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def two_datasets(folder: Path) -> Path:
    """Make both datasets in *folder*; each path between them is relative, so that copies of *folder* are at home."""
    origin, clone = folder / ORIGIN, folder / CLONE
    git(folder, "init", "-q", "-b", "main", ORIGIN)
    git(origin, "annex", "init", "-q", ORIGIN)
    (origin / ".datalad").mkdir()
    git(origin, "config", "--file", ".datalad/config", f"datalad.{_ID}", "00000000-1111-4222-8333-444444444444")
    (origin / ".gitattributes").write_text(_ATTRIBUTES)
    (origin / "folder").mkdir()
    (origin / TEXT).write_text("first\n")
    for name in ANNEXED:
        (origin / name).write_text(f"the content of {name}\n" * 50)
    git(origin, "annex", "add", "-q", ".")
    git(origin, "commit", "-q", "-m", "first")
    (origin / TEXT).write_text("first\nsecond\n")
    git(origin, "commit", "-q", "-a", "-m", "second")
    git(folder, "clone", "-q", ORIGIN, CLONE)
    git(clone, "remote", "set-url", "origin", f"../{ORIGIN}")
    git(clone, "annex", "init", "-q", CLONE)
    git(clone, "annex", "get", "-q", ANNEXED[0])
    return folder


def usual(folder: Path) -> Path:
    """Nothing special about it."""
    return folder / CLONE


def detached_head(folder: Path) -> Path:
    """On a commit, not on a branch."""
    git(folder / CLONE, "checkout", "-q", "--detach", "HEAD~1")
    return folder / CLONE


def unborn_branch(folder: Path) -> Path:
    """A branch without a commit, and nothing in the work tree."""
    git(folder / CLONE, "switch", "-q", "--orphan", "fresh")
    return folder / CLONE


def empty_repository(folder: Path) -> Path:
    """Made by git a moment ago: no commit on any branch, no annex."""
    remove_tree(folder / CLONE)
    git(folder, "init", "-q", CLONE)
    return folder / CLONE


def merge_in_progress(folder: Path) -> Path:
    """Two sides changed one line, and git waits for somebody to choose."""
    clone = folder / CLONE
    git(clone, "checkout", "-q", "-b", "theirs")
    (clone / TEXT).write_text("theirs\n")
    git(clone, "commit", "-q", "-a", "-m", "theirs")
    git(clone, "checkout", "-q", "-")
    (clone / TEXT).write_text("ours\n")
    git(clone, "commit", "-q", "-a", "-m", "ours")
    git(clone, "merge", "-q", "theirs", fine=(1,))
    return clone


def bare(folder: Path) -> Path:
    """A repository without a work tree, with some content."""
    remove_tree(folder / CLONE)
    git(folder, "clone", "-q", "--bare", ORIGIN, CLONE)
    git(folder / CLONE, "remote", "set-url", "origin", f"../{ORIGIN}")
    git(folder / CLONE, "annex", "init", "-q", CLONE)
    git(folder / CLONE, "annex", "get", "-q", "--all")
    return folder / CLONE


def linked_work_tree(folder: Path) -> Path:
    """A second work tree of the clone, on a branch of its own."""
    git(folder / CLONE, "worktree", "add", "-q", "-b", "other", "../second")
    return folder / "second"


def shallow(folder: Path) -> Path:
    """History ends at the last commit."""
    remove_tree(folder / CLONE)
    git(folder, "clone", "-q", "--depth", "1", "--no-single-branch", f"file://{folder / ORIGIN}", CLONE)
    git(folder / CLONE, "remote", "set-url", "origin", f"../{ORIGIN}")
    git(folder / CLONE, "annex", "init", "-q", CLONE)
    git(folder / CLONE, "annex", "get", "-q", ANNEXED[0])
    return folder / CLONE


def adjusted(folder: Path) -> Path:
    """On the branch that git-annex makes where all files are unlocked."""
    git(folder / CLONE, "annex", "adjust", "--quiet", "--unlock")
    return folder / CLONE


def _of_version(folder: Path, version: str) -> Path:
    git(folder / CLONE, "config", "annex.version", version)
    return folder / CLONE


def version_8(folder: Path) -> Path:
    """Made by a git-annex of years ago, which others may still use on it."""
    return _of_version(folder, "8")


def version_9(folder: Path) -> Path:
    """The same, on its way to today's."""
    return _of_version(folder, "9")


def without_datalad(folder: Path) -> Path:
    """Made with git-annex alone."""
    git(folder / CLONE, "rm", "-q", "-r", ".datalad", ".gitattributes")
    git(folder / CLONE, "commit", "-q", "-m", "without")
    return folder / CLONE


def never_initialised(folder: Path) -> Path:
    """Cloned by somebody who knows git only."""
    remove_tree(folder / CLONE)
    git(folder, "clone", "-q", ORIGIN, CLONE)
    git(folder / CLONE, "remote", "set-url", "origin", f"../{ORIGIN}")
    return folder / CLONE


def plain_git(folder: Path) -> Path:
    """No annex, no DataLad, nowhere."""
    remove_tree(folder / CLONE)
    git(folder, "init", "-q", "-b", "main", CLONE)
    clone = folder / CLONE
    (clone / "folder").mkdir()
    for name in (*ANNEXED, TEXT):
        (clone / name).write_text(f"the content of {name}\n" * 50)
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "first")
    return clone


def plain_submodule(folder: Path) -> Path:
    """A submodule that is no dataset, and one that is not installed."""
    clone = folder / CLONE
    git(folder, "init", "-q", "-b", "main", "tool")
    (folder / "tool" / "main.c").write_text("int main(void) { return 0; }\n")
    git(folder / "tool", "add", ".")
    git(folder / "tool", "commit", "-q", "-m", "tool")
    for name in ("tool", "absent"):
        git(clone, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../tool", name)
    git(clone, "commit", "-q", "-m", "tools")
    git(clone, "submodule", "--quiet", "deinit", "-f", "absent")
    return clone


def with_missing_objects(folder: Path) -> Path:
    """The blob of a text file is gone from git, as after a disk gave up."""
    clone = folder / CLONE
    git(clone, "repack", "-a", "-d", "-q")
    (clone / TEXT).write_text("third\n")
    git(clone, "commit", "-q", "-a", "-m", "third")
    name = git(clone, "rev-parse", f"HEAD:{TEXT}").strip()
    (clone / ".git" / "objects" / name[:2] / name[2:]).unlink()
    return clone


def rebase_in_progress(folder: Path) -> Path:
    """Stopped in the middle, at a conflict."""
    clone = merge_in_progress(folder)
    git(clone, "merge", "--abort")
    git(clone, "rebase", "-q", "theirs", fine=(1,))
    return clone


def origin_gone(folder: Path) -> Path:
    """The sibling has moved, and nobody told."""
    os.rename(folder / ORIGIN, folder / "elsewhere")
    return folder / CLONE


def read_only(folder: Path) -> Path:
    """Nothing in it may be written, as on a share. Only for who is not above permissions."""
    for path, _, files in os.walk(folder / CLONE, topdown=False):
        for name in (*files, "."):
            place = os.path.join(path, name)
            if not os.path.islink(place):
                os.chmod(place, stat.S_IMODE(os.stat(place).st_mode) & ~0o222)
    return folder / CLONE


#: All of the above but for `read_only`, which stops nobody who is root.
STATES: tuple[State, ...] = (
    usual,
    detached_head,
    unborn_branch,
    empty_repository,
    merge_in_progress,
    rebase_in_progress,
    bare,
    linked_work_tree,
    shallow,
    adjusted,
    version_8,
    version_9,
    without_datalad,
    never_initialised,
    plain_git,
    plain_submodule,
    with_missing_objects,
    origin_gone,
)
