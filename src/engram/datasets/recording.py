"""Make what was taken in durable and known: objects, the git-annex branch, the index, the branch.

The order, so that a power cut at any moment leaves something the same command can finish: contents and links reach the
disk; the objects reach it in one pack; the index names them; then the git-annex branch says where content is; last the
branch moves. A crash before the end leaves staged changes, never a commit without its content.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from engram import durable
from engram.datasets.annex import BRANCH
from engram.datasets.annex.branch import (
    MESSAGE,
    AnnexBranch,
    NewObject,
    journal_files,
    presence_logs,
    read_journal,
)
from engram.datasets.contents import Recorded
from engram.datasets.dataset import Dataset
from engram.datasets.git.graft import graft
from engram.datasets.git.index import Entry, GitIndex
from engram.datasets.git.index_write import complete_changes, write_index
from engram.datasets.git.objects import BLOB, COMMIT, TREE, Commit, decode_commit, encode_commit, object_id
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.pack import PACK_FROM, PackWriter, write_loose
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.trees import build_trees
from engram.datasets.locks import FileLock, annex_journal, index_lock
from engram.datasets.people import subject_of
from engram.datasets.records import Made

_NO_COMMIT = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitWish:
    """The commit that is to be made."""

    #: As git would clean it; b"" to keep the old one when amending.
    message: bytes
    author: bytes
    committer: bytes
    amend: bool = False
    #: Only these changes go in, whatever else is staged.
    partial: bool = False
    #: git makes the commit, because hooks are to run or it is to be signed.
    by_git: bool = False
    now_s: int = 0


@dataclass(slots=True)
class Changes:
    """What the index gets, and what the object store needs for it."""

    entries: dict[bytes, Entry | None] = field(default_factory=dict)
    objects: list[NewObject] = field(default_factory=list)
    #: Keys whose content this repository holds.
    keys_here: list[bytes] = field(default_factory=list)
    #: Racy entries that were compared: their stat data may be trusted.
    checked: set[bytes] = field(default_factory=set)

    def add(self, recorded: Recorded) -> None:
        """Take over what became of one path."""
        self.entries[recorded.path] = recorded.entry
        if recorded.blob is not None:
            self.objects.append((recorded.entry.oid, BLOB, recorded.blob))
        if recorded.here:
            self.keys_here.append(recorded.key)


class Recorder:
    """Records changes in one dataset. Needs `only_engram`."""

    def __init__(self, dataset: Dataset, objects: ObjectStore) -> None:
        self._dataset = dataset
        self._objects = objects
        self._steps = dataset.steps
        self.streams: PackWriter | None = None

    def record(self, index: GitIndex, changes: Changes, wish: CommitWish, to_sync: list[bytes]) -> Made:
        """Carry *changes* into the index and, if they change anything, into a commit.

        Raises:
            DatasetBusy: when git holds its index lock.
            MovedMeanwhile: when the branch keeps moving under us.
        """
        lock = index_lock(self._steps, self._dataset.git_dir)
        lock.take(self._dataset.shared_mode(0o666))
        try:
            index = self._dataset.index_again(index)
            return self._record(index, changes, wish, to_sync, lock)
        finally:
            lock.release()

    def _record(
        self, index: GitIndex, changes: Changes, wish: CommitWish, to_sync: list[bytes], lock: FileLock
    ) -> Made:
        complete = complete_changes(index, changes.entries)
        trees = build_trees(index, complete)
        new = list(changes.objects)
        new += [(oid, TREE, data) for oid, data in trees.objects]
        head = self._dataset.head_commit()
        root = trees.root
        if wish.partial and head and not self._is_tree_of(index, head):
            root, grafted = graft(self._objects, self._tree_of(head), complete)
            new += grafted
        commit = self._commit(head, root, wish)
        if wish.by_git and commit is not None and root != trees.root:
            raise NotUnderstood("hooks are to run, and something else is staged")
        if commit is not None and not wish.by_git:
            new.append(commit)
        content = None
        if complete or changes.checked or index.cache_tree != trees.cache_tree:
            content = write_index(index, complete, trees.cache_tree, checked=changes.checked)
        with annex_journal(self._dataset.git_dir, wanted=self._dataset.has_annex):
            branch = self._extend_branch(changes.keys_here, wish)
            self._store([*new, *branch.objects], to_sync)
            if content is not None:
                lock.put_in_place(content)
            self._move(branch, None if wish.by_git else commit, head, wish)
            for path in branch.journal:
                durable.remove(self._steps, path)
        if commit is not None and wish.by_git:
            lock.release()
            self._commit_by_git(wish)
            return Made(head, self._dataset.head_commit())
        return Made(head, commit[0].hex() if commit else head)

    def _commit_by_git(self, wish: CommitWish) -> None:
        """Have git commit what is staged: it runs the user's hooks, and signs. Raises `PeerFailed` when they refuse."""
        words = ["commit", "-q"] + ["--amend"] * wish.amend
        words += ["-F", "-", "--cleanup=verbatim"] if wish.message else ["--no-edit"]
        self._dataset.programs.git(self._dataset.work_tree, *words, stdin=wish.message, hooks=True)
        self._dataset.sync_refs()

    def _is_tree_of(self, index: GitIndex, head: str) -> bool:
        known = build_trees(index, {}).root
        return known == self._tree_of(head)

    def _tree_of(self, head: str) -> bytes:
        return decode_commit(self._objects.read(bytes.fromhex(head))[1]).tree

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
        tree = self._tree_of(tip) if tip else None
        branch = AnnexBranch(self._objects, tree)
        pending = read_journal(os.fsencode(dataset.git_dir))
        logs = dict(pending)
        logs.update(presence_logs(branch, keys, uuid=dataset.annex_uuid.encode(), now_s=wish.now_s, pending=pending))
        if not logs:
            return _BranchMove()
        root, objects = branch.with_files(logs)
        journal = journal_files(os.fsencode(dataset.git_dir), pending)
        if root == tree:
            return _BranchMove(journal=journal)
        parents = (bytes.fromhex(tip),) if tip else ()
        commit = encode_commit(
            Commit(tree=root, parents=parents, author=wish.committer, committer=wish.committer, message=MESSAGE)
        )
        objects.append((object_id(COMMIT, commit), COMMIT, commit))
        return _BranchMove(objects, tip, objects[-1][0].hex(), journal)

    def _store(self, objects: list[NewObject], to_sync: list[bytes]) -> None:
        folder = os.path.join(self._dataset.repository.common_dir, b"objects")
        if self.streams is None and len(objects) < PACK_FROM:
            write_loose(self._steps, folder, [(kind, data) for _, kind, data in objects])
        else:
            writer = self.streams or PackWriter(self._steps, folder)
            self.streams = None
            for oid, kind, data in objects:
                writer.add(kind, data, oid)
            writer.finish()
        self._objects.refresh()
        sync_all(self._dataset, to_sync)

    def stream_blob(self, size_bytes: int, chunks: Iterable[bytes], name: str) -> bytes:
        """Put a large blob into the pack that `record` will finish; its id. Raises `ChangedWhileSaved`."""
        if self.streams is None:
            self.streams = PackWriter(self._steps, os.path.join(self._dataset.repository.common_dir, b"objects"))
        return self.streams.add_stream(BLOB, size_bytes, chunks, name)

    def abandon(self) -> None:
        """Forget blobs that were streamed and not recorded; nothing when there are none."""
        if self.streams is not None:
            self.streams.abandon()
            self.streams = None

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


