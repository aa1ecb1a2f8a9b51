"""Show every version of a file, and how each came about.

Newest first: when, who, the message, and where its content is now; for a version that a recorded command made (engram
run, datalad run) that command, its exit code and its inputs, with what had changed since the version before. Renames
are followed, and the file may be gone by now.

    engram history figures/fig1.png
    engram history -n 1 figures/fig1.png     which parameters made it?
    engram --json history figures/fig1.png
"""

from itertools import islice

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.view_history import block
from engram.workspace.provenance import Provenance


@click.command(cls=Verb, help=__doc__)
@click.argument("path", type=click.Path())
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("-n", "--limit", metavar="NUMBER", type=click.IntRange(min=1), help="Only so many versions.")
@click.pass_obj
def command(call: Call, *, path: str, dataset: str | None, limit: int | None) -> None:
    versions = islice(call.open(Provenance).history(path, dataset=dataset), limit)
    call.show_blocks(versions, lambda version: block(version, call.screen.out_columns))
