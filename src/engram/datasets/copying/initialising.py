"""Make a fresh clone a repository of git-annex, as ``git annex init`` would leave it, without starting it.

Whatever is not known here to the last detail (another kind of file system, settings of the user's own, a tuned or
adjusted repository) is left to ``git annex init`` itself.

Source: git-annex 10.20261026, runs of ``git annex init`` in clones of every kind.
"""

import errno
import fcntl
import os
import pwd
import re
import stat
from collections.abc import Mapping
from typing import NamedTuple

from engram import durable
from engram.datasets.annex.logs import UNTRUSTED, with_value
from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.git.config import GitConfig
from engram.datasets.git.config_write import header, with_values
from engram.datasets.git.objects import TREE
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.locks import config_lock
from engram.datasets.logbook import Read, change_branch
from engram.datasets.siblings import repository_at
from engram.datasets.traps import reason_not_to_initialise
from engram.model.errors import EngramError

VERSION = b"10"
#: Word for word as git-annex writes them.
HOOKS: Mapping[str, bytes] = {
    "pre-commit": b"git annex pre-commit .\n",
    "post-checkout": b"git annex smudge --update\n",
    "post-merge": b"git annex smudge --update\n",
    "post-receive": b"if git annex post-receive --help >/dev/null 2>&1; then git annex post-receive; fi\n",
    "pre-push": b"if git annex pre-push --help >/dev/null 2>&1; then git annex pre-push; fi\n",
}
_HOOK_START = b"#!/bin/sh\n# automatically configured by git-annex\n"
_FILTER = {
    b"smudge": b"git-annex smudge -- %f",
    b"clean": b"git-annex smudge --clean -- %f",
    b"process": b"git-annex filter-process",
}
_ATTRIBUTES = b"\n* filter=annex\n"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: Settings under which ``git annex init`` does the same as without them.
_HARMLESS = re.compile(
    r"annex\.(largefiles|dotfiles|backend|numcopies|mincopies|hardlink|jobs|retry|queuesize|sshcaching|verify"
    r"|web-options|stalldetection|diskreserve|autocommit|autoupgraderepository|uuid|version)"
)
#: Of the branch: only git-annex itself begins with what stands there.
_BEYOND_US = (b"difference.log", b"transitions.log")


class InitialWish(NamedTuple):
    """What the new repository is to be."""

    uuid: str
    #: What to call this copy, for people.
    description: str
    #: The remote that was cloned.
    remote: str
    #: Its path, if it lies on this machine.
    source: str = ""
    #: Paths of other remotes on this machine, by name.
    others: tuple[tuple[str, str], ...] = ()
    untrusted: bool = False
    #: Nothing about this copy is told to others (``annex.private``).
    private: bool = False
    #: Take content by hard links (``annex.hardlink``).
    hardlink: bool = False


def initialise(dataset: Dataset, wish: InitialWish, *, now_s: float) -> tuple[Dataset, str]:
    """The same dataset with its annex, and why git-annex had to do it; '' when engram did. Needs `only_engram`.

    It is durable once the file system is synced.
    """
    before = {
        **({b"private": b"true"} if wish.private else {}),
        **({b"hardlink": b"true"} if wish.hardlink else {}),
    }
    reason = reason_for_git_annex(dataset, wish)
    if not reason:
        try:
            return _natively(dataset, wish, before, now_s=now_s), ""
        except NotUnderstood as problem:
            reason = problem.reason
            dataset = _again(dataset)
    change_config(dataset, {header(b"annex"): before} if before else {})
    _by_git_annex(dataset, wish)
    return _again(dataset), reason


def _by_git_annex(dataset: Dataset, wish: InitialWish) -> None:
    top = dataset.work_tree
    dataset.programs.git_annex(top, "init", "--no-autoenable", wish.description)
    if wish.untrusted:
        dataset.programs.git_annex(top, "untrust", "here")
    if wish.source:
        change_config(dataset, _names_of_remotes(wish))
    else:  # on the way it asks the remote who it is; what it cannot reach, it notes as such
        dataset.programs.git_annex_status_of(top, "info", "--fast", "--json")


def reason_for_git_annex(dataset: Dataset, wish: InitialWish) -> str:
    """Why only git-annex can do it; '' when engram can."""
    if not wish.source:
        return "it has to ask the source over the network who it is"
    names = {found.name for found in dataset.config.settings}
    unknown = sorted(name for name in names if name.startswith("annex.") and not _HARMLESS.fullmatch(name))
    if unknown or "core.hookspath" in names:
        return f"{(*unknown, 'core.hookspath')[0]} is set"
    try:
        dataset.check_format()
        return reason_not_to_initialise(dataset) or _branch_of_others(dataset) or _file_locks(dataset)
    except NotUnderstood as problem:
        return problem.reason


def _branch_of_others(dataset: Dataset) -> str:
    return "its git-annex branch is a tuned or pruned one" if branches_may_have(dataset, _BEYOND_US) else ""


def branches_may_have(dataset: Dataset, files: tuple[bytes, ...]) -> bool:
    """Whether one of these files may lie at the top of a git-annex branch that came with the clone.

    A yes is not certain: what the tree names is not taken apart, which would take longer than all else here.
    """
    for name in dataset.refs.names(b"refs/remotes/"):
        if name.endswith(b"/git-annex") and (tip := dataset.refs.resolve(name)):
            tree = dataset.objects.read_kind(dataset.objects.tree_of(tip), TREE)
            if any(b" " + file + b"\0" in tree for file in files):
                return True
    return False


