"""Sources: where content can be had from."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from engram.model.errors import EngramError
from engram.model.records import record


@record
class Wanted:
    """One content that somebody wants here."""

    #: The git-annex key, as bytes.
    key: bytes
    #: A file that is to have it, relative to the top of the work tree: some sources go by names.
    path: bytes
    #: What the key promises; ``None`` when it does not say.
    size_bytes: int | None = None


@record
class Fetched:
    """What became of one wanted content."""

    wanted: Wanted
    #: What people call the place it came from, or was looked for at.
    source: str
    #: Why it could not be had; ``None`` when it came, whole and verified.
    problem: EngramError | None = None
    moved_bytes: int = 0


class Source(Protocol):
    """Two verbs. `engram.testing.sources.SourceContract` proves an implementation.

    Content that does not match its key never becomes visible: whoever brings it verifies it on the way.
    """

    @property
    def name(self) -> str:
        """What people call it: the name of a sibling, mostly."""
        ...

    @property
    def writes_log(self) -> bool:
        """Whether it also writes down in the dataset that the content is here now."""
        ...

    def fetch(self, wanted: Iterable[Wanted]) -> Iterator[Fetched]:
        """One answer for each content that is wanted, as it comes, in any order.

        An expected failure is an answer, too. Closing the iterator early leaves nothing that is half done visible.
        """
        ...

    def settle(self) -> None:
        """Make what was fetched so far visible and durable: it survives a power cut when this returns.

        Raises `StorageFailed` when the disk refuses; then the same fetch again does the rest.
        """
        ...
