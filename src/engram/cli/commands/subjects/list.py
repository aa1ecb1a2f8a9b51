"""List the subjects in the catalogue.

Each stands with all of its names; engram subjects show tells the rest.

    engram subjects list
    engram --json subjects list
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.animals import Subject
from engram.workspace.subjects import Subjects


@click.command(cls=Verb, help=__doc__)
@click.pass_obj
def command(call: Call) -> None:
    call.show_records(call.open(Subjects).list(), _line)


def _line(subject: Subject) -> str:
    known = [subject.species, subject.sex, f"born {subject.born}" if subject.born else ""]
    aliases = [f"{alias.kind} {alias.name}" for alias in subject.aliases]
    return ", ".join([subject.name, *filter(None, known), *aliases])
