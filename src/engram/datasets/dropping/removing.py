"""Take files, folders and the places of subdatasets out of a work tree, to be recorded as gone.

Source: datalad-remove(1); records of DataLad 1.7.1.
"""

import os
import stat
from collections.abc import Iterator

from engram.datasets.annexed import positions_below
from engram.datasets.dataset import Dataset
from engram.datasets.dropping.dropping import Dropper, DropRequest
from engram.datasets.dropping.uninstalling import recorded_subdatasets
from engram.datasets.dropping.wiping import wipe
from engram.datasets.git.small_files import read_file
from engram.datasets.gitmodules import read_gitmodules, without_section
from engram.datasets.locks import clear_what_a_crash_left, config_lock, only_engram
from engram.datasets.permission import check_may_write
from engram.datasets.saving.subdatasets import GITMODULES
from engram.datasets.traps import operation_under_way
from engram.model.errors import NotDropped, UsageError
from engram.model.outcome import Outcome
from engram.model.plan import Plan, PlannedStep


def check_can_record(dataset: Dataset) -> None:
    """In the middle of a merge git makes no commit of some paths alone. Raises `UsageError`."""
    if name := operation_under_way(dataset):
        raise UsageError(
            f"{dataset.work_tree} is in the middle of something that git began ({name}).",
            "Finish it or give it up first: git status tells how.",
        )


def take_away(dataset: Dataset, scopes: tuple[bytes, ...], *, looks: bool, refds: str = "") -> Iterator[Outcome]:
    """Delete what lies at *scopes*; outcomes tell only what keeps all of it from being deleted.

    Contents in the annex stay. A subdataset's folder goes only when there is no dataset in it any more.

    Args:
        looks: nothing is deleted when something there is not saved.
    """
    check_may_write(dataset)
    with only_engram(dataset.steps, dataset.git_dir):
        clear_what_a_crash_left(dataset.steps, dataset.git_dir)
        request = DropRequest(scopes=scopes, ignores_changes=not looks, refds=refds)
        unsaved = list(Dropper(dataset, request).unsaved())  # what was written since it was looked at
        yield from unsaved
        if unsaved:
            return
        gone = recorded_subdatasets(dataset, scopes)
        for scope in scopes:
            _check(dataset, scope)
            wipe(dataset.steps, os.path.join(dataset.work_tree, os.fsdecode(scope)))
        _forget_subdatasets(dataset, {dataset.relative(place) for place in gone})


def plan_to_take_away(dataset: Dataset, scopes: tuple[bytes, ...], *, looks: bool, refds: str) -> Plan:
    """What `take_away` would do, or what keeps all of it from being done."""
    request = DropRequest(scopes=scopes, ignores_changes=not looks, refds=refds)
    unsaved = [
        PlannedStep(action="remove", item=one.item, why=one.message) for one in Dropper(dataset, request).unsaved()
    ]
    names = [os.path.relpath(os.path.join(dataset.work_tree, os.fsdecode(scope)), refds) for scope in scopes]
    grounds = [_recorded_below(dataset, scope) for scope in scopes]
    why = "deleted and recorded as gone"
    steps = [
        PlannedStep(action="remove", item=name, why=why, ground=ground)
        for name, ground in zip(names, grounds, strict=True)
    ]
    return Plan(steps=tuple(steps), refused=tuple(unsaved))


def _recorded_below(dataset: Dataset, scope: bytes) -> str:
    """A digest of all that is recorded at and below *scope*: what a plan to remove it was made from."""
    from hashlib import sha256  # late: only a plan wants to know

    index, digest = dataset.read_index(), sha256()
    for i in positions_below(index, (scope,)):
        digest.update(b"%b %o %b\0" % (index.oid(i), index.mode(i), index.paths[i]))
    return digest.hexdigest()


def to_record(dataset: Dataset, scopes: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """*scopes*, and ``.gitmodules`` where the last commit names a subdataset below them.

    After a crash that file may be changed already, and nothing else tell that it belongs to the removal.
    """
    head = dataset.head_commit()
    tree = dataset.objects.read_tree(dataset.tree_of(head)) if head else []
    blob = next((oid for _, name, oid in tree if name == GITMODULES), None)
    recorded = read_gitmodules(dataset.objects.read(blob)[1]) if blob is not None else ()
    named = any(one.path == scope or one.path.startswith(scope + b"/") for one in recorded for scope in scopes)
    return (*scopes, GITMODULES) if named else scopes


def _check(dataset: Dataset, scope: bytes) -> None:
    """Never the dataset itself, nor what is git's: that is the business of another."""
    if not scope or b".git" in scope.split(b"/"):
        raise NotDropped(
            dataset.work_tree, "a dataset is not removed file by file", "Name it: engram remove -d DATASET"
        )


def _forget_subdatasets(dataset: Dataset, paths: set[bytes]) -> None:
    """Take what is noted of subdatasets out of the repository's own configuration."""
    if not paths:
        return
    modules = read_gitmodules(read_file(os.path.join(dataset.work_tree, ".gitmodules")))
    names = {os.fsdecode(path) for path in paths} | {one.name for one in modules if one.path in paths}
    lock = config_lock(dataset.steps, dataset.common_dir)
    lock.take()
    try:
        new = config = read_file(lock.path)
        for name in names:
            new = without_section(new, name)
        if new != config:
            lock.put_in_place(new, mode=stat.S_IMODE(os.stat(lock.path).st_mode))
    finally:
        lock.release()
