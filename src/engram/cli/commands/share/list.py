"""List the lab's shares.

A share that cannot be read from here is marked, with the reason.

    engram share list
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.shares import ShareHere, Shares


@click.command(cls=Verb, help=__doc__)
@click.pass_obj
def command(call: Call) -> None:
    call.show_records(call.open(Shares).list(), _line)


def _line(one: ShareHere) -> str:
    return f"{one.share.name}: {one.share.root}" + (f" (not readable here: {one.trouble})" if one.trouble else "")
