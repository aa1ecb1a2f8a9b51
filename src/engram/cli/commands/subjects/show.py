"""Show all that the catalogue says of subjects, by name or alias.

What it was called when, and who is responsible for it.

    engram subjects show 12347
    engram subjects show SC033
"""

from collections.abc import Iterator
from dataclasses import fields

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.model.animals import Alias, Subject
from engram.workspace.subjects import Subjects


@click.command(cls=Verb, help=__doc__)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_obj
def command(call: Call, names: tuple[str, ...]) -> None:
    call.show_blocks(call.open(Subjects).show(names), _lines)


def _lines(subject: Subject) -> Iterator[str]:
    yield printable(subject.name)
    for entry in fields(subject):
        value = getattr(subject, entry.name)
        if value not in ("", None) and entry.name not in ("name", "aliases"):
            yield f"  {entry.name.replace('_', ' ')}: {printable(str(value))}"
    for alias in subject.aliases:
        yield f"  {printable(alias.kind)}: {printable(alias.name)}{_days(alias)}"


def _days(alias: Alias) -> str:
    if alias.since is None and alias.until is None:
        return ""
    since = f" from {alias.since}" if alias.since else ""
    until = f" until {alias.until}" if alias.until else ""
    return f" ({(since + until).strip()})"
