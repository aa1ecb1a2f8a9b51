"""Let a lab's file that came from elsewhere be read.

A lab's engram.toml that lies inside a dataset, or belongs to somebody else, is passed over: it names databases and
folders. Look at it, then allow it, as it is now: when it says something else later, it is passed over again.

    engram lab trust DIR
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@click.argument("folder", metavar="DIR", type=click.Path())
@click.pass_obj
def command(call: Call, *, folder: str) -> None:
    call.show(call.open(Labs).trust(folder))
