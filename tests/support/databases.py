"""Databases for tests: a folder of SQLite files, or a PostgreSQL database from a migrated template."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from gateway.settings import Settings
from gateway.storage import engine
from gateway.wiring import Databases

NAMES = ("journal_url", "audit_url", "vault_url")


class Postgres:
    """A server on which every test gets a database of its own."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._mark = f"didymos_{os.getpid()}_{secrets.token_hex(3)}"
        self._numbers = itertools.count(1)
        self._template: str | None = None

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Yield the URL of a new database without tables."""
        with self._database("template1") as url:
            yield url

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Yield the URL of a new database that holds the newest schema."""
        if self._template is None:
            self._template = f"{self._mark}_template"
            self._run(f"CREATE DATABASE {self._template}")
            url = self._at(self._template)
            Databases.open(Settings(**dict.fromkeys(NAMES, url))).close()
        with self._database(self._template) as url:
            yield url

    def close(self) -> None:
        if self._template is not None:
            self._run(f"DROP DATABASE {self._template} WITH (FORCE)")

    @contextmanager
    def _database(self, template: str) -> Iterator[str]:
        name = f"{self._mark}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        url = self._at(name)
        try:
            yield url
        finally:
            dispose(url)
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _at(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        administration = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with administration.connect() as connection:
            connection.execute(text(statement))
        administration.dispose()


def dispose(url: str) -> None:
    """Close the pools of every engine on the database at ``url``."""
    target = make_url(url)
    for each in list(engine._engines):
        if (each.url.database, each.url.query) == (target.database, target.query):
            each.dispose()


def dispose_files(folder: Path) -> None:
    """Close the pools of every engine on a SQLite file under ``folder``."""
    for each in list(engine._engines):
        if (each.url.database or "").startswith(str(folder.resolve())):
            each.dispose()
