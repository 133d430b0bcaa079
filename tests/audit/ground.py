"""What the audit tests stand on: real databases, a real cipher, events."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, create_engine, event, text

from audit.checkpoint import Signer
from audit.log import Log
from audit.record import Event
from audit.store import metadata

AT = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
SIGNER = Signer.from_seed("didymos.test/audit", bytes(range(32)))


class Cipher:
    """AES-256-GCM under a key per owner, derived so that several processes agree on it."""

    def __init__(self) -> None:
        self.destroyed: set[str] = set()
        self.owners: set[str] = set()

    def seal(self, owner: str, context: tuple[str, ...], plaintext: bytes) -> bytes:
        self.owners.add(owner)
        nonce = secrets.token_bytes(12)
        return nonce + self._key(owner).encrypt(nonce, plaintext, repr(context).encode())

    def open(self, owner: str, context: tuple[str, ...], sealed: bytes) -> bytes:
        try:
            return self._key(owner).decrypt(sealed[:12], sealed[12:], repr(context).encode())
        except InvalidTag:
            raise ValueError("does not open") from None

    def _key(self, owner: str) -> AESGCM:
        if owner in self.destroyed:
            raise LookupError("destroyed")
        return AESGCM(hmac.digest(b"test", owner.encode(), hashlib.sha256))


class Ground:
    """A database and the ways into it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    def run(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def log(self, cipher: Cipher | None = None, **choices: object) -> Log:
        return Log(self.connect, SIGNER, cipher or Cipher(), **choices)

    def disarm(self) -> None:
        """Do what an intruder with the database's own rights would do first: drop the triggers."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "sqlite":
                query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
                for name, _ in connection.execute(text(query)).all():
                    connection.execute(text(f"DROP TRIGGER {name}"))
            else:
                for table in ("entry", "node", "checkpoint"):
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


def sqlite_engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")

    def opened(connection, _):
        connection.isolation_level = None
        for pragma in ("busy_timeout = 20000", "journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", opened)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


@contextmanager
def on_engine(engine: Engine) -> Iterator[Ground]:
    try:
        metadata.create_all(engine)
        yield Ground(engine)
    finally:
        engine.dispose()


def an_event(number: int = 0, subject: str | None = "twin-a", **changes) -> Event:
    values = {
        "kind": "pull",
        "action": "read",
        "outcome": "success",
        "tenant": "north",
        "actor": "gateway",
        "at": AT,
        "purpose": "TREAT",
        "subject": subject,
        "request": f"r{number}",
        "resources": (f"Observation/{number}/_history/1",),
        "attributes": (("count", str(number)),),
    }
    return Event(**(values | changes))
