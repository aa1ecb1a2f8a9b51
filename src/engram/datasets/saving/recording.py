"""Make what was taken in durable and known: objects, the git-annex branch, the index, the branch.

The order, so that a power cut at any moment leaves something the same command can finish: contents and links reach the
disk; the objects reach it in one pack; the index names them; then the git-annex branch says where content is; last the
branch moves. A crash before the end leaves staged changes, never a commit without its content.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from engram import durable
from engram.datasets.annex import BRANCH
from engram.datasets.annex.branch import (
    MESSAGE,
    AnnexBranch,
    journal_files,
    presence_logs,
    read_journal,
)
from engram.datasets.dataset import Dataset
from engram.datasets.git.graft import graft
from engram.datasets.git.index import Entry, GitIndex
from engram.datasets.git.index_write import complete_changes, write_index
from engram.datasets.git.objects import COMMIT, TREE, Commit, decode_commit, encode_commit, object_id
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.trees import build_trees
from engram.datasets.locks import annex_journal, index_lock
from engram.datasets.new_objects import NewObject, NewObjects
from engram.datasets.people import subject_of
from engram.datasets.recorded import Recorded
from engram.datasets.records import Made
from engram.datasets.syncing import ToSync
from engram.model.errors import MovedMeanwhile

_NO_COMMIT = "0" * 40
#: How often to begin anew when somebody else moves a branch at the same moment.
_TRIES = 5


class CommitWish(NamedTuple):
    """The commit that is to be made."""

    #: As git would clean it; b"" to keep the old one when amending.
    message: bytes
    author: bytes
    committer: bytes
    amend: bool = False
    #: Only what is below these paths goes in, whatever else is staged; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    #: git makes the commit, because hooks are to run or it is to be signed.
    by_git: bool = False
    now_s: int = 0


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Changes:
    """What the index gets."""

    entries: dict[bytes, Entry | None] = field(default_factory=dict)
    #: Keys whose content this repository holds.
    keys_here: list[bytes] = field(default_factory=list)
    #: Racy entries that were compared: their stat data may be trusted.
    checked: set[bytes] = field(default_factory=set)

    def add(self, recorded: Recorded) -> None:
        """Take over what became of one path."""
        self.entries[recorded.path] = recorded.entry
        if recorded.here:
            self.keys_here.append(recorded.key)


class Recorder:
    """Records changes in one dataset. Needs `only_engram`."""

    def __init__(self, dataset: Dataset, objects: ObjectStore) -> None:
        self._dataset = dataset
        self._objects = objects
        self._steps = dataset.steps
        #: Objects that the next record brings along.
        self.new = NewObjects(dataset.steps, objects, os.path.join(dataset.repository.common_dir, b"objects"))

    def record(self, index: GitIndex, changes: Changes, wish: CommitWish, to_sync: ToSync) -> Made:
        """Carry *changes* into the index and, if they change anything, into a commit.

        Raises:
            DatasetBusy: when git holds its index lock.
            MovedMeanwhile: when somebody else keeps moving a branch under us.
            PeerFailed: when a hook, or what signs, refuses the commit; the changes stay staged.
        """
        for tries_left in range(_TRIES, 0, -1):
            index = self._dataset.index_again(index)
            try:
                return self._record(index, changes, wish, to_sync)
            except MovedMeanwhile:
                if tries_left == 1:
                    raise
        raise MovedMeanwhile("HEAD")

    def _record(self, index: GitIndex, changes: Changes, wish: CommitWish, to_sync: ToSync) -> Made:
        next_index, root = self._next_index(index, changes, wish)
        head = self._dataset.head_commit()
        commit = self._commit(head, root, wish)
        by_git = commit is not None and wish.by_git
        native = None if by_git else commit
        if native is not None:
            self.new.put(COMMIT, native[2], native[0])
        with annex_journal(self._steps, self._dataset.git_dir, wanted=self._dataset.has_annex):
            branch = self._extend_branch(changes.keys_here, wish)
            self.new.store()
            to_sync.sync(self._steps)
            if next_index is not None:
                self._replace_index(index, next_index)
            self._move(branch, native, head, wish)
            for path in branch.journal:
                durable.remove(self._steps, path)
        if by_git:
            self._commit_by_git(wish)
            return Made(head, self._dataset.head_commit())
        return Made(head, commit[0].hex() if commit else head)

    def _replace_index(self, index: GitIndex, content: bytes) -> None:
        """Put the new index in the place of *index*. git's lock is held for no longer than that."""
        lock = index_lock(self._steps, self._dataset.git_dir)
        lock.take()
        try:
            if self._dataset.index_again(index) is not index:
                raise MovedMeanwhile("The index")
            lock.put_in_place(content)
        finally:
            lock.release()

    def _next_index(self, index: GitIndex, changes: Changes, wish: CommitWish) -> tuple[bytes | None, bytes]:
        """The bytes of the index that is to be, ``None`` if it stays, and the tree that is to be committed."""
        complete = complete_changes(index, changes.entries)
        trees = build_trees(index, complete)
        for oid, data in trees.objects:
            self.new.put(TREE, data, oid)
        head, root = self._dataset.head_commit(), trees.root
        if wish.scopes != (b"",) and head and not self._is_tree_of(index, head):
            if wish.by_git:
                raise NotUnderstood("git itself is to commit, and something else is staged")
            meant = {**self._staged_below(wish.scopes, index, head), **complete}
            root, grafted = graft(self._objects, self._dataset.tree_of(head), meant)
            for oid, kind, data in grafted:
                self.new.put(kind, data, oid)
        if complete or changes.checked or index.cache_tree != trees.cache_tree:
            return write_index(index, complete, trees.cache_tree, checked=changes.checked), root
        return None, root

    def _staged_below(self, scopes: Iterable[bytes], index: GitIndex, head: str) -> dict[bytes, Entry | None]:
        """What git, or a save that was interrupted, staged of the paths that are meant."""
        committed = {path: (mode, oid) for path, mode, oid in self._objects.read_tree_flat(self._dataset.tree_of(head))}
        staged: dict[bytes, Entry | None] = {}
        for scope in scopes:
            itself = index.find(scope)
            for position in (*range(*index.below(scope)), *([] if itself is None else [itself])):
                path = index.paths[position]
                if committed.get(path) != (index.mode(position), index.oid(position)):
                    staged[path] = index.entry(position)
            for path in committed:
                if (not scope or path == scope or path.startswith(scope + b"/")) and index.find(path) is None:
                    staged[path] = None
        return staged

    def _commit_by_git(self, wish: CommitWish) -> None:
        """Have git commit what is staged: it runs the user's hooks, and signs. Raises `PeerFailed` when they refuse."""
        words = ["commit", "-q"] + ["--amend"] * wish.amend
        words += ["-F", "-", "--cleanup=verbatim"] if wish.message else ["--no-edit"]
        self._dataset.programs.git(self._dataset.work_tree, *words, stdin=wish.message, hooks=True)
        durable.sync_file_system(self._steps, self._dataset.git_dir)  # git syncs files, and no folder

    def _is_tree_of(self, index: GitIndex, head: str) -> bool:
        return build_trees(index, {}).root == self._dataset.tree_of(head)

    def _commit(self, head: str, root: bytes, wish: CommitWish) -> NewObject | None:
        old = decode_commit(self._objects.read(bytes.fromhex(head))[1]) if head else None
        unchanged = old is not None and old.tree == root
        if unchanged and not (wish.amend and wish.message):
            return None
        if wish.amend and old is not None:
            commit = Commit(
                tree=root,
                parents=old.parents,
                author=old.author,
                committer=wish.committer,
                message=wish.message or old.message,
                headers=() if wish.message else tuple(line for line in old.headers if line[0] == b"encoding"),
            )
        else:
            parents = (bytes.fromhex(head),) if head else ()
            commit = Commit(
                tree=root, parents=parents, author=wish.author, committer=wish.committer, message=wish.message
            )
        data = encode_commit(commit)
        return object_id(COMMIT, data), COMMIT, data

    def _extend_branch(self, keys: Iterable[bytes], wish: CommitWish) -> "_BranchMove":
        dataset = self._dataset
        if not dataset.has_annex:
            return _BranchMove()
        tip = dataset.resolve(BRANCH)
        tree = dataset.tree_of(tip) if tip else None
        branch = AnnexBranch(self._objects, tree)
        pending = read_journal(os.fsencode(dataset.git_dir))
        logs = dict(pending)

        def read(path: bytes) -> bytes:
            return pending[path] if path in pending else branch.read(path) or b""

        logs.update(presence_logs(read, keys, uuid=dataset.annex_uuid.encode(), present=True, now_s=wish.now_s))
        if not logs:
            return _BranchMove()
        root = branch.with_files(logs, self.new.put)
        journal = journal_files(os.fsencode(dataset.git_dir), pending)
        if root == tree:
            return _BranchMove(journal=journal)
        parents = (bytes.fromhex(tip),) if tip else ()
        commit = encode_commit(
            Commit(tree=root, parents=parents, author=wish.committer, committer=wish.committer, message=MESSAGE)
        )
        oid = object_id(COMMIT, commit)
        self.new.put(COMMIT, commit, oid)
        return _BranchMove(tip, oid.hex(), journal)

    def _move(self, branch: "_BranchMove", commit: NewObject | None, head: str, wish: CommitWish) -> None:
        lines = []
        if branch.after:
            lines += ["start", f"update {BRANCH} {branch.after} {branch.before or _NO_COMMIT}", "commit"]
        if commit:
            lines += ["start", f"update HEAD {commit[0].hex()} {head or _NO_COMMIT}", "commit"]
        if not lines:
            return
        self._dataset.update_refs("\n".join(lines) + "\n", reason=_reason(commit, head, wish))


def commits_by_git(dataset: Dataset) -> bool:
    """Whether the user's hooks, or a signature, make git itself the one to commit."""
    return (
        dataset.is_set("commit.gpgsign")
        or bool(dataset.setting("core.hookspath"))
        or any(one.name.startswith("hook ") for one in dataset.brought)
    )


def _reason(commit: NewObject | None, head: str, wish: CommitWish) -> str:
    kind = "commit (amend)" if wish.amend else "commit" if head else "commit (initial)"
    message = decode_commit(commit[2]).message if commit else wish.message
    return f"{kind}: {os.fsdecode(subject_of(message))}"


class _BranchMove(NamedTuple):
    before: str = ""
    after: str = ""
    #: Journal files whose content is in the new commit.
    journal: Sequence[bytes] = ()
