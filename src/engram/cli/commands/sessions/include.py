"""Leave out no longer what engram sessions exclude was told to leave out.

PATTERN is the very word that was excluded. Who excluded it, and why, stays in the history.

    engram sessions include 12347/2020-01-01T10-00-30 --why "right animal"
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.errors import UsageError
from engram.workspace.marking import Marking


@click.command(cls=Verb, help=__doc__)
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@click.option("--why", metavar="TEXT", required=True, help="The reason, for those who come later.")
@options.plan
@click.pass_obj
def command(call: Call, *, patterns: tuple[str, ...], why: str, dry_run: bool, plan_file: str | None) -> None:
    marking = call.open(Marking)
    call.failing_code = UsageError.exit_code  # nothing was kept
    deed = marking.include(patterns, why)
    if dry_run:
        call.show_plan(marking.plan("sessions include", deed), into=plan_file)
    else:
        call.show(marking.carry_out("sessions include", deed, why=why))
