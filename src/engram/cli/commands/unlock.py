"""Make annexed files writable: each gets a copy of its content in the place of its link.

The content that was saved stays in the annex. The next engram save takes what was written, and locks the files again.

    engram unlock table.csv
    engram unlock figures/        what is here of a folder
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.provenance import Provenance


@click.command(cls=Verb, help=__doc__)
@options.paths
@options.dataset("The dataset; default is the one around the current folder.")
@options.recursion
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    dataset: str | None,
    recursive: bool,
    recursion_limit: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    provenance = call.open(Provenance)
    unlock = provenance.plan_unlock if dry_run else provenance.unlock
    result = unlock(paths, dataset=dataset, recursive=recursive, recursion_limit=recursion_limit)
    call.show_either(result, plan_file)
