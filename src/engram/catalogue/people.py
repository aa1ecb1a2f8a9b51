"""People in the catalogue."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from engram.catalogue.names import given
from engram.catalogue.tables.animals import PERSON
from engram.catalogue.unit import Put, Row, Unit
from engram.model.animals import Person


def put_person(unit: Unit, name: str, values: Row) -> Put:
    """A person with these *values* (``full_name``, ``email``, …): added, corrected, or left as it is.

    Raises `UsageError` for a name that people cannot read.
    """
    columns: Row = {f"person_{field}": value for field, value in values.items()}
    return unit.put(PERSON, {"person_name": given(name, "name of a person")}, columns)


def people(connection: Connection) -> Iterator[Person]:
    """Everybody, by name."""
    for row in connection.execute(select(PERSON).order_by(PERSON.c.person_name)).mappings():
        yield Person(
            name=row["person_name"],
            full_name=row["person_full_name"],
            email=row["person_email"],
            orcid=row["person_orcid"],
            note=row["person_note"],
        )
