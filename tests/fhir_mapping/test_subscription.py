import json

import pytest
from fhir.resources.R4B.subscription import Subscription

from fhir_mapping import subscription
from fhir_mapping.errors import Unusable
from fhir_mapping.searches import criteria
from tests.fhir_mapping.published import example

ENDPOINT, HEADER = "https://gateway.example/hook/abc", "Authorization: Bearer secret"


@pytest.mark.parametrize("each", criteria())
@pytest.mark.parametrize("payload", [None, "application/fhir+json"])
def test_what_we_register_is_valid_and_asks_to_be_activated(each, payload):
    rendered = subscription.render(each, ENDPOINT, HEADER, payload=payload)
    assert Subscription.model_validate(rendered).status == "requested"
    assert rendered["channel"]["header"] == [HEADER]
    assert ("payload" in rendered["channel"]) == (payload is not None)


def test_an_existing_one_is_activated_under_its_id():
    again = subscription.render("Patient?", ENDPOINT, HEADER, identifier="7")
    assert subscription.read(again) == subscription.State("7", "requested", "Patient?", ENDPOINT, None)


def test_an_error_is_read():
    state = subscription.read(json.loads(example("hl7-r4-examples", "Subscription-example-error.json")))
    assert state.status == "error"
    assert state.error


@pytest.mark.parametrize(
    "spoilt",
    [{"status": "on"}, {"id": None}, {"resourceType": "Patient"}, {"status": ["active"]}, {"status": {}}],
)
def test_what_is_no_subscription_is_refused(spoilt):
    with pytest.raises(Unusable):
        subscription.read(subscription.render("Patient?", ENDPOINT, HEADER, identifier="7") | spoilt)
