"""What DataJoint needs beside the tables, where it can reach them: from which table each column comes.

It joins two tables by a column of the same name only when both have it from the same third, and looks that up in a
table of its own. Without that its first join in a session is refused (2.3.5), and on PostgreSQL it cannot make the
table itself from foreign keys that others declared. A test runs the real one.

Source: datajoint 2.3.5, lineage.py
"""

from collections.abc import Iterator

from sqlalchemy import Column, Connection, ForeignKey, MetaData, String, Table, delete, func, insert, select

from engram.catalogue.columns import ON_MARIADB
from engram.catalogue.tables import whole_schema

#: DataJoint's name for it: with a tilde it is none of its users' tables.
LINEAGE_TABLE = "~lineage"


def note_lineage(connection: Connection) -> None:
    """Say anew where each key and each reference comes from; on SQLite, which DataJoint does not read, do nothing."""
    if connection.dialect.name == "sqlite":
        return
    table = _table()
    table.create(connection, checkfirst=True)
    current = func.current_schema() if connection.dialect.name == "postgresql" else func.database()
    schema = str(connection.execute(select(current)).scalar_one())
    connection.execute(delete(table))
    connection.execute(insert(table), list(_lineage(schema)))


def _table() -> Table:
    return Table(
        LINEAGE_TABLE,
        MetaData(),
        Column("table_name", String(64), primary_key=True, comment="table name within the schema"),
        Column("attribute_name", String(64), primary_key=True, comment="attribute name"),
        Column("lineage", String(255), nullable=False, comment="origin: schema.table.attribute"),
        **ON_MARIADB,
    )


def _lineage(schema: str) -> Iterator[dict[str, str]]:
    for table in whole_schema().sorted_tables:
        for column in table.columns:
            if column.primary_key or column.foreign_keys:
                origin = f"{schema}.{_origin(column)}"
                yield {"table_name": table.name, "attribute_name": column.name, "lineage": origin}


def _origin(column: "Column[int]") -> str:
    """The column that a reference leads to in the end."""
    for key in column.foreign_keys:
        return _origin(_target(key))
    return f"{column.table.name}.{column.name}"


def _target(key: ForeignKey) -> "Column[int]":
    target: Column[int] = key.column
    return target
