"""Which version of the catalogue this program speaks, and what it does with others."""

from sqlalchemy import Connection, inspect, text

from engram.model.errors import CatalogueUnusable

#: The version that this program reads and writes: the number of the last migration (a test compares).
HEAD = "0006"
#: Where a catalogue notes its version; Alembic keeps it.
VERSION_TABLE = "engram_version"


def version_of(connection: Connection) -> str:
    """The version of a catalogue; '' where there is none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    return str(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() or "")


def refuse_other_versions(connection: Connection, shown: str) -> None:
    """Raise `CatalogueUnusable` for a catalogue that is not of this program's version."""
    version = version_of(connection)
    if not version:
        raise CatalogueUnusable(shown, "is empty: nobody has set it up", "Set it up: engram lab create")
    if version > HEAD:
        newer = f"was written by a newer engram (version {version}; this one reads up to {HEAD})"
        raise CatalogueUnusable(
            shown, newer, "Update engram on this machine: git pull, pip install -U '.[lab]' in its clone"
        )
    if version < HEAD:
        older = f"is of version {version}, and this engram needs {HEAD}"
        raise CatalogueUnusable(shown, older, "Upgrade it; a backup is made first: engram lab upgrade")
