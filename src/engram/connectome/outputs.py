"""Files of a snapshot as data: which table, by which query, into which file."""

from dataclasses import dataclass

from engram.connectome.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file of a snapshot, as it is to be written."""

    #: POSIX path in the snapshot's folder; its ending says how it is written.
    path: str
    #: Gives its rows, in their order.
    query: str
    #: What its table promises, for this snapshot.
    promise: Table
    #: The column that pandas makes the index; '' for none.
    index: str = ""
    #: Whether the query gives whole lines of a CSV file, in one column.
    gives_lines: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesOutput:
    """One file of a snapshot that is made elsewhere."""

    #: POSIX path in the snapshot's folder.
    path: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOutput:
    """One file of a snapshot that no query gives."""

    #: POSIX path in the snapshot's folder.
    path: str
    text: str
    #: Of a table; ``None`` for what is none.
    rows: int | None = None
    columns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierOutput:
    """One file of a snapshot that is there already, from an earlier build, and stays as it is."""

    #: POSIX path in the snapshot's folder.
    path: str
    #: Where the file lies, on the same file system.
    place: str
