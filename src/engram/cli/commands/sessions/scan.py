"""Look for sessions on the lab's shares, and tell what is there and what is wrong with it.

Nothing on a share is written. What the last scan saw is remembered: folders that did not change since are not looked at
again, files of young or unsettled sessions are. The digests that the rig wrote down are compared only on request, for
that reads everything.

    engram sessions scan                  every share
    engram sessions scan recordings
    engram sessions scan --full           trust nothing that was seen before
    engram sessions scan --checksum       compare bytes with digests
    engram sessions scan --report R.html  a page with pictures, too
    engram --json sessions scan           one line for each session
"""

from typing import TYPE_CHECKING

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.sessions_view import ScanView
from engram.workspace.scanning import Scanning

if TYPE_CHECKING:
    from engram.cli.scan_report import ScanReport


@click.command(cls=Verb, help=__doc__)
@click.argument("shares", nargs=-1, metavar="[SHARE]...")
@click.option("--full", is_flag=True, help="Look at everything, also where nothing seems to have changed.")
@click.option("--checksum", is_flag=True, help="Read all recordings, and compare with the digests that the rig wrote.")
@click.option("--report", metavar="FILE", type=click.Path(), help="Write a page of HTML about it, with pictures.")
@click.pass_obj
def command(call: Call, *, shares: tuple[str, ...], full: bool, checksum: bool, report: str | None) -> None:
    scanning = call.open(Scanning)
    place = scanning.report_place(report) if report is not None else ""
    found = scanning.scan(shares, full=full, checksum=checksum)
    seen = _report() if place else None
    screen = call.screen
    columns = screen.out_columns if screen.is_terminal else 0
    view = ScanView(colours=screen.colours, quiet=call.style.quiet, columns=columns)
    try:
        call.show_blocks(view.watch(seen.watch(found) if seen else found), view.lines)
        if call.style.for_people:
            call.show_lines("\n".join(view.remedies()))
        if seen:
            call.show(scanning.save_report(place, seen.page))
    finally:
        found.close()
        if view.failed:
            call.exit_code = call.failing_code


def _report() -> "ScanReport":
    from engram.cli.scan_report import ScanReport  # here, because few calls ask for one

    return ScanReport()
