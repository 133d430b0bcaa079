"""Access tokens for backend systems: given for a proof of identity, checked at every request.

SMART Backend Services: a client signs a one-time assertion with a key that an administrator
registered, and gets a token of 300 s for what it asked for *and* was registered for. The assertion
is taken in this order:

1. the parameters of the request, each once;
2. the issuer that the assertion names is a registered client;
3. header, signature, ``aud`` (this token address), times: ``jose.verify``;
4. ``sub`` is ``iss``;
5. its ``jti`` is written down; a second one is refused, whichever process sees it;
6. requested scopes, cut to the registered ones;
7. the grant stands in the audit log; then the token is made.

Authlib's AuthorizationServer is not used: for this one grant it asks for client, grant and storage classes
longer than this module, its assertion check neither caps ``exp`` nor looks at ``typ``, and it would be a
second way for tokens beside ``gateway.jose``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete

from audit.record import Event, Outcome
from gateway import jose
from gateway.jose import TokenRefused
from gateway.operations import site_key
from gateway.operations.clients import Registered, find, granted
from gateway.operations.consented import Caller
from gateway.operations.services import Services
from gateway.storage.inbox import insert_new
from gateway.storage.schema import replay

GRANT = "client_credentials"
TOKEN_LIFE = timedelta(seconds=300)
LONGEST_ASSERTION = timedelta(minutes=5)  # SMART App Launch 2.2, Backend Services
_TOKEN_TYPE = "at+jwt"  # noqa: S105  # RFC 9068, section 2.1; so that no other JWT of ours is taken for one


class Refusal(Exception):
    """A token request that fails; ``error`` is OAuth's code (RFC 6749, section 5.2)."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.error = error
        self.status = 401 if error == "invalid_client" else 400


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token and what it allows."""

    token: str
    scopes: tuple[str, ...]


def token_url(services: Services) -> str:
    """Return the address that assertions must be made for."""
    return f"{services.settings.url}/oauth/token"


def grant(services: Services, asked: Mapping[str, str]) -> Grant:
    """Answer a token request; ``asked`` are its form parameters.

    Raises
    ------
    Refusal
        The request is malformed, proves nobody, or asks for nothing that may be had.
    audit.log.AuditUnavailable
        The grant could not be recorded.
    """
    if "grant_type" not in asked:
        raise Refusal("invalid_request", "grant_type is missing")
    if asked["grant_type"] != GRANT:
        raise Refusal("unsupported_grant_type", f"only {GRANT} is offered")
    caller = _proven(services, asked)
    scopes = granted(asked.get("scope", "").split(), caller.scopes)
    if not scopes:
        services.audit.append(_issued(services, caller.id, "minor-failure", "refused: invalid_scope"))
        raise Refusal("invalid_scope", "nothing that was asked for is registered for this client")
    services.audit.append(_issued(services, caller.id, "success", " ".join(scopes)))
    return Grant(_token(services, caller.id, scopes), scopes)


def _proven(services: Services, asked: Mapping[str, str]) -> Registered:
    if asked.get("client_assertion_type") != jose.ASSERTION_TYPE or "client_assertion" not in asked:
        raise Refusal("invalid_client", "a client_assertion of type jwt-bearer is needed")
    known = None
    try:
        known = _named(services, asked)
        _verify(services, known, asked["client_assertion"])
    except TokenRefused as refused:
        if known is not None:
            why = f"refused: {refused}"
            services.audit.append(_issued(services, known.id, "minor-failure", why))
        raise Refusal("invalid_client", "the assertion proves no registered client") from refused
    return known


def _named(services: Services, asked: Mapping[str, str]) -> Registered:
    issuer = jose.claimed_issuer(asked["client_assertion"])
    known = find(services, issuer)
    if known is None or asked.get("client_id", issuer) != issuer:
        raise TokenRefused("iss is no registered client")
    return known


def _verify(services: Services, known: Registered, assertion: str) -> None:
    claims = jose.verify(
        assertion,
        known.jwks,
        audience=token_url(services),
        issuer=known.id,
        now=services.clock(),
        max_age=LONGEST_ASSERTION,
    )
    if claims["sub"] != known.id:
        raise TokenRefused("sub is another")
    if not _first_use(services, known.id, claims["jti"], claims["exp"]):
        raise TokenRefused("jti was used before")


def _first_use(services: Services, issuer: str, jti: str, expires: int) -> bool:
    """Write the assertion down; its row may go when it has expired and is refused for that."""
    key = hashlib.sha256(f"{issuer} {jti}".encode()).digest()  # an issuer is a client id: no space in it
    with services.journal.transaction() as connection:
        connection.execute(delete(replay).where(replay.c.expires < int(services.clock().timestamp())))
        return insert_new(connection, replay, jti=key, expires=expires + jose.SKEW_SECONDS) is not None


def _token(services: Services, identifier: str, scopes: tuple[str, ...]) -> str:
    """Return an access token (RFC 9068)."""
    issued = int(services.clock().timestamp())
    claims = {
        "iss": services.settings.url,
        "aud": _resource(services),
        "sub": identifier,
        "client_id": identifier,
        "iat": issued,
        "exp": issued + int(TOKEN_LIFE.total_seconds()),
        "jti": secrets.token_urlsafe(24),
        "scope": " ".join(scopes),
    }
    return jose.sign(claims, site_key.private_jwk(services, "tokens"), typ=_TOKEN_TYPE)


def _resource(services: Services) -> str:
    return f"{services.settings.url}/fhir"


def check(services: Services, token: str, request: str | None = None) -> Caller:
    """Return whom an access token speaks for; registration is asked again, so what was taken away is gone.

    Raises
    ------
    TokenRefused
        It is not ours, is over, or its client is registered no more.
    """
    claims = jose.verify(
        token,
        jose.public_jwks(site_key.private_jwk(services, "tokens")),
        audience=_resource(services),
        issuer=services.settings.url,
        now=services.clock(),
        max_age=TOKEN_LIFE,
        algorithms=("ES384",),
        typ=_TOKEN_TYPE,
    )
    known = find(services, claims["sub"])
    if known is None:
        raise TokenRefused("sub is registered no more")
    scopes = granted(str(claims.get("scope", "")).split(), known.scopes)
    return Caller(known.id, known.name, frozenset(scopes), request)


def _issued(services: Services, identifier: str, outcome: Outcome, detail: str) -> Event:
    return Event(
        kind="token",
        action="execute",
        outcome=outcome,
        tenant=services.settings.tenant,
        actor=f"client/{identifier}",
        at=services.clock(),
        detail=detail,
    )
