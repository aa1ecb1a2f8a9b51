"""Catalogues that nobody may use just now: one that has moved away, and the copy of one that is not yet proven.

Such a one gives out no numbers: the next one stands there negative, so that whoever waits to change something sees it
in the row that is read anyway. Why stands in a table of its own, beside which everything is as it was.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Connection, MetaData, Table, delete, func, insert, inspect, select, update

from engram.catalogue.columns import LONG, MOMENT, NAME, ON_MARIADB, WORD, holds
from engram.catalogue.tables.changes import COUNTER
from engram.model.errors import CatalogueDamaged, CatalogueUnusable

NOTE_TABLE = "engram_closed"


class Why(StrEnum):
    """Why a catalogue is closed."""

    #: It has moved to the other place.
    MOVED = "moved"
    #: It is a copy of what lies at the other place, which has not said yet that it moved here.
    ARRIVING = "arriving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a closed catalogue says about itself."""

    why: Why
    #: Where it went, or where it comes from, as people are shown it.
    other: str
    #: UTC without a zone.
    when: datetime
    by: str


_NOTE = Table(
    NOTE_TABLE,
    MetaData(),
    Column("closed_why", WORD, primary_key=True, comment="moved, or arriving: not yet proven to be whole"),
    holds("closed_other", LONG, "Where it went to, or comes from"),
    holds("closed_when", MOMENT, "When, in UTC"),
    holds("closed_by", NAME, "Who moved it: the account and the machine"),
    comment="Why nobody may use this catalogue; no row: everybody may",
    **ON_MARIADB,
)


def prepare_to_close(connection: Connection) -> None:
    """Make the table that will say why; on MariaDB this would end a transaction that is under way."""
    _NOTE.create(connection, checkfirst=True)


def close(connection: Connection, note: Closed) -> None:
    """Let nobody use it from the end of this transaction on."""
    connection.execute(delete(_NOTE))
    values = {"closed_why": note.why, "closed_other": note.other, "closed_when": note.when, "closed_by": note.by}
    connection.execute(insert(_NOTE), values)
    connection.execute(update(COUNTER).values(counter_next=-func.abs(COUNTER.c.counter_next)))


def reopen(connection: Connection) -> None:
    """Let everybody use it from the end of this transaction on."""
    connection.execute(delete(_NOTE))
    connection.execute(update(COUNTER).values(counter_next=func.abs(COUNTER.c.counter_next)))


def forget_why(connection: Connection) -> None:
    """Take the table away again that said why; on MariaDB this would end a transaction that is under way."""
    _NOTE.drop(connection, checkfirst=True)


def may_be_moving(connection: Connection) -> bool:
    """Whether a move was begun: it goes on, or was interrupted."""
    return inspect(connection).has_table(NOTE_TABLE)


def gives_numbers(following: int | None) -> bool:
    """Whether a catalogue whose counter says this is open; one without a counter is broken, and not closed."""
    return following is None or following >= 0


def closed(connection: Connection, shown: str) -> Closed | None:
    """Why a catalogue is closed; ``None`` when it is not. Raises `CatalogueDamaged` when that is not to be found."""
    if gives_numbers(connection.execute(select(COUNTER.c.counter_next)).scalar()):
        return None
    there = inspect(connection).has_table(NOTE_TABLE)
    row = connection.execute(select(_NOTE)).mappings().first() if there else None
    if row is None:
        raise CatalogueDamaged(shown, "the row that gives out numbers is negative, and nothing says why")
    return Closed(why=Why(row["closed_why"]), other=row["closed_other"], when=row["closed_when"], by=row["closed_by"])


def refuse_closed(connection: Connection, shown: str) -> None:
    """Raise `CatalogueUnusable` for a catalogue that is closed; it says where the other one lies."""
    note = closed(connection, shown)
    if note is None:
        return
    if note.why is Why.MOVED:
        raise CatalogueUnusable(
            shown,
            f"has moved to {note.other} ({note.by}, {note.when:%Y-%m-%d %H:%M} UTC)",
            "Let engram.toml name that one under [catalogue]; engram lab move --to does so where it was interrupted.",
        )
    raise CatalogueUnusable(
        shown,
        f"is a copy of {note.other} that was not finished",
        "Finish it in the lab that it is of: engram lab move --to, the same as before.",
    )
