"""What a save would do, as a plan."""

import os

from engram.datasets.saving.survey import Survey
from engram.model.plan import Plan, PlannedStep


def as_plan(survey: Survey) -> Plan:
    """What a survey found as a plan for people and for ``--dry-run``."""
    decisions, index = survey.decisions, survey.index
    steps = []
    if survey.reason:
        why = f"handed to git-annex: {survey.reason}"
        steps.append(PlannedStep(action="hand-over", item=".", why=why))
    steps += [
        PlannedStep(action="delete", item=os.fsdecode(index.paths[i]), why="it is gone from the work tree")
        for i in decisions.removed
        if i not in decisions.covered
    ]
    steps += [
        PlannedStep(action="add", item=os.fsdecode(found.path), why="subdataset that is not recorded yet")
        for found in decisions.repositories
    ]
    steps += [
        PlannedStep(action="add", item=os.fsdecode(file.path), bytes=file.size_bytes, why=file.why)
        for file in decisions.files
    ]
    steps += [PlannedStep(action="add", item=os.fsdecode(found.path), why="symbolic link") for found in decisions.links]
    refused = tuple(
        PlannedStep(action="add", item=getattr(problem, "path", ""), why=problem.what) for problem in decisions.problems
    )
    return Plan(steps=tuple(steps), refused=refused)
