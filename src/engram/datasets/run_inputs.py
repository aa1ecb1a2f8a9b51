"""The inputs of a command: those that are here are told, the others are got."""

import json
import os
from collections.abc import Iterator, Sequence

from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annexed import annexed_files
from engram.datasets.dataset import Dataset
from engram.datasets.preparing import by_dataset
from engram.datasets.records import Reporter
from engram.model.errors import ItemFailed
from engram.model.outcome import DatasetOutcome, Outcome, Status


def get_inputs(dataset: Dataset, places: Sequence[str]) -> Iterator[Outcome]:
    """Bring the contents below some absolute paths here; an outcome for each file that was not, or that was named."""
    for holder, scopes in by_dataset(dataset, places):
        missing = []
        for file in annexed_files(holder, holder.read_index(), scopes):
            if not _is_here(holder, file.key):
                missing.append(file.path)
            elif file.path in scopes:
                yield _present(dataset, holder, file.path)
        if missing:
            yield from _by_git_annex(dataset, holder, missing)


def _is_here(holder: Dataset, key: bytes) -> bool:
    git_dir = os.fsencode(holder.git_dir)
    return any(os.path.exists(os.path.join(git_dir, place(key))) for place in (object_path, object_path_lower))


def _present(dataset: Dataset, holder: Dataset, path: bytes) -> DatasetOutcome:
    place = os.path.join(holder.work_tree, os.fsdecode(path))
    return DatasetOutcome(
        action="get",
        item=os.path.relpath(place, dataset.work_tree),
        status=Status.NOT_NEEDED,
        path=place,
        type="file",
        refds=dataset.work_tree,
        note="already present",
    )


def _by_git_annex(dataset: Dataset, holder: Dataset, paths: Sequence[bytes]) -> Iterator[Outcome]:
    report = Reporter(holder, refds=dataset.work_tree)
    words = ("get", "--json", "--json-error-messages", "--batch", "-z")
    _, out, _ = holder.programs.git_annex_status_of(holder.work_tree, *words, stdin=b"\0".join(paths) + b"\0")
    for line in out.splitlines():
        record = json.loads(line.decode("utf-8", "replace") or "{}")
        name = str(record.get("file") or "")
        if record.get("success"):
            yield DatasetOutcome(
                action="get",
                item=os.path.relpath(os.path.join(holder.work_tree, name), dataset.work_tree),
                status=Status.OK,
                path=os.path.join(holder.work_tree, name),
                type="file",
                refds=dataset.work_tree,
                key=str(record.get("key") or ""),
            )
        elif record:
            said = " ".join(map(str, record.get("error-messages", ()))) or "not available"
            yield report.failed("get", ItemFailed(name, said.rstrip(".")))
