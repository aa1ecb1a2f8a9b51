"""What a check of a snapshot tells."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """What a file can have against it, which decides what helps."""

    #: It is not what was built: missing, or with other bytes.
    DAMAGED = "damaged"
    #: It contradicts its promise, its own format or another file.
    CONTRADICTION = "contradiction"
    #: It does not belong to the snapshot.
    FOREIGN = "foreign"
    #: Its content is in another clone of the dataset that the snapshot was saved as.
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A file that is as it should be."""

    #: POSIX path in the snapshot's folder.
    path: str
    #: ``None`` for what is no table.
    rows: int | None
    size_bytes: int
    sha256: str
    #: What was proven of it, as a part of a sentence.
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with a file, one sentence."""

    path: str
    message: str
    kind: Kind = Kind.CONTRADICTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven:
    """What could not be looked at, and why: it is not wrong."""

    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What is looked at now."""

    what: str


#: What is told, one by one.
Told: TypeAlias = Sound | Wrong | Unproven | Looking
