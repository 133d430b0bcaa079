"""Backend systems that may read from us, as an administrator registered them: keys and scopes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update

from audit.record import Event
from consent.scopes import covers
from fhir_mapping.references import is_id
from gateway import jose
from gateway.errors import BadRequest, NotFound
from gateway.operations.consented import administered
from gateway.operations.services import Services
from gateway.storage.schema import client

TYPES = (
    *("RiskAssessment", "Provenance", "DetectedIssue", "Communication"),
    *("GuidanceResponse", "Observation", "MedicationRequest"),
)
SCOPES = tuple(f"system/{kind}.{may}" for kind in TYPES for may in ("rs", "r", "s", "read"))
_LEAST_RSA_BYTES = 256
_LONGEST_NAME = 80
_PARTS = frozenset({"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"})
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as an administrator registered it."""

    id: str
    name: str
    jwks: Mapping[str, Any]
    scopes: frozenset[str]


def register(services: Services, name: str, jwks: Mapping[str, Any], scopes: Iterable[str]) -> str:
    """Register a backend client, or give a registered one new keys and scopes; return its client id.

    ``name`` is also how a Consent names this client as actor, beside its client id.

    Raises
    ------
    BadRequest
        A key or a scope is not of the kind that is taken.
    """
    keys, kept = _public_keys(jwks), tuple(dict.fromkeys(scopes))
    if not kept or not set(kept) <= set(SCOPES):
        raise BadRequest(f"scopes are taken from: {' '.join(SCOPES)}")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise BadRequest("a name has 1 to 80 characters")
    identifier = services.pseudonyms.of("client", services.settings.tenant, name)
    services.audit.append(_registration(services, identifier, kept))
    values = {"name": name, "jwks": msgspec.json.encode(keys).decode(), "scopes": " ".join(kept)}
    with services.journal.transaction() as connection:
        known = update(client).where(client.c.id == identifier).values(**values)
        if connection.execute(known).rowcount == 0:
            fixed = {"id": identifier, "tenant": services.settings.tenant, "created": services.now()}
            connection.execute(insert(client).values(**fixed, **values))
    return identifier


def remove(services: Services, name: str) -> None:
    """Take a client's access away; tokens that it holds are refused from now on.

    Raises
    ------
    NotFound
        No client is called so.
    """
    mine = (client.c.name == name) & (client.c.tenant == services.settings.tenant)
    with services.journal.reading() as connection:
        identifier = connection.execute(select(client.c.id).where(mine)).scalar()
    if identifier is None:
        raise NotFound("no client is called so")
    services.audit.append(administered(services, "delete", f"client {identifier}: removed"))
    with services.journal.transaction() as connection:
        connection.execute(delete(client).where(mine))


def _public_keys(jwks: Mapping[str, Any]) -> dict[str, Any]:
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise BadRequest("a JWK Set is an object with a list of keys")
    if any(_PRIVATE & key.keys() for key in keys):
        raise BadRequest("this is a secret; register the public half only, and make a new key")
    names = {key.get("kid") for key in keys}
    if len(names) != len(keys) or not all(isinstance(name, str) and name for name in names):
        raise BadRequest("every key needs a kid of its own")
    if not all(_strong(key) for key in keys):
        raise BadRequest("keys are EC on P-384 (ES384) or RSA of at least 2048 bits (RS384)")
    try:
        return jose.public_jwks(*({part: key[part] for part in _PARTS & key.keys()} for key in keys))
    except ValueError as error:
        raise BadRequest("a key cannot be read") from error


def _strong(key: Mapping[str, Any]) -> bool:
    """Tell whether a key is of a kind that SMART asks servers to take: ES384 and RS384."""
    if key.get("use", "sig") != "sig":
        return False
    if key.get("kty") == "EC":
        named = all(isinstance(key.get(part), str) for part in ("x", "y"))
        return named and key.get("crv") == "P-384" and key.get("alg", "ES384") == "ES384"
    named = all(isinstance(key.get(part), str) for part in ("n", "e"))
    long = named and len(key["n"]) * 6 >= _LEAST_RSA_BYTES * 8
    return long and key.get("kty") == "RSA" and key.get("alg", "RS384") == "RS384"


def granted(requested: Iterable[str], registered: Iterable[str]) -> tuple[str, ...]:
    """Return what was requested as far as it is registered; a v1 scope keeps its form where it is whole."""
    ceiling, found = tuple(registered), []
    for scope in requested:
        asked = [scope] if scope.startswith("system/") else []
        for kind in TYPES:
            letters = "".join(c for c in "rs" if covers(asked, kind, c) and covers(ceiling, kind, c))
            if letters:
                old = letters == "rs" and scope == f"system/{kind}.read"
                found.append(scope if old else f"system/{kind}.{letters}")
    return tuple(dict.fromkeys(found))


def find(services: Services, identifier: str) -> Registered | None:
    """Return the client of that id."""
    if not is_id(identifier):
        return None
    query = select(client).where(client.c.id == identifier, client.c.tenant == services.settings.tenant)
    with services.journal.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Registered(row.id, row.name, msgspec.json.decode(row.jwks), frozenset(row.scopes.split()))


def _registration(services: Services, identifier: str, scopes: tuple[str, ...]) -> Event:
    return administered(services, "create", f"client {identifier}: {' '.join(scopes)}")
