"""Noting what a user allowed a dataset to run: its programs, and the commands that others recorded in it."""

import os
from collections.abc import Iterator

from engram import durable
from engram.datasets.datalad_settings import DataladSettings
from engram.datasets.dataset import Dataset, Surroundings
from engram.datasets.provenance.commands import as_line, as_seen
from engram.datasets.provenance.ledger import Ledger
from engram.datasets.provenance.procedure_search import FoundProcedure, brought_procedures
from engram.datasets.provenance.recorded_runs import RecordedRuns
from engram.datasets.provenance.run_records import RunRecord
from engram.model.outcome import DatasetOutcome, Outcome, Status


def trust(dataset: Dataset, around: Surroundings) -> Iterator[Outcome]:
    """One outcome for each program, procedure and foreign run record that it brings, then one for the dataset."""
    records = _foreign_records(dataset, around)
    procedures = _own_procedures(dataset, around)
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
    for procedure in procedures:
        yield _outcome(dataset, f"procedure {procedure.name}", Status.OK, [procedure.call_format])
    for commit, record in records:
        yield _outcome(dataset, f"run record of {commit.hex()[:7]}", Status.OK, [as_line(record.cmd)])
    nothing = ["it brings nothing along that would run"] if not (brought or records or procedures) else []
    yield _outcome(dataset, ".", Status.OK if records or procedures else status, nothing)


def _foreign_records(dataset: Dataset, around: Surroundings) -> list[tuple[bytes, RunRecord]]:
    """The run records from elsewhere that were not allowed yet, which now they are."""
    ledger = Ledger.beside(around.trust_folder, around.steps)
    settings = DataladSettings(dataset)
    every = ((commit, as_seen(record, settings)) for commit, record in RecordedRuns(dataset).every())
    found = {record.digest: (commit, record) for commit, record in every}
    foreign = [(commit, record) for commit, record in found.values() if not ledger.is_allowed(dataset, record)]
    if foreign:
        ledger.allow(dataset, [record.digest for _, record in foreign])
    return foreign


def _own_procedures(dataset: Dataset, around: Surroundings) -> list[FoundProcedure]:
    """The procedures that the dataset holds and that were not allowed yet, which now they are."""
    ledger = Ledger.beside(around.trust_folder, around.steps)
    found = [one for one in brought_procedures(dataset) if not ledger.has(dataset, one.digest)]
    if found:
        ledger.allow(dataset, [one.digest for one in found])
    return found


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