def _file_locks(dataset: Dataset) -> str:
    """Whether this file system knows the locks that git-annex takes."""
    descriptor = durable.open_lock(dataset.steps, os.path.join(dataset.git_dir, "config"))
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return "" if error.errno in (errno.EACCES, errno.EAGAIN) else "this file system has no locks for files"
    finally:
        os.close(descriptor)
    return ""


def _natively(dataset: Dataset, wish: InitialWish, before: Mapping[bytes, bytes], *, now_s: float) -> Dataset:
    steps = dataset.steps
    annex = os.path.join(dataset.git_dir, "annex")
    durable.make_folders(steps, os.path.join(annex, "journal"))
    _make_sentinel(dataset, annex)
    _write_hooks(dataset)
    sections = {
        header(b"annex"): {**before, b"uuid": wish.uuid.encode(), b"version": VERSION},
        header(b"filter", b"annex"): _FILTER,
    }
    change_config(dataset, {**sections, **_names_of_remotes(wish)})
    attributes = os.path.join(dataset.git_dir, "info", "attributes")
    known = _read(attributes)
    if _ATTRIBUTES.strip() not in known.splitlines():
        durable.make_folders(steps, os.path.dirname(attributes))
        durable.replace(steps, attributes, known + _ATTRIBUTES)
    dataset = _again(dataset)
    change_branch(dataset, lambda read: _first_entries(read, wish, int(now_s)), now_s=now_s)
    return dataset


def _names_of_remotes(wish: InitialWish) -> Mapping[bytes, Mapping[bytes, bytes]]:
    """The settings that tell git-annex which repositories the remotes on this machine are."""
    places = {wish.remote: wish.source, **dict(wish.others)}
    uuids = {name: annex_uuid_at(place) for name, place in places.items()}
    return {
        header(b"remote", os.fsencode(name)): {b"annex-uuid": uuid.encode()} for name, uuid in uuids.items() if uuid
    }


def _first_entries(read: Read, wish: InitialWish, now_s: int) -> Mapping[bytes, bytes]:
    if wish.private:
        return {}
    uuid = wish.uuid.encode()
    entries = {b"uuid.log": with_value(read(b"uuid.log"), uuid, os.fsencode(wish.description), now_s)}
    if wish.untrusted:
        entries[b"trust.log"] = with_value(read(b"trust.log"), uuid, UNTRUSTED, now_s)
    return entries


def _make_sentinel(dataset: Dataset, annex: str) -> None:
    """A file by whose inode git-annex sees whether the repository was moved to another disk."""
    place = os.path.join(annex, "sentinal")
    if not os.path.lexists(place):
        durable.write_new(dataset.steps, place, b"", sync=False)
    made = os.stat(place)
    seconds, rest_ns = divmod(made.st_mtime_ns, 1_000_000_000)
    durable.replace(dataset.steps, f"{place}.cache", b"%d 0 %d %09d" % (made.st_ino, seconds, rest_ns))


def _write_hooks(dataset: Dataset) -> None:
    """git-annex's hooks; one that the user's own template brought is left alone, as git-annex does."""
    folder = os.path.join(dataset.git_dir, "hooks")
    durable.make_folders(dataset.steps, folder)
    mask = os.umask(0)
    os.umask(mask)
    for name, line in HOOKS.items():
        place = os.path.join(folder, name)
        if not os.path.lexists(place):
            durable.write_new(dataset.steps, place, _HOOK_START + line, mode=0o777 & ~mask, sync=False)


def change_config(dataset: Dataset, sections: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
    """Set values in the repository's own configuration, by the line that begins a section."""
    lock = config_lock(dataset.steps, dataset.common_dir)
    lock.take()
    try:
        text = new = _read(lock.path)
        for head, values in sections.items():
            new = with_values(new, head, values)
        if new != text:
            lock.put_in_place(new, mode=stat.S_IMODE(os.stat(lock.path).st_mode))
    finally:
        lock.release()


def annex_uuid_at(place: str) -> str:
    """The uuid of the annex at a path on this machine; '' when there is none, or none that can be read."""
    try:
        repository = repository_at(place) if place else None
        if repository is None:
            return ""
        uuid = GitConfig.from_file(os.path.join(repository.common_dir, b"config")).get("annex.uuid") or ""
    except (OSError, EngramError, NotUnderstood):
        return ""
    return uuid if _UUID.fullmatch(uuid) else ""


def description_of(path: str, environment: Mapping[str, str]) -> str:
    """What git-annex calls a copy at *path* when nobody says: ``user@host:path``, with ``~`` for the user's home."""
    home = environment.get("HOME", "").rstrip("/")
    if home and (path == home or path.startswith(home + "/")):
        path = "~" + path[len(home) :]
    user = environment.get("USER") or environment.get("LOGNAME") or _login_name()
    return f"{user}@{os.uname().nodename}:{path}"


def _login_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return "unknown"


def _again(dataset: Dataset) -> Dataset:
    """The same dataset, read anew."""
    around: Surroundings = dataset.around
    return open_dataset(dataset.work_tree, around)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
