"""Noting what a user allowed a dataset to run: its programs, and the commands that others recorded in it."""

import os
from collections.abc import Iterator
from shlex import quote

from engram import durable
from engram.datasets.copying.waiting_remotes import WaitingRemote, enable, waiting_remotes
from engram.datasets.datalad_settings import DataladSettings
from engram.datasets.dataset import Dataset, Surroundings
from engram.datasets.provenance.commands import as_line, as_seen
from engram.datasets.provenance.ledger import Ledger
from engram.datasets.provenance.procedure_search import FoundProcedure, brought_procedures
from engram.datasets.provenance.recorded_runs import RecordedRuns
from engram.datasets.provenance.run_records import RunRecord
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep


def trust(dataset: Dataset, around: Surroundings) -> Iterator[Outcome]:
    """One outcome for each program, procedure and foreign run record that it brings, then one for the dataset."""
    ledger = Ledger.beside(around.trust_folder, around.steps)
    records = _foreign_records(dataset, ledger)
    procedures = _own_procedures(dataset, ledger)
    if new := [*(record.digest for _, record in records), *(one.digest for one in procedures)]:
        ledger.allow(dataset, new)
    brought = dataset.brought
    known = dataset.is_trusted
    if brought and not known:
        durable.make_folders(around.steps, around.trust_folder)
        text = "\n".join([dataset.work_tree, *(one.name for one in brought), ""])
        note = os.path.join(around.trust_folder, dataset.seal)
        durable.replace(around.steps, note, text.encode("utf-8", "surrogateescape"), mode=0o600)
    status = Status.NOT_NEEDED if known or not brought else Status.OK
    for name, what in _programs(dataset):
        yield _outcome(dataset, name, status, what)
    for name, what in _recorded(records, procedures):
        yield _outcome(dataset, name, Status.OK, what)
    remotes = list(waiting_remotes(dataset))
    for remote in remotes:
        yield _enabled(dataset, remote)
    nothing = "it brings nothing along that would run" if not (brought or records or procedures or remotes) else ""
    yield _outcome(dataset, ".", Status.OK if records or procedures or remotes else status, nothing)


def plan_trust(dataset: Dataset, around: Surroundings) -> Plan:
    """What `trust` would allow: what was allowed before, exactly as it is now, is left out."""
    ledger = Ledger.beside(around.trust_folder, around.steps)
    recorded = _recorded(_foreign_records(dataset, ledger), _own_procedures(dataset, ledger))
    every = [*(() if dataset.is_trusted else _programs(dataset)), *recorded]
    every += [(f"special remote {remote.name}", remote.settings) for remote in waiting_remotes(dataset)]
    return Plan(steps=tuple(PlannedStep(action="trust", item=name, why=what) for name, what in every))


def _programs(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """What its ``.git`` brings along: the name, and the last line of what would run."""
    for one in dataset.brought:
        yield one.name, "".join(one.content.decode(errors="replace").strip().splitlines()[-1:])


def _recorded(records: list[tuple[bytes, RunRecord]], procedures: list[FoundProcedure]) -> Iterator[tuple[str, str]]:
    """What its history and its work tree bring along: the name, and what would run."""
    for procedure in procedures:
        yield f"procedure {procedure.name}", procedure.call_format
    for commit, record in records:
        yield f"run record of {commit.hex()[:7]}", as_line(record.cmd)


def _foreign_records(dataset: Dataset, ledger: Ledger) -> list[tuple[bytes, RunRecord]]:
    """The run records from elsewhere that were not allowed yet."""
    settings = DataladSettings(dataset)
    every = ((commit, as_seen(record, settings)) for commit, record in RecordedRuns(dataset).every())
    found = {record.digest: (commit, record) for commit, record in every}
    return [(commit, record) for commit, record in found.values() if not ledger.is_allowed(dataset, record)]


def _own_procedures(dataset: Dataset, ledger: Ledger) -> list[FoundProcedure]:
    """The procedures that the dataset holds and that were not allowed yet."""
    return [one for one in brought_procedures(dataset) if not ledger.has(dataset, one.digest)]


def _enabled(dataset: Dataset, remote: WaitingRemote) -> DatasetOutcome:
    """A special remote, put to use. One that does not work here is told, and keeps waiting."""
    if enable(dataset, remote):
        return _outcome(dataset, f"special remote {remote.name}", Status.OK, remote.settings)
    return DatasetOutcome(
        action="trust",
        item=f"special remote {remote.name}",
        status=Status.ERROR,
        path=dataset.work_tree,
        type="dataset",
        refds=dataset.work_tree,
        message="git-annex could not enable it as it stands: it may need a setting of this machine, or a program.",
        remedy=f"See what git-annex says, in {dataset.work_tree}: git annex enableremote -- {quote(remote.name)}",
    )


def _outcome(dataset: Dataset, item: str, status: Status, note: str) -> DatasetOutcome:
    return DatasetOutcome(
        action="trust",
        item=item,
        status=status,
        path=dataset.work_tree,
        type="dataset",
        refds=dataset.work_tree,
        note=note,
    )
