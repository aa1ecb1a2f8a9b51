"""Outcomes: the only way an operation reports what it did."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias

from engram.model.errors import EngramError
from engram.model.records import record

#: What a field of a record may hold besides text: the leaves of JSON.
Leaf: TypeAlias = str | int | float | bool | None


class Status(StrEnum):
    """How one item fared, in the four words DataLad users know.

    Source: https://docs.datalad.org/en/stable/design/result_records.html
    """

    OK = "ok"
    NOT_NEEDED = "notneeded"
    IMPOSSIBLE = "impossible"
    ERROR = "error"


_FAILURES = (Status.IMPOSSIBLE, Status.ERROR)


@record
class Outcome:
    """What happened to one item: a line on screen, a JSON line, a web event."""

    #: Imperative verb, e.g. ``"archive"``.
    action: str
    #: Key, path or id, as the user would type it.
    item: str
    #: How it fared.
    status: Status
    #: Bytes this step moved; 0 if nothing had to move.
    moved_bytes: int = 0
    #: What went wrong; empty when all is well.
    message: str = ""
    #: A free remark: "handed to git-annex: annex.thin is set".
    note: str = ""
    #: Class name of the error; empty when all is well.
    error: str = ""
    #: What to do now; empty when all is well.
    remedy: str = ""

    @property
    def failed(self) -> bool:
        """Whether somebody should look at it."""
        return self.status in _FAILURES

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json``. Fields may be added, never changed."""
        return {"record": "outcome", **{name: getattr(self, name) for name in OUTCOME_FIELDS}}


@record
class DatasetOutcome(Outcome):
    """An outcome of a dataset verb, with DataLad's own fields beside ours.

    Source: https://docs.datalad.org/en/stable/design/result_records.html
    """

    #: Absolute path of the item.
    path: str
    #: ``file``, ``symlink``, ``directory``, ``dataset``, ``sibling`` or ``key``.
    type: str
    #: Absolute path of the dataset that the command was given; '' if none (as JSON ``null``, of ``create``).
    refds: str = ""
    #: Absolute path of the dataset that holds the item; '' for the topmost dataset itself.
    parentds: str = ""
    #: ``clean``, ``added``, ``modified``, ``deleted``, ``untracked``; '' where the verb reports none.
    state: str = ""
    #: Object id before and after, hex; '' where there is none.
    prev_gitshasum: str = ""
    gitshasum: str = ""
    #: The annex key, '' for content in git (as JSON ``null``, where that is added).
    key: str = ""
    #: Size of the content; ``None`` when not asked for or unknown.
    bytesize: int | None = None
    #: DataLad's further fields of this verb (``backend``, ``has_content``, …), in DataLad's spelling.
    extra: tuple[tuple[str, Leaf | tuple[str, ...] | Mapping[str, Leaf]], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json``; DataLad's fields only where they say something."""
        record = Outcome.as_json(self)  # super() does not work in a class with slots
        record["path"] = self.path
        record["type"] = self.type
        for name in SPARE_FIELDS:
            value = getattr(self, name)
            if value not in ("", None):
                record[name] = value
            elif NULL_IN.get(name) == self.action:
                record[name] = None
        record.update((name, list(value) if isinstance(value, tuple) else value) for name, value in self.extra)
        return record


#: Fields of every outcome, in the order in which they are written.
OUTCOME_FIELDS = ("action", "status", "item", "message", "note", "moved_bytes", "error", "remedy")
#: Fields of a `DatasetOutcome` that are written only where they say something.
SPARE_FIELDS = ("refds", "parentds", "state", "prev_gitshasum", "gitshasum", "key", "bytesize")
#: Where DataLad writes ``null`` for one that says nothing: content that went to git, a dataset that is in no other.
NULL_IN = {"key": "add", "refds": "create"}


def failure(error: EngramError, *, action: str, item: str, status: Status = Status.ERROR) -> Outcome:
    """An expected error as an outcome, so that one bad item stops no other."""
    return Outcome(
        action=action,
        item=item,
        status=status,
        message=error.what,
        error=type(error).__name__,
        remedy=error.next_step,
    )


class IncompleteResults(EngramError):
    """A function of the Python interface did what it could, and something failed: the outcomes tell what."""

    outcomes: tuple[Outcome, ...]
    exit_code = 3
    message = "Some items failed."
    remedy = "Each outcome with status error or impossible has its own remedy; then call the function again."

    @property
    def what(self) -> str:
        """One line: how many failed, and the first of them."""
        failed = [outcome for outcome in self.outcomes if outcome.failed]
        first = f"; first {failed[0].item}: {failed[0].message}" if failed else ""
        return f"{len(failed)} of {len(self.outcomes)} failed{first}"
