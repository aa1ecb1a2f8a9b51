"""Probes in the catalogue, and the subjects that they were implanted in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, and_, select

from engram.catalogue.names import escaped, given
from engram.catalogue.subjects import subject_named
from engram.catalogue.tables.animals import IMPLANT, IMPLANT_SITE, PROBE, SUBJECT
from engram.catalogue.tables.recordings import RECORDING
from engram.catalogue.tables.sessions import SESSION
from engram.catalogue.unit import Became, Put, Row, Unit, Value
from engram.model.animals import Implant, Probe, Site
from engram.model.errors import NotInCatalogue, UsageError

_SEE = "See which there are: engram probes list. Add it: engram probes add SERIAL"
#: Fields of a site that stand in a column of its own row.
_SITE = {field: f"site_{field}" for field in "intended actual ap_mm ml_mm depth_um".split()}


def put_probe(unit: Unit, serial: str, values: Row) -> Put:
    """A probe with these *values* (``type``, ``maker``, …): added, corrected, or left as it is.

    Raises `UsageError` for a serial number that people cannot read.
    """
    columns: Row = {f"probe_{field}": value for field, value in values.items()}
    done = unit.put(PROBE, {"probe_serial": given(serial, "serial number of a probe")}, columns)
    if done.became is Became.ADDED:
        _find_in_recordings(unit, RECORDING.c.recording_serial == escaped(serial), {"probe_id": done.row_id})
    return done


def _find_in_recordings(unit: Unit, where: ColumnElement[bool], values: Row) -> None:
    """What was recorded before a probe or implant was told about was made with it all the same."""
    rows = unit.connection.execute(select(RECORDING).where(where)).mappings().all()
    for row in rows:
        unit.edit(RECORDING, dict(row), values)


def put_implant(
    unit: Unit, subject: str, serial: str, inserted: datetime, values: Row, sites: Mapping[int, Row]
) -> Put:
    """An implant with these *values* (``removed``, ``name``, ``note``) and *sites* by shank: added or corrected.

    Raises `NotInCatalogue`, and `UsageError` for a probe that is elsewhere at that time.
    """
    subject_id = _number(unit, SUBJECT.c.subject_id, SUBJECT.c.subject_name, subject_named(unit.connection, subject))
    probe_id = _number(unit, PROBE.c.probe_id, PROBE.c.probe_serial, serial)
    columns: dict[str, Value] = {f"implant_{field}": value for field, value in values.items()}
    removed = values.get("removed")
    if isinstance(removed, datetime) and removed < inserted:
        raise UsageError(f"{serial} was removed {removed} before it was inserted {inserted}.", "Mend one of the times.")
    natural: Row = {"subject_id": subject_id, "probe_id": probe_id, "implant_inserted": inserted}
    _refuse_elsewhere(unit.connection, serial, natural, removed if isinstance(removed, datetime) else None)
    done = unit.put(IMPLANT, natural, columns)
    if done.became is Became.ADDED:
        _find_sessions(unit, done.row_id, natural, removed if isinstance(removed, datetime) else None)
    changed = list(done.changed)
    for shank, site in sites.items():
        place: Row = {"implant_id": done.row_id, "site_shank": shank}
        put = unit.put(IMPLANT_SITE, place, {_SITE[field]: value for field, value in site.items()})
        changed += put.changed if put.became is not Became.ADDED else [("site_shank", None, shank)]
    if done.became is Became.ADDED or not changed:
        return done
    return Put(done.row_id, Became.EDITED, tuple(changed))


def _find_sessions(unit: Unit, implant: int, natural: Row, removed: datetime | None) -> None:
    """Recordings of the subject with this probe, while it was in: unless somebody said already which implant it is."""
    inserted = natural["implant_inserted"]
    assert isinstance(inserted, datetime)
    mine = SESSION.c.session_date >= inserted.date()
    if removed is not None:
        mine = and_(mine, SESSION.c.session_date <= removed.date())
    sessions = select(SESSION.c.session_id).where(SESSION.c.subject_id == natural["subject_id"], mine)
    open_yet = and_(RECORDING.c.probe_id == natural["probe_id"], RECORDING.c.implant_id.is_(None))
    _find_in_recordings(unit, and_(open_yet, RECORDING.c.session_id.in_(sessions)), {"implant_id": implant})


def _number(unit: Unit, identity: Column[int], column: Column[str], name: str) -> int:
    found = unit.connection.execute(select(identity).where(column == name)).scalar()
    if found is None:
        raise NotInCatalogue("probe", name, _SEE)
    return int(found)


def _refuse_elsewhere(connection: Connection, serial: str, natural: Row, removed: datetime | None) -> None:
    """A probe is in one place at a time."""
    rows = select(IMPLANT, SUBJECT.c.subject_name).join(SUBJECT).where(IMPLANT.c.probe_id == natural["probe_id"])
    inserted = natural["implant_inserted"]
    assert isinstance(inserted, datetime)
    for row in connection.execute(rows).mappings():
        same = row["subject_id"] == natural["subject_id"] and row["implant_inserted"] == inserted
        gone_before = row["implant_removed"] is not None and row["implant_removed"] <= inserted
        comes_later = removed is not None and removed <= row["implant_inserted"]
        if not (same or gone_before or comes_later):
            where = f"{row['subject_name']} since {row['implant_inserted']:%Y-%m-%d %H:%M}"
            raise UsageError(
                f"Probe {serial} is in {where}.", "Say when it was removed: engram probes implant --removed"
            )


def probes(connection: Connection) -> Iterator[Probe]:
    """All probes with their implants, by serial number."""
    implants = _implants(connection)
    for row in connection.execute(select(PROBE).order_by(PROBE.c.probe_serial)).mappings():
        yield Probe(
            serial=row["probe_serial"],
            type=row["probe_type"],
            maker=row["probe_maker"],
            shanks=row["probe_shanks"],
            note=row["probe_note"],
            implants=tuple(implants[row["probe_id"]]),
        )


def _implants(connection: Connection) -> Mapping[int, list[Implant]]:
    sites: dict[int, list[Site]] = defaultdict(list)
    for row in connection.execute(select(IMPLANT_SITE).order_by(IMPLANT_SITE.c.site_shank)).mappings():
        values = {field: row[column] for field, column in _SITE.items()}
        sites[row["implant_id"]].append(Site(shank=row["site_shank"], **values))
    found: dict[int, list[Implant]] = defaultdict(list)
    rows = select(IMPLANT, SUBJECT.c.subject_name, PROBE.c.probe_serial).join(SUBJECT).join(PROBE)
    for row in connection.execute(rows.order_by(IMPLANT.c.implant_inserted)).mappings():
        found[row["probe_id"]].append(_implant(row, sites[row["implant_id"]]))
    return found


def _implant(row: RowMapping, sites: Iterable[Site]) -> Implant:
    return Implant(
        subject=row["subject_name"],
        probe=row["probe_serial"],
        inserted=row["implant_inserted"],
        removed=row["implant_removed"],
        name=row["implant_name"],
        note=row["implant_note"],
        sites=tuple(sites),
    )


def implants_of_subjects(connection: Connection) -> Mapping[str, tuple[Implant, ...]]:
    """All implants, by the own name of their subject."""
    found: dict[str, list[Implant]] = defaultdict(list)
    for implants in _implants(connection).values():
        for implant in implants:
            found[implant.subject].append(implant)
    return {subject: tuple(implants) for subject, implants in found.items()}


def serials_of_probes(connection: Connection) -> frozenset[str]:
    """Serial numbers of all probes of the lab."""
    return frozenset(connection.execute(select(PROBE.c.probe_serial)).scalars())
