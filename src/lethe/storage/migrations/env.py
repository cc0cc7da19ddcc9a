"""Alembic's entry: runs the steps on the connection, and inside the transaction, of `storage.migrate`."""

from alembic import context

from lethe.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
