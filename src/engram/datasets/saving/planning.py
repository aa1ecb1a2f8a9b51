"""What a save would do, as a plan."""

import os
from collections.abc import Iterable, Iterator

from engram.datasets.dataset import Dataset
from engram.datasets.nesting import checked_out
from engram.datasets.saving.decisions import FileToSave
from engram.datasets.saving.survey import Survey
from engram.datasets.worktree import Found
from engram.model.plan import Plan, PlannedStep


def as_plan(dataset: Dataset, survey: Survey, *, refds: str = "") -> Plan:
    """What a survey of *dataset* found as a plan for people and for ``--dry-run``.

    Args:
        refds: the dataset that items are told relative to, where it is another.
    """
    return _Planner(dataset, survey, refds or dataset.work_tree).plan()


class _Planner:
    def __init__(self, dataset: Dataset, survey: Survey, refds: str) -> None:
        self._dataset = dataset
        self._survey = survey
        self._prefix = "" if refds == dataset.work_tree else os.path.relpath(dataset.work_tree, refds) + "/"

    def plan(self) -> Plan:
        decisions = self._survey.decisions
        steps = [*self._hand_over(), *self._deleted(), *self._subdatasets()]
        steps += map(self._file, decisions.files)
        steps += map(self._link, decisions.links)
        refused = tuple(
            PlannedStep(action="add", item=self._prefix + getattr(problem, "path", ""), why=problem.what)
            for problem in decisions.problems
        )
        return Plan(steps=tuple(steps), refused=refused)

    def _hand_over(self) -> Iterator[PlannedStep]:
        if reason := self._survey.reason:
            yield PlannedStep(
                action="hand-over", item=self._prefix.rstrip("/") or ".", why=f"handed to git-annex: {reason}"
            )

    def _deleted(self) -> Iterator[PlannedStep]:
        decisions, index = self._survey.decisions, self._survey.index
        for i in decisions.removed:
            if i not in decisions.covered:
                ground, why = index.oid(i).hex(), "it is gone from the work tree"
                yield PlannedStep(action="delete", item=self._name(index.paths[i]), why=why, ground=ground)

    def _subdatasets(self) -> Iterator[PlannedStep]:
        decisions, index = self._survey.decisions, self._survey.index
        for found in decisions.repositories:
            yield self._subdataset(found.path, checked_out(self._dataset, found.path), "that is not recorded yet")
        for i in decisions.subdatasets:
            commit = checked_out(self._dataset, index.paths[i])
            if commit and commit != index.oid(i).hex():
                yield self._subdataset(index.paths[i], commit, "at another commit")

    def _subdataset(self, path: bytes, commit: str, state: str) -> PlannedStep:
        return PlannedStep(action="add", item=self._name(path), why=f"subdataset {state}", ground=commit)

    def _file(self, file: FileToSave) -> PlannedStep:
        status = os.lstat(self._place(file.path))
        ground = f"{status.st_size} {status.st_mtime_ns} {file.backend or 'git'}"
        return PlannedStep(action="add", item=self._name(file.path), bytes=file.size_bytes, why=file.why, ground=ground)

    def _link(self, found: Found) -> PlannedStep:
        target = os.fsdecode(os.readlink(self._place(found.path)))
        return PlannedStep(action="add", item=self._name(found.path), why="symbolic link", ground=target)

    def _place(self, path: bytes) -> bytes:
        return os.path.join(os.fsencode(self._dataset.work_tree), path)

    def _name(self, path: bytes) -> str:
        return self._prefix + os.fsdecode(path)


def joined(plans: Iterable[tuple[str, Plan]], top: str) -> Plan:
    """The plans of several datasets, by work tree, the deepest first, as one plan of the dataset *top*.

    A subdataset that gets a new commit is recorded anew in what holds it, where that is saved, too.
    """
    steps: list[PlannedStep] = []
    refused: list[PlannedStep] = []
    moving: set[str] = set()
    for work_tree, plan in plans:
        inside = sorted(place for place in moving if place.startswith(work_tree + "/"))
        moving.difference_update(inside)
        told = {step.item for step in plan.steps}
        names = [os.path.relpath(place, top) for place in inside]
        why = "subdataset, at the commit that it gets"
        steps += [*plan.steps, *(PlannedStep(action="add", item=name, why=why) for name in names if name not in told)]
        refused += plan.refused
        if plan.steps or inside:
            moving.add(work_tree)
    return Plan(steps=tuple(steps), refused=tuple(refused))
