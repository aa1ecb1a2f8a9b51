"""Accept a finding in a session or a recording: from now on plans take it all the same, and scans are silent about it.

ID is the session's or the recording's, as engram sessions plan and list show it; CODE the finding's.

    engram sessions waive m1/2020-01-01 truncated --why "the rig lost power"
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.errors import UsageError
from engram.workspace.marking import Marking


@click.command(cls=Verb, help=__doc__)
@click.argument("item", metavar="ID")
@click.argument("code", metavar="CODE")
@click.option("--why", metavar="TEXT", required=True, help="The reason, for those who come later.")
@options.plan
@click.pass_obj
def command(call: Call, *, item: str, code: str, why: str, dry_run: bool, plan_file: str | None) -> None:
    marking = call.open(Marking)
    call.failing_code = UsageError.exit_code  # nothing was kept
    deed = marking.waive(item, code, why)
    if dry_run:
        call.show_plan(marking.plan("sessions waive", deed), into=plan_file)
    else:
        call.show(marking.carry_out("sessions waive", deed, why=why))
