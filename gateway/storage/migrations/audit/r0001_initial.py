"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "audit_0001"
down_revision = None

REFUSE_SQLITE = "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
REFUSE_POSTGRESQL = "EXECUTE FUNCTION audit_refuse_change()"
DEFINE_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql "
    "AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
)
KEYS = {
    "entry": "idx = NEW.idx",
    "node": "level = NEW.level AND position = NEW.position",
    "checkpoint": "size = NEW.size",
}


def refuse_change() -> None:
    """Let the database refuse to alter, delete or overwrite what is proved."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(DEFINE_POSTGRESQL)
        for name in KEYS:
            for moment in (
                f"UPDATE OR DELETE ON {name} FOR EACH ROW",
                f"TRUNCATE ON {name} FOR EACH STATEMENT",
            ):
                kind = moment.split()[0].lower()
                op.execute(f"CREATE TRIGGER {name}_{kind} BEFORE {moment} {REFUSE_POSTGRESQL}")
        return
    for name, same_key in KEYS.items():
        exists = f"EXISTS (SELECT 1 FROM {name} WHERE {same_key})"  # noqa: S608  constants of this module
        for moment in (f"UPDATE ON {name}", f"DELETE ON {name}", f"INSERT ON {name} WHEN {exists}"):
            kind = moment.split()[0].lower()
            op.execute(f"CREATE TRIGGER {name}_{kind} BEFORE {moment} {REFUSE_SQLITE}")


def upgrade() -> None:
    op.create_table(
        "checkpoint",
        sa.Column(
            "size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "entry",
        sa.Column(
            "idx", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("subject_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ops_owner", sa.String(length=255), nullable=False),
        sa.Column("ops_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx"),
    )
    op.create_table(
        "node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subject_index",
        sa.Column(
            "idx", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("idx"),
    )
    op.create_index("subject_index_subject", "subject_index", ["subject", "idx"], unique=False)
    refuse_change()
