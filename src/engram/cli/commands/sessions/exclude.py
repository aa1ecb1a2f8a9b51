"""Leave sessions, recordings or folders out of every plan from now on, with a reason; scans find no fault with them.

PATTERN is the id of a session or a recording, or a folder, with all below it, as SHARE:FOLDER; * stands for any text in
it, ? for one character. What the catalogue has already stays there. What is left out, and why, is told by engram
sessions plan.

    engram sessions exclude 12347/2020-01-01T10-00-30 --why "wrong animal"
    engram sessions exclude 'recordings:*/pilot/*' --why "pilot data"
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
    deed = marking.exclude(patterns, why)
    if dry_run:
        call.show_plan(marking.plan("sessions exclude", deed), into=plan_file)
    else:
        call.show(marking.carry_out("sessions exclude", deed, why=why))
