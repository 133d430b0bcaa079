"""The first schema."""

from alembic import op

from audit.store import metadata

revision = "audit_0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