@dataclass(frozen=True, slots=True)
class _BranchMove:
    objects: list[NewObject] = field(default_factory=list)
    before: str = ""
    after: str = ""
    #: Journal files whose content is in the new commit.
    journal: list[bytes] = field(default_factory=list)


def sync_all(dataset: Dataset, paths: list[bytes]) -> None:
    """Bring files and folders to the disk: each alone when they are few, else the file systems they lie on."""
    unique = list(dict.fromkeys(paths))
    if len(unique) < durable.SYNC_EACH_BELOW:
        for path in unique:
            durable.sync_folder(dataset.steps, path) if os.path.isdir(path) else durable.sync_file(dataset.steps, path)
        for folder in _folders_of(unique, os.fsencode(dataset.git_dir)):
            durable.sync_folder(dataset.steps, folder)
        return
    durable.sync_file_system(dataset.steps, dataset.git_dir)
    if os.lstat(dataset.git_dir).st_dev != os.lstat(dataset.work_tree).st_dev:
        durable.sync_file_system(dataset.steps, dataset.work_tree)


def _folders_of(paths: Iterable[bytes], git_dir: bytes) -> list[bytes]:
    """The folders between objects and ``annex``, each once."""
    folders: dict[bytes, None] = {}
    for path in paths:
        folder = os.path.dirname(path)
        while folder.startswith(git_dir + b"/") and folder not in folders:
            folders[folder] = None
            folder = os.path.dirname(folder)
    return list(folders)
