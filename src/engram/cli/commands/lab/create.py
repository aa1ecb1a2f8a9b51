"""Make a lab: a folder with engram.toml, and a catalogue.

DIR is made where it is missing; default is the current folder. The catalogue is an SQLite file in it, unless another
place is named: SQLite is not put on a file system that several machines share, because it would lose data there.
PostgreSQL and MariaDB need an empty database; no password stands in a URL (PostgreSQL's belongs in ~/.pgpass).

    engram lab create mylab --timezone Europe/Oslo
    engram lab create --name "Systems neuroscience"
    engram lab create --catalogue sqlite:////var/lib/lab/catalogue.db
    engram lab create --catalogue postgresql+psycopg://lab@db.example.org/lab
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.lab import Labs


@click.command(cls=Verb, help=__doc__)
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path())
@click.option("--catalogue", metavar="URL", help="Where the catalogue lies (default: an SQLite file in the lab).")
@click.option("--name", default="", metavar="TEXT", help="The lab's name, for people (default: the folder's).")
@click.option("--timezone", default="", metavar="ZONE", help="Zone of times that rigs write without one: Europe/Oslo.")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    folder: str | None,
    catalogue: str | None,
    name: str,
    timezone: str,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    labs = call.open(Labs)
    if dry_run:
        call.show_plan(labs.plan_create(folder, catalogue=catalogue, timezone=timezone), into=plan_file)
    else:
        call.show(labs.create(folder, catalogue=catalogue, name=name, timezone=timezone))
