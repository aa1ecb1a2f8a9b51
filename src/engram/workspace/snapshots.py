"""Connectome snapshots: what a configuration may hold, and what it would build where."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from engram.model.errors import ExtraMissing, StorageFailed
from engram.workspace.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotName:
    """What a configuration builds, and where."""

    #: Name of the snapshot, which stands in the names of its tables.
    tag: str
    #: Absolute path of the folder that holds it, or will.
    folder: str
    #: Absolute path of the configuration.
    config: str

    def as_json(self) -> dict[str, Any]:
        """The record behind ``snapshot tag --json``. Fields may be added, never changed."""
        return {"record": "snapshot", **asdict(self)}


class Snapshots:
    """What can be done with connectome snapshots."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def template(self, *, meta: bool = False, comments: bool = False) -> str:
        """A configuration with every key and its default, or the file that describes a dataset for neuPrint."""
        with connectome_extra():
            from engram.connectome.config.templates import template
        return template(meta=meta, comments=comments)

    def name(self, config: str) -> SnapshotName:
        """What a configuration builds, and where. Nothing is built, and no table is looked at.

        Raises `UsageError`; `BadSnapshotConfig` with everything that is wrong with it.
        """
        with connectome_extra():
            from engram.connectome.config.reading import read_config
        path = os.path.abspath(os.path.join(self._context.folder, config))
        settings = read_config(path, here=self._context.folder).job_settings
        return SnapshotName(tag=settings.snapshot_tag, folder=settings.output_dir, config=path)


@contextmanager
def connectome_extra() -> Iterator[None]:
    """What is imported within needs the extra ``connectome``. Raises `ExtraMissing`, which names it.

    Arrow's own allocator keeps what it was given back: 150 MB of a build of a million synapses. Which one it takes it
    asks when it is loaded: that of the system, unless a user chose another.

    Source: https://arrow.apache.org/docs/cpp/env_vars.html (ARROW_DEFAULT_MEMORY_POOL)
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("duckdb", "pyarrow", "yaml"):
            raise
        raise ExtraMissing(str(error.name), "pip install '.[connectome]' in engram's clone") from error


@contextmanager
def rights_told(folder: str) -> Iterator[None]:
    """What this user may not change in a folder that a snapshot, or a report, goes to. Raises `StorageFailed`."""
    try:
        yield
    except PermissionError as error:
        place = error.filename or folder
        raise StorageFailed(os.fsdecode(place), error.strerror or str(error)) from error


@contextmanager
def folder_aside(context: Context) -> Iterator[str]:
    """A folder for what does not fit into memory, or is needed for a moment. Raises `StorageFailed`."""
    from tempfile import TemporaryDirectory  # here, because help needs no folder

    within = context.environment.get("TMPDIR") or None
    try:
        made = TemporaryDirectory(prefix="engram-", dir=within)
    except OSError as error:  # without TMPDIR, it tells where it looked
        place = f"The folder for temporary files{f', TMPDIR={within},' if within else ''}"
        raise StorageFailed(place, error.strerror or str(error)) from error
    with made as aside:
        yield aside
