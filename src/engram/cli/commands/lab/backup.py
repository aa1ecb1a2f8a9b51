"""Save the catalogue as a file.

It is an SQLite file, whichever database the catalogue lies on, and can take the catalogue's place. It holds what the
catalogue held at one moment, others may go on meanwhile, and it is there whole or not at all. Without FILE it comes
among the lab's backups, in .engram/backups beside engram.toml; copy some of them to another machine.

    engram lab backup
    engram lab backup /mnt/safe/catalogue.db
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@click.argument("file", required=False, metavar="[FILE]", type=click.Path())
@options.plan
@click.pass_obj
def command(call: Call, *, file: str | None, dry_run: bool, plan_file: str | None) -> None:
    labs = call.open(Labs)
    call.show_either(labs.plan_backup(file) if dry_run else labs.backup(file), plan_file)
