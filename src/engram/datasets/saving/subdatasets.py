"""Subdatasets: repositories inside a dataset, recorded by the commit that is checked out in them.

Source: gitmodules(5); DataLad's ``save`` and ``create -d`` for what is written where.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from engram import durable
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.config import GitConfig
from engram.datasets.git.index import GitIndex, entry_from_stat
from engram.datasets.git.objects import BLOB, FILE_MODE, SUBMODULE_MODE, object_id
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.small_files import read_file
from engram.datasets.gitmodules import (
    names,
    relative_url,
    with_active_subdataset,
    with_subdataset,
    without_secrets,
    without_subdataset,
)
from engram.datasets.locks import config_lock, private_folder
from engram.datasets.nesting import checked_out
from engram.datasets.placing import read_mark
from engram.datasets.recorded import Recorded
from engram.datasets.saving.decisions import Decisions
from engram.model.errors import DamagedRepository, EngramError, NothingToRecord, UnsupportedFile
from engram.model.outcome import DatasetOutcome, Status

GITMODULES = b".gitmodules"
_COMMIT_LETTERS = 40


@dataclass(slots=True)
class Registration:
    """What was recorded about subdatasets."""

    recorded: list[Recorded] = field(default_factory=list)
    outcomes: list[DatasetOutcome] = field(default_factory=list)
    problems: list[EngramError] = field(default_factory=list)


def record_subdatasets(dataset: Dataset, index: GitIndex, decisions: Decisions) -> Registration:
    """Register new subdatasets (``.gitmodules`` and all), and take over where known ones stand now."""
    registration = Registration()
    for position in decisions.subdatasets:
        _renew(dataset, index, position, registration)
    new = [found.path for found in decisions.repositories]
    gone = [index.paths[i] for i in decisions.removed if index.mode(i) == SUBMODULE_MODE and i not in decisions.covered]
    by_itself = {file.path for file in decisions.files}
    at_hand = index if GITMODULES not in by_itself else None
    if gone:
        _unregister(dataset, gone, registration, at_hand=at_hand)
    if new:
        _register(dataset, new, registration, at_hand=at_hand)
    return registration


def register(dataset: Dataset, *, new: list[bytes], gone: list[bytes]) -> Registration:
    """Name *new* subdatasets in ``.gitmodules`` and the repository's configuration, and *gone* ones no more."""
    registration = Registration()
    if gone:
        _unregister(dataset, gone, registration, at_hand=None)
    if new:
        _register(dataset, new, registration, at_hand=None)
    return registration


def _renew(dataset: Dataset, index: GitIndex, position: int, registration: Registration) -> None:
    path = index.paths[position]
    try:
        commit = _commit_in(dataset, path)
    except EngramError as error:
        registration.problems.append(error)
        return
    if commit and commit != index.oid(position).hex():
        registration.recorded.append(_link(dataset, path, commit))
        registration.outcomes.append(_outcome(dataset, "add", path, "dataset"))


def _commit_in(dataset: Dataset, path: bytes) -> str:
    """The commit that is checked out in a subdataset, '' for none. Raises `UnsupportedFile` for what git refuses."""
    commit = checked_out(dataset, path)
    if len(commit) not in (0, _COMMIT_LETTERS):
        raise UnsupportedFile(os.fsdecode(path), "its commits are named by another hash than this dataset's")
    return commit


def _unregister(dataset: Dataset, paths: list[bytes], registration: Registration, *, at_hand: GitIndex | None) -> None:
    before = modules = read_file(os.path.join(dataset.work_tree, ".gitmodules"))
    for path in paths:
        modules = without_subdataset(modules, path)
    if modules != before or (at_hand is not None and _still_names(dataset, at_hand, paths)):
        registration.recorded.append(_write_gitmodules(dataset, modules))
        registration.outcomes.append(_outcome(dataset, "add", GITMODULES, "file"))


