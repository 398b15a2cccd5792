"""What Alembic runs: the revisions, on the connection and in the transaction of `storage.schema`."""

from alembic import context

from storage.schema import VERSION_TABLE
from storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE.name,
    # SQLite can do this as well as PostgreSQL; Alembic only does not count on it.
    transactional_ddl=True,
)
context.run_migrations()
