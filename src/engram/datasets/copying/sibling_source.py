"""A sibling on this machine as a source of content: copied from its object store, nothing of it is changed.

Nothing is locked there either: an open file stays whole while somebody drops it, and what was cut short, or written to
meanwhile, does not match its key. Its log goes on saying what it said. (git-annex does it the same way, but for a
note in ``annex/transfer`` of the sibling, which not everybody may write.)
"""

import os
from collections.abc import Iterable, Iterator

from engram.datasets.annex.receiving import Receiving
from engram.datasets.siblings import OpenSibling
from engram.model.errors import ChecksumMismatch, NoRoom, Unavailable, Unreadable
from engram.model.source import Fetched, Wanted


class SiblingSource:
    """A source whose contents lie in a folder of this machine."""

    def __init__(self, sibling: OpenSibling, receiving: Receiving) -> None:
        self._sibling = sibling
        self._receiving = receiving

    @property
    def name(self) -> str:
        return self._sibling.name

    @property
    def writes_log(self) -> bool:
        return False

    def fetch(self, wanted: Iterable[Wanted]) -> Iterator[Fetched]:
        name, uuid = self._sibling.name, self._sibling.uuid
        take = self._receiving.take
        for one in wanted:
            try:
                try:
                    moved_bytes = take(one.key, self._sibling.place_of(one.key), name, uuid=uuid)
                except FileNotFoundError:
                    moved_bytes = take(one.key, self._sibling.other_place_of(one.key), name, uuid=uuid)
            except (FileNotFoundError, NotADirectoryError):
                yield Fetched(wanted=one, source=name, problem=_missing(one, name))
            except (ChecksumMismatch, NoRoom, Unreadable) as problem:
                yield Fetched(wanted=one, source=name, problem=problem)
            else:
                yield Fetched(wanted=one, source=name, moved_bytes=moved_bytes)

    def settle(self) -> None:
        self._receiving.settle()


def _missing(one: Wanted, name: str) -> Unavailable:
    return Unavailable(os.fsdecode(one.path), f"{name} does not have it, though the log says so")
