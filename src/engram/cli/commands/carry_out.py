"""Carry out a plan that --dry-run -o wrote.

Each step is done if what it was planned from is still so. A file that has changed since is left alone and told of; the
rest is done. What is done already is not needed, so that the same plan can be carried out again.

    engram save --dry-run -o plan.json     look at it, show it to somebody
    engram carry-out plan.json
    engram carry-out --dry-run plan.json   what still holds of it
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.commands.drop import ask_before
from engram.cli.root import Verb
from engram.workspace.carrying import Carrying


@click.command(cls=Verb, help=__doc__)
@click.argument("plan", metavar="PLAN", type=click.Path())
@options.plan
@click.pass_obj
def command(call: Call, *, plan: str, dry_run: bool, plan_file: str | None) -> None:
    carrying = call.open(Carrying)
    planned = carrying.read(plan)
    if dry_run:
        call.show_plan(carrying.plan_carry_out(planned), into=plan_file)
        return
    ask_before(call, carrying.doomed(planned))
    call.show(carrying.carry_out(planned))
