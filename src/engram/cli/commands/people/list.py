"""List the people in the catalogue.

People are added by name, or with the table that names them.

    engram people list
    engram --json people list
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.animals import Person
from engram.workspace.people import People


@click.command(cls=Verb, help=__doc__)
@click.pass_obj
def command(call: Call) -> None:
    call.show_records(call.open(People).list(), _line)


def _line(person: Person) -> str:
    return ", ".join(filter(None, (person.name, person.full_name, person.email, person.orcid)))
