"""A token is given to who proves to be a registered client, for what it was registered for."""

import base64
import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway import jose
from gateway.app import create
from gateway.errors import BadRequest
from gateway.operations import clients, site_key
from gateway.wiring import wire
from tests.gateway.web.fhir_ground import KEY, SCOPES, URL, Ground, assertion_of

SECONDS_AHEAD = 301
RSA = dict(RSAKey.generate_key(2048, {"alg": "RS384", "use": "sig"}, auto_kid=True).as_dict(private=True))


@pytest.fixture
def ground(tmp_path):
    built = Ground(tmp_path)
    yield built
    built.close()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """Return a ground that many tests may use, one after the other."""
    built = Ground(tmp_path_factory.mktemp("lasting"))
    yield built
    built.close()


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_registered_client_gets_a_token_of_five_minutes(ground):
    answer = ground.ask_token()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.json["token_type"] == "bearer"
    assert answer.json["expires_in"] == 300
    assert answer.json["scope"].split() == list(SCOPES)


def test_an_rsa_key_is_as_good(ground):
    client = ground.register("older", RSA)
    assert ground.ask_token(key=RSA, client=client).status_code == 200


def test_the_grant_is_in_the_log_before_the_token_is_out(ground):
    ground.ask_token()
    assert ground.events("token") == [("success", f"client/{ground.client_id}", " ".join(SCOPES), ())]


def test_without_the_log_there_is_no_token(ground):
    form = {
        "grant_type": "client_credentials",
        "scope": SCOPES[0],
        "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion_of(ground.client_id, ground.clock()),
    }
    answer = ground.without_audit().post("/oauth/token", data=form)
    assert answer.status_code == 503
    assert b"access_token" not in answer.data


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("system/RiskAssessment.rs", "system/RiskAssessment.rs"),
        ("system/RiskAssessment.read", "system/RiskAssessment.read"),
        ("system/RiskAssessment.r", "system/RiskAssessment.r"),
        ("system/RiskAssessment.cruds", "system/RiskAssessment.rs"),
        ("system/*.read", "system/RiskAssessment.rs"),
        ("system/Provenance.rs system/RiskAssessment.s", "system/RiskAssessment.s"),
    ],
)
def test_what_is_granted_is_what_was_asked_for_and_registered(lasting, asked, given):
    client = lasting.register("narrow", KEY, ["system/RiskAssessment.rs"])
    assert lasting.ask_token(client=client, scope=asked).json["scope"] == given


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "openid",
        "system/Patient.rs",
        "user/RiskAssessment.rs",
        "patient/*.read",
        "system/Provenance.cud",
        "\x00",
    ],
)
def test_nothing_granted_is_an_error(lasting, scope):
    answer = lasting.ask_token(scope=scope)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": URL},
        {"aud": "http://twins.example/oauth/token"},
        {"aud": [f"{URL}/oauth/token", "https://other.example"]},
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"sub": ""},
        {"jti": ""},
        {"iss": "' OR 1=1 --"},
        {"iss": "\x00"},
        {"iss": 5},
    ],
)
def test_an_assertion_for_or_by_another_proves_nothing(lasting, claims):
    answer = lasting.ask_token(claims=claims)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("offset", [-1, 0, SECONDS_AHEAD, 10**6])
def test_an_assertion_is_good_for_five_minutes_at_most(lasting, offset):
    expires = int(lasting.clock().timestamp()) + offset
    assert lasting.ask_token(claims={"exp": expires}).status_code == 401


def test_an_assertion_that_nobody_signed_is_refused(ground):
    claims = assertion_of(ground.client_id, ground.clock()).split(".")[1]
    header = segment({"alg": "none", "typ": "JWT", "kid": KEY["kid"]})
    assert ground.ask_token(client_assertion=f"{header}.{claims}.").status_code == 401


def test_the_public_key_is_no_shared_secret(ground):
    claims = assertion_of(ground.client_id, ground.clock()).split(".")[1]
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': KEY['kid']})}.{claims}"
    public = jose.public_jwks(KEY)["keys"][0]
    for secret in (json.dumps(public).encode(), ECKey.import_key(public).as_pem(private=False)):
        mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), hashlib.sha256))
        assertion = f"{signed}.{mac.decode().rstrip('=')}"
        assert ground.ask_token(client_assertion=assertion).status_code == 401


def test_the_key_of_another_client_proves_nothing(ground):
    other = jose.generate_key()
    ground.register("other", other)
    assert ground.ask_token(key=other).status_code == 401
    assert ground.ask_token(key=other | {"kid": KEY["kid"]}).status_code == 401


