"""Bring the catalogue of an older engram to this one's version.

A backup is made first. Older programs on other machines refuse the catalogue from then on, and say so.

    engram lab upgrade
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@click.pass_obj
def command(call: Call) -> None:
    call.show(call.open(Labs).upgrade())
