"""Which commits a rerun is about, and what is to be done with each. Source: datalad-rerun(1); runs of DataLad 1.7.1."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from engram.datasets.datalad_settings import DataladSettings
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.ancestry import read_commit
from engram.datasets.git.objects import EMPTY_TREE, SUBMODULE_MODE, SYMLINK_MODE, Commit
from engram.datasets.git.problems import MissingObject
from engram.datasets.git.refs import holds_repository
from engram.datasets.git.tree_diff import Side, differences
from engram.datasets.provenance.recorded_runs import RecordedRuns
from engram.datasets.provenance.run_records import RunRecord
from engram.model.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunRequest:
    """Which runs are to be repeated, and how."""

    #: As git names commits; '' for what is checked out.
    revision: str = ""
    #: ``None``: *revision* alone; '': everything that led to it.
    since: str | None = None
    #: A new branch for the results.
    branch: str = ""
    #: Where to start from; ``None``: what is checked out, '': before the first of the runs.
    onto: str | None = None
    message: str | None = None
    assume_ready: str = ""
    explicit: bool = False
    on_command_failure: str = "error"
    goes_on: bool = False
    jobs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One commit of the range."""

    #: Hex.
    commit: str
    parents: tuple[str, ...]
    #: ``run``, ``skip-or-pick`` or ``merge``.
    action: str
    #: What was said of the run.
    subject: str = ""
    record: RunRecord | None = None
    #: Why it is not run though it has a record.
    reason: str = ""

    @property
    def is_own_merge(self) -> bool:
        """Whether the record is a merge: the command made commits itself."""
        return self.record is not None and len(self.parents) == 2


@dataclass(frozen=True, slots=True)
class Range:
    """The commits, and where to begin."""

    revisions: tuple[Revision, ...]
    #: As git spells it.
    name: str
    #: The commit to start from, hex; '' for what is checked out.
    onto: str


def read_range(dataset: Dataset, request: RerunRequest) -> Range:
    """The commits that a rerun is about, oldest first.

    Raises:
        UsageError: when a name is unknown, or no commit of the range holds a record.
        BadRecord: when one of the records does not parse.
    """
    revision = request.revision or branch_of(dataset) or "HEAD"
    if not resolve(dataset, revision):
        raise UsageError(f"There is no commit {revision!r} here.", "See what there is: git log --all --oneline")
    name = _range_name(dataset, revision, request.since)
    found = list(_revisions(dataset, name))
    if request.since is None or not request.since.strip():
        found = list(dropwhile(lambda one: one.record is None, found))
    first = next((one for one in found if one.record is not None), None)
    if first is None:
        raise UsageError(
            f"No run commits found in range {name}.",
            "See which there are: git log --oneline --grep='DATALAD RUNCMD'. Repeat all of them: engram rerun --since=",
        )
    return Range(tuple(found), name, _onto(dataset, request, first))


def _range_name(dataset: Dataset, revision: str, since: str | None) -> str:
    if not resolve(dataset, revision + "^"):
        return revision
    if since is None:
        return f"{revision}^..{revision}"
    if not since.strip():
        return revision
    if not resolve(dataset, since):
        raise UsageError(f"There is no commit {since!r} here (--since).", "See what there is: git log --oneline")
    return f"{since}..{revision}"


def _onto(dataset: Dataset, request: RerunRequest, first: Revision) -> str:
    if request.onto is None:
        return ""
    start = request.onto if request.onto.strip() else first.commit + "^"
    found = resolve(dataset, start)
    if not found:
        raise UsageError(
            f"Revision specified for --onto ({start}) does not exist.", "See what there is: git log --all --oneline"
        )
    return found


def resolve(dataset: Dataset, name: str) -> str:
    """The commit that a name of git's stands for, hex; '' for none."""
    words = ("rev-parse", "--verify", "-q", "--end-of-options", name + "^{commit}")
    status, out, _ = dataset.programs.git_status_of(dataset.work_tree, *words)
    return "" if status else out.decode("ascii", "replace").strip()


def branch_of(dataset: Dataset) -> str:
    """The branch that is checked out, or that an adjusted one stands for; '' when HEAD is detached."""
    name = dataset.head_name().removeprefix("refs/heads/")
    return name.removeprefix("adjusted/").rpartition("(")[0] if name.startswith("adjusted/") else name


def _revisions(dataset: Dataset, name: str) -> Iterator[Revision]:
    words = ("rev-list", "--reverse", "--topo-order", "--end-of-options", name)
    runs, own_id = RecordedRuns(dataset), DataladSettings(dataset).dataset_id
    for line in dataset.programs.git(dataset.work_tree, *words).split():
        oid = bytes.fromhex(line.decode("ascii"))
        commit = read_commit(dataset.objects, oid)
        found = runs.of(oid, commit)
        parents = tuple(parent.hex() for parent in commit.parents)
        if found is None:
            yield Revision(
                commit=oid.hex(),
                parents=parents,
                action="merge" if len(parents) > 1 else "skip-or-pick",
                reason="does not have a command",
            )
        elif len(parents) in (1, 2):
            foreign = found[1].dsid not in ("", own_id)
            yield Revision(
                commit=oid.hex(),
                parents=parents,
                action="skip-or-pick" if foreign else "run",
                subject=found[0],
                record=found[1],
                reason="was ran from a different dataset" if foreign else "",
            )


def changed_files(dataset: Dataset, commit: str) -> Iterator[dict[str, Any]]:
    """What a commit added or modified, in subdatasets too; the path is absolute."""
    found = read_commit(dataset.objects, bytes.fromhex(commit))
    before = read_commit(dataset.objects, found.parents[0]).tree if found.parents else EMPTY_TREE
    yield from _changed(dataset, before, found.tree)


def _changed(dataset: Dataset, before: bytes, after: bytes) -> Iterator[dict[str, Any]]:
    for path, old, new in differences(dataset.objects, before, after):
        place = os.path.join(dataset.work_tree, os.fsdecode(path))
        if new is not None and new.mode == SUBMODULE_MODE:
            yield from _changed_in(dataset, place, old, new)
        elif new is not None:
            kind = "symlink" if new.mode == SYMLINK_MODE else "file"
            yield {"path": place, "type": kind, "state": "added" if old is None else "modified"}


def _changed_in(dataset: Dataset, place: str, old: Side | None, new: Side) -> Iterator[dict[str, Any]]:
    if not holds_repository(os.fsencode(place)):
        return
    inner = open_dataset(place, dataset.around)
    commits: list[Commit | None] = []
    for side in (old, new):
        try:
            is_commit = side is not None and side.mode == SUBMODULE_MODE
            commits.append(read_commit(inner.objects, side.oid) if side is not None and is_commit else None)
        except MissingObject:
            return
    trees = [EMPTY_TREE if commit is None else commit.tree for commit in commits]
    yield from _changed(inner, trees[0], trees[1])
