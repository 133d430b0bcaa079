"""We prove who we are, check what we were granted, and keep the token to ourselves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from gateway import jose
from gateway.hospitals.errors import HospitalUnavailable, NotAuthorised, ScopeMissing, UnsafeAddress
from gateway.hospitals.token import BackendServices, Client
from gateway.hospitals.transport import Limits, Transport
from tests.gateway.hospitals.conftest import SCOPES, connected
from tests.peers.restricted_ehr import CLIENT
from tests.peers.sekmet import READER


def services(base_url, key, client=CLIENT, scopes=SCOPES, clock=lambda: datetime.now(UTC)):
    return BackendServices(base_url, Client(client, key, tuple(scopes)), clock, Transport(Limits(repeats=0)))


def test_one_token_serves_many_threads(closed_ehr, key):
    authorization = services(closed_ehr.base_url, key)
    with ThreadPoolExecutor(8) as threads:
        headers = set(threads.map(lambda _: authorization.header(), range(40)))
    assert len(headers) == 1
    assert len(closed_ehr.requests("POST", "/token")) == 1


def test_a_token_is_renewed_shortly_before_it_ends(closed_ehr, key):
    start = datetime.now(UTC)
    at = [start]
    closed_ehr.clock = lambda: at[0]
    authorization = services(closed_ehr.base_url, key, clock=lambda: at[0])
    first = authorization.header()
    at[0] = start + timedelta(seconds=269)
    assert authorization.header() == first
    at[0] = start + timedelta(seconds=271)
    assert authorization.header() != first


def test_a_narrower_grant_is_named_and_not_used(closed_ehr, key):
    closed_ehr.faults.grant = "system/Observation.read system/RiskAssessment.read"
    with pytest.raises(ScopeMissing) as lacking:
        services(closed_ehr.base_url, key).header()
    assert lacking.value.missing == ("system/RiskAssessment.cud", "system/Subscription.cruds")


def test_a_grant_that_names_no_scope_grants_nothing(closed_ehr, key):
    closed_ehr.faults.grant = ""
    with pytest.raises(ScopeMissing):
        services(closed_ehr.base_url, key).header()


def test_the_token_endpoint_is_also_found_in_the_capability_statement(closed_ehr, key):
    closed_ehr.faults.unconfigured = True
    asked = ("system/Observation.rs",)
    closed_ehr.faults.grant = "system/Observation.read"
    assert services(closed_ehr.base_url, key, scopes=asked).header().startswith("Bearer ")


@pytest.mark.parametrize("url", ["http://token.example/", "file:///etc/passwd", "https://a\\@b.example/"])
def test_an_unsafe_token_endpoint_gets_no_assertion(closed_ehr, key, url):
    closed_ehr.faults.token_url = url
    with pytest.raises(UnsafeAddress):
        services(closed_ehr.base_url, key).header()


def test_an_unknown_key_gets_no_token(closed_ehr):
    with pytest.raises(NotAuthorised, match="invalid_client"):
        services(closed_ehr.base_url, jose.generate_key()).header()


def test_an_ehr_that_is_down_gives_no_token_now(key):
    with pytest.raises(HospitalUnavailable):
        services("http://127.0.0.1:9/fhir", key).header()


@pytest.mark.peer
def test_sekmet_gives_a_token_that_works(open_ehr):
    assert open_ehr.get("Observation", "nobody") is None


@pytest.mark.peer
def test_sekmet_grants_no_more_than_was_registered(sekmet_ehr):
    with pytest.raises(ScopeMissing) as lacking:
        services(
            sekmet_ehr.base_url,
            sekmet_ehr.private_key,
            READER,
            ("system/Patient.rs", "system/Observation.rs"),
        ).header()
    assert lacking.value.missing == ("system/Observation.rs",)


@pytest.mark.peer
def test_sekmet_knows_no_stranger(sekmet_ehr):
    with pytest.raises(NotAuthorised):
        connected(sekmet_ehr.base_url, jose.generate_key()).get("Observation", "x")
