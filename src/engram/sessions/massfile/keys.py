"""The keys of a mass file: what each may hold, what it inherits, what it means. Reader, writer and help go by these.

Kavli's own files are read as they are. What engram adds to them: several subjects in one file (a list at the top, or
several YAML documents), *confirmed*, and empty lists where nothing is said yet.

Source: https://github.com/kavli-ntnu/dj-docs/blob/master/docs/ephys/mass_ingestion.rst
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a key holds."""

    NAME = "a name"
    TEXT = "text"
    TEXTS = "a name, or a list of them"
    NUMBER = "a number"
    SECONDS = "seconds from the start of the session"
    MOMENT = "a time, as 2020-01-31 10:00:30"
    TRUTH = "yes or no"
    BLOCK = "keys of its own"
    BLOCKS = "a list of entries with keys of their own"
    FREE = "names, each with a name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a mass file."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    #: What ``yes`` means instead of a value; '' where it means nothing.
    inherits: str = ""
    #: What ``no`` means instead of a value; '' where it means nothing.
    denies: str = ""
    #: The keys within, where there are some.
    keys: "tuple[Key, ...]" = ()


_COORDINATES = tuple(
    Key(name=f"coord_{axis}", kind=Kind.NUMBER, required=True, meaning=f"Where it stood, along {axis}.")
    for axis in ("x", "y")
)
_NOTE = Key(name="note", kind=Kind.TEXT, meaning="Remark.")
_CONFIRMED = Key(
    name="confirmed",
    kind=Kind.TRUTH,
    meaning="no: it is what was recognised, and nobody has said so yet; it is left, and asked for. Default: yes.",
)
_FROM_SESSIONS_TXT = "From the rig's sessions.txt: the first task from the first there, and so on."
_CURATED = "When its files were written last."

TASK = (
    Key(name="task_type", kind=Kind.NAME, required=True, meaning="Of which type it was: OpenField."),
    Key(name="arena_apparatus", kind=Kind.NAME, meaning="The arena: 150_square."),
    Key(
        name="task_start",
        kind=Kind.SECONDS,
        inherits=_FROM_SESSIONS_TXT,
        meaning="When it began; what is left out is inherited.",
    ),
    Key(
        name="task_stop",
        kind=Kind.SECONDS,
        inherits="When the next task of sessions.txt began; of the last one nobody knows.",
        meaning="When it ended; what is left out is inherited.",
    ),
    Key(name="notes", kind=Kind.TEXT, inherits=_FROM_SESSIONS_TXT, meaning="Remark."),
    Key(name="light_level", kind=Kind.NAME, meaning="The light: dim."),
    Key(
        name="objects",
        kind=Kind.BLOCKS,
        meaning="Objects in the arena.",
        keys=(
            Key(name="object_name", kind=Kind.NAME, required=True, meaning="Which object."),
            *_COORDINATES,
            _NOTE,
        ),
    ),
    Key(
        name="cue_cards",
        kind=Kind.BLOCKS,
        meaning="Cue cards in the arena.",
        keys=(Key(name="card_name", kind=Kind.NAME, required=True, meaning="Which card."), *_COORDINATES, _NOTE),
    ),
    Key(
        name="curtains",
        kind=Kind.BLOCKS,
        meaning="Curtains around the arena.",
        keys=(
            Key(name="start_point", kind=Kind.NAME, required=True, meaning="Where it begins: bottom-left."),
            Key(name="direction", kind=Kind.NAME, required=True, meaning="Which way it goes: clockwise."),
            Key(name="coverage", kind=Kind.NUMBER, required=True, meaning="How much of the circle it covers."),
        ),
    ),
    _CONFIRMED,
)
CLUSTERING = (
    Key(name="curator", kind=Kind.NAME, required=True, meaning="Who curated it."),
    Key(name="curation_time", kind=Kind.MOMENT, inherits=_CURATED, meaning="When; what is left out is inherited."),
    Key(name="location", kind=Kind.TEXT, required=True, meaning="The folder that holds the output, or several."),
    Key(name="notes", kind=Kind.TEXT, meaning="Remark."),
    _CONFIRMED,
)
SESSION = (
    Key(name="location", kind=Kind.TEXT, required=True, meaning="Its folder, by any name that a share is known by."),
    Key(
        name="experimenter",
        kind=Kind.TEXTS,
        required=True,
        meaning="Who recorded it; an empty list while nobody has said.",
    ),
    Key(name="name", kind=Kind.NAME, meaning="What clustering of several sessions calls it; it is not kept."),
    Key(name="room", kind=Kind.NAME, meaning="Where it was."),
    Key(name="project", kind=Kind.TEXTS, meaning="What it was for."),
    Key(name="notes", kind=Kind.TEXT, meaning="Remark."),
    Key(
        name="probe_association",
        kind=Kind.FREE,
        meaning="Which implant recorded what: the probe's folder or device, and the implant's name or serial number."
        " Needed where the serial number in the files does not decide.",
    ),
    Key(
        name="tasks",
        kind=Kind.BLOCKS,
        required=True,
        meaning="What the subject did, in order; an empty list while nobody has said.",
        keys=TASK,
    ),
    Key(
        name="clustering",
        kind=Kind.BLOCKS,
        inherits="What lies in the folder. The curator is taken to be the account that plans it, where the catalogue"
        " knows that, and is to be confirmed. The default.",
        denies="None is taken, even if there is some.",
        meaning="Clustering of this session alone.",
        keys=CLUSTERING,
    ),
)
GROUP = (
    *CLUSTERING[:-1],
    Key(name="group_name", kind=Kind.NAME, required=True, meaning="What it is called; no other has that name."),
    Key(
        name="sessions",
        kind=Kind.TEXTS,
        required=True,
        meaning="Of which sessions: when each began, or its name in this file.",
    ),
)
SUBJECT = (
    Key(name="name", kind=Kind.NAME, required=True, meaning="Its name, or one of its aliases."),
    Key(name="datasource_id", kind=Kind.NUMBER, meaning="Where the name comes from; only 0 is known, the default."),
)
FILE = (
    Key(name="subject", kind=Kind.BLOCK, required=True, meaning="Who was recorded from.", keys=SUBJECT),
    Key(name="sessions", kind=Kind.BLOCKS, meaning="Its sessions.", keys=SESSION),
    Key(name="clustering", kind=Kind.BLOCKS, meaning="Clustering of several sessions together.", keys=GROUP),
)


def every_key(keys: tuple[Key, ...] = FILE, above: str = "") -> Iterator[tuple[str, Key]]:
    """All keys, each with what leads to it: ``sessions[].tasks[].task_start``."""
    for key in keys:
        path = f"{above}{key.name}"
        yield path, key
        yield from every_key(key.keys, f"{path}[]." if key.kind is Kind.BLOCKS else f"{path}.")
