"""Snapshots of a connectome: build one from its configuration."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from engram import __version__
from engram.durable import Steps
from engram.model.errors import BadTables, ExtraMissing, Malformed, NotUploaded, Unreadable
from engram.model.outcome import Outcome, Status, failure
from engram.model.plan import Plan, PlannedStep
from engram.workspace.context import Context
from engram.workspace.memory import memory_of
from engram.workspace.snapshots import connectome_extra, rights_told

if TYPE_CHECKING:
    from engram.connectome.building import Begun, Finding, Kept
    from engram.connectome.config.records import Config
    from engram.connectome.uploading import Bucket
    from engram.connectome.writing import Written
    from engram.workspace.snapshot_saving import SnapshotSaving

#: What is uploaded: the tables of this folder.
_FLAT = "flat-connectome/"


class SnapshotBuilding:
    """Builds snapshots."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
        self._steps = steps or Steps()

    def build(
        self, config: str, *, output: str, memory: str, threads: int, plots: bool = True, save: bool = False
    ) -> Iterator[Outcome]:
        """Build the snapshot of the configuration *config*: an outcome for each file and for each finding.

        Args:
            output: the snapshot's folder; '' for that of the configuration.
            memory: what the process may take, as ``8GB``; '' for half of what is free.
            threads: how many work at once; 0 for one per processor.
            plots: whether reports have plots.
            save: whether the folder becomes a dataset, if it is none, and all of the snapshot one commit in it.

        Raises:
            ExtraMissing, PathNotFound, UsageError, BadSnapshotConfig, BadTables, TargetExists, TooLittleMemory,
            NoIdentity, NotTrusted: before anything is changed.
            SnapshotBusy, StorageFailed, BucketUnavailable: the folder is as it was.
        """
        memory_bytes = memory_of(memory)
        with connectome_extra():
            from engram.connectome.building import Limits, build
        wanted = self._read(config, output)
        if plots and wanted.outputs.connectivity_reports:
            _need_plots()
        limits = Limits(memory_bytes=memory_bytes, threads=threads or os.cpu_count() or 1)
        bucket = self._bucket(wanted)
        saving = self._saving(wanted) if save else None
        files: dict[str, Written] = {}
        progress = self._context.progress
        with rights_told(wanted.job_settings.output_dir), _tables_told():
            for told in build(wanted, self._steps, limits, version=__version__, now=_now, plots=plots):
                yield from self._outcomes(told, files)
        if saving is not None:
            progress.start("saving", None, "")
            with rights_told(wanted.job_settings.output_dir):
                yield from saving.carry_out(wanted.snapshot_tag, files)
        if bucket is not None:
            flat = [file for path, file in files.items() if path.startswith(_FLAT)]
            yield from self._uploaded(bucket, flat, wanted.job_settings.output_dir)
        progress.finish()

    def _outcomes(self, told: "Begun | Finding | Written | Kept", files: "dict[str, Written]") -> Iterator[Outcome]:
        """What a build tells, as outcomes; its files are added to *files*."""
        from engram.connectome.building import Begun, Finding, Kept

        if isinstance(told, Begun):
            self._context.progress.start(f"{told.step} ({told.number} of {told.steps})", None, "")
        elif isinstance(told, Finding):
            yield Outcome(action="check", item=told.table, status=Status.OK, note=told.message)
        elif isinstance(told, Kept):
            files[told.file.path] = told.file
            yield Outcome(action="build", item=told.file.path, status=Status.NOT_NEEDED, note=_rows(told.file.rows))
        else:
            files[told.path] = told
            note, size_bytes = _rows(told.rows), told.size_bytes
            yield Outcome(action="build", item=told.path, status=Status.OK, note=note, moved_bytes=size_bytes)

    def plan_build(self, config: str, *, output: str, plots: bool = True, save: bool = False) -> Plan:
        """Which steps `build` would carry out and which it would not, and why. Raises what it raises."""
        with connectome_extra():
            from engram.connectome.building import plan
        wanted = self._read(config, output)
        if save:
            self._saving(wanted)
        with _tables_told():
            planned = plan(wanted, self._steps, plots=plots)
        steps = [
            PlannedStep(action="make" if one.wanted else "leave", item=one.step.name, why=one.why) for one in planned
        ]
        if save:
            steps.append(PlannedStep(action="save", item=wanted.job_settings.output_dir, why="as a dataset"))
        return Plan(steps=tuple(steps))

    def _saving(self, config: "Config") -> "SnapshotSaving":
        """What saves the snapshot afterwards. Raises what would keep it from being saved."""
        from engram.workspace.snapshot_saving import SnapshotSaving

        saving = SnapshotSaving(self._context, config.job_settings.output_dir, steps=self._steps)
        saving.check()
        return saving

    def _bucket(self, config: "Config") -> "Bucket | None":
        """Where flat tables are uploaded to; ``None`` when they are not."""
        wanted = config.outputs.flat_connectome
        if not (wanted.gcs_bucket_dir and wanted.export_connectome):
            return None
        try:
            from engram.connectome.uploading import Bucket
        except ModuleNotFoundError as error:
            if error.name != "obstore":
                raise
            raise ExtraMissing("obstore", "pip install '.[gcs]' in engram's clone") from error
        return Bucket(
            wanted.gcs_bucket_dir,
            config.snapshot_tag,
            project=wanted.gcp_project,
            emulator=self._context.environment.get("STORAGE_EMULATOR_HOST", ""),
        )

    def _uploaded(self, bucket: "Bucket", files: "list[Written]", folder: str) -> Iterator[Outcome]:
        for file in files:
            item = bucket.address_of(file)
            self._context.progress.start(f"upload {item}", None, "")
            try:
                sent = bucket.upload(file, folder)
            except NotUploaded as problem:
                yield failure(problem, action="upload", item=item)
                continue
            status = Status.OK if sent else Status.NOT_NEEDED
            yield Outcome(action="upload", item=item, status=status, moved_bytes=file.size_bytes if sent else 0)

    def _read(self, config: str, output: str) -> "Config":
        with connectome_extra():
            from engram.connectome.config.reading import read_config
        folder = self._context.folder
        output_dir = os.path.normpath(os.path.join(folder, output)) if output else ""
        wanted = read_config(os.path.join(folder, config), here=folder, output_dir=output_dir)
        from engram.datasets.permission import check_is_outside_of_git  # here, because help needs no git

        check_is_outside_of_git(wanted.job_settings.output_dir)
        _refuse_unreadable(wanted)
        return wanted


def _refuse_unreadable(config: "Config") -> None:
    """Refuse tables that are not there, or may not be read: all of them at once. Raises `BadTables`."""
    from engram.connectome.inputs import files_of

    problems = []
    for what, path in files_of(config.inputs).items():
        if not os.path.exists(path):
            problems.append(f"{what}: there is no {path}")
        elif not os.access(path, os.R_OK):
            problems.append(f"{what}: {path} may not be read")
    if problems:
        raise BadTables(tuple(problems))


@contextmanager
def _tables_told() -> Iterator[None]:
    """A table that does not parse keeps all of the snapshot from being built. Raises `BadTables`."""
    try:
        yield
    except (Malformed, Unreadable) as error:
        raise BadTables((error.what.removesuffix("."),)) from error


def _need_plots() -> None:
    """What draws plots is found now, and not when all tables are made. Raises `ExtraMissing`."""
    for library in ("altair", "vl_convert"):
        if find_spec(library) is None:
            raise ExtraMissing(library, "pip install '.[connectome]' in engram's clone, or build with --no-plots")


def _rows(rows: int | None) -> str:
    return "" if rows is None else f"{rows} rows"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
