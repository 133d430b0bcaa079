import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping.errors import Unusable
from fhir_mapping.identity import content_hash
from fhir_mapping.notification import Change, Notification, read
from tests.fhir_mapping.published import example, examples

OBSERVATION = {
    "resourceType": "Observation",
    "id": "17",
    "meta": {"versionId": "3"},
    "subject": {"reference": "https://ehr.example/fhir/Patient/p1"},
}
BODY = json.dumps(OBSERVATION).encode()
CHANGE = Change("Observation", "17", "3", "p1", False, content_hash(OBSERVATION), False)
ENCOUNTER = "86009987-eabe-42bf-8c02-b112b18cb616"
PUBLISHED = {
    "Bundle-r4-notification-handshake.json": ("handshake", 0, []),
    "Bundle-r4-notification-heartbeat.json": ("heartbeat", 2, []),
    "Bundle-r4-notification-empty.json": ("empty", 2, []),
    "Bundle-r4-notification-empty-with-auth.json": ("empty", 2, []),
    "Bundle-r4-notification-error.json": ("query-error", 3, []),
    "Bundle-r4-notification-id-only.json": ("event", 2, [("Encounter", ENCOUNTER, None)]),
    "Bundle-r4-notification-id-only-with-auth.json": ("event", 2, [("Encounter", ENCOUNTER, None)]),
    "Bundle-r4-notification-id-only-with-query.json": ("event", 2, [("Encounter", ENCOUNTER, None)]),
    "Bundle-r4-notification-full-resource.json": (
        "event", 2, [("Encounter", ENCOUNTER, "1599eb66-431a-447c-a3de-6897fe9ae9a1")],
    ),
    "Bundle-r4-notification-full-resource-with-query.json": (
        "event", 2, [("Encounter", ENCOUNTER, "1599eb66-431a-447c-a3de-6897fe9ae9a1")],
    ),
    "Bundle-r4-notification-multi-resource.json": (
        "event", 2, [("Encounter", ENCOUNTER, "1599eb66-431a-447c-a3de-6897fe9ae9a1")],
    ),
    "Parameters-r4-notification-status.json": ("empty", 2, []),
}  # fmt: skip


def without_requests(bundle):
    entries = [
        {k: v for k, v in entry.items() if k not in ("request", "response")} for entry in bundle["entry"]
    ]
    return bundle | {"entry": entries}


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("strip", [False, True], ids=["with-requests", "without-requests"])
def test_published_notification_is_read_for_what_it_is(name, strip):
    body = example("subscriptions-backport", name)
    if strip and name.startswith("Bundle"):
        body = json.dumps(without_requests(json.loads(body))).encode()
    kind, number, events = PUBLISHED[name]
    found = read(None, None, "application/fhir+json", body)
    assert (found.kind, found.event_number, found.subscription) == (kind, number, "Subscription/admission")
    assert [(event.type, event.id, event.subject) for event in found.events] == events


@pytest.mark.parametrize("path", examples("subscriptions-backport"))
def test_every_other_published_resource_is_a_change_of_itself(path):
    if path.name in PUBLISHED:
        return
    resource = json.loads(path.read_bytes())
    found = read(None, None, "application/fhir+json", path.read_bytes())
    assert [(event.type, event.id) for event in found.events] == [(resource["resourceType"], resource["id"])]


def test_rest_hook_with_payload_names_the_change():
    assert read("Observation", "17", "application/fhir+json; charset=UTF-8", BODY) == Notification(
        "event", (CHANGE,)
    )
    assert read(None, None, None, BODY) == Notification("event", (CHANGE,))


def test_rest_hook_without_payload_says_only_that_something_changed():
    assert read(None, None, None, b"") == Notification("empty")


def test_a_path_without_body_is_a_hint_and_a_delete_is_marked():
    expected = Change("Observation", "17", None, None, True, "", False)
    assert read("Observation", "17", None, b"", deleted=True).events == (expected,)


