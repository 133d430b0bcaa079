from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from gateway import jose
from gateway.demonstration.ehr import BackendClient, EhrUnavailable, ThirdPartyEhr, installed
from gateway.demonstration.hospital import BackendToken, EhrClient

SCOPES = "system/*.read system/*.write"
KEY = jose.generate_key()


@pytest.fixture(scope="session")
def needs_ehr() -> None:
    try:
        installed()
    except EhrUnavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def ehr(needs_ehr: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThirdPartyEhr]:
    clients = {
        "hospital": BackendClient(jose.public_jwks(KEY)["keys"][0], SCOPES),
        "reader": BackendClient(jose.public_jwks(KEY)["keys"][0], "system/*.read"),
    }
    with ThirdPartyEhr(tmp_path_factory.mktemp("ehr"), clients) as running:
        yield running


@pytest.fixture
def client_of(ehr: ThirdPartyEhr) -> Callable[[str, str], EhrClient]:
    def connect(client_id: str, scopes: str) -> EhrClient:
        token = BackendToken(ehr.token_url, client_id, KEY, scopes, lambda: datetime.now(UTC))
        return EhrClient(ehr.base_url, token)

    return connect


@pytest.fixture
def client(client_of: Callable[[str, str], EhrClient]) -> EhrClient:
    return client_of("hospital", SCOPES)
