"""Check that the lab's parts are sound: its file, its catalogue, its shares.

The catalogue's database is asked whether it is intact, and whether nothing in it refers to what is not there. Each
share is looked into with the account that runs this.

    engram lab check
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@click.pass_obj
def command(call: Call) -> None:
    call.show(call.open(Labs).check(), reads_only=True)