@pytest.mark.parametrize("path", [("Observation", "18"), ("Patient", "17")])
def test_a_path_that_contradicts_the_body_is_refused(path):
    with pytest.raises(Unusable) as raised:
        read(*path, "application/fhir+json", BODY)
    assert raised.value.status == 422


@pytest.mark.parametrize(
    "path", [("Observation", ".."), ("observation", "1"), ("Observation", None), (None, "1")]
)
def test_a_path_that_is_no_resource_is_not_found(path):
    with pytest.raises(Unusable) as raised:
        read(*path, None, b"")
    assert raised.value.status == 404


@pytest.mark.parametrize(
    "media", ["application/fhir+xml", "text/plain", "application/json; charset=utf-16", ""]
)
def test_other_formats_are_refused(media):
    with pytest.raises(Unusable) as raised:
        read(None, None, media, BODY)
    assert raised.value.status == 415


def test_our_own_resource_is_marked():
    own = OBSERVATION | {"meta": {"versionId": "1", "source": "urn:didymos"}}
    assert read(None, None, None, json.dumps(own).encode()).events[0].own


def backport(*entries, **fields):
    status = {"resourceType": "SubscriptionStatus", "type": "event-notification", "status": "active"} | fields
    return json.dumps(
        {"resourceType": "Bundle", "type": "history", "entry": [{"resource": status}, *entries]}
    ).encode()


def test_status_of_r4b_is_read_like_that_of_r4():
    body = backport(
        {"fullUrl": "https://ehr.example/Observation/17", "resource": OBSERVATION},
        subscription={"reference": "Subscription/s"},
        eventsSinceSubscriptionStart="8",
        notificationEvent=[{"eventNumber": 9, "focus": {"reference": "Observation/17"}}],
    )
    assert read(None, None, None, body) == Notification("event", (CHANGE,), 9, "Subscription/s")


def test_deletions_and_versions_of_entries_without_resource_are_read():
    body = backport(
        {"request": {"method": "DELETE", "url": "Observation/1"}, "response": {"etag": 'W/"4"'}},
        {
            "fullUrl": "https://ehr.example/fhir/Observation/2",
            "request": {"method": "PUT", "url": "Observation/2"},
        },
    )
    found = read(None, None, None, body)
    assert [(e.id, e.version, e.deleted) for e in found.events] == [("1", "4", True), ("2", None, False)]


@pytest.mark.parametrize(
    "key", ["valueString", "valueInteger", "valueUnsignedInt", "valueInteger64", "valueDecimal"]
)
@pytest.mark.parametrize("number", ["7", 7])
def test_event_numbers_are_read_however_they_are_typed(key, number):
    status = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "type", "valueCode": "event-notification"},
            {"name": "notification-event", "part": [{"name": "event-number", key: number}]},
        ],
    }
    assert read(None, None, None, json.dumps(status).encode()).event_number == 7


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Bundle"}',
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}',
        b'{"resourceType":"Bundle","entry":{"resource":7}}',
        b'{"resourceType":"Parameters"}',
        b'{"resourceType":"SubscriptionStatus","type":["heartbeat"]}',
        b'{"resourceType":"Observation"}',
        b'{"resourceType":"Observation","id":"a/b"}',
        b'{"resourceType":"observation!","id":"1"}',
        b"[]",
    ],
)
def test_what_is_no_notification_is_refused(body):
    with pytest.raises(Unusable):
        read(None, None, "application/json", body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["entry", "resource", "resourceType", "id", "parameter", "name", "part", "request", "meta"]
            ),
            inner | st.sampled_from(["Bundle", "Parameters", "type", "focus", "notification-event"]),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_any_json_is_read_or_refused_and_nothing_else(value):
    with contextlib.suppress(Unusable):
        read(None, None, "application/json", json.dumps({"resourceType": "Bundle", "entry": value}).encode())
    with contextlib.suppress(Unusable):
        read(None, None, "application/json", json.dumps(value).encode())
