"""Plan what the catalogue takes from the lab's shares, and say why.

The shares are scanned, and what is there is compared with what the catalogue has: sessions to add, recordings to link,
what changed, what moved; what is refused, because something is wrong with it; and what is left as it is. Nothing is
changed. Review the plan, then carry it out: engram sessions ingest PLAN.json.

Folders of the same subject and time are one session, also on several shares, and what was computed from it is linked
to it wherever it lies. What lies on shares that are not named stays as the catalogue has it.

    engram sessions plan
    engram sessions plan recordings -o plan.json
    engram sessions plan -o plan.xlsx        the same as a table, to look at
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.workspace.ingestion import Ingestion

_SHEETS = (".csv", ".tsv", ".xlsx")


@click.command(cls=Verb, help=__doc__)
@click.argument("shares", nargs=-1, metavar="[SHARE]...")
@click.option("--full", is_flag=True, help="Look at everything, also where nothing seems to have changed.")
@click.option(
    "-o", "--output", metavar="FILE", help="Write the plan there: .json to ingest it, .csv or .xlsx to read it."
)
@click.pass_obj
def command(call: Call, *, shares: tuple[str, ...], full: bool, output: str | None) -> None:
    ingestion = call.open(Ingestion)
    plan = ingestion.plan(shares, full=full)
    is_sheet = output is not None and output.lower().endswith(_SHEETS)
    if output is not None and is_sheet:
        ingestion.write_sheet(plan, output)
    call.show_plan(plan, into=None if is_sheet else output)
    if call.style.for_people and not call.style.quiet:
        call.show_lines("\n".join(f"left: {printable(one.item)} [{printable(one.why)}]" for one in plan.left))
        if plan.steps and output is not None and not is_sheet:
            call.show_lines(f"Carry it out: engram sessions ingest {printable(output)}")
