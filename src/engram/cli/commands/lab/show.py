"""Show the lab at a glance: where it lies, and what its catalogue holds.

Nothing is changed. Whether all is well with it is told by engram lab check.

    engram lab show
    engram --json lab show
"""

from collections.abc import Iterator

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.model.reports import LabReport
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@click.pass_obj
def command(call: Call) -> None:
    call.show_blocks(call.open(Labs).show(), _lines)


def _lines(lab: LabReport) -> Iterator[str]:
    yield f"{printable(lab.name)} ({printable(lab.folder)})"
    yield f"  catalogue: {printable(lab.catalogue)} ({lab.database}, version {lab.version})"
    yield f"  time zone: {lab.timezone or 'not set: times without a zone stay without one'}"
    yield f"  shares: {', '.join(lab.shares) or 'none yet; add one: engram share add NAME PATH'}"
    yield f"  latest backup: {lab.last_backup or 'none; make one: engram lab backup'}"
    for table, count in lab.rows:
        yield f"  {table.replace('_', ' ')}: {count}"
