"""What a repository brings along that would run: its hooks, and the programs its own configuration names.

A repository that came by ``git clone`` brings none of it; one that was copied, unpacked or shared does. Reading never
runs any; writing refuses until the user allowed exactly these (`engram trust`).

Source: githooks(5), git-config(1), git-annex(1) "CONFIGURATION".
"""

import hashlib
import os
import re
from collections.abc import Iterable

from engram.datasets.git.config import GitConfig
from engram.datasets.git.refs import find_repository
from engram.model.errors import Unreadable
from engram.model.records import record

#: The hooks git-annex installs, word for word after its two first lines: they are carried out natively.
#: Source: git-annex 10.20261026 and earlier, ``git annex init``.
_ANNEX_HOOK_START = b"#!/bin/sh\n# automatically configured by git-annex\n"
_ANNEX_HOOKS = {
    b"pre-commit": {b"git annex pre-commit .\n"},
    b"post-checkout": {b"git annex smudge --update\n"},
    b"post-merge": {b"git annex smudge --update\n"},
    b"post-receive": {
        b"git annex post-receive\n",
        b"if git annex post-receive --help >/dev/null 2>&1; then git annex post-receive; fi\n",
    },
    b"pre-push": {b"if git annex pre-push --help >/dev/null 2>&1; then git annex pre-push; fi\n"},
}

#: Settings that name a program, lower case, ``*`` for a subsection.
_COMMANDS = re.compile(
    r"core\.(fsmonitor|sshcommand|pager|editor|hookspath|askpass|gitproxy|alternaterefscommand)"
    r"|sequence\.editor|pager\..+|alias\..+|gpg\.(.+\.)?program|gpg\.ssh\.defaultkeycommand"
    r"|filter\..+\.(clean|smudge|process)|diff\.external|diff\..+\.(command|textconv)|merge\..+\.driver"
    r"|(difftool|mergetool)\..+\.(cmd|path)|interactive\.difffilter|credential\.(.+\.)?helper"
    r"|(man|browser|instaweb|web|guitool|sendemail|trailer)\..+\.?(cmd|path|command|browser|smtpserver|tocmd|cccmd)"
    r"|remote\..+\.(uploadpack|receivepack|vcs|proxy)|submodule\..+\.update|uploadpack\.packobjectshook"
    r"|hook\..+\.command|gc\.recentobjectshook"
    r"|receive\.procreceiverefs|protocol\.ext\.allow|include\.path|includeif\..+\.path"
    r"|annex\..*(command|program|options|hook)|remote\..+\.annex-.*(command|hook|options|program|externaltype|shell|transport)"
    r"|annex\.(dbdir|security\..+)|remote\..+\.annex-(ssh|rsync|bup|gnupg|ddar|borg).*"
    r"|datalad\.result-hook\..+|datalad\..*(procedures?|command|cmdexec)(\..+)?"
)
#: What git-annex sets itself; the filter that is its own.
_FINE = {
    ("filter.annex.clean", "git-annex smudge --clean -- %f"),
    ("filter.annex.smudge", "git-annex smudge -- %f"),
    ("filter.annex.process", "git-annex filter-process"),
}
#: Values that switch something on or off and name nothing.
_WORDS = {"", "true", "false", "yes", "no", "on", "off", "0", "1"}


@record(eq=False, kw_only=False)
class Brought:
    """One thing that would run."""

    #: For people: ``hook pre-commit``, ``core.sshCommand``.
    name: str
    #: What exactly would run.
    content: bytes