def _register(dataset: Dataset, paths: list[bytes], registration: Registration, *, at_hand: GitIndex | None) -> None:
    modules = read_file(os.path.join(dataset.work_tree, ".gitmodules"))
    before = modules
    urls: dict[bytes, bytes] = {}
    for path in paths:
        try:
            commit = _commit_in(dataset, path)
            if not commit:
                raise NothingToRecord(os.path.join(dataset.work_tree, os.fsdecode(path)), "it has no commit yet")
            urls[path] = _came_from(dataset, path) or relative_url(path)
            if not names(modules, path):
                new_id, given = dataset_id_in(dataset, path), _given(dataset, path)
                modules = with_subdataset(modules, path, url=urls[path], dataset_id=new_id, given=given)
        except EngramError as error:
            urls.pop(path, None)
            registration.problems.append(error)
            continue
        registration.recorded.append(_link(dataset, path, commit))
        registration.outcomes.append(_outcome(dataset, "add", path, "dataset"))
    if urls:
        _mark_as_installed(dataset, urls)
    left_by_a_crash = bool(registration.recorded) and at_hand is not None and not _holds(at_hand, modules)
    if modules != before or left_by_a_crash:
        registration.recorded.append(_write_gitmodules(dataset, modules))
        registration.outcomes.append(_outcome(dataset, "add", GITMODULES, "file"))


def _mark_as_installed(dataset: Dataset, urls: Mapping[bytes, bytes]) -> None:
    """Note new subdatasets in the repository's own configuration, whose permissions stay as they are."""
    lock = config_lock(dataset.steps, dataset.common_dir)
    lock.take()
    try:
        config = read_file(lock.path)
        new = config
        for path, url in urls.items():
            if not names(new, path):
                new = with_active_subdataset(new, path, url=url)
        if new != config:
            lock.put_in_place(new, mode=stat.S_IMODE(os.stat(lock.path).st_mode))
    finally:
        lock.release()


def _given(dataset: Dataset, path: bytes) -> bytes:
    """The address that the user had a subdataset cloned from, while that clone is not finished; b"" otherwise."""
    mark = read_mark(os.path.join(dataset.work_tree, os.fsdecode(path)))
    return os.fsencode(mark.partition("\n")[0])


def _came_from(dataset: Dataset, path: bytes) -> bytes:
    """The URL that the branch checked out in a subdataset follows, without secrets; b"" if it follows none."""
    inner = open_dataset(os.path.join(dataset.work_tree, os.fsdecode(path)), dataset.around)
    try:
        branch = inner.head_name().removeprefix("refs/heads/")
        remote = inner.setting(f"branch.{branch}.remote")
        url = inner.setting(f"remote.{remote}.url") if remote and remote != "." else None
    except NotUnderstood:
        return b""
    return without_secrets(os.fsencode(url or ""))


def _still_names(dataset: Dataset, index: GitIndex, paths: list[bytes]) -> bool:
    """Whether the recorded ``.gitmodules`` names one of these, as after a crash between file and index."""
    position = index.find(GITMODULES)
    recorded = b"" if position is None else dataset.objects.read(index.oid(position))[1]
    return any(without_subdataset(recorded, path) != recorded for path in paths)


def _holds(index: GitIndex, text: bytes) -> bool:
    position = index.find(GITMODULES)
    return position is not None and index.oid(position) == object_id(BLOB, text)


def _write_gitmodules(dataset: Dataset, text: bytes) -> Recorded:
    place = os.path.join(dataset.work_tree, ".gitmodules")
    durable.replace(dataset.steps, place, text, aside=private_folder(dataset.git_dir))
    entry = entry_from_stat(GITMODULES, os.lstat(place), FILE_MODE, object_id(BLOB, text))
    return Recorded(GITMODULES, entry, blob=text)


def _link(dataset: Dataset, path: bytes, commit: str) -> Recorded:
    status = os.lstat(os.path.join(dataset.work_tree, os.fsdecode(path)))
    return Recorded(path, entry_from_stat(path, status, SUBMODULE_MODE, bytes.fromhex(commit)))


def dataset_id_in(dataset: Dataset, path: bytes) -> bytes:
    """DataLad's id of a subdataset, b"" for a plain repository."""
    place = os.path.join(dataset.work_tree, os.fsdecode(path), ".datalad", "config")
    return dataset_id_of(place).encode()


def dataset_id_of(config_file: str) -> str:
    """The dataset id that a ``.datalad/config`` holds, '' if it holds none."""
    try:
        return GitConfig.from_file(os.fsencode(config_file)).get("datalad.dataset.id") or ""
    except (DamagedRepository, NotUnderstood):
        return ""


def _outcome(dataset: Dataset, action: str, path: bytes, type: str) -> DatasetOutcome:
    name = os.fsdecode(path)
    return DatasetOutcome(
        action=action,
        item=name,
        status=Status.OK,
        path=f"{dataset.work_tree}/{name}",
        type=type,
        refds=dataset.work_tree,
    )
