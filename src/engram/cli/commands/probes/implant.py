"""Note that a probe was implanted in a subject, where, and when it was removed.

The time of the insertion, by the lab's clock, tells one implant from another: said again with the same time, an implant
is corrected. Areas are said for one shank at a time, or for the whole probe.

    engram probes implant 18005123491 12347 --at 2020-01-01T09:00 --area MEC
    engram probes implant 1811 m1 --at 2020-01-01T09:00 --shank 0 --area CA1
    engram probes implant 1811 m1 --at 2020-01-01T09:00 --removed 2020-03-01
"""

from datetime import datetime

import click

from engram.cli import dates, options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.probes import Probes


@click.command(cls=Verb, help=__doc__)
@click.argument("serial")
@click.argument("subject")
@click.option("--at", "inserted", required=True, metavar="TIME", callback=dates.moment, help="When it was inserted.")
@click.option("--removed", metavar="TIME", callback=dates.moment, help="When it was taken out.")
@click.option("--name", metavar="TEXT", help="What the lab calls this implant: 1, left.")
@click.option("--shank", metavar="N", type=click.IntRange(min=0), help="Which shank the following is about, from 0.")
@click.option("--area", metavar="TEXT", help="Brain area that was aimed at.")
@click.option("--actual-area", metavar="TEXT", help="Brain area that histology found.")
@click.option("--ap-mm", metavar="MM", type=float, help="Anterior of bregma.")
@click.option("--ml-mm", metavar="MM", type=float, help="Right of the midline.")
@click.option("--depth-um", metavar="UM", type=float, help="Depth of the tip along the shank.")
@click.option("--note", metavar="TEXT", help="Remark.")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    serial: str,
    subject: str,
    inserted: datetime,
    removed: datetime | None,
    name: str | None,
    shank: int | None,
    area: str | None,
    actual_area: str | None,
    ap_mm: float | None,
    ml_mm: float | None,
    depth_um: float | None,
    note: str | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    site = {"shank": shank, "intended": area, "actual": actual_area, "ap_mm": ap_mm, "ml_mm": ml_mm}
    every = {**site, "depth_um": depth_um, "removed": removed, "name": name, "note": note}
    said = {field: value for field, value in every.items() if value is not None}
    probes = call.open(Probes)
    if dry_run:
        call.show_plan(probes.plan_implant(serial, subject, inserted, said), into=plan_file)
    else:
        call.show(probes.implant(serial, subject, inserted, said))
