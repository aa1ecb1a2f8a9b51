"""Build a snapshot: from the tables that a configuration names to a folder of tables and files for neuPrint."""

import errno
import hashlib
import os
import platform
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib import metadata
from typing import Any

import duckdb
import msgspec
import pyarrow

from engram.connectome.config.records import Config
from engram.connectome.config.writing import as_data
from engram.connectome.contents import Contents
from engram.connectome.crate import CRATE, crate_of
from engram.connectome.engine import Work, disk_failure, give_back
from engram.connectome.fetching import is_link
from engram.connectome.folder import Folder
from engram.connectome.inputs import files_of
from engram.connectome.linked import linked
from engram.connectome.making import Making, folders_of, views_of_reports, wanted_steps
from engram.connectome.needs import advised_mib, rows_of
from engram.connectome.neuroglancer import BadView, Views
from engram.connectome.reading import told
from engram.connectome.shapes.folders import digest_of_folder
from engram.connectome.steps import Earlier, Planned, plan_steps
from engram.connectome.writing import AnyOutput, Written, digest_of, write_output
from engram.durable import Steps
from engram.model.errors import NO_FILE, BadTables, StorageFailed, TooLittleMemory, Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a build may take."""

    #: Memory of the whole process.
    memory_bytes: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that people should know of the tables of a snapshot."""

    #: Name of the table.
    table: str
    #: One sentence.
    message: str
    #: The step that found it; '' for the look at all tables that comes before the first one.
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A step that begins now."""

    step: str
    #: Its number, from 1, and how many there are.
    number: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file of an earlier build that is what a build would make now."""

    file: Written


def build(
    config: Config, steps: Steps, limits: Limits, *, version: str, now: Callable[[], str], plots: bool = True
) -> Iterator[Begun | Finding | Written | Kept]:
    """Build the snapshot of a configuration into its folder; the files are in their place when they are told.

    What an earlier build left there is kept as far as it is what would be made now.

    Args:
        config: complete, with absolute paths.
        version: engram's own.
        now: tells the time, ISO 8601.
        plots: whether reports have plots.

    Raises:
        BadTables, Unreadable, Malformed: what is wrong with the tables.
        SnapshotBusy, TargetExists: somebody or something else is in the folder.
        TooLittleMemory, StorageFailed: nothing of the new snapshot is in its place.
    """
    begun = now()
    with Folder(steps, config.job_settings.output_dir).held() as folder:
        has_crate = folder.has_crate()
        seen = _seen(config)
        inputs = digests_of(config, views := Views())
        earlier = _earlier(folder)
        planned = plan_steps(wanted_steps(config), _settings(config, plots=plots), inputs, earlier)
        kept = _kept(planned, earlier)
        folder.forget({one.step.name: [file.path for file in one.left.files] for one in planned if one.left})
        wanted = [one for one in planned if one.wanted]
        made = _Made(findings=_found_before(planned, earlier), views=views)
        if wanted:
            yield from _carry_out(planned, config, folder, steps, limits, made, plots=plots)
        findings, written = made.findings, made.written
        provenance = {
            "snapshot": config.snapshot_tag,
            "engram": version,
            "libraries": _libraries(plots=plots and bool(config.outputs.connectivity_reports)),
            "begun": begun,
            "ended": now(),
            "inputs": [
                {"table": what, "path": path, "size_bytes": _size(path), "sha256": inputs[what]}
                for what, path in _inputs_of(config).items()
            ],
            "config": as_data(config),
            "steps": [one.as_json() for one in planned],
            "findings": [asdict(finding) for finding in findings],
            "tables": [one.as_json() for one in (*written, *kept)],
        }
        _refuse_changed(seen, config)
        others = folder.parts() - {one.path.partition("/")[0] for one in kept}
        if wanted or others or not has_crate or any(one.left for one in planned):
            in_place = (one for one in planned if not one.wanted and not one.left)
            crate = crate_of(provenance)
            told_of = linked(provenance | {"crate": _told_of(crate)})
            folder.publish(told_of, crate, keep={name for one in in_place for name in one.step.writes})
    yield from findings
    yield from written
    yield from (Kept(file=one) for one in kept)


