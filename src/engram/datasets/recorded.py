"""What became of one path in a save: the entry for the index, and what it stands for."""

from dataclasses import dataclass

from engram.datasets.git.index import Entry


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Recorded:
    """What became of one path."""

    path: bytes
    entry: Entry
    #: The annex key, b"" for content in git.
    key: bytes = b""
    #: The blob that the entry names; ``None`` when it is in `streamed`.
    blob: bytes | None = None
    #: Whether the annex holds the key's content here.
    here: bool = False
    size_bytes: int = 0
    note: str = ""
