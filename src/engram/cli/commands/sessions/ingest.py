"""Take into the catalogue what a plan says: engram sessions plan -o PLAN.json.

Each session is one transaction. It may be stopped at any moment, and begun again with the same plan: what is done is
done. A session that was changed since, on its share or in the catalogue, is refused, and the rest goes on.

    engram sessions ingest plan.json
    engram sessions ingest --dry-run plan.json
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.ingestion import Ingestion


@click.command(cls=Verb, help=__doc__)
@click.argument("plan", metavar="PLAN")
@options.plan
@click.pass_obj
def command(call: Call, *, plan: str, dry_run: bool, plan_file: str | None) -> None:
    ingestion = call.open(Ingestion)
    planned = ingestion.read(plan)
    if dry_run:
        call.show_plan(planned, into=plan_file)
    else:
        call.show(ingestion.ingest(planned, path=plan))
