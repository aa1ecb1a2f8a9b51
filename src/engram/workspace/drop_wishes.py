"""What `drop` and `remove` are asked for."""

from collections.abc import Collection, Sequence

from engram.model.errors import UsageError
from engram.model.records import record

_WHAT = ("filecontent", "allkeys", "datasets", "all")
_RECKLESS = ("modification", "availability", "undead", "kill")
#: What removes whole datasets.
_WHOLE = ("datasets", "all")


@record(eq=False)
class DropWish:
    """A wish to let go of something, in the words of the options."""

    what: str
    reckless: str
    recursive: bool
    limit: int | None
    #: For git-annex; 0: one per processor.
    jobs: int
    #: Only what a plan calls so; ``None``: all of it.
    only: Collection[str] | None = None

    @property
    def whole(self) -> bool:
        """Whether datasets themselves may go."""
        return self.what in _WHOLE

    @property
    def kills(self) -> bool:
        """Whether nothing at all is looked at."""
        return self.reckless == "kill"


def wish_of(what: str, reckless: str | None, recursive: bool, limit: int | None, *, jobs: int = 1) -> DropWish:
    """What `drop` is asked for. Raises `UsageError` for words that it does not know."""
    for option, value, known in (("what", what, _WHAT), ("reckless", reckless or _RECKLESS[0], _RECKLESS)):
        if value not in known:
            raise UsageError(f"{value!r} is nothing that --{option} knows.", f"It knows {', '.join(known)}.")
    wish = DropWish(what=what, reckless=reckless or "", recursive=recursive, limit=limit, jobs=jobs)
    if wish.whole and wish.kills and not recursive:
        raise UsageError(
            "A reckless kill looks at nothing, subdatasets included.", "Say that they go, too: add -r (--recursive)"
        )
    return wish


def wish_to_remove(
    paths: Sequence[str], dataset: str | None, drop: str, reckless: str | None, *, jobs: int
) -> DropWish:
    """What `remove` is asked for. Raises `UsageError` for words that it does not know."""
    if not paths and dataset is None:
        raise UsageError("What is to be removed? Nothing was named.", "Name paths, or a whole dataset: -d DATASET")
    if drop not in _WHOLE:
        raise UsageError(f"{drop!r} is nothing that --drop knows.", f"It knows {', '.join(_WHOLE)}.")
    return wish_of(drop, reckless, True, None, jobs=jobs)
