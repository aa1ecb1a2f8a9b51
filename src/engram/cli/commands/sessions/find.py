"""Find sessions by a text, wherever it stands: ids, folders, files, tasks, people, projects, serial numbers.

The case of letters does not count.

    engram sessions find open_field
    engram sessions find 18005117822
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.model.reports import Match
from engram.workspace.sessions import Sessions


@click.command(cls=Verb, help=__doc__)
@click.argument("text", metavar="TEXT")
@click.pass_obj
def command(call: Call, *, text: str) -> None:
    call.show_records(call.open(Sessions).find(text), _line)


def _line(match: Match) -> str:
    return printable(f"{match.session}: {match.what} {match.text}")
