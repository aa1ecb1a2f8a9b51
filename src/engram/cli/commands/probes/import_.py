"""Take probes, and where they were implanted, from a table: CSV, tab-separated or Excel, with a heading.

Columns: serial, type, maker, shanks; for an implant subject and insertion_time, and removed, name, shank,
intended_area, actual_area, ap_mm, ml_mm, depth_um; note. All of the table is taken, or, when a cell is wrong, nothing:
then everything that is wrong is told.

    engram probes import probes.csv --dry-run
    engram probes import probes.xlsx
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.errors import UsageError
from engram.workspace.probes import Probes


@click.command(cls=Verb, help=__doc__)
@click.argument("table", metavar="FILE", type=click.Path())
@click.option(
    "--date-format", metavar="FORMAT", help="How times are written: %d.%m.%Y %H:%M (default: 2020-01-31 14:30)."
)
@options.plan
@click.pass_obj
def command(call: Call, *, table: str, date_format: str | None, dry_run: bool, plan_file: str | None) -> None:
    probes = call.open(Probes)
    call.failing_code = UsageError.exit_code  # nothing was kept
    if dry_run:
        call.show_plan(probes.plan_import(table, date_format=date_format), into=plan_file)
    else:
        call.show(probes.import_(table, date_format=date_format))