def brought_hooks(hooks_folder: bytes) -> list[Brought]:
    """The hooks of a repository that git would run, but for git-annex's own. A link is read through."""
    found = []
    try:
        names = sorted(os.listdir(hooks_folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    for name in names:
        place = os.path.join(hooks_folder, name)
        if name.endswith(b".sample") or not os.path.isfile(place) or not os.access(place, os.X_OK):
            continue
        try:
            with open(place, "rb") as file:
                content = file.read()
        except PermissionError as error:  # what cannot be looked at cannot be allowed
            raise Unreadable(os.fsdecode(place), os.strerror(error.errno or 0)) from error
        line = content.removeprefix(_ANNEX_HOOK_START)
        if content == line or line not in _ANNEX_HOOKS.get(name, set()):
            found.append(Brought(f"hook {os.fsdecode(name)}", content))
    return found


def named_hooks_folders(settings: Iterable[tuple[str, str]], work_tree: str) -> list[bytes]:
    """Where a repository's own settings (name, value) would have git look for hooks: in the work tree, perhaps."""
    named = [os.path.expanduser(value) for name, value in settings if name == "core.hookspath" and value]
    return [os.fsencode(os.path.join(work_tree, folder)) for folder in named]


def brought_settings(settings: Iterable[tuple[str, str]]) -> list[Brought]:
    """Those of a repository's own settings (name, value) that name a program to run."""
    return [
        Brought(name, value.encode("utf-8", "surrogateescape"))
        for name, value in settings
        if _COMMANDS.fullmatch(name.lower()) and (name.lower(), value) not in _FINE and value.lower() not in _WORDS
    ]


#: Parts of a repository that git, git-annex or engram write to: a link there leads the writing elsewhere.
_WRITTEN = (
    "HEAD config index objects objects/info objects/pack packed-refs refs refs/heads refs/remotes refs/tags logs"
    " logs/refs logs/refs/heads logs/HEAD info info/attributes hooks annex annex/objects annex/journal"
    " annex/journal-private annex/othertmp annex/tmp annex/bad annex/index annex/index.lck annex/journal.lck"
    " annex/keysdb engram engram/tmp engram/lock"
).split()


def brought_links(work_tree: str, git_dir: str, *, common_dir: str = "", origin: str = "") -> list[Brought]:
    """Where the repository has links in itself, or is itself elsewhere without that place knowing of it.

    A linked work tree and an absorbed submodule are known where they lie; a ``.git`` that somebody wrote is not.
    A throw-away clone (DataLad's ``--reckless ephemeral``) has the annex of its *origin*, which is fine.
    """
    common_dir = common_dir or git_dir
    found = []
    if not _lies_in_its_place(work_tree, git_dir):
        found.append(Brought("a .git that lies elsewhere", os.fsencode(os.path.realpath(git_dir))))
    linked = _is_linked_work_tree(git_dir, common_dir)
    if not linked and os.path.realpath(common_dir) != os.path.realpath(git_dir):
        found.append(Brought("a .git that is part of another", os.fsencode(os.path.realpath(common_dir))))
    for name in _WRITTEN:
        place = os.path.join(git_dir, name)
        if os.path.islink(place) and not (
            name == "annex" and _is_annex_of(origin, work_tree, common_dir if linked else "", place)
        ):
            found.append(Brought(f"link .git/{name}", os.fsencode(os.readlink(place))))
    return found


def _is_annex_of(origin: str, work_tree: str, common_dir: str, place: str) -> bool:
    """Whether a link leads to the annex of a linked work tree's repository, or of this user's own at the path *origin*.

    A relative one starts from the work tree.

    Source: git-annex makes the former itself, in ``.git/worktrees/NAME``.
    """
    target = os.path.realpath(place)
    if common_dir and target == os.path.join(os.path.realpath(common_dir), "annex"):
        return True
    origin = origin.removeprefix("file://")
    if not origin or (not os.path.isabs(origin) and ":" in origin.partition("/")[0]):
        return False
    origin = os.path.join(work_tree, origin)
    own = os.path.isdir(target) and os.stat(target).st_uid == os.geteuid()
    return own and target in {os.path.realpath(os.path.join(origin, part, "annex")) for part in (".git", "")}


def _is_linked_work_tree(git_dir: str, common_dir: str) -> bool:
    """Whether a repository's own folder lies where ``git worktree`` puts it in the one whose parts it shares."""
    return os.path.dirname(os.path.realpath(git_dir)) == os.path.join(os.path.realpath(common_dir), "worktrees")


def _lies_in_its_place(work_tree: str, git_dir: str) -> bool:
    """Whether a ``.git`` is a folder, or a file or link whose target belongs to this work tree."""
    dot_git = os.path.join(work_tree, ".git")
    if os.path.isdir(dot_git) and not os.path.islink(dot_git):
        return True
    return _knows_of(git_dir, work_tree) or _is_absorbed(git_dir, work_tree)


def _is_absorbed(git_dir: str, work_tree: str) -> bool:
    """Whether a repository lies in its superdataset's, under the name that it has there.

    Such a one knows its work tree (``core.worktree``) until git-annex has made a link of the ``.git`` file.
    Source: git-annex 10.20261026, which does so in every repository that it works in.
    """
    above = find_repository(os.fsencode(os.path.dirname(work_tree)))
    if above is None or not above.work_tree or _setting_in(os.path.join(git_dir, "config"), "core.worktree"):
        return False
    top, top_git_dir = os.fsdecode(above.work_tree), os.fsdecode(above.git_dir)
    modules = os.path.join(os.path.realpath(top_git_dir), "modules", "")
    place = os.path.realpath(git_dir)
    path = _setting_in(os.path.join(top, ".gitmodules"), f"submodule.{place.removeprefix(modules)}.path")
    return (
        place.startswith(modules) and path == os.path.relpath(work_tree, top) and _lies_in_its_place(top, top_git_dir)
    )


def _knows_of(git_dir: str, work_tree: str) -> bool:
    """Whether a repository that lies elsewhere says itself that *work_tree* is its work tree."""
    try:
        with open(os.path.join(git_dir, "gitdir"), "rb") as file:  # a linked work tree
            named: str | None = os.path.dirname(os.fsdecode(file.read().strip()))
    except OSError:  # an absorbed submodule
        named = _setting_in(os.path.join(git_dir, "config"), "core.worktree")
    return named is not None and os.path.realpath(os.path.join(git_dir, named)) == os.path.realpath(work_tree)


def _setting_in(file: str, name: str) -> str | None:
    return GitConfig.from_file(os.fsencode(file)).get(name)


def seal(path: str, brought: Iterable[Brought]) -> str:
    """One digest for a repository's place and everything it brings: trust holds for exactly this."""
    digest = hashlib.sha256(os.fsencode(path) + b"\0")
    for one in brought:
        for part in (one.name.encode("utf-8", "surrogateescape"), one.content):
            digest.update(b"%d:" % len(part))
            digest.update(part)
    return digest.hexdigest()
