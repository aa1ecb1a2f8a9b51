"""Numbers of what many sessions name: shares, subjects, probes; asked for once."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from engram.catalogue.names import escaped
from engram.catalogue.tables.animals import IMPLANT, PROBE, SUBJECT
from engram.catalogue.tables.sessions import SHARE
from engram.catalogue.unit import Row, Unit
from engram.model.animals import how_to_add
from engram.model.errors import NotInCatalogue
from engram.model.recordings import Session


class Directory:
    """Remembers what one change after another finds out. Only what was there before a change began is remembered."""

    def __init__(self) -> None:
        self._shares: dict[tuple[str, str], int] = {}
        self._subjects: dict[str, int] = {}
        self._probes: dict[str, int] | None = None
        #: Of each subject.
        self._implants: dict[int, list[dict[str, Any]]] = {}

    def share(self, unit: Unit, name: str, root: str) -> int:
        """The number of a share, which is added when it is new; where it is mounted is noted."""
        if (name, root) in self._shares:
            return self._shares[name, root]
        row = unit.find(SHARE, {"share_name": name})
        if row is None:
            return unit.add(SHARE, {"share_name": name, "share_root": escaped(root)})
        changed = unit.edit(SHARE, row, {"share_root": escaped(root)}) if root else ()
        number = int(str(row["share_id"]))
        if not changed:
            self._shares[name, root] = number
        return number

    def subject(self, unit: Unit, name: str) -> int:
        """The number of a subject, by its own name. Raises `NotInCatalogue`."""
        if name not in self._subjects:
            rows = unit.connection.execute(select(SUBJECT.c.subject_name, SUBJECT.c.subject_id))
            self._subjects = {row.subject_name: row.subject_id for row in rows}
        if name not in self._subjects:
            add = how_to_add(name)
            raise NotInCatalogue("subject", name, f"{add[:1].upper()}{add[1:]}")
        return self._subjects[name]

    def probes(self, unit: Unit, session: Session) -> dict[str, Row]:
        """By serial number: the probe, and the implant where there is one alone that it can be."""
        if self._probes is None:
            rows = unit.connection.execute(select(PROBE.c.probe_serial, PROBE.c.probe_id))
            self._probes = {row.probe_serial: row.probe_id for row in rows}
        serials = {one.serial for one in session.recordings if one.serial in self._probes} if self._probes else set()
        if not serials:
            return {}
        subject = self.subject(unit, session.subject)
        if subject not in self._implants:
            mine = unit.connection.execute(select(IMPLANT).where(IMPLANT.c.subject_id == subject)).mappings()
            self._implants[subject] = [dict(row) for row in mine]
        day = session.started.date() if isinstance(session.started, datetime) else session.started
        return {serial: self._probe(self._probes[serial], subject, day) for serial in serials}

    def _probe(self, probe: int, subject: int, day: date) -> Row:
        found = [row for row in self._implants[subject] if row["probe_id"] == probe and was_in(row, day)]
        return {"probe_id": probe, "implant_id": found[0]["implant_id"]} if len(found) == 1 else {"probe_id": probe}


def was_in(implant: Row, day: date) -> bool:
    """Whether a probe was in its subject on a day."""
    inserted, removed = implant["implant_inserted"], implant["implant_removed"]
    assert isinstance(inserted, datetime)
    return inserted.date() <= day and (not isinstance(removed, datetime) or day <= removed.date())


def wall_clock(moment: datetime) -> tuple[datetime, int | None]:
    """What the rig's clock showed, and how far it was from UTC in seconds, ``None`` when nobody said."""
    offset = moment.utcoffset()
    return moment.replace(tzinfo=None), None if offset is None else int(offset.total_seconds())
