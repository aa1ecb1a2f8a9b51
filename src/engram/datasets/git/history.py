"""How commits hang together."""

from engram.datasets.git.objects import COMMIT, decode_commit
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.problems import NotUnderstood

#: How much older than a commit its descendants may claim to be before they are passed over: clocks differ.
_SKEW_S = 86400
_LIMIT = 1_000_000


def is_ancestor(objects: ObjectStore, older: bytes, newer: bytes) -> bool:
    """Whether commit *older* is *newer* or came before it.

    Commits that were made long before *older* are not followed, so a no is not certain where clocks were far off.

    Raises:
        NotUnderstood: for a history of more than a million commits.
    """
    since_s = _made_at_s(objects, older)[0] - _SKEW_S
    seen = {newer}
    waiting = [newer]
    while waiting:
        commit = waiting.pop()
        if commit == older:
            return True
        made_s, parents = _made_at_s(objects, commit)
        if made_s < since_s:
            continue
        new = [parent for parent in parents if parent not in seen]
        seen.update(new)
        waiting += new
        if len(seen) > _LIMIT:
            raise NotUnderstood("a history too long to be searched")
    return False


def _made_at_s(objects: ObjectStore, oid: bytes) -> tuple[int, tuple[bytes, ...]]:
    commit = decode_commit(objects.read_kind(oid, COMMIT), oid.hex())
    return int(commit.committer.rsplit(b" ", 2)[-2]), commit.parents
