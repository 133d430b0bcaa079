"""A backend client's access can be taken away."""

import pytest

from gateway import jose
from gateway.errors import NotFound
from gateway.operations import clients

SCOPES = ("system/RiskAssessment.rs",)


def test_a_removed_client_is_known_no_more(plain_site):
    services = plain_site.services
    one = clients.register(services, "reader", jose.public_jwks(jose.generate_key()), SCOPES)
    clients.remove(services, "reader")
    assert clients.find(services, one) is None


def test_only_a_registered_client_can_be_removed(plain_site):
    with pytest.raises(NotFound):
        clients.remove(plain_site.services, "nobody")
