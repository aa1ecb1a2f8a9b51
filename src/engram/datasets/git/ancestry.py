"""Commits and their parents."""

from datetime import datetime, timedelta, timezone

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


def moment(person: bytes) -> str:
    """The moment in an author line, ISO 8601 with its offset; '' where it makes no sense."""
    zone = person.rpartition(b" ")[2].decode("ascii", "replace")
    try:
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone.startswith("-") else 1)
        return datetime.fromtimestamp(when(person), timezone(offset)).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


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
