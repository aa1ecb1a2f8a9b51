"""Add probes to the catalogue, or correct what it says of them.

Recordings that were made with a probe are found by its serial number, also those that were there before it.

    engram probes add 18005123491 --type NP1010
    engram probes add 19108305252 19108305253 --maker imec --shanks 4
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.probes import Probes


@click.command(cls=Verb, help=__doc__)
@click.argument("serials", nargs=-1, required=True, metavar="SERIAL...")
@click.option("--type", "kind", metavar="TEXT", help="Type, as its maker says: NP1010.")
@click.option("--maker", metavar="TEXT", help="Who made it.")
@click.option("--shanks", metavar="N", type=click.IntRange(min=1), help="Number of shanks.")
@click.option("--note", metavar="TEXT", help="Remark.")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    serials: tuple[str, ...],
    kind: str | None,
    maker: str | None,
    shanks: int | None,
    note: str | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    every = {"type": kind, "maker": maker, "shanks": shanks, "note": note}
    said = {field: value for field, value in every.items() if value is not None}
    probes = call.open(Probes)
    if dry_run:
        call.show_plan(probes.plan_add(serials, said), into=plan_file)
    else:
        call.show(probes.add(serials, said))
