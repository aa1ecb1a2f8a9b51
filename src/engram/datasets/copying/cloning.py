"""Clone: a copy of a dataset, with an annex of its own that knows where the contents are.

git copies, from wherever it can; what ``git annex init`` does afterwards is done here where it is fully known. Nothing
of the source runs: no hook, no filter, no helper program. Its subdatasets are left out (``engram get`` brings them).

Source: DataLad 1.7.1's ``clone``, and runs of it: settings, refs, records.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from shlex import quote
from typing import NamedTuple

from engram import durable
from engram.datasets.copying.addresses import Address, without_secrets
from engram.datasets.copying.clone_limits import check_options, check_place, check_reckless, check_source, shared_mode
from engram.datasets.copying.initialising import (
    InitialWish,
    change_config,
    description_of,
    initialise,
)
from engram.datasets.copying.origins import add_origins
from engram.datasets.copying.waiting_remotes import waiting_remotes
from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.git.ancestry import read_commit, when
from engram.datasets.git.config import GitConfig
from engram.datasets.git.config_write import header
from engram.datasets.git.refs import repository_in
from engram.datasets.locks import only_engram, private_folder
from engram.datasets.placing import MARK, Aside, is_being_filled, is_only_begun, read_mark
from engram.datasets.programs import Programs
from engram.datasets.remains import remains
from engram.datasets.siblings import local_place, repository_at, siblings_of
from engram.model.errors import SourceUnavailable, TargetExists, UsageError

#: Only these; whatever else the user, or an address that redirects, may name.
_PROTOCOLS = tuple(
    word
    for setting in ("never", *(f"{name}.allow=always" for name in ("file", "ssh", "http", "https")))
    for word in ("-c", f"protocol.{'allow=' if setting == 'never' else ''}{setting}")
)
#: What comes over a network is checked as it comes. Flaws that many old histories have, and that harm nobody, pass.
_CHECKED = tuple(
    word
    for setting in (
        "transfer.fsckObjects=true",
        *(
            f"fetch.fsck.{flaw}=ignore"
            for flaw in (
                "zeroPaddedFilemode badFilemode missingSpaceBeforeDate missingSpaceBeforeEmail missingNameBeforeEmail"
                " missingEmail badEmail badName badDate badDateOverflow zeroPaddedDate badTimezone multipleAuthors"
            ).split()
        ),
    )
    for word in ("-c", setting)
)
#: These need git to pack for them, which it does not when it copies its files.
_PARTLY = ("--depth", "--shallow", "--filter")
_USAGE = 129
#: How a source looks in which git tidies up at this moment.
_MOVING = re.compile(r"failed to (copy|create|link|unlink|stat|open|read)|unable to|hardlink")
#: Source: safe.directory in git-config(1), and what git 2.39 says.
_OF_ANOTHER = re.compile(r"dubious ownership in repository at '(.+)'")
_ADJUSTED = re.compile(r"refs/heads/adjusted/(?P<branch>.+)\([^()]*\)")


class CloneRequest(NamedTuple):
    """What is to be cloned, and where to."""

    source: Address
    #: Absolute.
    path: str
    #: '' for ``user@host:path``.
    description: str = ""
    #: ``auto``, ``ephemeral``, ``shared-…``; '' for a copy that is safe.
    reckless: str = ""
    #: Further words for ``git clone``.
    git_options: tuple[str, ...] = ()


class Cloner:
    """Makes one clone."""

    def __init__(
        self,
        request: CloneRequest,
        around: Surroundings,
        *,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        self._request = request
        self._around = around
        self._steps = around.steps
        self._clock = clock
        self._new_id = new_id or _random_id
        self._programs = Programs(
            environment=around.environment, configuration=around.configuration, steps=around.steps
        )
        #: The address that worked.
        self.used = request.source.candidates[0]
        #: What else there is to say.
        self.notes: list[str] = []

    def check(self) -> None:
        """Refuse what cannot be done, before anything is written.

        Raises:
            ExtraMissing: there is no git-annex.
            NoSource: nothing is there that could be cloned.
            TargetExists: something else is there already.
            UsageError: for options that make no dataset.
        """
        request = self._request
        check_reckless(request.reckless)
        check_options(request.git_options)
        self._programs.annex()
        check_place(request.path)
        if self.is_there():
            return
        if os.path.isdir(request.path) and not self._may_fill():
            if broken := remains(request.path, os.path.dirname(request.path)):
                raise broken
            raise TargetExists(request.path, "is not empty", "Choose another place for the clone, or empty this one.")
        check_source(request.source, self._around.environment)

    def _may_fill(self) -> bool:
        """Whether the folder is empty, but for what an interrupted clone left."""
        return is_only_begun(self._request.path) or is_being_filled(self._request.path)

    def is_there(self) -> bool:
        """Whether the clone is in its place: made before, or by a call that was interrupted at the end."""
        path = self._request.path
        repository = repository_in(os.fsencode(path)) if os.path.isdir(path) else None
        if repository is None:
            return False
        if self.is_unfinished():
            return True
        dataset = Dataset(repository, self._around)
        branch = dataset.head_name().removeprefix("refs/heads/")
        remote = dataset.setting(f"branch.{branch}.remote") or "origin"
        return self._is_source(dataset.setting(f"remote.{remote}.url") or "")

    def is_unfinished(self) -> bool:
        """Whether it lies in its place, and something is still to be done with it."""
        return bool(read_mark(self._request.path))

    def _is_source(self, url: str) -> bool:
        source = self._request.source
        here = local_place(url, self._request.path)
        if source.place and here:
            return os.path.realpath(here) == os.path.realpath(source.place)
        return url in source.candidates or without_secrets(url) in map(without_secrets, source.candidates)

    def clone(self) -> Dataset:
        """The clone, durable in its place. To be finished with `finish`.

        Raises:
            SourceUnavailable: no address worked.
            TargetExists: somebody else was faster.
        """
        path = self._request.path
        aside = Aside(self._steps, path)
        with aside.held():
            self.check()
            if not self.is_there():
                self._fill(aside)
        return open_dataset(path, self._around)

    def _fill(self, aside: Aside) -> None:
        if not _says(aside.mark, self._request.source):
            if is_being_filled(self._request.path):
                raise TargetExists(
                    self._request.path,
                    "holds part of a clone of something else",
                    "Choose another place for the clone, or empty this one.",
                )
            aside.begin()
            self._git_clone(aside)
            self._set_up(open_dataset(aside.inner, self._around))
            aside.whole(f"{without_secrets(self._request.source.given)}\n")
        if aside.put_in_place():
            self._programs.git_status_of(self._request.path, "update-index", "-q", "--refresh")

    def finish(self) -> None:
        """Take the mark away: all is done."""
        mark = os.path.join(private_folder(os.path.join(self._request.path, ".git")), MARK)
        with suppress(FileNotFoundError):
            durable.remove(self._steps, mark)

    # --- git's part

    def _git_clone(self, aside: Aside) -> None:
        source = self._request.source
        said = ""
        for candidate in source.candidates:
            for extra in self._ways():
                status, told = self._programs.git_told(
                    aside.folder,
                    *self._options(),
                    *("clone", *extra, *self._request.git_options, "--", candidate, aside.inner),
                )
                if status == 0:
                    self.used = candidate
                    return
                if status == _USAGE:
                    raise UsageError(f"git clone refuses: {_complaint(told)}.", "See its options: git clone -h")
                said = said or _complaint(told)
                aside.begin()
                if not _MOVING.search(told):
                    break
        if source.place and (owned := _OF_ANOTHER.search(said)):
            raise UsageError(
                f"{source.given} belongs to another user; git reads it only once you have said that you trust them.",
                f"If you do: git config --global --add safe.directory {quote(owned[1])}",
            )
        raise SourceUnavailable(without_secrets(source.given), _without(said, source.given))

    def _ways(self) -> tuple[tuple[str, ...], ...]:
        """git copies files of a repository on this machine; if that fails because they move, it is asked for them."""
        if not self._request.source.place:
            return ((),)
        if any(option.startswith(_PARTLY) for option in self._request.git_options):
            return (("--no-local",),)
        return ((), ("--no-local",))

    def _options(self) -> tuple[str, ...]:
        own = GitConfig.read(
            common_dir=None,
            git_dir=None,
            environment=self._around.environment,
            overrides=self._around.configuration,
        )
        ssh = own.get("core.sshcommand")  # the user's own: a clone has no settings of its source
        checked = () if self._request.source.place else _CHECKED
        return (*_PROTOCOLS, *checked, *(("-c", f"core.sshCommand={ssh}") if ssh else ()))

    # --- what follows

    def _set_up(self, dataset: Dataset) -> None:
        with only_engram(self._steps, dataset.git_dir):
            remote = siblings_of(dataset)[0].name
            if not dataset.head_commit():
                self._check_out(dataset, remote)
            source = self._request.source
            if source.is_relative:
                url = os.path.relpath(source.place, self._request.path)
                change_config(dataset, {header(b"remote", os.fsencode(remote)): {b"url": os.fsencode(url)}})
                dataset = open_dataset(dataset.work_tree, self._around)
            self._share(dataset)
            dataset = open_dataset(dataset.work_tree, self._around)
            if dataset.wants_annex:
                self._initialise(dataset, remote)
            elif os.path.lexists(os.path.join(dataset.work_tree, ".noannex")):
                self.notes.append("without an annex: it holds .noannex")
            elif any(option.startswith(("--depth", "--single-branch")) for option in self._request.git_options):
                self.notes.append("without an annex: only one branch was cloned (add --no-single-branch)")
            if self._request.reckless:
                reckless = self._request.reckless.encode()
                change_config(dataset, {header(b"datalad", b"clone"): {b"reckless": reckless}})

    def _check_out(self, dataset: Dataset, remote: str) -> None:
        """Where the source has a branch checked out that has no commit: its branch with the newest commit."""
        prefix = f"refs/remotes/{remote}/"
        found: list[tuple[int, str]] = []
        for ref in map(os.fsdecode, dataset.refs.names(prefix.encode())):
            branch = ref.removeprefix(prefix)
            if branch not in ("HEAD", "git-annex") and not branch.startswith(("adjusted/", "-")):
                commit = read_commit(dataset.objects, bytes.fromhex(dataset.resolve(ref)))
                found.append((-when(commit.committer), branch))
        if not found:
            self.notes.append("the source has no commit yet")
        elif "-n" not in self._request.git_options and "--no-checkout" not in self._request.git_options:
            branch = min(found)[1]
            words = ("checkout", "-q", "-b", branch, "--track", f"{remote}/{branch}")
            dataset.programs.git(dataset.work_tree, *words)

    def _share(self, dataset: Dataset) -> None:
        if mode := shared_mode(self._request.reckless):
            dataset.programs.git(dataset.work_tree, "init", "-q", f"--shared={mode}")

    def _initialise(self, dataset: Dataset, remote: str) -> None:
        request = self._request
        ephemeral = request.reckless == "ephemeral"
        path = request.path
        place = request.source.place
        wish = InitialWish(
            uuid=self._new_id(),
            description=request.description or description_of(path, self._around.environment),
            remote=remote,
            source=place,
            others=add_origins(dataset, remote, place) if place else (),
            untrusted=request.reckless == "auto" or request.reckless.startswith("shared-"),
            private=ephemeral,
            hardlink=request.reckless == "auto",
        )
        dataset, reason = initialise(dataset, wish, now_s=self._clock())
        if reason and place:
            self.notes.append(f"handed to git-annex: {reason}")
        if adjusted := _ADJUSTED.fullmatch(dataset.head_name()):  # what was adjusted follows its branch, too
            name = os.fsencode(adjusted["branch"])
            follows = {b"remote": os.fsencode(remote), b"merge": b"refs/heads/" + name}
            change_config(dataset, {header(b"branch", name): follows})
        self.notes += _left_out(dataset)
        if ephemeral:
            self._use_annex_of_source(dataset, remote)

    def _use_annex_of_source(self, dataset: Dataset, remote: str) -> None:
        change_config(dataset, {header(b"remote", os.fsencode(remote)): {b"annex-ignore": b"true"}})
        source = repository_at(self._request.source.place) if self._request.source.place else None
        target = os.path.join(os.fsdecode(source.git_dir), "annex") if source is not None else ""
        if not target or not os.path.isdir(target):
            self.notes.append("it has an annex of its own: that of its source is not on this machine")
            return
        own = os.path.join(dataset.git_dir, "annex")
        durable.remove_tree(self._steps, own)
        durable.symlink(self._steps, target, own)


def _random_id() -> str:
    """A random UUID. Source: RFC 9562, version 4; Python's own module takes 3 ms to load."""
    octets = bytearray(os.urandom(16))
    octets[6] = octets[6] & 0x0F | 0x40
    octets[8] = octets[8] & 0x3F | 0x80
    digits = octets.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _says(mark: str, source: Address) -> bool:
    return mark.partition("\n")[0] == without_secrets(source.given)


def _complaint(told: str) -> str:
    """What git says went wrong, without its advice."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines[-1:]
    others = [line for line in lines if not line.startswith(("fatal:", "error:", "Cloning", "warning:", "hint:"))]
    first = fatal[0].partition(":")[2].strip() if fatal and ":" in fatal[0] else "".join(fatal)
    remote = next((line for line in others if "denied" in line.lower() or line.startswith("ssh:")), "")
    return "; ".join(filter(None, (remote.rstrip("."), first.rstrip(".")))) or "git clone failed"


def _without(said: str, given: str) -> str:
    return said.replace(given, without_secrets(given))


def _left_out(dataset: Dataset) -> Iterator[str]:
    """The special remotes that its makers meant every clone to use: nobody here has allowed them yet."""
    if names := [remote.name for remote in waiting_remotes(dataset)]:
        yield f"special remotes not enabled: {', '.join(names)} (to use them, in the clone: engram trust .)"
