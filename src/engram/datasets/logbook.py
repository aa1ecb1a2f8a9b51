"""Writing on the git-annex branch without git-annex: who holds what, and the settings that every clone shares.

What other clones said (their branches that were fetched and not merged yet) and what git-annex wrote down and did not
commit yet is taken in on the way, as git-annex itself would.

Source: https://git-annex.branchable.com/internals/; subjects of the commits as git-annex 10 makes them.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from engram import durable
from engram.datasets.annex import BRANCH
from engram.datasets.annex.branch import MESSAGE, AnnexBranch, journal_files, presence_logs, read_journal
from engram.datasets.annex.union import SKEW_S, differing, joined, merged_refs_file, siblings_tips, unmerged
from engram.datasets.dataset import Dataset
from engram.datasets.git.ancestry import is_ancestor
from engram.datasets.git.objects import COMMIT, Commit, encode_commit, object_id
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.small_files import read_file
from engram.datasets.locks import annex_journal
from engram.datasets.new_objects import NewObjects
from engram.model.errors import MovedMeanwhile

#: Gives a file of the branch as it is now, b"" for none.
Read: TypeAlias = Callable[[bytes], bytes]
#: From what is there to the files that change, by path.
Change: TypeAlias = Callable[[Read], Mapping[bytes, bytes]]

_NO_COMMIT = "0" * 40
#: For so many keys git may list the branch, if it is about no more than so many for each of them: more would take
#: longer, and more memory, than to read what these need.
_MANY, _LISTED_FOR_ONE = 500, 3
_TRIES = 5
#: What of another clone's branch only git-annex may merge.
_BEYOND_US = (b"transitions.log", b"difference.log")


def note_presence(dataset: Dataset, held: Mapping[bytes, bool], *, now_s: float) -> None:
    """Log which keys this repository holds, and which it does not; durable when it returns.

    As `change_branch` otherwise.
    """
    uuid = dataset.annex_uuid.encode()

    def change(read: Read) -> Mapping[bytes, bytes]:
        logs: dict[bytes, bytes] = {}
        for present in (True, False):
            keys = [key for key, is_held in held.items() if is_held is present]
            logs |= presence_logs(read, keys, uuid=uuid, present=present, now_s=int(now_s))
        return logs

    change_branch(dataset, change, now_s=now_s, keys=len(held))


def change_branch(dataset: Dataset, change: Change, *, now_s: float, keys: int = 0) -> None:
    """Commit changed files to the git-annex branch; durable when it returns. Needs `only_engram`.

    Args:
        keys: how many keys it is about.

    Raises:
        DatasetBusy: when git-annex holds its journal for long.
        MovedMeanwhile: when somebody else keeps moving the branch under us.
        NoIdentity: when git does not know who commits.
        NotUnderstood: when git-annex has to do it.
    """
    for tries_left in range(_TRIES, 0, -1):
        with annex_journal(dataset.steps, dataset.git_dir):
            try:
                _Entry(dataset, now_s, keys).write(change)
                if keys >= _MANY:
                    dataset.objects.rest()  # the next entry reads another pack: the one that is written now
                return
            except MovedMeanwhile:
                if tries_left == 1:
                    raise


class _Entry:
    """One entry in the logbook. Needs the journal lock."""

    def __init__(self, dataset: Dataset, now_s: float, keys: int) -> None:
        self._dataset = dataset
        self._keys = keys
        self._now_s = now_s
        self._objects = dataset.objects
        self._git_dir = os.fsencode(dataset.git_dir)
        self._new = NewObjects(dataset.steps, self._objects, os.path.join(dataset.repository.common_dir, b"objects"))

    def write(self, change: Change) -> None:
        before = self._dataset.resolve(BRANCH)
        tip = bytes.fromhex(before) if before else None
        tips = unmerged(self._objects, tip, siblings_tips(self._dataset.refs), self._git_dir)
        pending = read_journal(self._git_dir)
        for name, oid in tips.items():
            tip = self._merged(tip, name, oid)
        branch = self._branch_at(tip)
        if self._keys >= _MANY and branch.tree and branch.keys_about() <= self._keys * _LISTED_FOR_ONE:
            branch.know_trees(self._dataset.programs.tree_lines(self._dataset.work_tree, branch.tree, "-t"))

        def read(path: bytes) -> bytes:
            there = branch.read(path) or b""
            return joined(path, [pending[path], there]) if tips and path in pending else pending.get(path, there)

        logs = {path: read(path) for path in pending}
        logs.update(change(read))
        tip = self._commit(branch, logs, (tip,) if tip else (), MESSAGE)
        self._finish(before, tip, tips, pending)

    def _merged(self, tip: bytes | None, name: bytes, oid: bytes) -> bytes:
        """The commit that also has what the branch *name*, which is at *oid*, says."""
        self._new.store()  # of several branches the last merge may be the tip already
        if tip is None or is_ancestor(self._objects, tip, oid, skew_s=SKEW_S):
            return oid
        ours, theirs = self._branch_at(tip), self._branch_at(oid)
        for path in _BEYOND_US:
            if theirs.read(path) != ours.read(path):
                raise NotUnderstood(f"another clone's git-annex branch has {os.fsdecode(path)}")
        logs = {
            path: joined(path, [ours.read(path) or b"", theirs.read(path) or b""]) for path in differing(ours, theirs)
        }
        said = name.removeprefix(b"refs/heads/").removeprefix(b"refs/remotes/").removeprefix(b"refs/")
        return self._commit(ours, logs, (tip, oid), b"merging %s into git-annex\n" % said) or tip

    def _branch_at(self, tip: bytes | None) -> AnnexBranch:
        """The branch at a commit, which may be one that is not on the disk yet."""
        if tip is None:
            return AnnexBranch(self._objects, None)
        self._new.store()
        return AnnexBranch(self._objects, self._objects.tree_of(tip))

    def _commit(
        self, branch: AnnexBranch, logs: Mapping[bytes, bytes], parents: tuple[bytes, ...], message: bytes
    ) -> bytes | None:
        """A commit with these files, too; the first parent where nothing changes."""
        root = branch.with_files(logs, self._new.put)
        if parents and root == branch.tree and len(parents) == 1:
            return parents[0]
        if not parents and not logs:
            return None
        committer = self._dataset.identity("committer", now_s=self._now_s)
        data = encode_commit(Commit(tree=root, parents=parents, author=committer, committer=committer, message=message))
        oid = object_id(COMMIT, data)
        self._new.put(COMMIT, data, oid)
        return oid

    def _finish(self, before: str, tip: bytes | None, tips: Mapping[bytes, bytes], pending: Iterable[bytes]) -> None:
        dataset = self._dataset
        self._new.store()
        if tip is not None and tip.hex() != before:
            dataset.update_refs(f"start\nupdate {BRANCH} {tip.hex()} {before or _NO_COMMIT}\ncommit\n", reason="update")
        if tips:
            self._note_merged(tips)
        for path in journal_files(self._git_dir, pending):
            durable.remove(dataset.steps, path)

    def _note_merged(self, tips: Mapping[bytes, bytes]) -> None:
        """Tell git-annex, and the next of us, that these need no merging any more."""
        path = merged_refs_file(self._git_dir)
        kept = [line for line in read_file(path).splitlines() if line.partition(b"\t")[2] not in tips]
        new = [b"%s\t%s" % (oid.hex().encode(), name) for name, oid in tips.items()]
        durable.replace(self._dataset.steps, os.fsdecode(path), b"".join(line + b"\n" for line in (*kept, *new)))
