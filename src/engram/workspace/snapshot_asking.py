"""Ask finished snapshots of a connectome: questions in SQL, and what changed between two of them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from shlex import quote
from typing import TYPE_CHECKING, Any

from engram import durable
from engram.connectome.asking.changes import SnapshotChange, SnapshotDifference
from engram.durable import Steps
from engram.model.errors import UsageError, WrongSnapshot
from engram.model.outcome import Outcome, Status
from engram.workspace.context import Context
from engram.workspace.memory import memory_of
from engram.workspace.snapshot_proving import existing_folder
from engram.workspace.snapshots import connectome_extra, folder_aside, rights_told

if TYPE_CHECKING:
    from engram.connectome.asking.querying import Asking
    from engram.connectome.building import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Queryable:
    """A table of a snapshot that can be asked."""

    #: What SQL calls it.
    name: str
    #: POSIX path of its file in the snapshot's folder; of a table in several files, that of their folder.
    path: str
    #: Its columns and their types, as SQL sees them; none of one that is not here.
    columns: Mapping[str, str]
    #: Whether its content is: get it where it is not.
    is_here: bool = True

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
    if isinstance(value, Decimal):  # as 1.5, and what is computed with it
        return float(value)
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


class SnapshotAsking:
    """Asks snapshots."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def tables(self, folder: str) -> list[Queryable]:
        """The tables of a snapshot that can be asked, in the order of their names.

        Raises `ExtraMissing`, `NoSnapshot`, `WrongSnapshot`, `SnapshotBusy`, `Malformed`.
        """
        with self._asking(folder, "", 0) as asking:
            return [Queryable(**asdict(one)) for one in asking.tables]

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
            NotHere: the content of a table is in another clone.
            WrongSnapshot: half of it is in its place.
        """
        with self._asking(folder, memory, threads) as asking:
            answer = asking.ask(query)
            yield Columns(columns=answer.columns)
            for row in answer.rows:
                yield Row(values=dict(zip(answer.columns, row, strict=True)))

    def diff(
        self, old: str, new: str, *, most: int, memory: str, threads: int
    ) -> Iterator[SnapshotChange | SnapshotDifference]:
        """What changed between two snapshots: how much of each kind of thing, and the largest changes of it.

        Args:
            old, new: folders of snapshots that engram or flyem-snapshot wrote.
            most: how many changes of each kind are told; 0 for all.
            memory: what the process may take, as ``8GB``; '' for half of what is free.
            threads: how many work at once; 0 for one per processor.

        Raises:
            ExtraMissing, PathNotFound, NoSnapshot, UsageError, SnapshotBusy, Malformed, TooLittleMemory, StorageFailed.
            WrongSnapshot: half of one is in its place, or a table is gone.
        """
        with self._held((old, new), memory, threads) as (places, files, limits, spill):
            from engram.connectome.asking.comparing import Comparing
            from engram.connectome.engine import Work

            for place in places:
                _refuse_lost(place)
            work = Work(":memory:", memory_bytes=limits.memory_bytes, threads=limits.threads, spill=spill)
            try:
                yield from Comparing(work, places, files).compare(most=most)
            finally:
                work.close()

    def report_place(self, path: str) -> str:
        """Where a report that a user names will be written. Raises `UsageError` for a place where none can be."""
        place = os.path.normpath(os.path.join(self._context.folder, path))
        if os.path.isdir(place) or not os.access(os.path.dirname(place), os.W_OK | os.X_OK):
            raise UsageError(
                f"No report can be written to {path}.", "Name a file in a folder that is there, and yours."
            )
        return place

    def save_report(self, place: str, page: str) -> Iterator[Outcome]:
        """Write a page over an older one. Raises `StorageFailed`."""
        with rights_told(place):
            durable.replace(Steps(), place, page.encode("utf-8", "backslashreplace"))
        yield Outcome(action="report", item=place, status=Status.OK)

    @contextmanager
    def _asking(self, folder: str, memory: str, threads: int) -> "Iterator[Asking]":
        with self._held((folder,), memory, threads) as ((place,), ((files, absent),), limits, spill):
            from engram.connectome.asking.querying import Asking

            memory_bytes, threads = limits.memory_bytes, limits.threads
            asking = Asking(place, files, absent, memory_bytes=memory_bytes, threads=threads, spill=spill)
            try:
                yield asking
            finally:
                asking.close()

    @contextmanager
    def _held(
        self, folders: tuple[str, ...], memory: str, threads: int
    ) -> "Iterator[tuple[list[str], list[tuple[list[str], list[str]]], Limits, str]]":
        """Snapshots that nobody builds meanwhile: folders, files, limits, a folder for what is large.

        Of each, the files whose content is here, and those whose content is not.
        """
        memory_bytes = memory_of(memory)
        with connectome_extra():
            from engram.connectome.building import Limits, told_engine
            from engram.connectome.folder import Folder
            from engram.connectome.proving.parts import paths_in
        places = [existing_folder(self._context, folder) for folder in folders]
        limits = Limits(memory_bytes=memory_bytes, threads=threads or os.cpu_count() or 1)
        with ExitStack() as held:
            for place in places:
                held.enter_context((one := Folder(Steps(), place)).looked_at())
                one.refuse_half()
            spill = held.enter_context(folder_aside(self._context))
            held.enter_context(told_engine("query", limits, spill))
            yield places, [paths_in(place) for place in places], limits, spill


def _refuse_lost(folder: str) -> None:
    """Refuse a snapshot of which tables are gone: what is not there would be called removed. Raises `WrongSnapshot`."""
    from engram.connectome.folder import Folder

    for told in Folder(Steps(), folder).provenance().tables:
        if told.path.endswith(".feather") and not os.path.lexists(os.path.join(folder, told.path)):
            advice = f"See what is wrong: engram snapshot check {quote(folder)}"
            raise WrongSnapshot(os.path.join(folder, told.path), "is not there as it was built", advice)
