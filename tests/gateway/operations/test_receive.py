"""Every shape of notification is journaled once; what is wrong leaves no trace in the journal."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from fhir_mapping.errors import Unusable
from fhir_mapping.identity import SOURCE
from gateway.errors import NotAuthenticated, NotFound, Overloaded
from gateway.operations.receive import Delivered, receive
from tests.support import person
from tests.support.site import NOW


@pytest.fixture
def result(site):
    """A result that stands in the hospital, of a patient who does."""
    site.ehr.enter(person.patient("p1"))
    return site.ehr.enter(person.cholesterol("o1", "p1", 205, NOW))


def backport(
    *foci: str, entries: tuple[dict[str, object], ...] = (), kind: str = "event-notification"
) -> bytes:
    """A notification of the R5 Subscriptions Backport for R4."""
    events = [
        {
            "name": "notification-event",
            "part": [
                {"name": "event-number", "valueString": str(number)},
                {"name": "focus", "valueReference": {"reference": focus}},
            ],
        }
        for number, focus in enumerate(foci, 1)
    ]
    fields = [{"name": "status", "valueCode": "active"}, {"name": "type", "valueCode": kind}]
    status = {"resource": {"resourceType": "Parameters", "parameter": [*fields, *events]}}
    return orjson.dumps({"resourceType": "Bundle", "type": "history", "entry": [status, *entries]})


def test_resource_as_payload_wakes_its_twin(site, result):
    receipt = site.tell(result)
    assert (receipt.kind, receipt.new, receipt.duplicates) == ("event", 1, 0)
    assert list(site.queue.calls) == [("synchronise", site.twin_id("p1"))]


def test_duplicate_has_no_effect(site, result):
    site.tell(result)
    site.queue.lose()
    before = site.twin("p1")
    receipt = site.tell(result)
    assert (receipt.new, receipt.duplicates) == (0, 1)
    assert site.twin("p1") == before
    assert not site.queue.calls


def test_new_version_is_a_new_event(site, result):
    site.tell(result)
    again = site.ehr.enter(person.amended(result, 210))
    assert site.tell(again).new == 1


def test_content_tells_versions_apart_where_the_ehr_keeps_none(site, result):
    unversioned = {name: value for name, value in result.items() if name != "meta"}
    told = [site.tell(each).new for each in (unversioned, unversioned, person.amended(unversioned, 210))]
    assert told == [1, 0, 1]


def test_the_same_event_on_two_channels_is_one(site, result):
    site.tell(result)
    assert site.deliver("Condition", "Observation", "o1", orjson.dumps(result)).duplicates == 1


def test_notification_without_content_marks_its_subscription(site, result):
    receipt = site.deliver("Observation", content_type=None)
    assert (receipt.kind, receipt.new) == ("empty", 0)
    assert site.subscription("Observation").dirty is not None
    assert site.subscription("Condition").dirty is None
    site.run()
    assert site.subscription("Observation").dirty is None
    assert site.twin("p1").state == "current"


def test_reference_without_a_subject_is_resolved_by_asking_whose_it_is(site, result):
    receipt = site.deliver("Observation", body=backport("Observation/o1"))
    assert (receipt.kind, receipt.new) == ("event", 1)
    assert site.queue.calls[0] == ("resolve", site.hospital_id)
    site.run()
    assert site.twin("p1").state == "current"
    assert "waiting" not in site.outcomes()


def test_reference_to_nothing_ends_as_deleted(site):
    site.deliver("Observation", body=backport("Observation/nowhere"))
    site.run()
    assert site.outcomes() == {"deleted": 1}


def test_later_change_of_an_unversioned_reference_is_not_a_repetition(site, result):
    first = site.deliver("Observation", "Observation", "o1")
    second = site.deliver("Observation", "Observation", "o1")
    assert (first.new, second.new) == (1, 1)


@pytest.mark.parametrize("requests", [True, False], ids=["with-request", "without-request"])
def test_full_resources_of_one_bundle_are_events_each(site, result, requests):
    other = site.ehr.enter(person.cholesterol("o2", "p1", 190, NOW))
    entries = [
        {"fullUrl": f"{site.ehr.base_url}/Observation/{each['id']}", "resource": each}
        for each in (result, other)
    ]
    if requests:
        for entry in entries:
            entry["request"] = {"method": "PUT", "url": f"Observation/{entry['resource']['id']}"}
    body = backport("Observation/o1", "Observation/o2", entries=tuple(entries))
    assert site.deliver("Observation", body=body).new == 2
    assert site.deliver("Observation", body=body).duplicates == 2
    site.run()
    assert site.twin("p1").done_seq == 2


@pytest.mark.parametrize("kind", ["handshake", "heartbeat"])
def test_greeting_is_taken_and_is_no_event(site, kind):
    receipt = site.deliver("Observation", body=backport(kind=kind))
    assert (receipt.kind, receipt.new) == (kind, 0)
    assert not site.queue.calls


def test_deletion_that_is_told_is_an_event(site, result):
    site.tell(result)
    site.run()
    site.ehr.remove("Observation", "o1")
    assert site.deliver("Observation", "Observation", "o1", deleted=True).new == 1
    site.run()
    assert site.outcomes()["deleted"] == 1


def test_our_own_resources_never_trigger_us(site):
    own = person.cholesterol("own", "p1", 205, NOW) | {"meta": {"source": f"{SOURCE}#1", "versionId": "1"}}
    assert site.tell(own).new == 0
    assert not site.queue.calls


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (("Observation", "o1"), b"no JSON", 400),
        (("Observation", "o1"), b'{"resourceType": "Observation", "id": "o1", "valueDecimal": NaN}', 400),
        (("Observation", "other"), b'{"resourceType": "Observation", "id": "o1"}', 422),
        ((None, None), b"[" * 5000 + b"]" * 5000, 400),
        ((None, None), b'{"resourceType": "Bundle", "type": "history"}', 422),
    ],
    ids=["not-json", "nan", "another-resource", "deep", "no-notification"],
)
def test_bad_body_is_refused_and_not_journaled(site, path, body, status):
    with pytest.raises(Unusable) as refused:
        site.deliver("Observation", *path, body)
    assert refused.value.status == status
    assert site.outcomes() == {}


def test_wrong_secret_is_refused_and_recorded(site, result):
    channel = site.channel("Observation")
    before = site.services.audit.size_and_root()[0]
    with pytest.raises(NotAuthenticated):
        receive(site.services, Delivered(channel.path, "wrong", None, None, None, b""))
    assert site.services.audit.size_and_root()[0] == before + 1
    assert site.outcomes() == {}


def test_unknown_channel_is_nowhere(site):
    with pytest.raises(NotFound):
        receive(site.services, Delivered("guess", "wrong", None, None, None, b""))


def test_too_long_a_queue_refuses_more(site):
    narrow = site.services.settings.model_copy(update={"backlog_limit": 1})
    site.services = replace(site.services, settings=narrow)
    for number in range(2):
        site.tell(site.ehr.enter(person.cholesterol(f"o{number}", "p1", 205, NOW)))
    site.clock.advance(seconds=2)  # what the queue holds is looked at once a second
    with pytest.raises(Overloaded):
        site.tell(site.ehr.enter(person.cholesterol("o9", "p1", 205, NOW)))
