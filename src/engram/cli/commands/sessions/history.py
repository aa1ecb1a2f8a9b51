"""Tell what became of a session in the catalogue: who changed what, when, on whose word; the oldest change first.

What was corrected is told with what it was before. Times are UTC.

    engram sessions history 12347/2020-01-01T10-00-30
    engram --json sessions history 12347/2020-01-01T10-00-30
"""

from collections.abc import Iterator

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.model.reports import SessionChange
from engram.workspace.sessions import Sessions


@click.command(cls=Verb, help=__doc__)
@click.argument("name", metavar="ID")
@click.pass_obj
def command(call: Call, *, name: str) -> None:
    call.show_blocks(call.open(Sessions).history(name), _printable)


def _printable(change: SessionChange) -> Iterator[str]:
    return map(printable, _lines(change))


def _lines(change: SessionChange) -> Iterator[str]:
    yield f"{change.made:%Y-%m-%d %H:%M:%S} UTC, {change.by}: {change.command}"
    yield from [f"  from {change.source}"] if change.source else []
    yield from [f"  because: {change.why}"] if change.why else []
    yield from (f"  {line}" for line in change.said)
