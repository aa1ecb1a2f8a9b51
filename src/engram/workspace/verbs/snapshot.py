"""`engram.snapshot`: connectome snapshots, with the command line's names, arguments and records."""

import os
from typing import Any

from engram.connectome.asking.changes import SnapshotChange, SnapshotDifference
from engram.model.outcome import Outcome
from engram.workspace.context import context_here
from engram.workspace.snapshot_asking import Row, SnapshotAsking
from engram.workspace.snapshot_building import SnapshotBuilding
from engram.workspace.snapshot_loading import SnapshotLoading
from engram.workspace.snapshot_proving import SnapshotProving
from engram.workspace.snapshots import Snapshots
from engram.workspace.verbs.arguments import AnyPath, check_count, collected, text
from engram.workspace.verbs.stopping import ended_by_ctrl_c


@ended_by_ctrl_c()
def build(
    config: AnyPath,
    *,
    output: AnyPath | None = None,
    memory: str = "",
    jobs: int = 0,
    plots: bool = True,
    save: bool = False,
) -> list[Outcome]:
    """The outcome of each file of a snapshot that is built, and of each finding.

    Raises `BadSnapshotConfig` and `BadTables` before anything is changed; `IncompleteResults` when something that the
    configuration asks for was left out.

    Args:
        config: path of the configuration.
        output: the snapshot's folder, whatever the configuration says.
        memory: what the build may take, as 8GB; default is half of what is free.
        jobs: threads; default is one for each processor.
        plots: whether reports have plots.
        save: whether the folder becomes a dataset, if it is none, and the snapshot one commit in it.
    """
    check_count("jobs", jobs)
    building = SnapshotBuilding(context_here())
    folder = text(output) or ""
    told = building.build(os.fspath(config), output=folder, memory=memory, threads=jobs, plots=plots, save=save)
    return collected(told)


@ended_by_ctrl_c()
def check(folder: AnyPath, *, memory: str = "", jobs: int = 0) -> list[Outcome]:
    """The outcome of each file of a finished snapshot; nothing is changed.

    Raises `NoSnapshot`, `SnapshotBusy`; `IncompleteResults` when something is wrong with a file.

    Args:
        folder: of a snapshot that engram or flyem-snapshot wrote.
        memory: what the check may take, as 8GB; default is half of what is free.
        jobs: threads; default is one for each processor.
    """
    check_count("jobs", jobs)
    return collected(SnapshotProving(context_here()).check(os.fspath(folder), memory=memory, threads=jobs))


def config(*, comments: bool = False, meta: bool = False) -> str:
    """A configuration to start from, as YAML: every key with its default. Raises `ExtraMissing`.

    Args:
        comments: say of each key what it means.
        meta: the file that describes the dataset for neuPrint, instead.
    """
    return Snapshots(context_here()).template(meta=meta, comments=comments)


def load(
    folder: AnyPath, *, version: str = "5", database: str = "neo4j", memory: str = "", jobs: int = 0
) -> list[Outcome]:
    """Load a finished snapshot into Neo4j; what the database held before is replaced.

    Raises `NoSnapshot`, `LoadFailed`.

    Args:
        folder: of a snapshot that engram or flyem-snapshot wrote.
        version: Neo4j's, 5 or 4.4; its programs must be on PATH, and it must be at rest.
        database: its name there.
        memory: what the import may take, as 8GB; default is half of what is free.
        jobs: threads; default is one for each processor.
    """
    check_count("jobs", jobs)
    loading = SnapshotLoading(context_here())
    return collected(loading.load(os.fspath(folder), version=version, database=database, memory=memory, threads=jobs))


@ended_by_ctrl_c()
def query(folder: AnyPath, query: str, *, memory: str = "", jobs: int = 0) -> list[dict[str, Any]]:
    """The rows of a finished snapshot that answer a question in SQL, each with its values by column.

    Raises `QueryRefused`, `QueryFailed`, `NoSnapshot`.

    Args:
        folder: of a snapshot that engram or flyem-snapshot wrote.
        query: one SELECT in DuckDB's dialect; tables are named after their files, as body_stats.
        memory: what the answer may take, as 8GB; default is half of what is free.
        jobs: threads; default is one for each processor.
    """
    check_count("jobs", jobs)
    answer = SnapshotAsking(context_here()).query(os.fspath(folder), query, memory=memory, threads=jobs)
    return [dict(one.values) for one in answer if isinstance(one, Row)]


def tag(config: AnyPath) -> str:
    """The name of the snapshot that a configuration builds. Raises `BadSnapshotConfig` with all that is wrong with it.

    Args:
        config: path of the configuration.
    """
    return Snapshots(context_here()).name(os.fspath(config)).tag


@ended_by_ctrl_c()
def diff(
    old: AnyPath, new: AnyPath, *, most: int = 0, memory: str = "", jobs: int = 0
) -> list[SnapshotChange | SnapshotDifference]:
    """What changed between two snapshots: how much of bodies, types, connections and ROIs, and each change.

    Raises `NoSnapshot`, `SnapshotBusy`.

    Args:
        old: folder of a snapshot that engram or flyem-snapshot wrote.
        new: that of a later one.
        most: how many changes of each kind are told, the largest ones; default is all.
        memory: what the comparison may take, as 8GB; default is half of what is free.
        jobs: threads; default is one for each processor.
    """
    check_count("jobs", jobs)
    check_count("most", most)
    asking = SnapshotAsking(context_here())
    return list(asking.diff(os.fspath(old), os.fspath(new), most=most, memory=memory, threads=jobs))


def dir(config: AnyPath) -> str:  # noqa: A001 (the command's name)
    """The folder that a configuration's snapshot is built in. Raises `BadSnapshotConfig` with all that is wrong.

    Args:
        config: path of the configuration.
    """
    return Snapshots(context_here()).name(os.fspath(config)).folder
