"""Forget a share.

Nothing on it is touched, and what was ingested from it stays in the catalogue.

    engram share remove old
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.shares import Shares


@click.command(cls=Verb, help=__doc__)
@click.argument("name")
@options.plan
@click.pass_obj
def command(call: Call, *, name: str, dry_run: bool, plan_file: str | None) -> None:
    shares = call.open(Shares)
    call.show_either(shares.plan_remove(name) if dry_run else shares.remove(name), plan_file)
