"""A topic is used where it tells of every change of a type."""

import pytest
from fhir.resources.subscriptiontopic import SubscriptionTopic

from fhir_mapping import subscription
from fhir_mapping.release import from_r4, structure, to_r4
from fhir_mapping.subscription_topic import Topic, topics

URL = "https://ehr.example/topics/observation"


def topic(**changes):
    trigger = {"resource": "Observation", "supportedInteraction": ["create", "update", "delete"]}
    told = {
        "resourceType": "SubscriptionTopic",
        "url": URL,
        "status": "active",
        "resourceTrigger": [trigger | changes.pop("trigger", {})],
        "canFilterBy": [
            {"resource": "Observation", "filterParameter": "code"},
            {"filterParameter": "patient"},
        ],
    }
    SubscriptionTopic.model_validate(told | changes)
    return told | changes


def test_a_topic_of_every_change_is_used_for_its_type():
    assert topics([topic()]) == {"Observation": Topic(URL, ("code", "patient"))}
    named = topic(trigger={"resource": "http://hl7.org/fhir/StructureDefinition/Observation"})
    assert topics([named])["Observation"].url == URL


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "retired"},
        {"trigger": {"supportedInteraction": ["create"]}},
        {"trigger": {"fhirPathCriteria": "%current.status = 'final'"}},
        {"trigger": {"queryCriteria": {"current": "status=final"}}},
    ],
)
def test_a_topic_that_keeps_something_silent_is_not_used(changes):
    assert topics([topic(**changes)]) == {}


NO_TRIGGER = {"status": "active", "url": URL, "resourceTrigger": [{"supportedInteraction": [{}]}]}


@pytest.mark.parametrize("spoilt", [{}, {"status": "active"}, NO_TRIGGER])
def test_what_is_no_topic_offers_nothing(spoilt):
    assert topics([spoilt]) == {}


@pytest.mark.parametrize(
    ("criteria", "filters"),
    [
        ("Observation?code=http://loinc.org|8867-4,http://loinc.org|9279-1", ["code"]),
        ("Observation?category=laboratory", []),
        ("Observation?", []),
    ],
)
def test_a_subscription_to_a_topic_is_narrowed_as_far_as_the_topic_allows(criteria, filters):
    wanted = subscription.render(
        criteria, "https://gateway.example/hook", "Authorization: Bearer x", topic=Topic(URL, ("code",))
    )
    there = from_r4(wanted, "R5")
    assert structure.faults(there) == ()
    assert there["topic"] == URL
    assert [each["filterParameter"] for each in there.get("filterBy", [])] == filters
    assert there["parameter"] == [{"name": "Authorization", "value": "Bearer x"}]
    assert to_r4(there, "R5") == wanted
    assert subscription.read({**to_r4(there, "R5"), "id": "7"}).criteria == URL
