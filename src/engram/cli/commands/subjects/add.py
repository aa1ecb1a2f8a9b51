"""Add subjects to the catalogue, or correct what it says of them.

A subject that is there already is corrected where something else is said now; what it held before stays in the history,
and what is not said stays as it is. More names, such as water-restriction numbers, are aliases, with the days on which
they were valid where they were given to others later.

    engram subjects add 12347 --sex F --born 2020-01-31 --species "Rattus"
    engram subjects add 456772 --alias water-restriction=SC033
    engram subjects add m1 --alias colony=SC034@2020-01-01..2020-06-30
    engram subjects add m1 m2 m3 --responsible ada
"""

from datetime import date

import click

from engram.cli import dates, options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.animals import Alias
from engram.model.errors import UsageError
from engram.workspace.subjects import Subjects


@click.command(cls=Verb, help=__doc__)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="KIND=NAME[@FROM..UNTIL]",
    callback=dates.aliases,
    help="One more name. Can be given again.",
)
@click.option("--sex", type=click.Choice(("F", "M", "U", "O")), help="F, M, U (unknown) or O (other).")
@click.option("--species", metavar="TEXT", help="Species, as Mus musculus.")
@click.option("--born", metavar="DAY", callback=dates.day, help="Date of birth: 2020-01-31.")
@click.option("--died", metavar="DAY", callback=dates.day, help="Date of death.")
@click.option("--strain", metavar="TEXT", help="Strain, line or genotype.")
@click.option("--source", metavar="TEXT", help="Where it came from: the breeder, the colony.")
@click.option("--cage", metavar="TEXT", help="Cage.")
@click.option("--responsible", metavar="PERSON", help="Who is responsible; added if the catalogue does not know her.")
@click.option("--note", metavar="TEXT", help="Remark.")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    names: tuple[str, ...],
    aliases: tuple[Alias, ...],
    dry_run: bool,
    plan_file: str | None,
    sex: str | None,
    species: str | None,
    born: date | None,
    died: date | None,
    strain: str | None,
    source: str | None,
    cage: str | None,
    responsible: str | None,
    note: str | None,
) -> None:
    if aliases and len(names) > 1:
        raise UsageError("An alias is one subject's alone.", "Add each of these subjects by a call of its own.")
    subjects = call.open(Subjects)
    texts = {"sex": sex, "species": species, "strain": strain, "source": source, "cage": cage, "note": note}
    every = {**texts, "responsible": responsible, "born": born, "died": died}
    said = {field: value for field, value in every.items() if value is not None}
    if dry_run:
        call.show_plan(subjects.plan_add(names, said, aliases), into=plan_file)
    else:
        call.show(subjects.add(names, said, aliases))
