"""Load a finished snapshot of a connectome into Neo4j."""

import os
from collections.abc import Iterator

from engram import durable
from engram.durable import Steps
from engram.model.errors import LoadFailed, NoSnapshot, UsageError
from engram.model.outcome import Outcome, Status
from engram.workspace.context import Context
from engram.workspace.memory import memory_of
from engram.workspace.snapshot_proving import existing_folder
from engram.workspace.snapshots import connectome_extra, folder_aside


class SnapshotLoading:
    """Loads snapshots."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def script(
        self, folder: str, *, version: str, database: str, memory: str, threads: int, in_container: bool = False
    ) -> str:
        """The script that loads a snapshot, for sh.

        Args:
            folder: of a snapshot that engram or flyem-snapshot wrote.
            version: Neo4j's, ``5`` or ``4.4``.
            database: its name there; what it held before is replaced.
            memory: what the import may take; '' for half of what is free.
            threads: how many work at once; 0 for one per processor.
            in_container: runs it in a container of apptainer.

        Raises:
            ExtraMissing, PathNotFound, NoSnapshot, UsageError.
            NotHere: the content of a file is in another clone.
            WrongSnapshot: half of it is in its place.
        """
        memory_bytes = memory_of(memory)
        with connectome_extra():
            from engram.connectome.folder import Folder
            from engram.connectome.neo4j.header import BadFile
            from engram.connectome.neo4j.loading import VERSIONS, How, is_database, load_script, unloadable
            from engram.connectome.neo4j.sources import sources_of
            from engram.connectome.proving.parts import refuse_absent
        if version not in VERSIONS:
            raise UsageError(
                f"Nobody knows how Neo4j {version} is loaded.", f"Name one of the versions {' and '.join(VERSIONS)}."
            )
        if not is_database(database):
            raise UsageError(
                f"Neo4j has no database called {database!r}.",
                "Name it with 3 to 63 letters, digits, dots and dashes, a letter first: --database NAME",
            )
        top = existing_folder(self._context, folder)
        Folder(Steps(), top).refuse_half()
        refuse_absent(top, "neuprint")
        place = os.path.join(top, "neuprint")
        sources = sources_of(place)
        if not sources.nodes:
            raise NoSnapshot(place)
        if lost := next(_lost(top), ""):
            raise UsageError(
                f"{os.path.join(top, lost)} is not there as it was built: half a snapshot is not loaded.",
                f"See what is wrong: engram snapshot check {folder}",
            )
        if odd := unloadable(sources):
            raise UsageError(f"neo4j-admin splits {odd!r} at its comma.", "Move the snapshot to a folder without one.")
        if in_container and ":" in place:
            raise UsageError(f"apptainer splits {place!r} at its colon.", "Move the snapshot to a folder without one.")
        how = How(
            version=version,
            database=database,
            memory_bytes=memory_bytes,
            threads=threads or os.cpu_count() or 1,
            in_container=in_container,
        )
        try:
            return load_script(place, sources, how)
        except BadFile as error:
            raise UsageError(
                f"A file of {place} {error}.", f"See what is wrong: engram snapshot check {folder}"
            ) from error

    def load(self, folder: str, *, version: str, database: str, memory: str, threads: int) -> Iterator[Outcome]:
        """Run that script, with the programs of Neo4j that are on PATH. Raises what `script` raises; `LoadFailed`."""
        text = self.script(folder, version=version, database=database, memory=memory, threads=threads)
        from engram.connectome.folder import Folder
        from engram.connectome.neo4j.loading import explain
        from engram.connectome.neo4j.running import Running

        place, progress = existing_folder(self._context, folder), self._context.progress
        with Folder(Steps(), place).looked_at(), folder_aside(self._context) as aside:
            script = os.path.join(aside, "load.sh")
            durable.write_new(Steps(), script, text.encode(), sync=False)
            running = Running(script, self._context.environment)
            try:
                progress.start("loading into Neo4j", None, "")
                for line in running.lines():
                    progress.start(line[:100], None, "")
            finally:
                status = running.end()
                progress.finish()
            if status != 0:
                raise LoadFailed(database, explain(running.said))
        yield Outcome(action="load", item=place, status=Status.OK, note=f"into the database {database}")


def _lost(folder: str) -> Iterator[str]:
    """The files for a database that the snapshot's provenance tells of, and that are not there in their size."""
    from engram.connectome.folder import Folder

    for told in Folder(Steps(), folder).provenance().tables:
        place = os.path.join(folder, told.path)
        if told.path.startswith("neuprint/") and not (
            os.path.isfile(place) and os.path.getsize(place) == told.size_bytes
        ):
            yield told.path
