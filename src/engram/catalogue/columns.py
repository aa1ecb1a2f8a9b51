"""What the catalogue's columns are made of: types that mean the same on SQLite, PostgreSQL and MariaDB.

Two rules hold for every table (a test compares). A table is called after what one row is, in words that DataJoint
takes for a class (``session_folder``: ``SessionFolder``). And no two tables share the name of a column unless one
refers to the other by it or both refer to the same third: so that a natural join (DataJoint's ``*`` and ``&``) means
what it says.
"""

from typing import Any, TypeAlias, TypeVar

from sqlalchemy import BigInteger, Column, DateTime, Double, ForeignKey, Integer, MetaData, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import Index, SchemaItem
from sqlalchemy.types import TypeEngine

from engram.catalogue.names import PATH_KEY_LENGTH

Value = TypeVar("Value")
#: A column of whatever it holds.
AnyColumn: TypeAlias = Column[Any]

#: Constraints have names, so that a later migration can speak of them.
METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
#: MariaDB compares bytes, as the other two do: case, accents and spaces at the end count.
ON_MARIADB: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_nopad_bin",
}

#: Longest name of anything; what MariaDB can index in one piece.
NAME_LENGTH = 255

ID: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")
COUNT: TypeEngine[int] = BigInteger()
NUMBER: TypeEngine[int] = Integer()
REAL: TypeEngine[float] = Double()
#: Without a zone, to the microsecond.
MOMENT = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
#: Of any length that occurs: paths, remarks, JSON.
LONG = Text().with_variant(Text(collation="C"), "postgresql").with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def words(length: int) -> TypeEngine[str]:
    """Text up to a length, compared and sorted by its bytes everywhere."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


NAME = words(NAME_LENGTH)
WORD = words(32)
PATH_KEY = words(PATH_KEY_LENGTH)
DIGEST = words(128)


def identity(name: str, meaning: str) -> Column[int]:
    """A row's number: given out once in the whole catalogue, never again."""
    return Column(name, ID, primary_key=True, autoincrement=False, comment=meaning)


def refers(name: str, to: str, meaning: str, *, optional: bool = False, key: bool = False) -> Column[int]:
    """A column that names a row of another table: *to* is ``table.column``."""
    return Column(name, ID, ForeignKey(to), nullable=optional, primary_key=key, autoincrement=False, comment=meaning)


def holds(name: str, kind: TypeEngine[Value], meaning: str) -> Column[Value]:
    """A column that always has a value; '' where there is nothing to say."""
    return Column(name, kind, nullable=False, comment=meaning)


def may_hold(name: str, kind: TypeEngine[Value], meaning: str) -> Column[Value]:
    """A column that is NULL where nobody knows."""
    return Column(name, kind, nullable=True, comment=meaning)


def table(name: str, row: str, *parts: SchemaItem, noun: str) -> Table:
    """A table of which one *row* is what it says; *noun* begins the name of the column that tells who added it."""
    added = refers(f"{noun}_added_in", "catalogue_change.change_id", "The change that added this row")
    made = Table(name, METADATA, *parts, added, comment=row, **ON_MARIADB)
    begun = {next(iter(key.columns)).name for key in made.constraints if isinstance(key, Unique)}
    for part in parts:
        if isinstance(part, Column) and _wants_index(part) and part.name not in begun:
            Index(None, part)
    return made


def _wants_index(column: AnyColumn) -> bool:
    """What is asked by often: which rows refer to one of another table."""
    return bool(column.foreign_keys) and not column.primary_key


def unique(*columns: str) -> Unique:
    """The natural key: what tells two rows apart in the field's own words."""
    return Unique(*columns)
