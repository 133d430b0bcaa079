"""The first schema."""

from alembic import op

from gateway.storage.schema import metadata
from twin_engine.store import metadata as twins

revision = "journal_0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    twins.create_all(op.get_bind())
