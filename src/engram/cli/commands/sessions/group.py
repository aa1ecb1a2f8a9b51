"""Put sessions into a group: a cohort, a data set, anything. It is made when it is new.

A session may be in several groups; what is in one already stays.

    engram sessions group cohort-3 12347/2020-01-01T10-00-30 23457/2022-04-19
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.errors import UsageError
from engram.workspace.marking import Marking


@click.command(cls=Verb, help=__doc__)
@click.argument("name", metavar="NAME")
@click.argument("items", nargs=-1, required=True, metavar="ITEM...")
@options.plan
@click.pass_obj
def command(call: Call, *, name: str, items: tuple[str, ...], dry_run: bool, plan_file: str | None) -> None:
    marking = call.open(Marking)
    call.failing_code = UsageError.exit_code  # nothing was kept
    deed = marking.group(name, items)
    if dry_run:
        call.show_plan(marking.plan("sessions group", deed), into=plan_file)
    else:
        call.show(marking.carry_out("sessions group", deed))
