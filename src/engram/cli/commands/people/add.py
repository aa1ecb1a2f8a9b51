"""Add people to the catalogue, or correct what it says of them.

NAME is what the lab's files call the person: the account's name.

    engram people add ada --full-name "Ada Lovelace" --email ada@example.org
    engram people add ada bob carol
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.errors import UsageError
from engram.workspace.people import People


@click.command(cls=Verb, help=__doc__)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--full-name", metavar="TEXT", help="First and last name.")
@click.option("--email", metavar="ADDRESS", help="Address.")
@click.option("--orcid", metavar="ID", help="ORCID iD: 0000-0002-1825-0097.")
@click.option("--note", metavar="TEXT", help="Remark.")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    names: tuple[str, ...],
    full_name: str | None,
    email: str | None,
    orcid: str | None,
    note: str | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    every = {"full_name": full_name, "email": email, "orcid": orcid, "note": note}
    said = {field: value for field, value in every.items() if value is not None}
    if said.keys() - {"note"} and len(names) > 1:
        raise UsageError("A full name, an address and an ORCID iD are one person's alone.", "Add each by a call.")
    people = call.open(People)
    if dry_run:
        call.show_plan(people.plan_add(names, said), into=plan_file)
    else:
        call.show(people.add(names, said))