def test_refused_proof_of_a_known_client_is_in_the_log_without_the_token(ground):
    ground.ask_token(claims={"aud": URL})
    [(outcome, actor, detail, _)] = ground.events("token")
    assert (outcome, actor, detail) == (
        "minor-failure",
        f"client/{ground.client_id}",
        "refused: aud is another",
    )


def test_an_assertion_counts_once_however_many_processes_see_it(ground):
    assertion = assertion_of(ground.client_id, ground.clock())
    second = wire(ground.settings, clock=ground.clock, queue=ground.queue)
    apps = [ground.app, create(second)]
    start = Barrier(20)

    def send(number):
        start.wait()
        return ground_form(apps[number % 2], assertion).status_code

    with ThreadPoolExecutor(20) as threads:
        codes = list(threads.map(send, range(20)))
    second.journal.close()
    assert sorted(codes) == [200] + [401] * 19


def ground_form(app, assertion):
    form = {
        "grant_type": "client_credentials",
        "scope": SCOPES[0],
        "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return app.test_client().post("/oauth/token", data=form)


def test_an_assertion_stays_used_until_it_has_expired(ground):
    assertion = assertion_of(ground.client_id, ground.clock())
    codes = []
    for seconds in (0, 239, 1, 60):
        ground.clock.forward(seconds=seconds)
        ground.ask_token()  # what is over is forgotten on the way
        codes.append(ground_form(ground.app, assertion).status_code)
    assert codes == [200, 401, 401, 401]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "urn:other"}, "invalid_client"),
        ({"client_assertion": ""}, "invalid_client"),
        ({"client_assertion": "a.b.c"}, "invalid_client"),
        ({"client_assertion": "é" * 50}, "invalid_client"),
        ({"client_id": "another"}, "invalid_client"),
        ({"scope": list(SCOPES)}, "invalid_request"),
    ],
)
def test_a_malformed_request_gets_an_oauth_error(lasting, changes, error):
    answer = lasting.ask_token(**changes)
    assert answer.json["error"] == error
    assert answer.status_code == (401 if error == "invalid_client" else 400)


def test_parameters_come_in_the_body_and_in_no_other_way(ground):
    client = ground.app.test_client()
    assert client.post("/oauth/token", json={"grant_type": "x"}).json["error"] == "invalid_request"
    in_address = client.post("/oauth/token?client_assertion=x", data={"grant_type": "client_credentials"})
    assert in_address.json["error"] == "invalid_request"
    assert client.post("/oauth/token", data={}).json["error"] == "invalid_request"
    assert client.get("/oauth/token").status_code == 405


def test_registering_again_replaces_the_keys(ground):
    new = jose.generate_key()
    assert ground.register("analytics", new) == ground.client_id
    assert ground.ask_token(key=KEY).status_code == 401
    assert ground.ask_token(key=new).status_code == 200


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": []},
        {"keys": "no"},
        {"keys": [KEY]},
        {"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]},
        {"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "x": "AA", "y": "AA"}]},
        {"keys": [{"kty": "EC", "crv": "P-384", "kid": "a", "x": "AAAA", "y": "AAAA"}]},
        {"keys": [{"kty": "EC", "crv": "P-384", "kid": "a"}]},
        {"keys": [{"kty": "RSA", "kid": "a", "n": "A" * 100, "e": "AQAB"}]},
        {"keys": [{"kty": "RSA", "kid": "a", "n": "A" * 400, "e": 3}]},
        {"keys": [{**jose.public_jwks(KEY)["keys"][0], "use": "enc"}]},
        {"keys": [{**jose.public_jwks(KEY)["keys"][0], "kid": ""}]},
        {"keys": [jose.public_jwks(KEY)["keys"][0]] * 2},
        {"keys": [{**jose.public_jwks(KEY)["keys"][0], "alg": "none"}]},
    ],
)
def test_only_strong_public_keys_are_registered(lasting, jwks):
    with pytest.raises(BadRequest):
        clients.register(lasting.services, "weak", jwks, SCOPES)


@pytest.mark.parametrize(
    "scopes", [(), ("system/*.rs",), ("system/Patient.rs",), ("system/RiskAssessment.cruds",)]
)
def test_only_scopes_that_are_offered_are_registered(lasting, scopes):
    with pytest.raises(BadRequest):
        clients.register(lasting.services, "greedy", jose.public_jwks(KEY), scopes)


def test_the_signing_key_is_nowhere_in_the_clear(ground, tmp_path):
    ground.ask_token()
    secret = site_key.private_jwk(ground.services, "tokens")["d"].encode()
    assert all(secret not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
