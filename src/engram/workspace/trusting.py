"""Noting what a user allowed a dataset to run."""

import os
from collections.abc import Iterator

from engram import durable
from engram.datasets.dataset import Dataset, Surroundings
from engram.model.outcome import DatasetOutcome, Outcome, Status


def trust(dataset: Dataset, around: Surroundings) -> Iterator[Outcome]:
    """One outcome for each program the dataset brings, then one for the dataset."""
    brought = dataset.brought
    known = dataset.is_trusted
    if brought and not known:
        durable.make_folders(around.steps, around.trust_folder)
        text = "\n".join([dataset.work_tree, *(one.name for one in brought), ""])
        note = os.path.join(around.trust_folder, dataset.seal)
        durable.replace(around.steps, note, text.encode("utf-8", "surrogateescape"), mode=0o600)
    status = Status.NOT_NEEDED if known or not brought else Status.OK
    for one in brought:
        yield _outcome(dataset, one.name, status, one.content.decode(errors="replace").strip().splitlines()[-1:])
    yield _outcome(dataset, ".", status, [] if brought else ["it brings nothing along that would run"])


def _outcome(dataset: Dataset, item: str, status: Status, note: list[str]) -> DatasetOutcome:
    return DatasetOutcome(
        action="trust",
        item=item,
        status=status,
        path=dataset.work_tree,
        type="dataset",
        refds=dataset.work_tree,
        note="".join(note),
    )
