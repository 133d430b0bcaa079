import json

import pytest

from fhir_mapping import capability
from fhir_mapping.errors import Unusable
from tests.fhir_mapping.published import example


def test_a_leading_ehr_has_no_subscription_no_risk_assessment_and_no_conditional_write():
    found = capability.read(json.loads(example("ehr-profiles", "epic-r4-capabilitystatement-2026-05.json")))
    assert (found.fhir_version, found.software, len(found.types)) == ("4.0.1", "Epic May 2026", 59)
    assert not {"Subscription", "RiskAssessment", "AuditEvent"} & found.types.keys()
    observation = found.types["Observation"]
    assert {"date", "issued", "patient", "code"} <= observation.parameters
    assert "_lastUpdated" not in observation.parameters
    assert not any(each.update_create or each.conditional_create for each in found.types.values())
    assert found.offers("Observation", "create")
    assert not found.offers("RiskAssessment", "create")
    assert found.token == "https://fhir.epic.com/interconnect-fhir-oauth/oauth2/token"


def test_a_server_of_the_backport_guide_offers_subscriptions():
    name = "CapabilityStatement-r4-capabilitystatement-example-server.json"
    found = capability.read(json.loads(example("subscriptions-backport", name)))
    assert found.offers("Subscription", "create")
    assert found.types["Subscription"].operations >= {"status", "events"}
    assert (found.software, found.token) == ("", None)


def test_malformed_parts_count_as_not_offered():
    found = capability.read(
        {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "format": "json",
            "software": [],
            "rest": [
                {
                    "mode": "server",
                    "resource": [{"type": "Patient", "interaction": "read", "updateCreate": "true"}, 7],
                }
            ],
        }
    )
    assert found.types == {"Patient": capability.TypeCapability()}


@pytest.mark.parametrize(
    "statement", [{}, {"resourceType": "Patient"}, {"resourceType": "CapabilityStatement"}]
)
def test_another_resource_is_refused(statement):
    with pytest.raises(Unusable):
        capability.read(statement)
