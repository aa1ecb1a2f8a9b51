"""Reach what paths name, in a dataset and in all below it: subdatasets that are in the way are installed.

Source: datalad-get(1); which records come, and in which order, from runs of DataLad 1.7.1.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engram.datasets.arguments import scopes_of
from engram.datasets.copying.candidates import Recorded
from engram.datasets.copying.installing import Installer, around, below, is_installed
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.problems import NotUnderstood
from engram.model.errors import EngramError
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import PlannedStep

#: The property by which a subdataset asks to be passed over when all are installed.
_SKIP = "datalad-recursiveinstall"


@dataclass(slots=True)
class Reach:
    """Walks from one dataset to everything that is named.

    Args:
        levels: how deep subdatasets below a named folder are installed and gone into, 0 for not at all, ``None`` for
            all.
        existing: go only into those that are installed already.
    """

    dataset: Dataset
    installer: Installer
    levels: int | None = 0
    existing: bool = False
    #: What was named, by dataset: the scopes in it.
    found: dict[str, list[bytes]] = field(default_factory=dict)

    def to(self, folder: str, path: str) -> Iterator[Outcome]:
        """Reach what *path* (as the user typed it, relative to *folder*) names; an outcome per installed subdataset."""
        place = os.path.normpath(os.path.join(folder, path))
        owner = self._holding(place)
        while (inner := around(owner, owner.relative(place))) is not None:
            at = os.path.join(owner.work_tree, os.fsdecode(inner.path))
            if not is_installed(at):
                outcome = self.installer.install(owner, inner, to_get=place)
                yield outcome
                if outcome.failed:
                    return
            owner = open_dataset(at, self.dataset.around)
        yield from self._in(owner, folder, path, place)

    def check(self, folder: str, path: str) -> None:
        """Raise `PathNotFound` and the like for what cannot be reached, as far as that is known beforehand."""
        place = os.path.normpath(os.path.join(folder, path))
        owner = self._holding(place)
        if place != owner.work_tree and around(owner, owner.relative(place)) is None:
            _, problems = _scopes(owner, folder, path)
            if problems:
                raise problems[0]

    def plan(self, folder: str, path: str) -> Iterator[PlannedStep]:
        """The subdatasets that `to` would have to install first; what is there already is taken down as by `to`."""
        place = os.path.normpath(os.path.join(folder, path))
        owner = self._holding(place)
        inner = around(owner, owner.relative(place))
        if inner is not None:
            yield self.installer.plan(owner, inner)
            return
        scopes = (b"",) if place == owner.work_tree else _scopes(owner, folder, path)[0]
        self.found.setdefault(owner.work_tree, []).extend(scopes)
        for scope in scopes:
            yield from self._plan_below(owner, scope, self.levels)

    def _plan_below(self, owner: Dataset, scope: bytes, levels: int | None) -> Iterator[PlannedStep]:
        for recorded in self._wanted_below(owner, scope, levels):
            at = os.path.join(owner.work_tree, os.fsdecode(recorded.path))
            if is_installed(at):
                inner = open_dataset(at, self.dataset.around)
                self.found[inner.work_tree] = [b""]
                yield from self._plan_below(inner, b"", _one_less(levels))
            else:
                yield self.installer.plan(owner, recorded)

    def _in(self, owner: Dataset, folder: str, path: str, place: str) -> Iterator[Outcome]:
        scopes: Sequence[bytes] = (b"",)
        if place != owner.work_tree:
            scopes, problems = _scopes(owner, folder, path)
            yield from (self._impossible(place, problem) for problem in problems)
        known = self.found.setdefault(owner.work_tree, [])
        known += [scope for scope in scopes if scope not in known]
        for scope in scopes:
            yield from self._below(owner, scope, self.levels)

    def _below(self, owner: Dataset, scope: bytes, levels: int | None) -> Iterator[Outcome]:
        for recorded in self._wanted_below(owner, scope, levels):
            at = os.path.join(owner.work_tree, os.fsdecode(recorded.path))
            if not is_installed(at):
                outcome = self.installer.install(owner, recorded, to_get=at)
                yield outcome
                if outcome.failed:
                    continue
            inner = open_dataset(at, self.dataset.around)
            self.found[inner.work_tree] = [b""]
            yield from self._below(inner, b"", _one_less(levels))

    def _wanted_below(self, owner: Dataset, scope: bytes, levels: int | None) -> Iterator[Recorded]:
        """The subdatasets of *owner* to go into, those that ask to be passed over left out."""
        if levels is not None and levels <= 0:
            return
        for recorded in below(owner, scope):
            if self.existing and not is_installed(os.path.join(owner.work_tree, os.fsdecode(recorded.path))):
                continue
            if recorded.settings.get(_SKIP) != "skip" or self.existing:
                yield recorded

    def _holding(self, place: str) -> Dataset:
        """The innermost dataset whose installation was finished that holds *place*."""
        self.dataset.relative(place)
        folder = place
        while len(folder) > len(self.dataset.work_tree):
            if is_installed(folder):
                return open_dataset(folder, self.dataset.around)
            folder = os.path.dirname(folder)
        return self.dataset

    def _impossible(self, place: str, problem: EngramError) -> Outcome:
        top = self.dataset.work_tree
        return DatasetOutcome(
            action="get",
            item=os.path.relpath(place, top),
            status=Status.IMPOSSIBLE,
            message=problem.what,
            error=type(problem).__name__,
            remedy=problem.next_step,
            path=place,
            type="",
            refds=top,
        )


def _scopes(owner: Dataset, folder: str, path: str) -> tuple[tuple[bytes, ...], list[EngramError]]:
    """As `scopes_of`; what an index names that is in a form not read here, git-annex has to know."""
    try:
        return scopes_of(owner, folder, [path])
    except NotUnderstood:
        return (owner.relative(os.path.normpath(os.path.join(folder, path))),), []


def _one_less(levels: int | None) -> int | None:
    return None if levels is None else levels - 1
