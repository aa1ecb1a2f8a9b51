"""Commits and their parents."""

from engram.datasets.git.objects import COMMIT, Commit, decode_commit
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.problems import MissingObject

#: Digits of the latest moment that git knows.
_LONGEST = 20


def read_commit(objects: ObjectStore, oid: bytes) -> Commit:
    """A commit by its id, 20 raw bytes."""
    return decode_commit(objects.read_kind(oid, COMMIT), oid.hex())


def when(person: bytes) -> int:
    """The moment in an author or committer line, in seconds since 1970; 0 where it makes no sense."""
    words = person.rsplit(b" ", 2)
    return int(words[1]) if len(words) == 3 and words[1].isdigit() and len(words[1]) <= _LONGEST else 0


def is_ancestor(objects: ObjectStore, old: bytes, new: bytes, *, skew_s: int | None = None) -> bool:
    """Whether a commit is another, or comes before it. History that a shallow clone lacks is taken for no history.

    Args:
        skew_s: do not follow commits that were made that much earlier than *old*: much cheaper in a long history, but
            a no is then not certain where clocks were further off.
    """
    since_s = when(read_commit(objects, old).committer) - skew_s if skew_s is not None else 0
    waiting, seen = [new], {new}
    while waiting:
        oid = waiting.pop()
        if oid == old:
            return True
        try:
            commit = read_commit(objects, oid)
        except MissingObject:
            continue
        if when(commit.committer) < since_s:
            continue
        waiting += [parent for parent in commit.parents if parent not in seen]
        seen.update(commit.parents)
    return False
