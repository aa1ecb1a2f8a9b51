"""Show a plan."""

from collections.abc import Iterator

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.outcome import Outcome
from engram.model.plan import Plan, PlannedStep
from engram.workspace.context import Context


class Planner:
    """Plans and carries out what a test puts in its place."""

    def __init__(self, context: Context) -> None:
        self.plan = Plan(steps=(PlannedStep(action="add", item="a.nii", bytes=2048, why="untracked"),))

    def carry_out(self) -> Iterator[Outcome]:
        return iter(())


@click.command(cls=Verb, help=__doc__)
@options.plan
@click.pass_obj
def command(call: Call, dry_run: bool, plan_file: str | None) -> None:
    planner = call.open(Planner)
    call.show_either(planner.plan if dry_run else planner.carry_out(), plan_file)
