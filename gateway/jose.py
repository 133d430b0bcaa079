"""The only JOSE code: keys, client assertions, signing and verifying tokens.

``verify`` goes in this order, and everything not named here is refused:

1. compact form of three segments, at most ``LONGEST`` characters;
2. a header with a known ``alg``, a ``kid``, the expected ``typ``, and nothing that brings its own key;
3. exactly one registered public key of that ``kid``, of a kind that fits ``alg``;
4. the signature;
5. ``iss``, ``aud``, ``sub``, ``jti``, ``exp``, ``iat``, ``nbf``.

Whether a ``jti`` was seen before is the caller's to remember.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from gateway.errors import DidymosError

LONGEST = 8192
ASSERTION_LIFE = timedelta(minutes=4)  # SMART Backend Services allows five
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW_SECONDS = 30  # how far another machine's clock may run ahead of ours
_HEADER = {"alg", "kid", "typ"}

Jwk = Mapping[str, Any]


class TokenRefused(DidymosError):
    """A token that proves nothing. The text says which check failed and holds no part of the token."""


def generate_key() -> dict[str, Any]:
    """Return a new private ES384 key as JWK; its ``kid`` is the thumbprint (RFC 7638)."""
    key = ECKey.generate_key("P-384", {"alg": "ES384", "use": "sig"}, private=True, auto_kid=True)
    return dict(key.as_dict(private=True))


def public_jwks(*private: Jwk) -> dict[str, Any]:
    """Return the JWK Set to register: the public halves only."""
    return {"keys": [_public(jwk) for jwk in private]}


def sign(claims: Mapping[str, Any], private: Jwk, *, typ: str = "JWT") -> str:
    """Return ``claims`` signed with the algorithm that the key names."""
    header = {"alg": private["alg"], "kid": private["kid"], "typ": typ}
    return jwt.encode(header, dict(claims), import_key(dict(private)), algorithms=[private["alg"]])


def client_assertion(private: Jwk, client_id: str, token_url: str, now: datetime) -> str:
    """Return a one-time proof for a token endpoint (SMART Backend Services, ``private_key_jwt``)."""
    issued = int(now.timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "iat": issued,
        "exp": issued + int(ASSERTION_LIFE.total_seconds()),
        "jti": secrets.token_urlsafe(24),
    }
    return sign(claims, private)


def claimed_issuer(token: str) -> str:
    """Return who the token *says* it is from, unproven: only to find the keys to verify it with."""
    _, claims = _opened(token)
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer:
        raise TokenRefused("iss is missing")
    return issuer


def verify(
    token: str,
    jwks: Mapping[str, Any],
    *,
    audience: str,
    issuer: str,
    now: datetime,
    max_age: timedelta,
    algorithms: Sequence[str] = ("ES384", "RS384"),
    typ: str = "JWT",
) -> dict[str, Any]:
    """Return the claims of a token that ``issuer`` made for ``audience``.

    Parameters
    ----------
    jwks
        The issuer's registered public keys; never taken from the token.
    max_age
        How far ahead ``exp`` may lie, and how long ago ``iat``.

    Raises
    ------
    TokenRefused
        Where any check of the module's list fails.
    """
    header, _ = _opened(token)
    _check_header(header, algorithms, typ)
    key = _registered(header, jwks)
    try:
        claims = jwt.decode(token, key, algorithms=list(algorithms)).claims
    except (JoseError, ValueError) as error:
        raise TokenRefused("the signature does not hold") from error
    _check_parties(claims, audience, issuer)
    _check_times(claims, int(now.timestamp()), int(max_age.total_seconds()))
    return claims


def _public(jwk: Jwk) -> dict[str, Any]:
    return dict(import_key(dict(jwk)).as_dict(private=False))


def _opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(token) > LONGEST or token.count(".") != 2 or not token.isascii():
        raise TokenRefused("not a compact token")
    try:
        opened = jws.extract_compact(token.encode())
        claims = json.loads(opened.payload)
    except (JoseError, ValueError, RecursionError) as error:
        raise TokenRefused("not a compact token") from error
    if not isinstance(claims, dict):
        raise TokenRefused("the claims are not an object")
    return dict(opened.protected), claims


def _check_header(header: Mapping[str, Any], algorithms: Sequence[str], typ: str) -> None:
    if header.get("alg") not in algorithms:
        raise TokenRefused("alg is not accepted")
    if not set(header) <= _HEADER:
        raise TokenRefused("the header says more than alg, kid and typ")
    named = header.get("typ")
    if not isinstance(named, str) or named.lower() != typ.lower():
        raise TokenRefused("typ is not the expected one")


def _registered(header: Mapping[str, Any], jwks: Mapping[str, Any]) -> ECKey | RSAKey:
    kid = header.get("kid")
    found = [jwk for jwk in jwks.get("keys", ()) if isinstance(kid, str) and jwk.get("kid") == kid]
    if len(found) != 1:
        raise TokenRefused("kid names no registered key")
    if found[0].get("use", "sig") != "sig" or found[0].get("alg", header["alg"]) != header["alg"]:
        raise TokenRefused("the key is not for this use")
    try:
        key = import_key(_without_private(found[0]))
    except (JoseError, ValueError) as error:
        raise TokenRefused("the registered key cannot be read") from error
    if not isinstance(key, ECKey | RSAKey):
        raise TokenRefused("the key is not asymmetric")
    return key


def _without_private(jwk: Jwk) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name in {"kty", "crv", "x", "y", "n", "e", "kid"}}


def _check_parties(claims: Mapping[str, Any], audience: str, issuer: str) -> None:
    if claims.get("iss") != issuer:
        raise TokenRefused("iss is another")
    if claims.get("aud") not in (audience, [audience]):  # exactly us: a token for two parties can be replayed
        raise TokenRefused("aud is another")
    for name in ("sub", "jti"):
        if not isinstance(claims.get(name), str) or not claims[name]:
            raise TokenRefused(f"{name} is missing")


def _check_times(claims: Mapping[str, Any], now: int, max_age: int) -> None:
    expires = _instant(claims, "exp")
    if expires is None or expires <= now:
        raise TokenRefused("expired")
    if expires > now + max_age:
        raise TokenRefused("exp is too far ahead")
    issued, valid_from = _instant(claims, "iat"), _instant(claims, "nbf")
    if issued is not None and not now - max_age <= issued <= now + SKEW_SECONDS:
        raise TokenRefused("iat is too long ago or ahead")
    if valid_from is not None and valid_from > now + SKEW_SECONDS:
        raise TokenRefused("not valid yet")


def _instant(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if type(value) is not int:  # a bool is an int to isinstance; a float may be NaN
        raise TokenRefused(f"{name} is not a whole number of seconds")
    return value
