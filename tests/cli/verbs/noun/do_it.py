"""Do it, whatever it is."""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.schemas import Help


@click.command(cls=Verb, help=__doc__)
@click.pass_obj
def command(call: Call) -> None:
    call.show_text(Help(topic=call.command, text="done"))
