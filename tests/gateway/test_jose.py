"""A token is believed only if nothing about it is odd."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from gateway import jose

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
KEY = jose.generate_key()
JWKS = jose.public_jwks(KEY)
TOKEN_URL = "https://ehr.example/token"
GOOD = {"iss": "us", "sub": "us", "aud": TOKEN_URL, "exp": SECONDS + 240, "iat": SECONDS, "jti": "once"}


def verified(token, jwks=JWKS, **changes):
    expected = {"audience": TOKEN_URL, "issuer": "us", "now": NOW, "max_age": timedelta(minutes=5)}
    return jose.verify(token, jwks, **(expected | changes))


def test_our_assertion_is_what_backend_services_ask_for():
    token = jose.client_assertion(KEY, "us", TOKEN_URL, NOW)
    claims = verified(token)
    assert claims["iss"] == claims["sub"] == "us"
    assert claims["aud"] == TOKEN_URL
    assert claims["exp"] - SECONDS <= 300
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header == {"alg": "ES384", "typ": "JWT", "kid": KEY["kid"]}


def test_two_assertions_never_share_their_jti():
    ids = {verified(jose.client_assertion(KEY, "us", TOKEN_URL, NOW))["jti"] for _ in range(20)}
    assert len(ids) == 20


def test_what_is_registered_holds_no_private_part():
    assert all("d" not in key for key in JWKS["keys"])
    assert JWKS["keys"][0]["kid"] == KEY["kid"]


def test_the_issuer_can_be_read_to_find_its_keys():
    assert jose.claimed_issuer(jose.sign(GOOD, KEY)) == "us"


@pytest.mark.parametrize(
    "claims",
    [
        GOOD | {"iss": "them"},
        GOOD | {"aud": TOKEN_URL + "/"},
        GOOD | {"aud": [TOKEN_URL, "https://other.example/token"]},
        GOOD | {"aud": []},
        GOOD | {"exp": SECONDS},
        GOOD | {"exp": SECONDS + 301},
        GOOD | {"exp": str(SECONDS + 60)},
        GOOD | {"exp": SECONDS + 60.5},
        GOOD | {"exp": True},
        GOOD | {"iat": SECONDS + 120},
        GOOD | {"iat": SECONDS - 301},
        GOOD | {"nbf": SECONDS + 120},
        GOOD | {"jti": ""},
        GOOD | {"sub": None},
        {name: value for name, value in GOOD.items() if name != "exp"},
        {name: value for name, value in GOOD.items() if name != "jti"},
        {name: value for name, value in GOOD.items() if name != "aud"},
    ],
)
def test_odd_claims_are_refused(claims):
    with pytest.raises(jose.TokenRefused):
        verified(jose.sign(claims, KEY))


def unsigned(header, claims=GOOD):
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    return b".".join([*parts, b""]).decode()


@pytest.mark.parametrize("name", ["none", "None", "nOnE", "HS256", "HS384", "ES256", ""])
def test_an_algorithm_that_proves_nothing_is_refused(name):
    with pytest.raises(jose.TokenRefused):
        verified(unsigned({"alg": name, "typ": "JWT", "kid": KEY["kid"]}))


def test_a_public_key_used_as_a_shared_secret_is_refused():
    secret = OctKey.import_key(json.dumps(JWKS["keys"][0]))
    header = {"alg": "HS384", "typ": "JWT", "kid": KEY["kid"]}
    with pytest.raises(jose.TokenRefused):
        verified(jwt.encode(header, GOOD, secret, algorithms=["HS384"]))


@pytest.mark.parametrize(
    "more", [{"jwk": JWKS["keys"][0]}, {"jku": "https://x.example"}, {"x5c": ["MA=="]}, {"crit": ["b64"]}]
)
def test_a_token_that_brings_its_own_key_or_rules_is_refused(more):
    with pytest.raises(jose.TokenRefused, match="header"):
        verified(unsigned({"alg": "ES384", "typ": "JWT", "kid": KEY["kid"], **more}))


def test_another_kid_and_an_ambiguous_kid_are_refused():
    stranger = jose.generate_key()
    with pytest.raises(jose.TokenRefused, match="kid"):
        verified(jose.sign(GOOD, stranger))
    with pytest.raises(jose.TokenRefused, match="kid"):
        verified(jose.sign(GOOD, KEY), {"keys": JWKS["keys"] * 2})


def test_anothers_signature_under_our_kid_is_refused():
    stranger = jose.generate_key() | {"kid": KEY["kid"]}
    with pytest.raises(jose.TokenRefused, match="signature"):
        verified(jose.sign(GOOD, stranger))


def test_a_changed_claim_is_refused():
    head, _, mark = jose.sign(GOOD, KEY).split(".")
    body = base64.urlsafe_b64encode(json.dumps(GOOD | {"sub": "root"}).encode()).rstrip(b"=").decode()
    with pytest.raises(jose.TokenRefused, match="signature"):
        verified(f"{head}.{body}.{mark}")


def test_a_key_of_another_curve_is_refused():
    weak = ECKey.generate_key("P-256", {"kid": "weak"}, private=False)
    token = jose.sign(GOOD, KEY | {"kid": "weak"})
    with pytest.raises(jose.TokenRefused):
        verified(token, {"keys": [weak.as_dict(private=False)]})


def test_rs384_is_accepted_as_smart_requires():
    key = RSAKey.generate_key(2048, {"kid": "rsa", "alg": "RS384"}, private=True)
    token = jose.sign(GOOD, key.as_dict(private=True))
    assert verified(token, {"keys": [key.as_dict(private=False)]}) == GOOD


def test_a_token_of_another_type_is_refused():
    with pytest.raises(jose.TokenRefused, match="typ"):
        verified(jose.sign(GOOD, KEY, typ="at+jwt"))
    assert verified(jose.sign(GOOD, KEY, typ="at+jwt"), typ="at+jwt") == GOOD


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "a.b", "a.b.c.d.e", "." * 2, "é.b.c", "A" * 9000, "[" * 4000 + ".a.b"]
)
def test_what_is_no_compact_token_is_refused(token):
    with pytest.raises(jose.TokenRefused):
        verified(token)
