"""One dataset on disk: where its parts lie, what its settings say, who may write.

Nothing here starts a program but `Dataset.update_refs`, and what asks git who owns a repository or how old git is.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from engram.datasets.annex import BRANCH
from engram.datasets.annex.uuids import is_uuid
from engram.datasets.git.config import GitConfig
from engram.datasets.git.objects import decode_commit
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import Refs, Repository, find_repository
from engram.durable import Steps
from engram.model.errors import DamagedRepository, NoDataset, OutsideDataset

if TYPE_CHECKING:
    from engram.datasets.annex.branch import AnnexBranch
    from engram.datasets.brought import Brought
    from engram.datasets.git.attributes import Attributes
    from engram.datasets.git.config_file import Setting
    from engram.datasets.git.ignore import Ignore
    from engram.datasets.git.index import GitIndex, StatRules
    from engram.datasets.programs import Programs
    from engram.datasets.ref_moves import RefMoves
    from engram.datasets.settled import Settled

_DIGEST_BYTES = 20


@dataclass(slots=True, weakref_slot=True)
class Surroundings:
    """What an operation is given from outside."""

    environment: Mapping[str, str]
    #: ``NAME=VALUE`` git settings of this call.
    configuration: tuple[str, ...] = ()
    steps: Steps = field(default_factory=Steps)
    #: Seals (`brought.seal`) that this user allowed are found in this folder; '' for none.
    trust_folder: str = ""
    #: Settings of the machine and the user by file, once they were read.
    settings_read: "dict[bytes, tuple[Setting, ...] | None]" = field(default_factory=dict)


class Dataset:
    """A git repository with a work tree, most often with an annex. Opened by `open_dataset`."""

    def __init__(self, repository: Repository, around: Surroundings, last_index: "GitIndex | None" = None) -> None:
        self.repository = repository
        self.around = around
        self.steps = around.steps
        #: Absolute paths.
        self.work_tree = os.fsdecode(repository.work_tree)
        self.git_dir = os.fsdecode(repository.git_dir)
        self.common_dir = os.fsdecode(repository.common_dir)
        self._last_index = last_index

    @cached_property
    def refs(self) -> Refs:
        """Its branches. Raises `NotUnderstood` for a ref format that is not read here."""
        return Refs(self.repository)

    def check_format(self) -> None:
        """Raise `NotUnderstood` for a repository whose objects, refs or index git keeps in a form not read here."""
        self.refs.head()

    @cached_property
    def config(self) -> GitConfig:
        """Its settings, the user's and the machine's."""
        return GitConfig.read(
            common_dir=self.repository.common_dir,
            git_dir=self.repository.git_dir,
            environment=self.around.environment,
            overrides=self.around.configuration,
            branch=self.head_name().removeprefix("refs/heads/"),
            known=self.around.settings_read,
        )

    @cached_property
    def objects(self) -> ObjectStore:
        """Its git objects."""
        return ObjectStore(os.path.join(self.repository.common_dir, b"objects"))

    @cached_property
    def programs(self) -> "Programs":
        """git and git-annex, started for this dataset."""
        from engram.datasets.programs import Programs

        return Programs(
            environment=self.around.environment,
            configuration=self.around.configuration,
            steps=self.steps,
            left_alone=lambda: self.left_alone,
        )

    @cached_property
    def left_alone(self) -> dict[str, str]:
        """Its siblings on this machine that git-annex is kept from, and why."""
        from engram.datasets.left_alone import left_alone
        from engram.datasets.siblings import siblings_of

        return left_alone(siblings_of(self), lambda repository: Dataset(repository, self.around))

    @cached_property
    def ignore(self) -> "Ignore":
        """What git ignores in it."""
        from engram.datasets.git.ignore import Ignore

        return Ignore.for_work_tree(
            self.repository.work_tree,
            git_dir=self.repository.common_dir,
            excludes_file=self._user_file("core.excludesFile", "ignore"),
            starts_anew=lambda: self._old_git,
        )

    @cached_property
    def attributes(self) -> "Attributes":
        """What its ``.gitattributes`` say."""
        from engram.datasets.git.attributes import Attributes

        return Attributes.for_work_tree(
            self.repository.work_tree,
            git_dir=self.repository.common_dir,
            attributes_file=self._user_file("core.attributesFile", "attributes"),
            system_file=None if _is_on(self.around.environment.get("GIT_ATTR_NOSYSTEM")) else b"/etc/gitattributes",
            recorded=self._recorded_blob,
            starts_anew=lambda: self._old_git,
        )

    @cached_property
    def _old_git(self) -> bool:
        return self.programs.git_version(self.work_tree) < (2, 52)

    def attributes_of(self, path: bytes, names: tuple[bytes, ...]) -> Mapping[bytes, bytes | bool | None]:
        """The values of some attributes of a path."""
        return self.attributes.of(path, names)

    def _recorded_blob(self, path: bytes) -> bytes | None:
        """What the index has for a file that is not in the work tree."""
        index = self._last_index or self.read_index()
        position = index.find(path)
        return None if position is None else self.objects.read(index.oid(position))[1]

    def _user_file(self, setting: str, name: str) -> bytes | None:
        path = self.config.path(setting)
        if path is not None:
            return path
        environment = self.around.environment
        folder = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", ""), ".config")
        return os.fsencode(os.path.join(folder, "git", name)) if os.path.isabs(folder) else None

    def read_index(self) -> "GitIndex":
        """Its index, as it is now; parsed anew only if somebody changed it."""
        from engram.datasets.git.index import GitIndex

        known, self._last_index = self._last_index, None
        index = self.index_again(known) if known else GitIndex.read(os.path.join(self.repository.git_dir, b"index"))
        self._last_index = index
        return index

    @cached_property
    def settled(self) -> "Settled":
        """Which of its folders need not be looked through again."""
        from engram.datasets.settled import Settled

        return Settled(self.work_tree, self.git_dir, self.steps)

    def reopened(self) -> "Dataset":
        """The same dataset, remembering only what shows whether it is still true. Raises `NoDataset`."""
        again = Dataset(open_dataset(self.work_tree, self.around).repository, self.around, self._last_index)
        again.settled = self.settled
        return again

    def index_again(self, index: "GitIndex") -> "GitIndex":
        """The same *index*, or, if somebody wrote it since, the new one: its digest tells."""
        try:
            with open(os.path.join(self.repository.git_dir, b"index"), "rb") as file:
                file.seek(-_DIGEST_BYTES, os.SEEK_END)
                digest = file.read()
        except FileNotFoundError:
            return self.read_index() if index.data else index
        known = digest == index.data[-_DIGEST_BYTES:] and any(digest)
        return index if known else self.read_index()

    @cached_property
    def stat_rules(self) -> "StatRules":
        """Which of a file's properties count as a change."""
        from engram.datasets.git.index import StatRules

        return StatRules(
            trust_ctime=self.config.is_true("core.trustctime", True),
            check_all=(self.config.get("core.checkstat") or "default").lower() != "minimal",
            file_mode=self.config.is_true("core.filemode", True),
            symlinks=self.config.is_true("core.symlinks", True),
        )

    def setting(self, name: str) -> str | None:
        """One of git's settings."""
        return self.config.get(name)

    def is_set(self, name: str) -> bool:
        """Whether a setting is true."""
        return self.config.is_true(name, False)

    def identity(self, role: str, *, now_s: float) -> bytes:
        """Who commits: the header line of an ``author`` or ``committer``. Raises `NoIdentity`."""
        from engram.datasets.people import date_is_given, identity

        line = identity(self.config, self.around.environment, role, now_s=now_s)
        if not date_is_given(self.around.environment):
            return line
        return self.programs.git(self.work_tree, "var", f"GIT_{role.upper()}_IDENT").rstrip(b"\n")

    # --- branches

    def resolve(self, ref: str) -> str:
        """The commit a ref points at, hex; '' when there is no such ref."""
        try:
            oid = self.refs.resolve(os.fsencode(ref))
        except NotUnderstood:
            return self._ask_git("rev-parse", "--verify", "-q", ref)
        return oid.hex() if oid else ""

    def head_name(self) -> str:
        """The ref that HEAD stands for, '' when it is detached."""
        try:
            return os.fsdecode(self.refs.head().name or b"")
        except NotUnderstood:
            return self._ask_git("symbolic-ref", "-q", "HEAD")

    def head_commit(self) -> str:
        """The commit that is checked out, hex; '' before the first."""
        try:
            oid = self.refs.head().oid
        except NotUnderstood:
            return self._ask_git("rev-parse", "--verify", "-q", "HEAD")
        return oid.hex() if oid else ""

    def _ask_git(self, *words: str) -> str:
        """One word from git, about a repository in a format that is not read here."""
        _, out, _ = self.programs.git_status_of(self.work_tree, *words)
        return out.decode(errors="replace").strip()

    def tree_of(self, commit: str) -> bytes:
        """The tree of a commit."""
        return decode_commit(self.objects.read(bytes.fromhex(commit))[1]).tree

    def equals_head(self, index: "GitIndex") -> bool:
        """Whether the index is known to hold exactly what the last commit holds."""
        head = self.head_commit()
        if not head:
            return not len(index)
        known = index.cache_tree
        return known is not None and known.count == len(index) and known.oid == self.tree_of(head)

    def update_refs(self, instructions: str, *, reason: str) -> None:
        """Have git move refs by compare and swap (``update-ref --stdin``). Raises `MovedMeanwhile`."""
        self._ref_moves.move(instructions, reason=reason, head=self.head_name())

    def sync_refs(self, *refs: str) -> None:
        """Bring refs that moved, and their names, to the disk: git before 2.36 does not."""
        self._ref_moves.sync(self.head_name(), *refs)

    def clear_ref_locks_of_a_crash(self) -> None:
        """Remove the locks of refs that an engram, killed together with its git, left. Needs `only_engram`."""
        self._ref_moves.clear_what_a_crash_left(self.head_name)

    @cached_property
    def _ref_moves(self) -> "RefMoves":
        from engram.datasets.ref_moves import RefMoves

        return RefMoves(self.steps, self.programs, self.work_tree, self.git_dir, self.common_dir)

    # --- annex

    @cached_property
    def annex_uuid(self) -> str:
        """The name git-annex knows this repository by; '' when it has no annex.

        Raises `DamagedRepository` for one that would be more than one word in a log, or lead elsewhere in a path.
        """
        uuid = self.config.get("annex.uuid") or ""
        if uuid and not is_uuid(uuid):
            raise DamagedRepository(os.path.join(self.common_dir, "config"), f"annex.uuid is {uuid!r}")
        return uuid

    @cached_property
    def has_annex(self) -> bool:
        """Whether content can go to an annex here."""
        return bool(self.annex_uuid) and bool(self.resolve(BRANCH)) and not self._declines_annex

    @property
    def wants_annex(self) -> bool:
        """Whether git-annex would initialise an annex here by itself, because a relative has one."""
        if self._declines_annex:
            return False
        return bool(self.resolve(BRANCH) or self._remote_branch())

    def _remote_branch(self) -> str:
        try:
            names = [os.fsdecode(name) for name in self.refs.names(b"refs/remotes/") if name.endswith(b"/git-annex")]
        except NotUnderstood:
            return self._ask_git("for-each-ref", "--count=1", "--format=%(refname)", "refs/remotes/*/git-annex")
        return names[0] if names else ""

    @property
    def _declines_annex(self) -> bool:
        return os.path.lexists(os.path.join(self.work_tree, ".noannex"))

    @cached_property
    def branch(self) -> "AnnexBranch":
        """The git-annex branch as it is when first asked for."""
        from engram.datasets.annex.branch import AnnexBranch

        tip = self.resolve(BRANCH)
        return AnnexBranch(self.objects, self.tree_of(tip) if tip else None)

    def branch_has(self, path: str) -> bool:
        """Whether the git-annex branch, or git-annex's journal, holds a file."""
        pending = os.path.join(self.git_dir, "annex", "journal", path)
        return os.path.exists(pending) or self.branch.read(path.encode()) is not None

    def branch_setting(self, name: str) -> str | None:
        """What ``git annex config`` says for every clone; ``None`` when it says nothing."""
        if not self.has_annex or (log := self.branch.read(b"config.log")) is None:
            return None
        from engram.datasets.annex.logs import named_values

        return named_values(log).get(name)

    # --- who may write

    @cached_property
    def brought(self) -> "list[Brought]":
        """The programs the repository brings along, and the links by which it would have us write elsewhere."""
        from engram.datasets.brought import brought_hooks, brought_links, brought_settings, named_hooks_folders

        top, hooks = self.work_tree, os.path.join(self.repository.common_dir, b"hooks")
        own = [(name, value) for name, value, _, _ in self.config.items(("local", "worktree"))]
        folders = (hooks, *named_hooks_folders(own, top or self.git_dir))
        origin = self.setting("remote.origin.url") or ""
        links = brought_links(top, self.git_dir, common_dir=self.common_dir, origin=origin) if top else []
        return [*links, *(hook for folder in folders for hook in brought_hooks(folder)), *brought_settings(own)]

    @property
    def seal(self) -> str:
        """What trust in the programs it brings is pinned to."""
        from engram.datasets.brought import seal

        return seal(os.path.realpath(self.work_tree or self.git_dir), self.brought)

    @property
    def is_trusted(self) -> bool:
        """Whether the user allowed what it brings, exactly as it is now."""
        folder = self.around.trust_folder
        return bool(folder) and os.path.exists(os.path.join(folder, self.seal))

    # --- paths

    def relative(self, path: str) -> bytes:
        """An absolute *path* relative to the top, ``b""`` for the top itself. Raises `OutsideDataset`."""
        for top, place in ((self.work_tree, path), (os.path.realpath(self.work_tree), _real_folder(path))):
            if place == top:
                return b""
            if place.startswith(top.rstrip("/") + "/"):
                return os.fsencode(place[len(top.rstrip("/")) + 1 :])
        if os.path.realpath(path) == os.path.realpath(self.work_tree):
            return b""
        raise OutsideDataset(path, self.work_tree)


def _is_on(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true", "yes", "on")


def _real_folder(path: str) -> str:
    """A path whose folders are resolved, but not its last part."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name) if name else os.path.realpath(path)


def open_dataset(folder: str, around: Surroundings) -> Dataset:
    """The dataset that holds *folder* (absolute). Raises `NoDataset`."""
    repository = find_repository(os.fsencode(folder))
    top = "" if repository is None else os.fsdecode(repository.work_tree)
    if top != folder:
        from engram.datasets.remains import remains  # late: who works from the top needs none of it

        if broken := remains(folder, top):
            raise broken
    if repository is None or not top:
        raise NoDataset(folder)
    return Dataset(repository, around)
