"""List the probes in the catalogue, with the subjects that they were implanted in.

Each has the name that its maker gave it: its serial number.

    engram probes list
    engram --json probes list
"""

from collections.abc import Iterator

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.model.animals import Implant, Probe
from engram.workspace.probes import Probes


@click.command(cls=Verb, help=__doc__)
@click.pass_obj
def command(call: Call) -> None:
    call.show_blocks(call.open(Probes).list(), _lines)


def _lines(probe: Probe) -> Iterator[str]:
    shanks = f"{probe.shanks} shanks" if probe.shanks else ""
    yield printable(", ".join(filter(None, (probe.serial, probe.type, probe.maker, shanks))))
    for implant in probe.implants:
        yield f"  in {printable(implant.subject)} since {implant.inserted:%Y-%m-%d %H:%M}{_more(implant)}"


def _more(implant: Implant) -> str:
    removed = f" until {implant.removed:%Y-%m-%d %H:%M}" if implant.removed else ""
    areas = [site.actual or site.intended for site in implant.sites]
    said = ", ".join(printable(area) for area in areas if area)
    return removed + (f": {said}" if said else "")
