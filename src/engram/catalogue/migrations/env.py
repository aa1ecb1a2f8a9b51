"""What Alembic runs to migrate: on the connection that it was handed, in one transaction where the database can."""

from alembic import context

from engram.catalogue.tables import whole_schema
from engram.catalogue.versions import VERSION_TABLE


def _migrate() -> None:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=whole_schema(), version_table=VERSION_TABLE)
    with context.begin_transaction():
        context.run_migrations()


_migrate()
