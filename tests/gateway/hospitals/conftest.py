"""Real EHRs to talk to: the third-party one, and one as closed as a leading product."""

from datetime import UTC, datetime

import pytest

from gateway import jose
from gateway.hospitals.connection import Connection
from gateway.hospitals.token import BackendServices, Client
from gateway.hospitals.transport import Limits, Transport
from tests.peers import restricted_ehr, sekmet

SCOPES = ("system/Observation.rs", "system/RiskAssessment.cruds", "system/Subscription.cruds")


def connected(base_url, key, limits=None, scopes=SCOPES, sleep=None, clock=lambda: datetime.now(UTC)):
    transport = Transport(limits or Limits(), **({"sleep": sleep} if sleep else {}))
    client = Client(restricted_ehr.CLIENT, key, tuple(scopes))
    return Connection(base_url, BackendServices(base_url, client, clock, transport), transport=transport)


@pytest.fixture(scope="session")
def key():
    return jose.generate_key()


@pytest.fixture
def closed_ehr(key):
    with restricted_ehr.running(jose.public_jwks(key), page=5) as ehr:
        yield ehr


@pytest.fixture(scope="session")
def sekmet_ehr(tmp_path_factory):
    with sekmet.running(tmp_path_factory.mktemp("sekmet")) as ehr:
        yield ehr


@pytest.fixture
def open_ehr(sekmet_ehr):
    """A connection to the third-party EHR; its data outlive a test, so tests use ids of their own."""
    return connected(sekmet_ehr.base_url, sekmet_ehr.private_key)
