"""Show what changed between two snapshots of a connectome.

Of bodies, cell types, connections and ROIs: how many came, went or changed, and the largest of these changes, by their
synapses. OLD and NEW are folders that engram or flyem-snapshot wrote.

    engram snapshot diff v1.0 v1.1
    engram snapshot diff v1.0 v1.1 --most 0            every change
    engram snapshot diff v1.0 v1.1 --report diff.html  a page with pictures
    engram --json snapshot diff v1.0 v1.1
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.snapshot_asking import SnapshotAsking


@click.command(cls=Verb, help=__doc__)
@click.argument("old", metavar="OLD", type=options.NamedPath())
@click.argument("new", metavar="NEW", type=options.NamedPath())
@click.option(
    "--most",
    metavar="N",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many changes of each kind are shown; 0 for all.",
)
@click.option(
    "--report", metavar="FILE", type=options.NamedPath(), help="Write a page of HTML about it, with pictures."
)
@options.memory
@options.threads
@click.pass_obj
def command(
    call: Call, *, old: str, new: str, most: int, report: str | None, memory: str | None, jobs: int | None
) -> None:
    from engram.cli.diff_view import DiffReport, difference_line  # here, because help needs neither

    asking = call.open(SnapshotAsking)
    place = asking.report_place(report) if report is not None else ""
    seen = DiffReport(old, new)
    call.show_records(
        seen.watch(asking.diff(old, new, most=most, memory=memory or "", threads=jobs or 0)), difference_line
    )
    if place:
        call.show(asking.save_report(place, seen.page()))
