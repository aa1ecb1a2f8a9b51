"""Show the outcomes that a test hands in."""

from collections.abc import Iterator

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.outcome import Outcome
from engram.workspace.context import Context


class Source:
    """Nothing happens, unless a test puts its own in this place."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def outcomes(self) -> Iterator[Outcome]:
        return iter(())


@click.command(cls=Verb, help=__doc__)
@click.option("-c", "--colour", multiple=True, help="A letter that means something else before the command.")
@click.option("--reads-only", is_flag=True)
@click.argument("words", nargs=-1)
@click.pass_obj
def command(call: Call, colour: tuple[str, ...], reads_only: bool, words: tuple[str, ...]) -> None:
    call.show(call.open(Source).outcomes(), reads_only=reads_only)
