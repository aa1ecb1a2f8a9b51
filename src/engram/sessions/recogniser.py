"""Recognisers: what looks at a folder's files and says which recordings they are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from engram.model.findings import Finding
from engram.model.recordings import Recording, Task


class Folder(Protocol):
    """What a recogniser may look at: the files below one session's folder. Each look costs what it says, none writes.

    Paths are POSIX, relative to the folder, `str` with surrogates for what is not UTF-8.
    """

    @property
    def name(self) -> str:
        """The folder's own name, without those above it."""
        ...

    @property
    def subject(self) -> str:
        """What the share's template read as the subject; '' where there is no session around it."""
        ...

    def files(self) -> Sequence[str]:
        """Every file below, sorted. Free: the walk has them already."""
        ...

    def ending(self, *suffixes: str) -> Sequence[str]:
        """The files whose lower-case name ends in one of *suffixes* (lower-case), sorted. Nearly free."""
        ...

    def holds(self, path: str) -> bool:
        """Whether there is such a file. Free."""
        ...

    def size_bytes(self, path: str) -> int:
        """One round trip to the share, perhaps. Raises `Unreadable`."""
        ...

    def modified_ns(self, path: str) -> int:
        """When it was written last, in nanoseconds since 1970. The same round trip."""
        ...

    def read(self, path: str, count: int, offset: int = 0) -> bytes:
        """Up to *count* bytes from *offset* on. Two round trips. Raises `Unreadable`, also for no regular file."""
        ...

    def in_worker(self, path: str, reader: str) -> Mapping[str, object]:
        """What a heavy library says about a file, read in a process of its own that has limits.

        *reader* is a function of `engram.sessions.heavy`. Raises `ExtraMissing` when the library is not installed,
        `Malformed` when it does not take the file, runs out of its limits, or dies.
        """
        ...


#: What a recogniser may say. Files in a recording's *paths* are accounted for; a finding accounts for its own path.
Seen: TypeAlias = "Recording | Finding | Task | Known"


@dataclass(frozen=True, slots=True)
class Known:
    """Files that belong to a format and are no recording of their own: logs, settings, side files."""

    paths: tuple[str, ...]
    #: What they are, for people: "SpikeGLX sync extraction".
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recogniser:
    """One format, or a family of them. Plugins offer theirs under the entry point group ``engram.recognisers``."""

    #: The format's name, in the words of the field.
    name: str
    #: It is asked only about folders that hold a file whose lower-case name ends in one of these.
    suffixes: tuple[str, ...]
    #: A generator function: folder in, what it sees out, no side effects. Bad content is a finding, never an
    #: exception; `Unreadable` from the folder may pass through: the scanner makes it a finding.
    recognise: Callable[[Folder], Iterator[Seen]]
    #: Where the format is documented.
    source: str
    #: What it costs and takes from where, one line for the reference.
    reads: str = ""
