"""Prove that a finished snapshot of a connectome is whole, and that its tables agree with each other."""

import os
from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING

from engram.durable import Steps
from engram.model.errors import NoSnapshot, WrongSnapshot
from engram.model.outcome import Outcome, Status
from engram.workspace.context import Context
from engram.workspace.memory import memory_of
from engram.workspace.snapshots import connectome_extra, folder_aside

if TYPE_CHECKING:
    from engram.connectome.proving.told import Kind, Told, Wrong

#: What a check takes beside the engine: libraries, a batch of a table, what the allocator has not given back yet. Of a
#: million synapses 230 MiB were measured, and 310 of five million, with a memory of 1430.
_BESIDE_BYTES = 280 << 20


class SnapshotProving:
    """Checks snapshots."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, folder: str, *, memory: str, threads: int) -> Iterator[Outcome]:
        """Look at everything in a snapshot's folder: an outcome for each file, and for each thing wrong with one.

        Args:
            folder: of a snapshot that engram or flyem-snapshot wrote; nothing in it is changed.
            memory: what the process may take, as ``8GB``; '' for half of what is free.
            threads: how many work at once; 0 for one per processor.

        Raises:
            ExtraMissing, NoSnapshot, UsageError: nothing was looked at.
            SnapshotBusy: it is being built.
            TooLittleMemory, StorageFailed: what was not told was not looked at.
        """
        memory_bytes = memory_of(memory)
        with connectome_extra():
            from engram.connectome.building import Limits, told_engine
            from engram.connectome.engine import Work
            from engram.connectome.folder import Folder
            from engram.connectome.proving.checking import check
        place = existing_folder(self._context, folder)
        limits = Limits(memory_bytes=memory_bytes, threads=threads or os.cpu_count() or 1)
        with Folder(Steps(), place).looked_at(), folder_aside(self._context) as spill:
            with told_engine("check", limits, spill):
                work = Work(
                    os.path.join(spill, "work"),
                    memory_bytes=memory_bytes,
                    engine_bytes=max(memory_bytes - _BESIDE_BYTES, 0),
                    threads=limits.threads,
                    spill=spill,
                )
            try:
                with told_engine("check", limits, spill):
                    for told in check(place, work):
                        yield from self._outcomes(told, place)
            finally:
                work.close()
                self._context.progress.finish()

    def _outcomes(self, told: "Told", folder: str) -> Iterator[Outcome]:
        from engram.connectome.proving.told import Looking, Sound, Wrong

        if isinstance(told, Looking):
            self._context.progress.start(told.what, None, "")
        elif isinstance(told, Wrong):
            yield _wrong(told, folder)
        elif isinstance(told, Sound):
            note = told.proof if told.rows is None else f"{told.rows} rows, {told.proof}"
            yield Outcome(action="check", item=told.path, status=Status.OK, note=note)
        else:
            yield Outcome(action="check", item=told.path, status=Status.OK, note=f"not proven: {told.why}")


def existing_folder(context: Context, folder: str) -> str:
    """The absolute path of a folder that the user named. Raises `NoSnapshot`."""
    place = os.path.normpath(os.path.join(context.folder, folder))
    if not os.path.isdir(place):
        raise NoSnapshot(folder)
    return place


def _wrong(wrong: "Wrong", folder: str) -> Outcome:
    from engram.connectome.contents import not_here
    from engram.connectome.proving.told import Kind

    is_absent = wrong.kind is Kind.ABSENT
    problem = (
        not_here(folder, wrong.path)
        if is_absent
        else WrongSnapshot(wrong.path, wrong.message, _advice(wrong.kind, folder))
    )
    return Outcome(
        action="check",
        item=wrong.path,
        status=Status.IMPOSSIBLE if is_absent else Status.ERROR,
        message=wrong.message,
        error=type(problem).__name__,
        remedy=problem.next_step,
    )


def _advice(kind: "Kind", folder: str) -> str:
    """What helps against what is wrong with a file of a snapshot that is here."""
    from engram.connectome.proving.told import Kind

    if kind is Kind.FOREIGN:
        return "Move it elsewhere: nothing of the snapshot needs it."
    if not os.path.isdir(os.path.join(folder, ".engram")):
        return "Fetch the snapshot once more, or write it anew with the program that wrote it."
    again = f"engram snapshot build -c CONFIG -o {quote(folder)}"
    if kind is Kind.DAMAGED:
        return f"Build it again, what is whole is kept: {again}"
    return f"Build it anew: rm {quote(folder)}/provenance.json; {again}"
