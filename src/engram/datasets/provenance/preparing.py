"""What a command needs before it runs: its inputs here, its outputs writable. As DataLad's ``run`` does it."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from engram import durable
from engram.datasets.dataset import Dataset
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.git.refs import holds_repository
from engram.datasets.nesting import holding
from engram.datasets.provenance.commands import PlannedCommand, RunRequest
from engram.datasets.provenance.path_globs import PathGlobs
from engram.datasets.provenance.run_outcomes import RunReporter
from engram.datasets.provenance.unlocking import Unlocker, UnlockRequest, is_link_without_content
from engram.datasets.records import Reporter
from engram.model.errors import ItemFailed, PathNotFound
from engram.model.outcome import DatasetOutcome, Outcome, Status

#: Brings the subdatasets that hold some absolute paths here and, with ``True``, the contents, too; an outcome for each.
Get: TypeAlias = Callable[[Dataset, Sequence[str], bool], Iterator[Outcome]]


class Preparation:
    """Makes the inputs and outputs of one command ready."""

    def __init__(self, dataset: Dataset, request: RunRequest, planned: PlannedCommand, get: Get) -> None:
        self._dataset = dataset
        self._request = request
        self._planned = planned
        self._get = get
        self._report = RunReporter(dataset)

    def carry_out(self) -> Iterator[Outcome]:
        """Do it. Whatever fails is told, and the rest is done."""
        ready = self._request.assume_ready
        if ready not in ("inputs", "both"):
            yield from self._inputs(self._planned.inputs)
        yield from self._inputs(self._planned.extra_inputs)
        if ready not in ("outputs", "both"):
            if self._planned.outputs:
                yield from self._install(self._planned.outputs)
                yield from self._make_writable(self._places(self._planned.outputs.existing()))
            if self._request.repeats:
                yield from self._make_writable(self._request.repeats.wrote)

    def _places(self, names: Iterable[str]) -> list[str]:
        return [os.path.normpath(os.path.join(self._request.folder, name)) for name in names]

    # --- inputs

    def _inputs(self, globs: PathGlobs) -> Iterator[Outcome]:
        if not globs:
            return
        yield from self._install(globs)
        for name in globs.misses:
            yield self._report.failed(PathNotFound(name), {})
        places = self._places(globs.existing())
        if places:
            yield from self._get(self._dataset, places, True)

    def _install(self, globs: PathGlobs) -> Iterator[Outcome]:
        """Get the subdatasets that patterns reach into, until no more come to light."""
        known: list[str] = []
        while (missing := self._missing_subdatasets(globs)) and missing != known:
            yield from self._get(self._dataset, missing, False)
            globs.look_again()
            known = missing

    def _missing_subdatasets(self, globs: PathGlobs) -> list[str]:
        """The places of subdatasets that are recorded, not here, and above or at what the patterns name."""
        found: dict[str, None] = {}
        for place in self._places(globs.expanded(dot=False)):
            holder = holding(self._dataset, place)
            index = holder.read_index()
            scope = holder.relative(place)
            while scope:
                position = index.find(scope)
                inner = os.path.join(holder.work_tree, os.fsdecode(scope))
                if position is not None and index.mode(position) == SUBMODULE_MODE:
                    if not holds_repository(os.fsencode(inner)):
                        found[inner] = None
                    break
                scope = os.path.dirname(scope)
        return list(found)

    # --- outputs

    def _make_writable(self, places: Iterable[str]) -> Iterator[Outcome]:
        """Unlock what is annexed and here; remove the links of what is not here, so that it can be written anew.

        What was never saved is left alone: it can be written to, and nobody else has it.
        """
        for holder, scopes in by_dataset(self._dataset, [place for place in places if os.path.lexists(place)]):
            request = UnlockRequest(scopes=scopes, refds=self._dataset.work_tree, outputs=True)
            for outcome in Unlocker(holder, request).carry_out():
                if outcome.status is not Status.IMPOSSIBLE:
                    yield outcome
            for scope in scopes:
                place = os.path.join(holder.work_tree, os.fsdecode(scope))
                if is_link_without_content(place):
                    yield self._removed(holder, place)

    def _removed(self, holder: Dataset, place: str) -> Outcome:
        try:
            durable.remove(holder.steps, place)
        except OSError as error:
            problem = ItemFailed(place, f"it cannot be removed ({error.strerror})")
            return Reporter(holder, refds=self._dataset.work_tree).failed("run.remove", problem)
        return DatasetOutcome(
            action="run.remove",
            item=os.path.relpath(place, self._dataset.work_tree),
            status=Status.OK,
            path=place,
            type="file",
            refds=self._dataset.work_tree,
            note="Removed file",
        )


def by_dataset(dataset: Dataset, places: Iterable[str]) -> list[tuple[Dataset, tuple[bytes, ...]]]:
    """Absolute paths by the dataset that holds them, the deepest dataset first."""
    holders: dict[str, Dataset] = {}
    scopes: dict[str, dict[bytes, None]] = {}
    for place in places:
        holder = holding(dataset, place)
        holders.setdefault(holder.work_tree, holder)
        scopes.setdefault(holder.work_tree, {})[holder.relative(place)] = None
    return [(holders[top], tuple(scopes[top])) for top in sorted(holders, reverse=True)]
