"""Ask finished snapshots of a connectome: questions in SQL, and what changed between two of them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from engram.durable import Steps
from engram.workspace.context import Context
from engram.workspace.memory import memory_of
from engram.workspace.snapshot_proving import existing_folder
from engram.workspace.snapshots import connectome_extra


@dataclass(frozen=True, slots=True, kw_only=True)
class Queryable:
    """A table of a snapshot that can be asked."""

    #: What SQL calls it.
    name: str
    #: POSIX path of its file in the snapshot's folder; of a table in several files, that of their folder.
    path: str
    #: Its columns and their types, as SQL sees them.
    columns: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The record ``queryable``. Fields may be added, never changed."""
        return {"record": "queryable", **asdict(self), "columns": dict(self.columns)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of an answer, which come before its rows."""

    #: Their names and types, as SQL spells them, in their order.
    columns: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The record ``columns``. Fields may be added, never changed."""
        return {"record": "columns", "columns": dict(self.columns)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of an answer."""

    #: Values by the names of their columns: numbers, texts, truths, null, and lists and objects of them.
    values: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The record ``row``. Fields may be added, never changed."""
        return {"record": "row", "values": _plain(self.values)}


def _plain(value: Any) -> Any:  # noqa: ANN401 (of an answer)
    """A value as JSON has it: what is no number is null, and what JSON does not know is text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


class SnapshotAsking:
    """Asks snapshots."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def tables(self, folder: str) -> list[Queryable]:
        """The tables of a snapshot that can be asked, in the order of their names.

        Raises `ExtraMissing`, `NoSnapshot`, `SnapshotBusy`, `Malformed`.
        """
        with self._asking(folder, "", 0) as asking:
            return [Queryable(name=one.name, path=one.path, columns=one.columns) for one in asking.tables]

    def query(self, folder: str, query: str, *, memory: str, threads: int) -> Iterator[Columns | Row]:
        """The answer to a question in SQL: its columns, then its rows. Nothing is changed, and nothing else is opened.

        Args:
            folder: of a snapshot that engram or flyem-snapshot wrote. Its bytes are not proven.
            query: one statement that selects.
            memory: what the process may take, as ``8GB``; '' for half of what is free.
            threads: how many work at once; 0 for one per processor.

        Raises:
            ExtraMissing, NoSnapshot, UsageError, QueryRefused, QueryFailed, SnapshotBusy, Malformed,
            TooLittleMemory, StorageFailed.
        """
        with self._asking(folder, memory, threads) as asking:
            answer = asking.ask(query)
            yield Columns(columns=answer.columns)
            for row in answer.rows:
                yield Row(values=dict(zip(answer.columns, row, strict=True)))

    @contextmanager
    def _asking(self, folder: str, memory: str, threads: int) -> "Iterator[Any]":
        from tempfile import TemporaryDirectory  # here, because help needs no folder

        memory_bytes = memory_of(memory)
        with connectome_extra():
            from engram.connectome.asking.querying import Asking
            from engram.connectome.building import Limits, told_engine
            from engram.connectome.folder import Folder
            from engram.connectome.proving.parts import paths_in
        place = existing_folder(self._context, folder)
        limits = Limits(memory_bytes=memory_bytes, threads=threads or os.cpu_count() or 1)
        within = self._context.environment.get("TMPDIR") or None
        with (
            Folder(Steps(), place).looked_at(),
            TemporaryDirectory(prefix="engram-", dir=within) as spill,
            told_engine("query", limits, spill),
        ):
            asking = Asking(place, paths_in(place), memory_bytes=memory_bytes, threads=limits.threads, spill=spill)
            try:
                yield asking
            finally:
                asking.close()
