"""Labs: make one, look at it, check it, keep it safe."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from engram.config import LAB_FILE, is_timezone, why_not_trusted_folder
from engram.durable import Steps, make_folders
from engram.model.errors import TargetExists, UsageError
from engram.model.outcome import Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.model.reports import LabReport
from engram.workspace.catalogue_here import USUAL_URL, address_of, catalogue_extra, catalogue_here
from engram.workspace.context import Context
from engram.workspace.file_systems import network_file_system
from engram.workspace.lab_file import write_new_lab
from engram.workspace.lab_here import lab_here

if TYPE_CHECKING:
    from engram.catalogue.addresses import Address


class Labs:
    """What can be done with a lab as a whole."""

    def __init__(self, context: Context, *, steps: Steps | None = None, mounts: str | None = None) -> None:
        """*mounts*: what `network_file_system` is told of this machine, instead of what is so."""
        self._context = context
        self._steps = steps or Steps()
        self._mounts = mounts

    def create(self, folder: str | None, *, catalogue: str | None, name: str, timezone: str) -> Iterator[Outcome]:
        """Make a lab: its catalogue, then its file. Run again after a crash it goes on.

        Raises:
            TargetExists, UsageError, ExtraMissing, CatalogueUnusable: before anything is written.
        """
        place, address = self._wanted(folder, catalogue, timezone)
        with catalogue_extra():
            from engram.catalogue.migrating import create_catalogue
        make_folders(self._steps, place)
        new = create_catalogue(address, self._steps)
        url = catalogue or USUAL_URL
        called = name or os.path.basename(place)
        write_new_lab(self._steps, place, name=called, timezone=timezone, catalogue_url=url)
        note = f"catalogue {address.shown}" + ("" if new else ", which was there")
        yield Outcome(action="lab-create", item=place, status=Status.OK, note=note)

    def plan_create(self, folder: str | None, *, catalogue: str | None, timezone: str) -> Plan:
        """What `create` would do. Raises what it raises."""
        place, address = self._wanted(folder, catalogue, timezone)
        made = PlannedStep(action="set up", item=address.shown, why="the lab's catalogue")
        return Plan(steps=(made, PlannedStep(action="write", item=os.path.join(place, LAB_FILE))))

    def _wanted(self, folder: str | None, catalogue: str | None, timezone: str) -> "tuple[str, Address]":
        place = os.path.normpath(os.path.join(self._context.folder, folder or "."))
        file = os.path.join(place, LAB_FILE)
        if os.path.lexists(file):
            raise TargetExists(file, "is there already: this is a lab", "Look at it: engram lab show")
        if why := why_not_trusted_folder(place):
            advice = "Take a folder of your own outside datasets: what a dataset brings along is not trusted."
            raise UsageError(f"A lab in {place} would not be read: {why}.", advice)
        if timezone and not is_timezone(timezone):
            raise UsageError(f"{timezone!r} is not a time zone.", "Write it as Europe/Oslo.")
        with catalogue_extra():
            from engram.catalogue.addresses import read_address
        address = read_address(catalogue or USUAL_URL, place)
        if address.file and (kind := network_file_system(address.file, self._mounts)):
            raise UsageError(
                f"{address.file} lies on a network file system ({kind}), where SQLite loses data.",
                "Add --catalogue sqlite:////FILE/ON/THIS/MACHINE.db, or --catalogue postgresql+psycopg://USER@HOST/NAME",
            )
        return place, address

    def show(self) -> Iterator[LabReport]:
        """The lab at a glance. Raises `NoLab`, `CatalogueUnusable`."""
        here = lab_here(self._context)
        address = address_of(here)
        from engram.catalogue.checking import row_counts
        from engram.catalogue.versions import version_of

        with catalogue_here(self._context) as catalogue, catalogue.reading() as connection:
            yield LabReport(
                name=here.lab.name,
                folder=here.lab.folder,
                timezone=here.lab.timezone,
                catalogue=address.shown,
                database=address.database,
                version=version_of(connection),
                rows=tuple((table, count) for table, count in row_counts(connection) if count),
                shares=tuple(share.name for share in here.lab.shares),
            )
