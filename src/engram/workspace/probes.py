"""Probes of the lab, and the subjects that they are implanted in: add, implant, import, list."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from engram.model.animals import Probe
from engram.model.errors import EngramError
from engram.model.outcome import Outcome
from engram.model.plan import Plan
from engram.workspace import importing
from engram.workspace.catalogue_here import catalogue_here, source_file
from engram.workspace.context import Context
from engram.workspace.deeds import Deed, carry_out, outcome_of, refused, rehearse
from engram.workspace.importing import Field
from engram.workspace.tables import read_table

if TYPE_CHECKING:
    from engram.catalogue.unit import Unit, Value

#: The shank that stands for the whole probe.
WHOLE = -1
_PROBE = ("type", "maker", "shanks", "note")
_IMPLANT = ("removed", "name")
_SITE = ("intended", "actual", "ap_mm", "ml_mm", "depth_um")


class Probes:
    """The probes in the lab's catalogue."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add(self, serials: Sequence[str], values: "Mapping[str, Value]") -> Iterator[Outcome]:
        """Add probes, or correct what is said of those that are there: an outcome each.

        Args:
            serials: their serial numbers. Recordings that were made with them are found.
            values: fields of `Probe`; what is not given stays as it is.

        Raises:
            NoLab, CatalogueUnusable, UsageError: before anything is kept.
        """
        return carry_out(self._context, "probes add", partial(_put, serials, values))

    def plan_add(self, serials: Sequence[str], values: "Mapping[str, Value]") -> Plan:
        """What `add` would do. Raises what it raises."""
        return rehearse(self._context, "probes add", partial(_put, serials, values))

    def implant(
        self, serial: str, subject: str, inserted: datetime, values: "Mapping[str, Value]"
    ) -> Iterator[Outcome]:
        """Note that a probe was implanted, or correct what is said of it.

        Args:
            serial: the probe, which the catalogue knows.
            subject: name or alias of the subject.
            inserted: when, by the clock of the lab; it tells one implant from another.
            values: fields of `Implant` and `Site`, and *shank* of the site.

        Raises:
            NoLab, CatalogueUnusable, NotInCatalogue, UsageError: before anything is kept.
        """
        return carry_out(self._context, "probes implant", partial(_implant, serial, subject, inserted, values))

    def plan_implant(self, serial: str, subject: str, inserted: datetime, values: "Mapping[str, Value]") -> Plan:
        """What `implant` would do. Raises what it raises."""
        return rehearse(self._context, "probes implant", partial(_implant, serial, subject, inserted, values))

    def import_(self, path: str, *, date_format: str | None = None) -> Iterator[Outcome]:
        """Take probes, and where they were implanted, from a table: all of it, or nothing and all that is wrong.

        Raises:
            NoLab, CatalogueUnusable, ExtraMissing, UsageError (no table): before anything is kept.
        """
        place = os.path.join(self._context.folder, path)
        return carry_out(self._context, "probes import", _taking(place, date_format), source=source_file(place))

    def plan_import(self, path: str, *, date_format: str | None = None) -> Plan:
        """What `import_` would do. Raises what it raises."""
        place = os.path.join(self._context.folder, path)
        return rehearse(self._context, "probes import", _taking(place, date_format))

    def list(self) -> Iterator[Probe]:
        """All probes with their implants, by serial number."""
        with catalogue_here(self._context) as catalogue, catalogue.reading() as connection:
            from engram.catalogue.probes import probes

            yield from probes(connection)


def _put(serials: Sequence[str], values: "Mapping[str, Value]", unit: "Unit") -> Iterator[Outcome]:
    from engram.catalogue.probes import put_probe

    for serial in serials:
        yield outcome_of("probes-add", serial, put_probe(unit, serial, values))


def _implant(
    serial: str, subject: str, inserted: datetime, values: "Mapping[str, Value]", unit: "Unit"
) -> Iterator[Outcome]:
    from engram.catalogue.probes import put_implant

    site = {field: values[field] for field in _SITE if field in values}
    shank = values.get("shank", WHOLE)
    sites = {int(str(shank)): site} if site else {}
    implant = {field: values[field] for field in (*_IMPLANT, "note") if field in values}
    put = put_implant(unit, subject, serial, inserted, implant, sites)
    yield outcome_of("probes-implant", f"{serial} in {subject}", put, note=f"{inserted:%Y-%m-%d %H:%M}")


def fields(date_format: str | None) -> tuple[Field, ...]:
    """What a table of probes may say."""
    text, moment, number = importing.text, importing.moment_as(date_format), importing.number
    subjects = ("subject", "subject_id", "animal", "animal_name", "h2o", "water_restriction_number")
    return (
        Field("serial", ("serial", "probe", "probe_serial", "serial_number", "probe_sn", "probe_id"), text),
        Field("type", ("type", "probe_type", "model", "part_number", "probe_part_number"), text),
        Field("maker", ("maker", "manufacturer", "vendor"), text),
        Field("shanks", ("shanks", "number_of_shanks"), importing.count),
        Field("subject", subjects, text),
        Field("inserted", ("inserted", "insertion_time", "insertion_date", "insertion_datetime", "implanted"), moment),
        Field("removed", ("removed", "removal_time", "explanted"), moment),
        Field("name", ("name", "insertion_number", "implant", "label"), text),
        Field("shank", ("shank", "shank_number"), importing.count),
        Field("intended", ("intended_area", "brain_area", "target", "area", "intended_brain_area"), text),
        Field("actual", ("actual_area", "actual_brain_area", "histology"), text),
        Field("ap_mm", ("ap_mm", "ap", "ap_location"), number),
        Field("ml_mm", ("ml_mm", "ml", "ml_location"), number),
        Field("depth_um", ("depth_um", "depth"), number),
        Field("note", ("note", "notes", "remark", "comment"), text),
    )


def _taking(path: str, date_format: str | None) -> Deed:
    found, problems = importing.records(read_table(path), fields(date_format), needed=("serial",))
    problems += importing.twice(found, ("serial", "subject", "inserted", "shank"))
    for record in found:
        if ("subject" in record.values) != ("inserted" in record.values):
            problems.append(importing.Problem(record.row, "", "an implant needs both subject and insertion time"))
    name = os.path.basename(path)

    def take(unit: "Unit") -> Iterator[Outcome]:
        for problem in sorted(problems, key=lambda one: one.row):
            yield problem.outcome("probes-import", name)
        for record in found if not problems else ():
            try:
                yield from _take(record.values, unit)
            except EngramError as error:
                yield refused("probes-import", f"{name}, row {record.row}", error)

    return take


def _take(values: "Mapping[str, Value]", unit: "Unit") -> Iterator[Outcome]:
    serial, inserted = str(values["serial"]), values.get("inserted")
    of_probe = _PROBE if inserted is None else _PROBE[:-1]  # a remark is about what the row is about
    yield from _put([serial], {field: values[field] for field in of_probe if field in values}, unit)
    if isinstance(inserted, datetime):
        yield from _implant(serial, str(values["subject"]), inserted, values, unit)
