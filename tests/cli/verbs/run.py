"""Run a user's own command, with all of its words."""

import click

from engram.cli.call import Call
from engram.cli.root import UserCommandVerb
from engram.cli.schemas import Help


@click.command(cls=UserCommandVerb, help=__doc__)
@click.option("-m", "--message")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def command(call: Call, message: str | None, words: tuple[str, ...]) -> None:
    call.show_text(Help(topic=message or "", text="|".join(words)))
