"""The first schema."""

from alembic import op

from consent.store import metadata

revision = "vault_0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
