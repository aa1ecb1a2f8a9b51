"""Plan what the catalogue takes from the lab's shares, and say why.

The shares are scanned, and what is there is compared with what the catalogue has: sessions to add, recordings to link,
what changed, what moved; what is refused, because something is wrong with it; and what is left as it is. Nothing is
changed. Review the plan, then carry it out: engram sessions ingest PLAN.json.

Folders of the same subject and time are one session, also on several shares, and what was computed from it is linked
to it wherever it lies. What lies on shares that are not named stays as the catalogue has it.

A mass file names sessions, and says of them what no machine can know; only these are planned then. How such a file
looks: engram help mass-file. With --as-massfile one is written, of what was recognised, to be completed.

    engram sessions plan
    engram sessions plan recordings -o plan.json
    engram sessions plan -o plan.xlsx        the same as a table, to look at
    engram sessions plan --as-massfile batch.yml
    engram sessions plan --from batch.yml -o plan.json
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable, typed
from engram.model.errors import UsageError
from engram.workspace.ingestion import Ingestion
from engram.workspace.mass_files import MassFiles

if TYPE_CHECKING:
    from engram.sessions.planning import IngestPlan

_SEE_MISSING = "What nobody has said yet: engram sessions missing"
_SHEETS = (".csv", ".tsv", ".xlsx")


@click.command(cls=Verb, help=__doc__)
@click.argument("shares", nargs=-1, metavar="[SHARE]...")
@click.option("--full", is_flag=True, help="Look at everything, also where nothing seems to have changed.")
@click.option("--from", "mass_file", metavar="MASSFILE", help="Plan what this file names: .yml, .json, .csv, .xlsx.")
@click.option("--as-massfile", metavar="FILE", help="Write the sessions of the plan as a mass file: likewise.")
@click.option(
    "-o", "--output", metavar="FILE", help="Write the plan there: .json to ingest it, .csv or .xlsx to read it."
)
@click.pass_obj
def command(
    call: Call,
    *,
    shares: tuple[str, ...],
    full: bool,
    mass_file: str | None,
    as_massfile: str | None,
    output: str | None,
) -> None:
    ingestion = call.open(Ingestion)
    if mass_file is None:
        plan = ingestion.plan(shares, full=full)
    else:
        planned = call.open(MassFiles).plan(mass_file, shares, full=full)
        if planned.problems:
            call.failing_code = UsageError.exit_code  # nothing was kept
            call.show(iter(planned.problems))
            return
        plan = planned.plan
    is_sheet = output is not None and output.lower().endswith(_SHEETS)
    if as_massfile is not None:
        left_out = call.open(MassFiles).write(plan, as_massfile)
        plan = replace(plan, left=(*plan.left, *left_out))
    if output is not None and is_sheet:
        ingestion.write_sheet(plan, output)
    call.show_plan(plan, into=None if is_sheet else output)
    if call.style.for_people and not call.style.quiet:
        call.show_lines("\n".join(_ending(plan, output, as_massfile, is_sheet=is_sheet)))


def _ending(plan: "IngestPlan", output: str | None, as_massfile: str | None, *, is_sheet: bool) -> Iterator[str]:
    yield from (f"left: {printable(one.item)} [{printable(one.why)}]" for one in plan.left)
    if len(plan.unknown_subjects) > 1:
        names = " ".join(map(typed, plan.unknown_subjects))
        yield f"All subjects that the catalogue has not: engram subjects add {names}"
    if as_massfile is not None and not plan.sessions:
        yield f"No mass file was written: there is no session for it. {_SEE_MISSING}"
    elif as_massfile is not None:
        yield f"Complete it, then: engram sessions plan --from {typed(as_massfile)} -o plan.json"
    if plan.steps and output is not None and not is_sheet:
        yield f"Carry it out: engram sessions ingest {typed(output)}"
