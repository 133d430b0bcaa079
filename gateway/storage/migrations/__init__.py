"""Schema changes of the three databases, one folder of revisions each, applied when a process starts.

The revisions speak for the journal's tables here and for the tables that the cores' stores declare.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from gateway.storage.engine import Database

HERE = Path(__file__).parent


def migrate(database: Database, name: str) -> None:
    """Bring ``journal``, ``vault`` or ``audit`` to its newest schema; several processes may do so at once."""
    with database.transaction() as connection:
        if not database.sqlite:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"didymos-{name}"}
            )
        config = Config()
        config.set_main_option("script_location", str(HERE))
        config.set_main_option("version_locations", str(HERE / name))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        config.attributes["table"] = f"schema_version_{name}"
        command.upgrade(config, "head")
