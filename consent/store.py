"""Tables of the vault's database: wrapped keys and secrets, never a key in clear.

A destroyed owner keeps its row with no key in it: the row is the tombstone, so the primary key itself forbids
creating the owner again. On SQLite the database is to be opened with ``PRAGMA secure_delete=ON``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from sqlalchemy import (
    Column,
    Connection,
    Insert,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

Connect: TypeAlias = Callable[[], AbstractContextManager[Connection]]

metadata = MetaData()

tenant_keys = Table(
    "tenant_key",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
owner_keys = Table(
    "owner_key",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("owner", String(200), primary_key=True),
    Column("kid", LargeBinary(8), nullable=False),
    Column("wrapped", LargeBinary, nullable=True),
)
secrets = Table(
    "secret",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)


def tenant_key(connection: Connection, tenant: str) -> bytes | None:
    """Return the tenant's wrapped key."""
    query = select(tenant_keys.c.wrapped).where(tenant_keys.c.tenant == tenant)
    return connection.execute(query).scalar_one_or_none()


def add_tenant_key(connection: Connection, tenant: str, wrapped: bytes) -> bool:
    """Add the tenant's wrapped key; False where it has one, which stays."""
    return _added(connection, insert(tenant_keys).values(tenant=tenant, wrapped=wrapped))


def owner_key(connection: Connection, tenant: str, owner: str) -> tuple[bytes, bytes | None] | None:
    """Return (kid, wrapped key) of an owner; the key is None once destroyed."""
    columns = owner_keys.c
    query = select(columns.kid, columns.wrapped).where(columns.tenant == tenant, columns.owner == owner)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.kid, row.wrapped)


def add_owner_key(connection: Connection, tenant: str, owner: str, kid: bytes, wrapped: bytes | None) -> bool:
    """Add an owner's wrapped key, or its tombstone; False where the owner has a row, which stays."""
    values = {"tenant": tenant, "owner": owner, "kid": kid, "wrapped": wrapped}
    return _added(connection, insert(owner_keys).values(values))


def erase_owner_key(connection: Connection, tenant: str, owner: str) -> None:
    """Overwrite an owner's wrapped key, then leave the row as tombstone; nothing where there is no row."""
    row = owner_keys.c
    of_owner = update(owner_keys).where(row.tenant == tenant, row.owner == owner, row.wrapped.is_not(None))
    found = owner_key(connection, tenant, owner)
    if found is not None and found[1] is not None:
        connection.execute(of_owner.values(wrapped=bytes(len(found[1]))))
        connection.execute(of_owner.values(wrapped=None))


def secret(connection: Connection, tenant: str, name: str) -> bytes | None:
    """Return a named wrapped secret of the tenant."""
    query = select(secrets.c.wrapped).where(secrets.c.tenant == tenant, secrets.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def add_secret(connection: Connection, tenant: str, name: str, wrapped: bytes) -> bool:
    """Add a named wrapped secret; False where there is one, which stays."""
    return _added(connection, insert(secrets).values(tenant=tenant, name=name, wrapped=wrapped))


def _added(connection: Connection, statement: Insert) -> bool:
    # A savepoint, since PostgreSQL refuses everything in a transaction after an error.
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except IntegrityError:
        return False
    return True