def _told_of(crate: str) -> dict[str, Any]:
    """What provenance tells of the crate that is made of it."""
    data = crate.encode()
    return {"path": CRATE, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _size(path: str) -> int | None:
    """Of a file; folders, and what is behind links, have none."""
    return os.path.getsize(path) if os.path.isfile(path) else None


def _libraries(*, plots: bool) -> dict[str, str]:
    """The versions of what a snapshot is made with."""
    found = {
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "pyarrow": pyarrow.__version__,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }
    return found | ({one: metadata.version(one) for one in ("altair", "vl-convert-python")} if plots else {})


@dataclass(slots=True, kw_only=True)
class _Made:
    """What a build has made so far, and what it found in the tables."""

    findings: list[Finding]
    views: Views
    written: list[Written] = field(default_factory=list)


def _carry_out(
    planned: Sequence[Planned[Making]],
    config: Config,
    folder: Folder,
    steps: Steps,
    limits: Limits,
    made: _Made,
    *,
    plots: bool,
) -> Iterator[Begun]:
    """Carry out steps one after the other. Of each that writes files it is noted when they are whole."""
    seen = _seen(config)
    wanted = [one for one in planned if one.wanted]
    before = [one for one in made.findings if one.step in {other.step.name for other in planned if not other.wanted}]
    found: list[Finding] = []
    with opened(folder.work, limits) as work:
        rows = partial(rows_of, files_of(config.inputs)["partners table"])
        with told_engine("check", limits, folder.path, rows=rows):
            making = Making(work, config, plots=plots, views=made.views)
        _take_findings(found, making, "")
        for number, one in enumerate(wanted, start=1):
            yield Begun(step=one.step.name, number=number, steps=len(wanted))
            with told_engine(one.step.name, limits, folder.path, rows=rows):
                files = [_written(work, folder, steps, file) for file in one.step.carry_out(making) or ()]
            made.written += files
            _take_findings(found, making, one.step.name)
            made.findings = _in_order([*before, *found], planned)
            _refuse_changed(seen, config)
            if one.step.writes:
                findings = [asdict(finding) for finding in made.findings]
                folder.note_made(one.step.name, one.key, [asdict(file) for file in files], findings)


def _take_findings(found: list[Finding], making: Making, step: str) -> None:
    """Add what was found since the last time."""
    more = making.sources.findings[len(found) :]
    found += [Finding(table=table, message=message, step=step) for table, message in more]


def _in_order(findings: Sequence[Finding], planned: Sequence[Planned[Making]]) -> list[Finding]:
    """Findings in the order in which a build from nothing would tell them."""
    places = {one.step.name: place for place, one in enumerate(planned, start=1)}
    return sorted(findings, key=lambda one: places.get(one.step, 0))


def _written(work: Work, folder: Folder, steps: Steps, output: AnyOutput) -> Written:
    try:
        return write_output(work, folder, steps, output)
    finally:
        give_back()


def plan(config: Config, steps: Steps, *, plots: bool = True) -> list[Planned[Making]]:
    """What `build` would do, and why. Input tables are read for their digests, and files of an earlier build."""
    folder = Folder(steps, config.job_settings.output_dir)
    settings = _settings(config, plots=plots)
    return plan_steps(wanted_steps(config), settings, digests_of(config, Views()), _earlier(folder))


def _earlier(folder: Folder) -> Earlier:
    """What earlier builds left: one that came to its end, and one that was interrupted."""
    return Earlier(
        folder=folder.path,
        provenance=folder.provenance(),
        contents=Contents(folder.path),
        digest_of=digest_of,
        left=folder.left(),
        left_in=folder.new,
    )


def _kept(planned: Sequence[Planned[Making]], earlier: Earlier) -> list[Written]:
    """The files that need not be made."""
    files = [
        file
        for one in planned
        if not one.wanted
        for file in (one.left.files if one.left else earlier.files_of(one.step))
    ]
    return [Written(**msgspec.structs.asdict(file)) for file in files]


def _found_before(planned: Sequence[Planned[Making]], earlier: Earlier) -> list[Finding]:
    """What earlier builds found in the very tables that are read now."""
    told = next((one.left.findings for one in reversed(planned) if one.left), None)
    if told is None:
        keys = {one.name: one.key for one in earlier.provenance.steps}
        gone = {one.step.name for one in planned if keys.get(one.step.name) != one.key}
        told = tuple(one for one in earlier.provenance.findings if one.step not in gone)
    return [Finding(table=one.table, message=one.message, step=one.step) for one in told]


def _refuse_changed(seen: Mapping[str, tuple[int, int, int]], config: Config) -> None:
    """Refuse to go on with tables that changed while they were read. Raises `BadTables`."""
    now = _seen(config)
    if changed := [path for path, was in seen.items() if now.get(path) != was]:
        raise BadTables(tuple(f"{path} changed while it was read: build again" for path in changed))


def _inputs_of(config: Config) -> dict[str, str]:
    """The files that are read while a snapshot is built, by what they are."""
    view = config.outputs.neuprint.neuroglancer.json_state
    return (
        files_of(config.inputs)
        | folders_of(config)
        | ({"neuroglancer view": view} if view else {})
        | views_of_reports(config)
    )


def _settings(config: Config, *, plots: bool) -> dict[str, Any]:
    """All that steps may read."""
    return as_data(config) | {"options": {"plots": plots}}


def _seen(config: Config) -> dict[str, tuple[int, int, int]]:
    """What tells by a look whether an input is another one: inode, size and time by path."""
    found = {}
    for path in _inputs_of(config).values():
        if is_link(path):  # it is asked for once
            continue
        with told(path):
            now = os.stat(path)
            found[path] = (now.st_ino, now.st_size, now.st_mtime_ns)
    return found


def digests_of(config: Config, views: Views) -> dict[str, str]:
    """Digests of the inputs, by what they are; what is behind links is read by *views*. Raises `Unreadable`."""
    found = {}
    for what, path in _inputs_of(config).items():
        if is_link(path):
            found[what] = _digest_of_link(path, views)
            continue
        if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
            raise Unreadable(path, NO_FILE)
        with told(path):
            found[what] = digest_of_folder(path) if os.path.isdir(path) else digest_of(path)
    return found


def _digest_of_link(link: str, views: Views) -> str:
    """SHA-256 of the view that is behind a link. Raises `Unreadable`, `BadTables`."""
    try:
        return views.digest(link)
    except BadView as error:
        raise BadTables((f"{link}: {error}",)) from None
    except OSError as error:
        raise Unreadable(link, str(getattr(error, "reason", "") or error)) from None


#: What a build takes beside the engine: Python and its libraries, and what Arrow reads ahead.
_BESIDE_BYTES = 520 << 20


@contextmanager
def opened(path: str, limits: Limits) -> Iterator[Work]:
    """A work file, closed whatever happens."""
    engine_bytes = max(limits.memory_bytes - _BESIDE_BYTES, 0)
    with told_engine("check", limits, path):
        work = Work(path, memory_bytes=limits.memory_bytes, threads=limits.threads, engine_bytes=engine_bytes)
    try:
        yield work
    finally:
        work.close()


#: What is told where a disk takes no more.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def told_engine(step: str, limits: Limits, path: str, *, rows: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """What the engine could not do, as an error that people can act on: `TooLittleMemory`, `StorageFailed`.

    Args:
        rows: counts the partner rows of a build, from which follows how much it needs; 0 for other work.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        mib, count = limits.memory_bytes >> 20, rows()
        advised = advised_mib(count, mib) if count else 2 * mib
        raise TooLittleMemory(step=step, memory_mib=mib, advised_mib=advised) from error
    except duckdb.Error as error:
        failed = disk_failure(error)
        if failed is None and not isinstance(error, duckdb.IOException):
            raise
        file, why = failed or ("", str(error).splitlines()[0])
        raise StorageFailed(file or path, why) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StorageFailed(path, error.strerror or str(error)) from error
