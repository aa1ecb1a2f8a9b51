"""What people decided about sessions, from an SQLite catalogue: without SQLAlchemy, of which scans need nothing."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import quote

from engram.catalogue.names import unescaped
from engram.model.errors import CatalogueDamaged, CatalogueUnavailable

_PATIENCE_S = 5


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is left out, with the reasons, and which findings are accepted in which session or recording."""

    excluded: dict[str, str] = field(default_factory=dict)
    waived: frozenset[tuple[str, str]] = frozenset()


def decisions_in(file: str) -> Decisions:
    """The decisions that a catalogue holds. Raises `CatalogueUnavailable`, `CatalogueDamaged`."""
    try:
        with closing(sqlite3.connect(_place(file), uri=True, timeout=_PATIENCE_S)) as connection:
            excluded = connection.execute("SELECT exclusion_pattern, exclusion_why FROM exclusion").fetchall()
            waived = connection.execute("SELECT waiver_item, waiver_code FROM waiver").fetchall()
    except sqlite3.OperationalError as error:
        raise CatalogueUnavailable(file, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise CatalogueDamaged(file, str(error)) from error
    return Decisions(
        {unescaped(pattern): why for pattern, why in excluded},
        frozenset((unescaped(item), code) for item, code in waived),
    )


def _place(file: str) -> str:
    return f"file:{quote(os.fsencode(file))}?mode=ro"
