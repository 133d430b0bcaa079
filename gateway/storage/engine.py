"""Databases: one engine each, and ``transaction()``.

SQLite runs in WAL mode with ``synchronous=FULL``: what was committed has reached the disk, so a 2xx
is a promise. Every writing transaction begins IMMEDIATE, or two writers that both read first would
fail instead of waiting.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Pool, create_engine, event, make_url

_engines: WeakSet[Engine] = WeakSet()


class Database:
    """One database by URL."""

    def __init__(self, url: str) -> None:
        target = make_url(url)
        self.sqlite = target.get_backend_name() == "sqlite"
        if self.sqlite and target.database:
            Path(target.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if target.drivername == "postgresql":
            target = target.set(drivername="postgresql+psycopg")
        options: dict[str, Any] = (
            {"connect_args": {"timeout": 30}} if self.sqlite else {"pool_pre_ping": True}
        )
        self.engine = create_engine(target, hide_parameters=True, **options)
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        _engines.add(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection; commit at the end, roll back on any error."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that only reads and keeps no writer waiting."""
        with self.engine.connect() as connection:
            chosen = connection.execution_options(reads=True)
            with chosen.begin():
                yield chosen

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would otherwise begin transactions of its own
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


_inherited: list[Pool] = []


def _forget_inherited() -> None:
    """A forked worker must not share sockets and file locks with its parent.

    Nor may it close what it inherited (SQLite, "How to corrupt", 2.7): the old pools are kept for good.
    """
    for engine in _engines:
        _inherited.append(engine.pool)
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_inherited)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970 UTC; the same on every database."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_us(microseconds: int) -> datetime:
    """Return the aware instant (UTC)."""
    return datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
