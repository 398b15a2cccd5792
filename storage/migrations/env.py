"""What Alembic runs: the revisions, on the connection and in the transaction of `storage.sql.schema`."""

from alembic import context

from storage.sql.schema import VERSION_TABLE
from storage.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE.name,
    # SQLite can do this as well as PostgreSQL; Alembic only does not count on it.
    transactional_ddl=True,
)
context.run_migrations()
