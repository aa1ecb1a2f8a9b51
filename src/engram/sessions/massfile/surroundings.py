"""What a mass file is held against: the lab, its shares as they were scanned, its catalogue."""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from engram.catalogue.said import Names
from engram.model.animals import Implant
from engram.model.lab import Share
from engram.sessions.inferring import below_a_root
from engram.sessions.known import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything that stage 2 looks at."""

    #: The file with its digest, for the history.
    source: str
    #: What people call it.
    name: str
    shares: tuple[Share, ...]
    #: Those that were looked at just now, by name.
    scanned: frozenset[str]
    known: Known
    names: Names = field(default_factory=Names)
    #: By the subject's own name.
    implants: Mapping[str, tuple[Implant, ...]] = field(default_factory=dict)
    #: By the name of each clustering: the subjects that it is of.
    clusterings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Who runs this, as a person of the catalogue; '' when it has no such.
    account: str = ""
    zone: tzinfo = UTC
    #: Why a folder of a share cannot be read, as a clause; '' when it can.
    trouble: Callable[[Share, str], str]
    #: When a file in a folder of a share was written last, with a zone.
    written: Callable[[Share, str], datetime | None]

    def places(self, location: str) -> Iterator[tuple[Share, str]]:
        """Where a location can lie: shares, and a folder on each. A path without a root may lie on any."""
        for share in self.shares:
            named = [*below_a_root(location, (share.root, *share.also_known_as))]
            named += [] if _has_a_root(location) else [location.replace("\\", "/").rstrip("/")]
            for path in dict.fromkeys(map(posixpath.normpath, named)):
                if path != ".." and not path.startswith("../"):
                    yield share, path

    def where_shares_begin(self) -> str:
        """The names of all shares, as the rest of a sentence."""
        return "; ".join(
            f"{share.name} begins at {', '.join((share.root, *share.also_known_as))}" for share in self.shares
        )

    def by_the_labs_clock(self, moment: datetime) -> datetime:
        """A moment without its zone."""
        return moment if moment.tzinfo is None else moment.astimezone(self.zone).replace(tzinfo=None)


def _has_a_root(location: str) -> bool:
    return location.startswith(("/", "\\")) or location[1:2] == ":"
