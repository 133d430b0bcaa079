"""Alembic's entry: runs the revisions inside the transaction that ``migrate`` holds."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, version_table=context.config.attributes["table"], transactional_ddl=False
)
context.run_migrations()
