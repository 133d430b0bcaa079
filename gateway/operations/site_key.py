"""The keys of this site: made once, kept sealed, one a use."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import select

from gateway import jose
from gateway.operations.services import Services
from gateway.storage.inbox import insert_new
from gateway.storage.schema import site_key

Use = Literal["ehr", "tokens"]  # we prove ourselves to EHRs; we sign our own access tokens
_COLUMN = "site_key.sealed"


def private_jwk(services: Services, use: Use = "ehr") -> dict[str, Any]:
    """Return the private key (ES384, JWK), making it at the first call."""
    kept = _kept(services, use) or _make(services, use)
    key: dict[str, Any] = msgspec.json.decode(services.unseal(services.ours, _COLUMN, use, kept))
    return key


def _kept(services: Services, use: Use) -> bytes | None:
    with services.journal.reading() as connection:
        return connection.execute(select(site_key.c.sealed).where(site_key.c.use == use)).scalar()


def _make(services: Services, use: Use) -> bytes:
    sealed = services.seal(services.ours, _COLUMN, use, msgspec.json.encode(jose.generate_key()))
    with services.journal.transaction() as connection:
        insert_new(connection, site_key, use=use, sealed=sealed)
        # Whoever was first, all use the key that was stored.
        kept: bytes = connection.execute(select(site_key.c.sealed).where(site_key.c.use == use)).scalar_one()
    return kept


def public_jwks(services: Services) -> dict[str, Any]:
    """Return what an EHR's administrator registers."""
    return jose.public_jwks(private_jwk(services))
