"""Bring the catalogue of an older engram to this one's version.

A backup is made first. Older programs on other machines refuse the catalogue from then on, and say so.

    engram lab upgrade
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@options.plan
@click.pass_obj
def command(call: Call, *, dry_run: bool, plan_file: str | None) -> None:
    labs = call.open(Labs)
    call.show_either(labs.plan_upgrade() if dry_run else labs.upgrade(), plan_file)
