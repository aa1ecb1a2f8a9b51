"""Let a lab's file that came from elsewhere be read.

A lab's engram.toml that lies inside a dataset, or belongs to somebody else, is passed over: it names databases and
folders. Look at it, then allow it, as it is now: when it says something else later, it is passed over again.

    engram lab trust DIR
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@click.argument("folder", metavar="DIR", type=click.Path())
@options.plan
@click.pass_obj
def command(call: Call, *, folder: str, dry_run: bool, plan_file: str | None) -> None:
    labs = call.open(Labs)
    call.show_either(labs.plan_trust(folder) if dry_run else labs.trust(folder), plan_file)
