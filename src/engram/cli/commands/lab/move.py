"""Carry the catalogue over to another database.

From any of SQLite, PostgreSQL and MariaDB to any: to a file that is not there yet, or an empty database. A file is
named relative to engram.toml. Every row keeps its number and its history. Both are read back and compared, value by
value, before engram.toml names the new one, with its comments and its order as they were.

Nobody can change the catalogue meanwhile; reading goes on. The old one then stays as it is, and engram refuses to use
it and says where it went. When this is interrupted, nothing is lost: run it again, and it goes on.

    engram lab move --to postgresql+psycopg://lab@db.example.org/lab
    engram lab move --to sqlite:////var/lib/lab/catalogue.db --dry-run
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@click.option("--to", "url", required=True, metavar="URL", help="Where the catalogue is to lie.")
@options.plan
@click.pass_obj
def command(call: Call, *, url: str, dry_run: bool, plan_file: str | None) -> None:
    labs = call.open(Labs)
    call.show_either(labs.plan_move(url) if dry_run else labs.move(url), plan_file)
